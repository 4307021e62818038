"""Penalties chosen on groups left out, against plain loops."""

import numpy as np
import pytest

from cistron.errors import InputError
from cistron.statistics import choose_by_groups, fit_ridge, group_moments, predict_left_out

PENALTIES = np.array([1.0, 10.0, 100.0, 1000.0])


def _data(seed=0, rows=160, groups=4):
    generator = np.random.default_rng(seed)
    free = np.hstack([np.ones((rows, 1)), generator.normal(size=(rows, 1))])
    X = generator.normal(size=(rows, 5)) * [3.0, 1.0, 1.0, 0.3, 0.1]
    other = generator.normal(size=(rows, 5))
    z = np.column_stack([X @ [0.1, 0.3, 0, 0, 0], other @ [0.5, 0, 0, 0, 0], np.zeros(rows)])
    return free, X, other, z + generator.normal(size=(rows, 3)), np.repeat(np.arange(groups), rows // groups)


def _error(free, X, z, groups, without, penalty, scaling):
    """Squared error on each group but one, of fits without both."""
    columns, error = np.hstack([free, X]), 0.0
    for tested in set(groups) - {without}:
        kept, test = ~np.isin(groups, (without, tested)), groups == tested
        gram, cross = columns[kept].T @ columns[kept], columns[kept].T @ z[kept]
        fit = fit_ridge(gram, cross, (z[kept] ** 2).sum(axis=0), kept.sum(), 2, np.array([penalty]), scaling)
        error += ((z[test] - columns[test] @ fit.coefficients) ** 2).sum(axis=0)
    return error


def test_the_choice_is_that_of_plain_loops():
    free, X, other, z, groups = _data()
    moments = [group_moments(free, one, z, groups) for one in (X, other)]
    choice = choose_by_groups(moments, PENALTIES)
    for without in range(4):
        tried = [
            (number, penalty, scaling == "standardise")
            for number in range(2)
            for scaling in ("standardise", "keep")
            for penalty in PENALTIES
        ]
        errors = [
            _error(free, (X, other)[number], z, groups, without, p, "standardise" if s else "keep")
            for number, p, s in tried
        ]
        best = np.argmin(errors, axis=0)
        for target in range(3):
            found = (choice.alternative, choice.penalty, choice.standardised)
            assert tuple(one[without, target] for one in found) == tried[best[target]]
    assert (choice.usual[:2] == [0, 1]).all()


def test_fits_are_those_of_the_chosen_penalties_and_see_nothing_of_their_group():
    free, X, other, z, groups = _data(1)
    moments = [group_moments(free, one, z, groups) for one in (X, other)]
    choice = choose_by_groups(moments, PENALTIES)
    for number, one in enumerate((X, other)):
        columns = np.hstack([free, one])
        predictions = predict_left_out(choice.fits(moments[number], number), columns, groups)
        for group in range(4):
            kept = groups != group
            for target in np.flatnonzero(choice.alternative[group] == number):
                gram, cross = columns[kept].T @ columns[kept], columns[kept].T @ z[kept][:, [target]]
                scaling = "standardise" if choice.standardised[group, target] else "keep"
                penalty = np.array([choice.penalty[group, target]])
                fit = fit_ridge(
                    gram, cross, (z[kept][:, [target]] ** 2).sum(axis=0), kept.sum(), 2, penalty, scaling
                )
                expected = (columns[~kept] @ fit.coefficients)[:, 0]
                np.testing.assert_allclose(predictions[~kept, target], expected, atol=1e-9)


def test_columns_that_follow_what_is_left_over_nearby_are_shrunk_more_than_by_gcv():
    """What is left of z and a column are alike within groups and not across them: the column predicts nothing elsewhere."""
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 40)
    local = generator.normal(size=(12, 3))[groups]
    z = generator.normal(size=(12, 1))[groups] + generator.normal(size=(480, 1))
    moments = group_moments(np.ones((480, 1)), local + 0.3 * generator.normal(size=(480, 3)), z, groups)
    choice = choose_by_groups([moments], np.logspace(0, 6, 7), "keep")
    arrays = (moments.gram, moments.cross, moments.square, moments.count)
    by_gcv = fit_ridge(*(one.sum(axis=0) for one in arrays), 1, np.logspace(0, 6, 7), "keep")
    assert np.median(choice.penalty) > 10 * by_gcv.penalty[0]


def test_two_groups_are_too_few():
    free, X, _, z, groups = _data(groups=2)
    with pytest.raises(InputError, match=r"at least 3 groups\. Given: 2"):
        choose_by_groups([group_moments(free, X, z, groups)], PENALTIES)
