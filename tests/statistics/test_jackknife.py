"""Leaving one more group out in closed form, against doing it row by row."""

import numpy as np
import pytest

from cistron.errors import InputError
from cistron.statistics import (
    DEFAULT_PENALTIES,
    group_moments,
    jackknife_variance,
    leave_group_out,
    pearson,
    predict_left_out,
    signed_r2_without_each_group,
    signed_square,
)


def _data(seed=0, rows=180, groups=6):
    generator = np.random.default_rng(seed)
    free = np.hstack([np.ones((rows, 1)), generator.normal(size=(rows, 1))])
    X = generator.normal(size=(rows, 4))
    z = X @ generator.normal(size=(4, 3)) + free[:, [1]] + 2 * generator.normal(size=(rows, 3)) + 1.0
    return free, X, z, generator.integers(0, groups, rows)


def test_equals_refitting_without_the_group():
    free, X, z, groups = _data()
    penalty = np.array([25.0])
    moments = group_moments(free, X, z, groups)
    sums, without = signed_r2_without_each_group(moments, leave_group_out(moments, penalty))
    columns = np.hstack([free, X])
    whole = predict_left_out(leave_group_out(moments, penalty), columns, groups)
    np.testing.assert_allclose(signed_square(sums.correlation()), signed_square(pearson(whole, z)), rtol=1e-9)
    for group in range(6):
        kept = groups != group
        number = np.unique(groups[kept], return_inverse=True)[1]
        fits = leave_group_out(group_moments(free[kept], X[kept], z[kept], number), penalty)
        alone = signed_square(pearson(predict_left_out(fits, columns[kept], number), z[kept]))
        np.testing.assert_allclose(without[group], alone, rtol=1e-9)


def test_each_target_keeps_its_own_penalty_and_scaling():
    free, X, z, groups = _data(1)
    X = X * np.array([10.0, 1.0, 1.0, 0.1])
    moments = group_moments(free, X, z, groups)
    fits = leave_group_out(moments, DEFAULT_PENALTIES, "auto")
    _, together = signed_r2_without_each_group(moments, fits)
    for target in range(3):
        one = group_moments(free, X, z[:, [target]], groups)
        _, alone = signed_r2_without_each_group(one, leave_group_out(one, DEFAULT_PENALTIES, "auto"))
        np.testing.assert_allclose(together[:, [target]], alone, rtol=1e-8)


def test_variance_of_a_mean_is_the_textbook_one_for_equal_groups():
    values = np.random.default_rng(2).normal(size=10)
    without = (values.sum() - values) / 9
    found = jackknife_variance(np.array([values.mean()]), without[:, None], np.ones(10))
    assert found[0] == pytest.approx(values.var(ddof=1) / 10)


def test_two_groups_are_too_few():
    free, X, z, _ = _data()
    groups = np.arange(len(z)) % 2
    moments = group_moments(free, X, z, groups)
    with pytest.raises(InputError, match="at least 3 groups"):
        signed_r2_without_each_group(moments, leave_group_out(moments, np.array([1.0])))


def test_many_targets_by_decomposition_equal_few_by_solution():
    free, X, z, groups = _data(2)
    few = group_moments(free, X, z, groups)
    many = group_moments(free, X, np.tile(z, (1, 3)), groups)
    one, other = (
        signed_r2_without_each_group(moments, leave_group_out(moments, DEFAULT_PENALTIES, "auto"))[1]
        for moments in (few, many)
    )
    np.testing.assert_allclose(np.tile(one, (1, 3)), other, rtol=1e-8)
