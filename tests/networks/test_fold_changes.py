"""Log fold changes of counts: their null, their size, batches, resamples and log-normalised values."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks.deconvolution import own_moves
from cistron.networks.direction import Directions, read_directions
from cistron.networks.effects import KnockOutEffects
from cistron.networks.fold_changes import fold_changes, recovered_counts, screen_effects


def counts(seed=0, genes=40, each=30, control=1500, depth=2.0, fold=0.25):
    """Perturbing A lowers A to ``fold`` and B to half; libraries differ; negative binomial of dispersion 0.3."""
    random = np.random.default_rng(seed)
    names = ["A", "B", *(f"X{number}" for number in range(genes - 2))]
    labels = np.repeat(["ctrl", "A", "X0", "X1", "X2"], [control, *[each] * 4])
    mean = np.tile(random.lognormal(np.log(depth), 0.7, genes), (len(labels), 1))
    mean[labels == "A", 0] *= fold
    mean[labels == "A", 1] *= 0.5
    mean *= random.lognormal(0, 0.4, (len(labels), 1))
    values = random.poisson(random.gamma(1 / 0.3, mean * 0.3))
    return values, names, labels


def cells_of(values, names, labels, **more):
    return assemble_cells(values, names, labels, control="ctrl", **more)


@pytest.mark.parametrize(("depth", "each"), [(0.5, 8), (2.0, 30), (12.0, 100)])
def test_z_of_genes_that_did_not_move_is_normal(depth, each):
    z = np.concatenate(
        [fold_changes(cells_of(*counts(seed, depth=depth, each=each))).z[:, 5:] for seed in range(4)]
    )
    assert 0.9 < z.std() < 1.12
    assert abs(z.mean()) < 0.15
    assert (np.abs(z) > 3).mean() < 0.008


def test_the_shift_is_the_log_fold_change_of_genes_with_few_and_with_many_counts():
    for depth in (1.0, 20.0):
        effects = fold_changes(cells_of(*counts(depth=depth, each=400, genes=60)))
        assert effects.shift[0, 0] == pytest.approx(np.log(0.25), abs=0.2)
        assert effects.shift[0, 1] == pytest.approx(np.log(0.5), abs=0.15)
        assert effects.z[0, 1] < -5
    assert effects.cells.tolist() == [400] * 4


def test_whole_weights_are_repeated_cells():
    values, names, labels = counts()
    times = np.random.default_rng(1).integers(0, 3, len(labels))
    weighted = fold_changes(cells_of(values, names, labels), times)
    repeated = fold_changes(cells_of(np.repeat(values, times, axis=0), names, np.repeat(labels, times)))
    # size factors are over the median of all cells
    np.testing.assert_allclose(weighted.shift, repeated.shift, atol=0.05)
    np.testing.assert_allclose(weighted.z, repeated.z, atol=0.3)


def test_a_batch_is_no_fold_change():
    values, names, labels = counts(each=60)
    random = np.random.default_rng(2)
    batch = np.where(labels == "A", 1, random.integers(0, 2, len(labels)))
    values[:, 10:] += random.poisson(9.0, values[:, 10:].shape) * batch[:, None] * (np.arange(30) % 2)
    plain = fold_changes(cells_of(values, names, labels)).z[0, 10:]
    aware = fold_changes(cells_of(values, names, labels, batches=batch)).z[0, 10:]
    assert (np.abs(plain) > 4).sum() >= 6
    assert np.abs(aware).max() < 3.8


def test_log_normalised_counts_are_found_again():
    values, names, labels = counts(depth=3.0)
    logged = log_normalise(sparse.csr_matrix(values.astype(np.float32)), "counts")
    found = recovered_counts(logged)
    with_one = (values == 1).any(axis=1)
    assert (found.toarray()[with_one] == values[with_one]).all()
    first = screen_effects(cells_of(values, names, labels)).z
    second = screen_effects(cells_of(logged, names, labels, scale="log-normalised")).z
    np.testing.assert_allclose(second, first, atol=0.4)  # a few cells are without a single count
    noise = logged.copy()
    noise.data *= np.random.default_rng(0).uniform(0.8, 1.2, len(noise.data)).astype(np.float32)
    assert recovered_counts(noise) is None
    assert recovered_counts(-logged) is None
    # values that are no counts keep standard deviations of cells as unit
    unlike = screen_effects(
        dataclasses.replace(cells_of(values, names, labels), values=noise, scale="log-normalised")
    )
    assert unlike.scale.std() > 0


def test_own_moves_of_genes_that_are_hardly_seen_are_those_of_the_others():
    shift = np.diag([-1.6, -1.5, -1.7, 0.4])
    error = np.full((4, 4), 0.05)
    error[3, 3] = 2.0
    effects = KnockOutEffects(np.arange(4), shift, error, np.ones(4), np.full(4, 30.0))
    moves = own_moves(effects, Directions("knock-down", -np.ones(4), np.ones(4, dtype=bool)))
    np.testing.assert_allclose(moves[:3], [1.6, 1.5, 1.7], atol=0.05)
    assert moves[3] == pytest.approx(1.6, abs=0.1)


def test_many_genes_that_fall_a_little_are_a_knock_down_screen():
    random = np.random.default_rng(0)
    assert read_directions(random.normal(-1.2, 1, 200)).kind == "knock-down"
    assert read_directions(random.normal(1.2, 1, 200)).kind == "activation"
    assert read_directions(random.normal(0, 1.3, 200)).kind == "activity"
    assert read_directions(np.array([-1.5, -1.0, -1.9, 0.5])).kind == "activity"  # too few to say
