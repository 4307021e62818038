"""Fitting and predicting: recovery on the planted world, splits, controls, streaming, resume, new cell types."""

import dataclasses
import re

import numpy as np
import pytest

from cistron.chromatin.boosting import boosting_features
from cistron.chromatin.build import build_gene_tracks
from cistron.chromatin.estimator import ExpressionPredictor, predict_expression
from cistron.chromatin.saving import load_chromatin_model, save_chromatin_model
from cistron.chromatin.settings import BuildSettings, MarkRidgeSettings, NetworkFit, NetworkSettings
from cistron.chromatin.settings_peers import BoostingSettings, ChromoformerSettings, DeepChromeSettings
from cistron.chromatin.signal import Signal
from cistron.chromatin.splits import choose_split
from cistron.chromatin.training import summarise
from cistron.errors import InputError, LeakageError
from cistron.formats.prediction import check_prediction

from .conftest import TINY


def correlations(result) -> tuple[float, float]:
    """Across test genes, mean over cell types; and of differences between cell types, pooled."""
    test = (result.var["split"] == "test").to_numpy()
    predicted, observed = (result.layers[name][:, test] for name in ("predicted", "observed"))
    across = np.mean([np.corrcoef(p, o)[0, 1] for p, o in zip(predicted, observed)])
    apart = [(part - part.mean(axis=0)).ravel() for part in (predicted, observed)]
    return float(across), float(np.corrcoef(*apart)[0, 1])


def test_the_network_finds_the_planted_signal_and_its_control_does_not(store, fitted):
    result = predict_expression(fitted, store)
    assert check_prediction(result) == []
    assert result.shape == (4, 264)
    assert dict(result.var["split"].value_counts()) == {"train": 144, "test": 96, "validation": 24}
    across, apart = correlations(result)
    assert across > 0.75
    assert apart > 0.7
    settings = dataclasses.replace(TINY, members=1)
    control = ExpressionPredictor(settings, seed=1).fit(store, permuted=True)
    assert control.facts["control"] == "permuted input"
    permuted = predict_expression(control, store)
    assert permuted.uns["cistron"]["control"] == "permuted input"
    assert max(map(abs, correlations(permuted))) < 0.3


def test_ridge_is_a_method_and_the_window_knows_more_than_the_promoter(store):
    scores = [
        correlations(predict_expression(ExpressionPredictor(settings, method="ridge").fit(store), store))
        for settings in (MarkRidgeSettings(), MarkRidgeSettings(bins=20))
    ]
    assert scores[0][1] > 0.4
    assert scores[1][1] > scores[0][1]


def test_gene_mean_predicts_held_out_cell_types_only(store):
    with pytest.raises(InputError, match="gene-mean predicts held-out cell types"):
        ExpressionPredictor(method="gene-mean").fit(store)
    last = store.cell_types[-1]
    parts = choose_split(store, "cell-types", test_cell_types=[last])
    model = ExpressionPredictor(method="gene-mean").fit(store, split=parts)
    result = predict_expression(model, store)
    assert np.isnan(result.layers["predicted"][:-1]).all()
    assert (result.obs["split"] == ["train", "train", "train", "test"]).all()
    expected = store.expression[:, :3].mean(axis=1)
    np.testing.assert_allclose(result.layers["predicted"][-1], expected, rtol=1e-5)


def test_held_out_cell_types_are_not_fitted_on(store):
    validation, test = [store.cell_types[2]], [store.cell_types[3]]
    parts = choose_split(store, "both", validation_cell_types=validation, test_cell_types=test)
    assert parts.cell_types.validation == {store.cell_types[2]}
    settings = dataclasses.replace(TINY, members=1, fit=dataclasses.replace(TINY.fit, epochs=2))
    model = ExpressionPredictor(settings).fit(store, split=parts)
    assert model.facts["cell_types"]["train"] == store.cell_types[:2]
    moved = dataclasses.replace(store, expression=store.expression.copy())
    moved.expression[:, 3] = 99.0  # what is held out may be anything
    moved.expression[[n for n, gene in enumerate(store.genes) if gene in parts.genes.test]] = -5
    again = ExpressionPredictor(settings).fit(moved, split=parts)
    for first, second in zip(model.networks[0].parameters(), again.networks[0].parameters()):
        assert bool((first == second).all())


def test_genes_outside_the_training_part_are_refused(store):
    from cistron.chromatin.fitting_data import FittingData

    parts = choose_split(store)
    data = FittingData(store, parts, 0, None, 10**9, None, {})
    with pytest.raises(LeakageError, match="outside the training part"):
        data.training_expression(data.signal("test"))


