"""Held-out ranks and scores of sets against scikit-learn and direct refits; estimates on planted effects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from cistron.statistics import group_moments, leave_group_out, permute_within, predict_left_out
from cistron.statistics.estimate import Estimate
from cistron.statistics.held_out_ranks import LeftOutModel, Members
from cistron.statistics.ridge import DEFAULT_PENALTIES, fit_ridge
from cistron.statistics.set_scores import auroc_by_group, average_precision, drawn_scores, set_estimates


def _data(seed, rows=240, groups=5, sets=3):
    generator = np.random.default_rng(seed)
    group = np.sort(np.r_[np.arange(groups), generator.integers(0, groups, rows - groups)])
    columns = generator.normal(size=(rows, 4))
    member = columns[:, :sets] + generator.normal(size=(rows, sets)) > 1.2
    member[0] = True
    return columns, member, group


@given(seed=st.integers(0, 500), ties=st.booleans())
@settings(max_examples=15, deadline=None)
def test_scores_equal_scikit_learn(seed, ties):
    columns, member, group = _data(seed)
    if ties:
        columns = np.round(columns[:, :2])
    members = Members.of(member, group)
    model = LeftOutModel.fit(columns[:, :1], columns[:, 1:], members)
    predicted = predict_left_out(model.fits, model.columns, group)
    ranks = model.ranks()
    area = auroc_by_group(members, ranks)
    share = np.empty(predicted.shape)
    for one in range(group.max() + 1):
        rows = group == one
        share[rows] = stats.rankdata(predicted[rows].astype(np.float32), axis=0) / (rows.sum() + 1)
        for number in range(member.shape[1]):
            if 0 < member[rows, number].sum() < rows.sum():
                expected = roc_auc_score(member[rows, number], predicted[rows, number].round(9))
                assert area[one, number] == pytest.approx(expected, abs=1e-6)
    if not ties:
        expected = [average_precision_score(member[:, n], share[:, n]) for n in range(member.shape[1])]
        assert average_precision(members, ranks) == pytest.approx(expected)


def test_pairs_are_fits_without_both_groups():
    columns, member, group = _data(3)
    members = Members.of(member, group)
    model = LeftOutModel.fit(columns[:, :0], columns, members)
    seen = set()
    for tested, dropped, entries, ranks in model.pair_ranks():
        seen.add((tested, dropped))
        train = ~np.isin(group, [tested, dropped])
        own, target = model.columns[train], member[train].astype(float)
        for number in range(member.shape[1]):
            fit = fit_ridge(
                own.T @ own, own.T @ target[:, [number]], (target[:, [number]] ** 2).sum(axis=0), train.sum(), 1,
                model.fits[tested].penalty[[number]],
                "standardise" if model.fits[tested].standardised[number] else "keep",
            )  # fmt: skip
            rows = np.flatnonzero(group == tested)
            expected = stats.rankdata(columns[rows] @ fit.coefficients[1:, 0])
            chosen = members.sets[entries] == number
            places = np.searchsorted(rows, members.rows[entries][chosen])
            assert ranks[chosen] == pytest.approx(expected[places])
    assert len(seen) == 20


def test_rearranged_rows_share_the_gram_matrices():
    columns, member, group = _data(4)
    members = Members.of(member, group)
    orders = np.array([permute_within(group, 1, draw) for draw in range(3)])
    drawn = drawn_scores(
        members, LeftOutModel.fit(columns[:, :1], columns[:, 1:], members).rearranged_ranks(orders)
    )
    for number, order in enumerate(orders):
        moved = columns[order]
        direct = LeftOutModel.fit(moved[:, :1], moved[:, 1:], members)
        assert drawn["auprc"][number] == pytest.approx(average_precision(members, direct.ranks()))


def test_value_of_the_estimate_is_the_score_and_lies_in_its_interval():
    columns, member, group = _data(5)
    members = Members.of(member, group)
    found = set_estimates(LeftOutModel.fit(columns[:, :0], columns, members))
    (area,) = set_estimates(LeftOutModel.fit(columns[:, :0], columns, members), ("auroc",)).values()
    assert np.array_equal(area.interval(), found["auroc"].interval())
    moments = group_moments(np.ones((len(group), 1)), columns, member.astype(float), group)
    predicted = predict_left_out(
        leave_group_out(moments, DEFAULT_PENALTIES, "auto"), np.c_[np.ones(len(group)), columns], group
    )
    for number in range(3):
        counts = np.array([member[group == one, number].sum() for one in range(5)])
        areas = [
            roc_auc_score(member[group == one, number], predicted[group == one, number]) for one in range(5)
        ]
        assert found["auroc"].value[number] == pytest.approx(counts @ areas / counts.sum())
    for estimate in found.values():
        low, high = estimate.interval()
        assert ((low <= estimate.value) & (estimate.value <= high)).all()
        p = estimate.p_value(0.5)
        outside = (low > 0.5) | (high < 0.5)
        assert ((p < 0.05) == outside).all()


@pytest.mark.parametrize("bounded", [False, True])
def test_both_ends_of_an_interval_have_the_p_value_of_its_level(bounded):
    effects = np.random.default_rng(4).normal(scale=0.04, size=(6, 2))
    value = np.array([0.62, 0.81])
    estimate = Estimate.of_groups(value, effects, np.zeros((6, 6, 2)), np.zeros(2), bounded=bounded)
    for end in estimate.interval(0.9):
        assert estimate.p_value(end) == pytest.approx(0.1)


def _estimate(single, trained, held=None):
    return Estimate.of_groups(np.zeros(1), single, trained, np.zeros(1), held=held)


def test_variance_of_single_effects_and_of_pairs():
    """A sum of one normal number a group, or of one a pair of groups: the variance is that of the sum."""
    generator = np.random.default_rng(0)
    groups, single, pair = 12, [], []
    for _ in range(400):
        own = generator.normal(size=(groups, 1))
        single.append(sum(_estimate(own, np.zeros((groups, groups, 1))).variances())[0])
        each = np.triu(generator.normal(size=(groups, groups)), 1)[:, :, None]
        both = (each + each.transpose(1, 0, 2)) / 2
        pair.append(_estimate(both.sum(axis=1), both).variances())
    assert np.mean(single) == pytest.approx(groups, rel=0.1)
    pairs = groups * (groups - 1) / 2
    assert np.mean([one[1][0] for one in pair]) == pytest.approx(pairs, rel=0.1)
    assert (
        np.mean([one[0][0] for one in pair]) < 0.35 * pairs
    )  # what is left of single effects there is chance


def test_differences_are_paired_and_medians_lie_between():
    generator = np.random.default_rng(1)
    common, trained = 10 * generator.normal(size=(8, 7)), np.zeros((8, 8, 7))
    first = Estimate.of_groups(
        np.arange(7.0) + 1, common + 0.1 * generator.normal(size=(8, 7)), trained, np.zeros(7)
    )
    second = Estimate.of_groups(np.arange(7.0), common, trained, np.zeros(7))
    difference = first.minus(second)
    assert difference.value == pytest.approx(np.ones(7))
    assert (difference.interval()[0] > 0).all()
    assert (first.interval()[0] < 0).all()
    median = first.median()
    assert median.value == pytest.approx([4.0])
    assert median.interval()[1] > 4.0 > median.interval()[0]
