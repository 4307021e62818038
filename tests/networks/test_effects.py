"""Shifts, distances and their shrinkage against SciPy and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks import METHODS
from cistron.networks.covariation import correlation_matrix, covariance, partial_correlation_matrix
from cistron.networks.direction import read_directions, regulation_sign
from cistron.networks.effects import (
    KnockOutEffects,
    direct_effects,
    effects_of,
    mean_shift,
    normal_score,
    perturbation_moments,
)
from cistron.networks.quality import perturbation_quality
from cistron.networks.settings import MeanShiftSettings
from cistron.networks.shrinkage import shrink_effects
from cistron.networks.wasserstein_distance import wasserstein, wasserstein_groups


def _cells(seed=0, genes=6, each=12):
    random = np.random.default_rng(seed)
    names = [f"G{number}" for number in range(genes)]
    labels = np.repeat(["ctrl", *names], [60, *[each] * genes])
    values = random.normal(0, 1, (len(labels), genes)).round(2)
    values[labels == "G0", 1] -= 3
    values[labels == "G0", 0] -= 4
    return assemble_cells(values, names, labels, control="ctrl", scale="continuous")


def test_moments_are_those_of_numpy_also_with_weights():
    cells = _cells()
    dense = cells.values.toarray()
    moments = perturbation_moments(cells.values, cells.perturbation)
    for row, label in enumerate([-1, *range(6)]):
        group = dense[cells.perturbation == label]
        np.testing.assert_allclose(moments.mean[row], group.mean(axis=0), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(moments.variance[row], group.var(axis=0, ddof=1), rtol=1e-4)
    times = np.random.default_rng(1).integers(0, 3, len(dense))
    weighted = perturbation_moments(cells.values, cells.perturbation, times)
    repeated = np.repeat(dense[cells.perturbation == 2], times[cells.perturbation == 2], axis=0)
    np.testing.assert_allclose(weighted.mean[3], repeated.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(weighted.variance[3], repeated.var(axis=0, ddof=1), rtol=1e-4)


def test_welch_is_scipys():
    cells = _cells()
    dense = cells.values.toarray()
    weight = mean_shift(cells, "welch").weight
    for source, target in ((0, 1), (3, 5), (5, 0)):
        oracle = stats.ttest_ind(
            dense[cells.perturbation == source, target], dense[cells.control, target], equal_var=False
        )
        assert weight[source, target] == pytest.approx(abs(oracle.statistic), rel=1e-4)


def test_the_statistic_of_mean_shift_is_as_set():
    cells = _cells()
    dense = cells.values.toarray()
    means = [dense[rows, 1].mean() for rows in (cells.perturbation == 0, cells.control)]
    difference, welch, moderated = (
        METHODS["mean-shift"](cells, MeanShiftSettings(statistic=name), 0).weight[0, 1]
        for name in ("difference", "welch", "moderated")
    )
    assert difference == pytest.approx(abs(means[0] - means[1]), rel=1e-5)
    assert welch == pytest.approx(mean_shift(cells, "welch").weight[0, 1])
    assert moderated == pytest.approx(abs(effects_of(cells).z[0, 1]))
    assert MeanShiftSettings.paper().statistic == "difference"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-4, 4), min_size=1, max_size=15),
    st.lists(st.integers(-4, 4), min_size=1, max_size=12),
)
def test_wasserstein_is_scipys_also_with_ties(control, perturbed):
    groups = [np.sort(np.array(perturbed, float)), np.array([0.5, 2.5])]
    stacked = np.concatenate(groups)[:, None]
    ours = wasserstein_groups(
        np.sort(np.array(control, float))[:, None], stacked, np.array([len(perturbed), 2])
    )
    for row, group in enumerate(groups):
        assert ours[row, 0] == pytest.approx(stats.wasserstein_distance(control, group), abs=1e-9)


def test_wasserstein_of_cells():
    cells = _cells()
    dense = cells.values.toarray().astype(float)
    weight = wasserstein(cells).weight
    oracle = stats.wasserstein_distance(dense[cells.perturbation == 2, 4], dense[cells.control, 4])
    assert weight[2, 4] == pytest.approx(oracle, rel=1e-5)


def test_null_shifts_have_unit_z():
    z = np.concatenate([effects_of(_cells(seed, genes=12)).z[1:].ravel() for seed in range(5)])
    assert 0.85 < z[np.abs(z) < 5].std() < 1.15


def test_a_batch_is_no_effect():
    """A is perturbed in batch 1 only, where every gene is higher."""
    random = np.random.default_rng(0)
    names = [f"G{number}" for number in range(8)]
    labels = np.repeat(["ctrl", "ctrl", "G0", "G1"], [200, 200, 60, 60])
    batch = np.repeat([0, 1, 1, 0], [200, 200, 60, 60])
    values = random.normal(0, 1, (520, 8)) + batch[:, None] * 2.0
    values[labels == "G0", 3] += 2
    given = {"control": "ctrl", "scale": "continuous"}
    plain = assemble_cells(values, names, labels, **given)
    aware = assemble_cells(values, names, labels, batches=batch, **given)
    assert np.abs(effects_of(plain).z[0, 4:]).min() > 4
    z = effects_of(aware).z
    assert np.abs(z[:, 4:]).max() < 3.5
    assert z[0, 3] > 8
    by_hand = values[labels == "G0", 3].mean() - values[200:400, 3].mean()
    moments = perturbation_moments(aware.values, aware.perturbation, batch=aware.batch)
    assert moments.difference[0, 3] == pytest.approx(by_hand, abs=1e-5)
    assert moments.control_error[0] == pytest.approx(1 / 200)
    apart = correlation_matrix(covariance(aware.values)[0])[4, 5]
    within = correlation_matrix(covariance(aware.values, batch=aware.batch)[0])[4, 5]
    assert abs(within) < 0.15 < apart


def test_means_of_few_skewed_cells_have_normal_scores():
    """Five cells of a gene that is mostly zero: the plain z is far from normal on the right."""
    random = np.random.default_rng(0)
    values = random.poisson(0.3, (200_000, 5)).astype(float)
    z = (values.mean(axis=1) - 0.3) / np.sqrt(0.3 / 5)
    score = normal_score(z, np.array(1 / np.sqrt(0.3) / np.sqrt(5)))
    chance = stats.norm.sf(3)
    assert (z > 3).mean() > 3 * chance
    assert (score > 3).mean() < 1.5 * chance
    assert (np.diff(normal_score(np.linspace(-4.9, 40, 50), np.array(0.4))) > 0).all()
    np.testing.assert_allclose(
        normal_score(np.linspace(-3, 3, 7), np.array(0.0)), np.linspace(-3, 3, 7), atol=0.01
    )


def test_an_activator_and_a_repressor_have_their_signs():
    shift = np.array([[-2.0, -1.0, 1.0]])
    assert regulation_sign(shift, np.array([-1.0])).tolist() == [[1, 1, -1]]
    assert regulation_sign(-shift, np.array([1.0])).tolist() == [[1, 1, -1]]  # CRISPR activation


def test_the_direction_is_read_from_the_perturbed_genes_or_given():
    fallen = np.array([-5.0, -9.0, 1.9, 6.0])
    found = read_directions(fallen)
    assert (found.kind, found.seen) == ("knock-down", True)
    assert found.sign.tolist() == [
        -1,
        -1,
        -1,
        1,
    ]  # 1.9 is noise; 6 is a gene that rises among those that fall
    found = read_directions(-fallen)
    assert (found.kind, found.sign.tolist()) == ("activation", [1, 1, 1, -1])
    mixed = read_directions(np.array([-5.0, 5.0, 0.3, -0.1, 7.0]))
    assert (mixed.kind, mixed.known.tolist()) == ("mixed", [True, True, False, False, True])
    unseen = read_directions(np.array([0.4, -1.0, 3.0, 0.1]))
    assert (unseen.kind, unseen.seen, unseen.known.any()) == ("activity", False, False)
    given = read_directions(np.array([0.4, 1.0, -3.0]), "inhibition")
    assert (given.seen, given.known.all(), given.sign.tolist()) == (False, True, [-1, -1, -1])
    raised = read_directions(np.array([0.4, 1.0, -3.0]), "stimulation")
    assert (raised.seen, raised.known.all(), raised.sign.tolist()) == (False, True, [1, 1, 1])
    assert read_directions(fallen, "knock-down").sign.tolist() == [-1, -1, -1, -1]


def test_direct_effects_of_a_noise_free_chain():
    random = np.random.default_rng(0)
    labels = np.repeat(["ctrl", "A", "B", "C"], 4000)
    noise = random.normal(0, 0.1, (16000, 3))
    a = -1.0 * (labels == "A")
    b = 0.8 * a - (labels == "B") * 1.0
    c = 0.8 * b - (labels == "C") * 1.0
    cells = assemble_cells(
        np.column_stack([a, b, c]) + noise, list("ABC"), labels, control="ctrl", scale="continuous"
    )
    weight = direct_effects(cells, 3.0).weight
    total = mean_shift(cells, "moderated").weight
    assert total[0, 2] > 100
    assert weight[0, 2] < 0.62 * total[0, 2]  # what is left is the half of the total that ties are broken by
    assert weight[0, 1] > 1.4 * total[0, 1]


def test_shrinkage_learns_hubs_where_there_are_some_and_not_otherwise():
    random = np.random.default_rng(0)
    number = 60

    def shares(effect_rate):
        real = random.random((number, 300)) < effect_rate[:, None]
        shift = np.where(real, random.normal(0, 0.6, real.shape), 0) + random.normal(0, 0.15, real.shape)
        effects = KnockOutEffects(
            np.arange(number), shift, np.full(real.shape, 0.15), np.ones(300), np.full(number, 30)
        )
        shrunken = shrink_effects(effects)
        return shrunken, real

    hubs = np.where(np.arange(number) < 6, 0.4, 0.005)
    learned, real = shares(hubs)
    assert learned.share[:6].min() > 5 * learned.share[6:].max()
    calm = learned.probability[real == 0]
    assert calm.mean() < 0.05
    assert learned.probability[real].mean() > 0.5
    flat, _ = shares(np.full(number, 0.05))
    assert flat.share.max() < 4 * flat.share.min()


def test_evidence_keeps_growing_with_the_effect():
    """A null density below 1e-300 must not be where evidence ends (|z| = 37)."""
    z = np.array([0.0, 5, 20, 29, 37, 45, 90, 180])
    error = np.full((1, len(z)), 0.044)
    effects = KnockOutEffects(np.array([0]), z[None] * error, error, np.ones(len(z)), np.array([1000]))
    log_odds = shrink_effects(effects).log_odds[0, 1:]
    assert (np.diff(log_odds) > 0).all()
    assert log_odds[-2] == pytest.approx(90**2 / 2, rel=0.02)
    assert log_odds[-1] == pytest.approx(180**2 / 2, rel=0.05)


def test_partial_correlation_sees_through_a_chain():
    random = np.random.default_rng(0)
    a = random.normal(size=20000)
    b = a + random.normal(size=20000)
    c = b + random.normal(size=20000)
    values = sparse.csr_matrix(np.column_stack([a, b, c]).astype(np.float32))
    covariances, _, number = covariance(values, block=3000)
    np.testing.assert_allclose(covariances, np.cov(values.toarray().T), rtol=1e-3, atol=1e-3)
    correlation = correlation_matrix(covariances)
    partial = partial_correlation_matrix(covariances, number)
    assert correlation[0, 2] > 0.5
    assert abs(partial[0, 2]) < 0.03
    assert partial[0, 1] == pytest.approx(0.5, abs=0.02)  # 1 / 2 by hand
    assert correlation_matrix(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]


def test_quality_tells_a_knock_down_that_is_seen_from_one_that_is_not():
    table = perturbation_quality(_cells()).set_index("gene")
    assert table.loc["G0", "knock_down"] == "seen"
    assert (table.loc[["G1", "G2", "G3"], "knock_down"] != "seen").all()
    assert table.loc["G0", "cells"] == 12
    assert table.loc["G0", "moved"] == pytest.approx(0.2)


def test_moved_counts_the_other_genes_beyond_three_standard_errors():
    """Shifts of all sizes, so that many genes lie just below the threshold and many just above it."""
    random = np.random.default_rng(0)
    names = [f"G{number}" for number in range(60)]
    values = random.normal(0, 1, (300, 60))
    values[200:] += np.linspace(0, 1, 60)
    values[200:, 0] -= 4
    labels = np.repeat(["ctrl", "G0"], [200, 100])
    cells = assemble_cells(values, names, labels, control="ctrl", scale="continuous")
    others = np.abs(effects_of(cells).z[0, 1:])
    assert ((others > 2.5) & (others < 3)).any()
    assert ((others > 3) & (others < 3.5)).any()
    assert perturbation_quality(cells).loc[0, "moved"] == pytest.approx((others > 3).sum() / 59)