def test_streaming_sees_the_same_marks_as_memory(store):
    rows = np.arange(3, 260)
    held, streamed = Signal(store, rows), Signal(store, rows, memory=1000)
    assert held.in_memory
    assert not streamed.in_memory
    some = np.array([200, 3, 7, 7])
    assert (held.read(some) == streamed.read(some)).all()
    for signal in (held, streamed):
        seen = [(numbers, values) for numbers, values in signal.shuffled(16, 0, epoch=1)]
        numbers = np.concatenate([part for part, _ in seen])
        assert sorted(numbers) == list(range(257))
        assert (np.diff(numbers) < 0).any()
        assert all((held.read(part) == values).all() for part, values in seen)
    first, second = summarise(held, 0), summarise(streamed, 0)
    assert (first.quantiles == second.quantiles).all()


def test_the_summary_is_that_of_the_measured_tracks(store):
    signal = Signal(store, np.arange(100))
    values = np.where(signal.measured[None, :, :, None], signal.read(np.arange(100)), np.nan)
    found = summarise(signal, 0)
    np.testing.assert_allclose(found.mark_centre, np.nanmean(values, axis=(0, 1, 3)), rtol=1e-4)
    np.testing.assert_allclose(found.mark_scale, np.nanstd(values, axis=(0, 1, 3)), rtol=1e-4)
    assert (np.diff(found.quantiles, axis=0) >= 0).all()
    np.testing.assert_allclose(found.quantiles[0], np.nanmedian(values, axis=(0, 1, 3)), atol=0.03)


def test_a_saved_model_predicts_the_same(store, fitted, tmp_path):
    save_chromatin_model(fitted, tmp_path / "model")
    again = load_chromatin_model(tmp_path / "model")
    first, second = (predict_expression(model, store) for model in (fitted, again))
    assert (first.layers["predicted"] == second.layers["predicted"]).all()
    assert (first.layers["std"] > 0).any()
    card = (tmp_path / "model" / "README.md").read_text()
    assert "144 genes in 4 cell types" in card


def test_any_number_of_cell_types_and_any_order_of_marks_is_predicted(store, fitted, world, tmp_path):
    """One cell type alone, marks in another order, one mark gone: the model finds its own."""
    order = [5, 4, 3, 2, 1]  # H3K36me3 is not there
    marks = np.array(store.marks)[order]
    np.savez(
        tmp_path / "one.npz",
        values=world.values[:50, :1][:, :, order],
        genes=np.array(store.genes[:50]),
        cell_types=np.array(["alone"]),
        marks=marks,
        measured=np.ones((1, 5), bool),
    )
    one = build_gene_tracks(
        tmp_path / "one.zarr", binned=tmp_path / "one.npz", settings=BuildSettings(transform="logged")
    )
    found = predict_expression(fitted, one).layers["predicted"][0]
    values = world.values[:50, :1].copy()
    measured = np.ones((1, 6), bool)
    measured[0, 0] = False
    values[:, :, 0] = 0
    np.testing.assert_allclose(found, fitted.predict_each(values, measured).mean(axis=0)[:, 0], atol=1e-5)
    whole = predict_expression(fitted, store).layers["predicted"][0, :50]
    assert 0.5 < np.corrcoef(found, whole)[0, 1] < 0.999


def test_a_killed_fit_goes_on_and_ends_the_same(store, tmp_path):
    settings = dataclasses.replace(TINY, members=1, fit=dataclasses.replace(TINY.fit, epochs=4))
    whole = ExpressionPredictor(settings, seed=2).fit(store)
    # the first run stops after two epochs of four, as if it had been killed
    half = dataclasses.replace(settings, fit=dataclasses.replace(settings.fit, epochs=2, schedule="constant"))
    rest = dataclasses.replace(settings, fit=dataclasses.replace(settings.fit, schedule="constant"))
    straight = ExpressionPredictor(rest, seed=2).fit(store)
    ExpressionPredictor(half, seed=2).fit(store, directory=tmp_path)
    resumed = ExpressionPredictor(rest, seed=2).fit(store, directory=tmp_path)
    for first, second in zip(straight.networks[0].parameters(), resumed.networks[0].parameters()):
        np.testing.assert_allclose(first.detach(), second.detach(), atol=1e-6)
    assert whole.facts["epochs"] == resumed.facts["epochs"] == [4]
    with pytest.raises(InputError, match="other settings, data or seed"):
        ExpressionPredictor(rest, seed=2).fit(store, directory=tmp_path, permuted=True)


