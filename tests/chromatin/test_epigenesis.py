"""In-silico epigenesis: the linear case by hand, the planted rules, backgrounds, round trip, bad input."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from cistron.chromatin.epigenesis import _interval, epigenesis
from cistron.chromatin.epigenesis_output import gene_places
from cistron.chromatin.estimator import ExpressionPredictor, predict_expression
from cistron.chromatin.model_quality import model_quality
from cistron.chromatin.settings import EpigenesisSettings, MarkRidgeSettings
from cistron.errors import InputError
from cistron.formats.epigenesis import check_epigenesis, read_epigenesis, write_epigenesis


@pytest.fixture(scope="module")
def ridge(store):
    return ExpressionPredictor(MarkRidgeSettings(bins=20), method="ridge").fit(store)


def test_on_a_linear_model_the_map_is_its_weights(store, ridge):
    """A peak of 1 kb on nothing fills one of 20 bins: it moves the prediction by weight x height / scale."""
    found = epigenesis(ridge, store, np.arange(5), EpigenesisSettings(background="empty"))
    assert check_epigenesis(found) == []
    fitted = ridge.linear
    expected = (np.log1p(20) * fitted.level / fitted.scale).reshape(6, 20)
    np.testing.assert_allclose(found.effect[0, :, :, 0], expected, rtol=1e-3, atol=1e-4)
    assert found.starts[0] == -10_000
    assert found.starts[10] == 0
    table = found.table[found.table["read_in"] == "all"]
    np.testing.assert_allclose(table["effect"].to_numpy().reshape(6, 20), expected, rtol=1e-3, atol=1e-4)
    assert table["low"].isna().all()  # one model on one background has no interval


def test_the_networks_map_has_the_planted_signs_at_the_start_site(store, fitted):
    test = np.flatnonzero(np.isin(store.genes, fitted.facts["genes"]["test"]))
    found = epigenesis(fitted, store, test, EpigenesisSettings(background="real", genes=40))
    table = found.table[found.table["read_in"] == "all"].set_index(["mark", "start"])
    for mark, start, sign in (("H3K4me3", 0, 1), ("H3K27ac", 0, 1), ("H3K27me3", 0, -1)):
        row = table.loc[(mark, start)]
        assert np.sign(row["effect"]) == sign
        assert (row["low"] > 0) == (row["high"] > 0)
    assert (table["n"] == 40).all()
    assert set(table["interval"]) == {"95% bootstrap over genes"}


def test_the_interval_over_networks_is_scipys_t_interval():
    values = np.random.default_rng(0).normal(size=(1, 4, 2, 3))  # gene, member, mark, place
    mean, low, high, kind = _interval(values, 10, 0)
    oracle = stats.t.interval(0.95, 3, loc=values[0].mean(axis=0), scale=stats.sem(values[0], axis=0))
    np.testing.assert_allclose([low, high], oracle)
    np.testing.assert_allclose(mean, values[0].mean(axis=0))
    assert kind == "95% t interval over networks"


def test_on_an_empty_background_the_number_is_that_of_the_networks(store, fitted):
    found = epigenesis(fitted, store, np.arange(3), EpigenesisSettings(background="empty", stride=5000))
    assert set(found.table["n"]) == {2}
    assert set(found.table["interval"]) == {"95% t interval over networks"}


def test_a_peak_in_one_cell_type_is_read_there_and_in_the_others(store, fitted):
    name = store.cell_types[1]
    found = epigenesis(
        fitted, store, np.arange(30), EpigenesisSettings(background="ablated", cell_type=name, genes=30)
    )
    assert set(found.table["read_in"]) == {name, "others"}
    own = found.table[found.table["read_in"] == name]["effect"].abs().max()
    others = found.table[found.table["read_in"] == "others"]["effect"].abs().max()
    assert own > 2 * others > 0


def test_ablated_and_real_differ_by_the_mark_that_was_there(store, ridge):
    genes = np.arange(3)
    real, ablated = (
        epigenesis(ridge, store, genes, EpigenesisSettings(background=name)) for name in ("real", "ablated")
    )
    # on real marks a peak only fills up what is lacking
    assert (np.abs(real.effect) <= np.abs(ablated.effect) + 1e-5).mean() > 0.99
    assert np.abs(real.effect).sum() < np.abs(ablated.effect).sum()


def test_the_map_does_not_depend_on_the_order_or_number_of_places(store, fitted):
    coarse = epigenesis(fitted, store, np.arange(4), EpigenesisSettings(background="real", stride=2000))
    fine = epigenesis(fitted, store, np.arange(4), EpigenesisSettings(background="real"))
    np.testing.assert_allclose(coarse.effect, fine.effect[:, :, ::2], atol=1e-5)


def test_round_trip(store, fitted, tmp_path):
    found = epigenesis(fitted, store, np.arange(1), EpigenesisSettings(background="empty"))
    write_epigenesis(tmp_path / "map.zarr", found)
    again = read_epigenesis(tmp_path / "map.zarr")
    assert (again.effect == found.effect).all()
    assert again.facts == dict(found.facts)
    np.testing.assert_allclose(again.table["effect"], found.table["effect"], atol=1e-8)
    assert found.table["interval"].iloc[0] == "95% t interval over networks"


def test_bad_questions_are_told(store, fitted, tmp_path):
    with pytest.raises(InputError, match="there is no cell type 'liver'"):
        epigenesis(fitted, store, np.arange(2), EpigenesisSettings(cell_type="liver"))
    with pytest.raises(InputError, match="does not fit a window"):
        epigenesis(fitted, store, np.arange(2), EpigenesisSettings(width=50_000))
    with pytest.raises(InputError, match="must be positive"):
        EpigenesisSettings(height=0)
    with pytest.raises(InputError, match="at least one gene"):
        epigenesis(fitted, store, np.array([], int))
    with pytest.raises(InputError, match="does not exist"):
        read_epigenesis(tmp_path / "none.zarr")
    with pytest.raises(InputError, match="no epigenesis map"):
        read_epigenesis(store.path)


def test_the_folder_says_how_well_the_model_predicts_and_where_its_genes_lie(store, ridge, tmp_path):
    rows = model_quality(ridge, store)
    assert [row["metric"] for row in rows] == ["pearson_across_genes", "pearson_within_genes"]
    test = np.flatnonzero(np.isin(store.genes, ridge.facts["genes"]["test"]))
    predicted = np.asarray(predict_expression(ridge, store).layers["predicted"]).T[test]
    observed = store.expression[test]
    each = [np.corrcoef(predicted[:, c], observed[:, c])[0, 1] for c in range(observed.shape[1])]
    assert rows[0]["value"] == pytest.approx(np.mean(each), abs=1e-5)
    left = [(values - values.mean(axis=1, keepdims=True)).ravel() for values in (predicted, observed)]
    assert rows[1]["value"] == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-5)
    for row in rows:
        assert row["low"] < row["value"] < row["high"]
        assert row["control_value"] < row["low"]
        assert row["n"] == len(test)
    # the null is the ridge on promoter means, fitted on the same genes
    promoter = ExpressionPredictor(method="ridge").fit(store)
    assert model_quality(promoter, store)[0]["value"] == pytest.approx(rows[0]["null_value"], abs=1e-6)
    found = epigenesis(ridge, store, test[:2])
    at = gene_places(found, store)
    sequence = store.tracks.sequences.iloc[test[0]]
    middle = (sequence["start"] + sequence["end"]) // 2
    assert at[0]["gene"] == store.genes[test[0]]
    assert at[0]["start_site"] == (middle - 1 if sequence["strand"] == "-" else middle)


def test_a_store_without_expression_has_no_quality(store, ridge):
    assert model_quality(ridge, dataclasses.replace(store, expression=None)) == []
