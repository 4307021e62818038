"""Iterated shrunken components: planted low rank with gaps, against plain components, several matrices, masks, bad input."""

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.evaluation.recovery import canonical_correlations
from cistron.omics import OmicsEmbedder, OmicsMatrix, SoftImputeSettings, prepare_matrix
from cistron.omics import soft_impute as module
from cistron.omics.settings_preparation import PreprocessingSettings
from cistron.omics.soft_impute import soft_impute

PLAIN = PreprocessingSettings(log="no", minimum_measured=0.01)


def _planted(samples=40, genes=400, rank=3, missing=0.4, noise=0.7, seed=0):
    generator = np.random.default_rng(seed)
    functions = generator.normal(size=(genes, rank))
    values = functions @ generator.normal(size=(rank, samples)) + noise * generator.normal(
        size=(genes, samples)
    )
    values[generator.random(values.shape) < missing] = np.nan
    names = [f"ENSG{number:011d}" for number in range(genes)]
    frame = pd.DataFrame(values, index=names, columns=[f"s{number}" for number in range(samples)])
    return functions, frame


def _prepared(frame, name="matrix"):
    return prepare_matrix(OmicsMatrix.from_frame(frame, name), PLAIN)


def test_planted_components_are_found_among_gaps_and_better_than_by_filled_means():
    functions, frame = _planted(missing=0.6)
    found = soft_impute([_prepared(frame)], SoftImputeSettings(dimensions=3), seed=1)
    plain = OmicsEmbedder({"dimensions": 3}, PLAIN, method="pca").embed(frame)
    own = canonical_correlations(found.scores, functions)
    assert own.min() > 0.9
    assert own.min() > canonical_correlations(np.asarray(plain.X), functions).min() + 0.02
    assert found.held_out_r2 > 0.7  # of 0.86 that is no noise


def test_the_penalty_grows_with_the_noise():
    quiet, loud = (
        soft_impute(
            [_prepared(_planted(noise=noise, missing=0.2)[1])], SoftImputeSettings(dimensions=12), seed=1
        )
        for noise in (0.3, 3.0)
    )
    assert loud.penalty > 1.5 * quiet.penalty
    assert quiet.held_out_r2 > 0.9 > loud.held_out_r2 > 0


def test_a_matrix_without_gaps_and_penalty_is_principal_components(monkeypatch):
    _, frame = _planted(missing=0.0)
    monkeypatch.setattr(module, "_choose", lambda *given: 0.0)
    found = soft_impute([_prepared(frame)], SoftImputeSettings(dimensions=3), seed=1)
    plain = np.asarray(OmicsEmbedder({"dimensions": 3}, PLAIN, method="pca").embed(frame).X)
    assert canonical_correlations(found.scores, plain).min() > 0.999
    assert found.iterations == 1
    assert found.scores.std(axis=0) == pytest.approx(plain.std(axis=0), rel=0.05)


def test_a_gene_of_one_matrix_is_placed_by_it_beside_genes_of_both():
    functions, first = _planted(missing=0.1, seed=2)
    generator = np.random.default_rng(3)
    second = pd.DataFrame(
        functions @ generator.normal(size=(3, 30)) + 0.5 * generator.normal(size=(400, 30)),
        index=first.index, columns=[f"t{number}" for number in range(30)],
    )  # fmt: skip
    found = soft_impute(
        [_prepared(first.iloc[:300], "one"), _prepared(second.iloc[150:], "two")],
        SoftImputeSettings(dimensions=3),
        seed=1,
    )
    assert set(found.genes) == set(first.index)
    assert set(found.held_out_r2_of) == {"one", "two"}
    order = [list(first.index).index(gene) for gene in found.genes]
    # one map from functions to scores holds for genes of either matrix and of both
    both = np.arange(150, 300)
    place = np.argsort(order)
    weights = np.linalg.lstsq(functions[both], found.scores[place][both], rcond=None)[0]
    for rows in (np.arange(150), np.arange(300, 400)):
        error = found.scores[place][rows] - functions[rows] @ weights
        assert (error.std(axis=0) < 0.4 * found.scores.std(axis=0)).all()


def test_many_samples_go_by_sketches_to_the_same(monkeypatch):
    _, frame = _planted(missing=0.3, seed=4)
    settings = SoftImputeSettings(dimensions=3)
    exact = soft_impute([_prepared(frame)], settings, seed=1)
    monkeypatch.setattr(module, "_EXACT", 10)
    sketched = soft_impute([_prepared(frame)], settings, seed=1)
    assert canonical_correlations(exact.scores, sketched.scores).min() > 0.999
    assert sketched.held_out_r2 == pytest.approx(exact.held_out_r2, abs=0.01)


def test_the_test_entries_change_nothing_that_is_chosen_or_fitted_before(monkeypatch):
    """Values of the test mask are made absurd after scaling: penalty and reconstruction stay as they are."""
    _, frame = _planted(missing=0.2, seed=5)
    fits = []
    inner = module._fit
    monkeypatch.setattr(module, "_fit", lambda values, *given: fits.append(inner(values, *given)) or fits[-1])
    scaled = module.scaled_entries
    first = soft_impute([_prepared(frame)], SoftImputeSettings(dimensions=3), seed=1)
    before = fits[-2].filled.copy()

    def spoiled(*given):
        part = scaled(*given)
        part.values[part.held_out] = 1e3
        return part

    monkeypatch.setattr(module, "scaled_entries", spoiled)
    second = soft_impute([_prepared(frame)], SoftImputeSettings(dimensions=3), seed=1)
    assert second.penalty == first.penalty
    np.testing.assert_array_equal(fits[-2].filled, before)
    assert second.held_out_r2 < 0.01


def test_too_many_dimensions_are_refused():
    with pytest.raises(InputError, match="at most 40 are possible"):
        soft_impute([_prepared(_planted()[1])], SoftImputeSettings(dimensions=41))


def test_choosing_mask_path_and_iterations_are_bounded_by_the_settings(monkeypatch):
    _, frame = _planted(missing=0.3, seed=6)
    masks, fits = [], []
    draw, fit = module.draw_held_out, module._fit
    monkeypatch.setattr(module, "draw_held_out", lambda *given: masks.append(draw(*given)) or masks[-1])
    monkeypatch.setattr(module, "_fit", lambda *given: fits.append(fit(*given)) or fits[-1])
    settings = SoftImputeSettings(dimensions=3, choosing=0.3, shrinkages=2, iterations=4, tolerance=1e-9)
    soft_impute([_prepared(frame)], settings, seed=1)
    assert masks[0].mean() == pytest.approx(0.3 * 0.7, abs=0.02)
    assert len(fits) == 2 + 2  # the path, without the test entries, and with all
    assert {one.iterations for one in fits} == {4}