def test_the_same_seed_gives_the_same_model_and_another_another(store):
    settings = dataclasses.replace(TINY, members=1, fit=dataclasses.replace(TINY.fit, epochs=1))
    first, second, other = (
        predict_expression(ExpressionPredictor(settings, seed=seed).fit(store), store).layers["predicted"]
        for seed in (5, 5, 6)
    )
    assert (first == second).all()
    assert (first != other).any()


def test_models_and_data_that_do_not_go_together_are_told(store, fitted, world, tmp_path):
    def built(name, **changes):
        parts = {
            "values": world.values[:5],
            "genes": np.array(store.genes[:5]),
            "cell_types": np.array(store.cell_types),
            "marks": np.array(store.marks),
        } | changes
        np.savez(tmp_path / f"{name}.npz", **parts)
        settings = BuildSettings(transform="none" if name == "raw" else "logged")
        return build_gene_tracks(
            tmp_path / f"{name}.zarr", binned=tmp_path / f"{name}.npz", settings=settings
        )

    with pytest.raises(InputError, match="was built with --transform none, the model was fitted on logged"):
        predict_expression(fitted, built("raw"))
    with pytest.raises(InputError, match="100 bins of 100 bp, the model was fitted on 200"):
        predict_expression(fitted, built("short", values=world.values[:5, ..., :100]))
    with pytest.raises(InputError, match="none of the model's marks"):
        predict_expression(fitted, built("marks", marks=np.array(list("abcdef"))))
    with pytest.raises(InputError, match="has no expression"):
        ExpressionPredictor(TINY).fit(built("bare"))
    with pytest.raises(InputError, match="does not go with merge"):
        ExpressionPredictor(NetworkSettings(), method="per-cell").fit(store)
    with pytest.raises(InputError, match="takes MarkRidgeSettings"):
        ExpressionPredictor(NetworkSettings(), method="ridge")


@pytest.mark.parametrize("method", ["boosting", "deepchrome", "chromoformer"])
def test_methods_of_others_predict_and_are_saved(store, method, tmp_path):
    """Each sees the marks (test genes are predicted), takes missing tracks, and is the same after saving."""
    fit = NetworkFit(epochs=3, learning_rate=5e-3, weight_decay=0.0, warmup_steps=0, patience=None)
    settings = {
        "boosting": BoostingSettings(trees=60, leaves=7, learning_rate=0.1, other_cell_types=True),
        "deepchrome": DeepChromeSettings(filters=8, hidden=(16, 8), dropout=0.1, fit=fit),
        "chromoformer": ChromoformerSettings(resolutions=(20,), width=8, hidden=8, fit=fit),
    }[method]
    model = ExpressionPredictor(settings, method=method, seed=1).fit(store)
    result = predict_expression(model, store)
    assert correlations(result)[0] > 0.5
    save_chromatin_model(model, tmp_path / "model")
    again = predict_expression(load_chromatin_model(tmp_path / "model"), store)
    np.testing.assert_array_equal(again.layers["predicted"], result.layers["predicted"])


def test_boosting_stops_on_the_validation_part_and_marks_missing_tracks(store):
    settings = BoostingSettings(
        trees=400, learning_rate=0.5, patience=5, minimum_examples=10, row_share=0.8, feature_share=0.5
    )
    model = ExpressionPredictor(settings, method="boosting").fit(store)
    assert model.facts["trees_kept"] < 200
    values = np.ones((1, 2, 2, 200), np.float32)
    measured = np.array([[[True, True], [True, False]]])
    found = boosting_features(values, measured, BoostingSettings(bins=2, other_cell_types=True))
    assert np.isnan(found[0, 1, 2:4]).all()
    assert (found[0, 1, 4:] == 1).all()  # the mean over cell types is that of the measured


def test_a_model_saved_before_the_dense_form_is_convolutional(store, tmp_path):
    settings = dataclasses.replace(
        NetworkSettings.convolutional(), members=1, fit=dataclasses.replace(TINY.fit, epochs=1)
    )
    model = ExpressionPredictor(settings, seed=1).fit(store)
    save_chromatin_model(model, tmp_path / "model")
    record = tmp_path / "model" / "settings.json"
    if not record.exists():
        record = next(path for path in (tmp_path / "model").glob("*.json") if '"form"' in path.read_text())
    text = record.read_text()
    record.write_text(re.sub(r'\s*"form": "convolutional",', "", text))
    assert '"form"' not in record.read_text()
    again = load_chromatin_model(tmp_path / "model")
    assert again.settings.form == "convolutional"
