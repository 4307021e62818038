"""Closed-form ridge against scikit-learn, and least squares against statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from cistron.errors import InputError
from cistron.statistics import group_moments, leave_group_out, predict_left_out
from cistron.statistics.ridge import fit_ridge


def _data(seed: int, rows: int = 120, free: int = 2, penalised: int = 5, targets: int = 3):
    generator = np.random.default_rng(seed)
    U = np.hstack([np.ones((rows, 1)), generator.normal(size=(rows, free - 1))])
    X = generator.normal(size=(rows, penalised)) * np.array([1, 10, 0.1, 3, 1])[:penalised] + 2.0
    Z = X @ generator.normal(size=(penalised, targets)) + U.sum(axis=1, keepdims=True)
    Z += 5 * generator.normal(size=Z.shape)
    return U, X, Z, generator.integers(0, 4, rows)


@given(seed=st.integers(0, 10_000), penalty=st.sampled_from([1e-3, 1.0, 30.0, 1e4]))
@settings(max_examples=25, deadline=None)
def test_equals_scikit_learn_on_standardised_columns(seed, penalty):
    U, X, Z, groups = _data(seed, free=1)
    fits = leave_group_out(group_moments(U, X, Z, groups), np.array([penalty]))
    mine = predict_left_out(fits, np.hstack([U, X]), groups)
    for group in range(4):
        train = groups != group
        mean, deviation = X[train].mean(axis=0), X[train].std(axis=0)
        peer = Ridge(alpha=penalty).fit((X[train] - mean) / deviation, Z[train])
        np.testing.assert_allclose(
            mine[~train], peer.predict((X[~train] - mean) / deviation), rtol=1e-7, atol=1e-7
        )


def test_kept_scales_are_plain_ridge_on_one_scale():
    U, X, Z, groups = _data(5, free=1)
    fits = leave_group_out(group_moments(U, X, Z, groups), np.array([20.0]), scaling="keep")
    train = groups != 1
    scale = np.sqrt(X[train].var(axis=0).mean())
    peer = Ridge(alpha=20.0).fit(X[train] / scale, Z[train])
    mine = (np.hstack([U, X]) @ fits[1].coefficients)[~train]
    np.testing.assert_allclose(mine, peer.predict(X[~train] / scale), rtol=1e-7)


def test_auto_takes_for_each_target_the_scaling_with_the_smaller_criterion():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(300, 40)) * np.logspace(1, -2, 40)
    big, small = X[:, :3].sum(axis=1) / 10, X[:, -3:].sum(axis=1) / 0.01
    Z = np.column_stack([big, small]) + 0.7 * generator.normal(size=(300, 2))
    moments = group_moments(np.ones((300, 1)), X, Z, np.arange(300) % 3)
    for fit in leave_group_out(moments, np.logspace(-3, 5, 17), scaling="auto"):
        assert fit.standardised.tolist() == [False, True]


def test_penalty_zero_is_least_squares():
    U, X, Z, groups = _data(1)
    mine = predict_left_out(
        leave_group_out(group_moments(U, X, Z, groups), np.zeros(1)), np.hstack([U, X]), groups
    )
    train = groups != 2
    peer = sm.OLS(Z[train, 0], np.hstack([U, X])[train]).fit()
    np.testing.assert_allclose(mine[groups == 2, 0], peer.predict(np.hstack([U, X])[groups == 2]), rtol=1e-8)


def test_free_columns_are_not_shrunk():
    U, X, Z, groups = _data(2)
    fits = leave_group_out(group_moments(U, X, Z, groups), np.array([1e12]))
    peer = sm.OLS(Z[groups != 0, 1], U[groups != 0]).fit()
    np.testing.assert_allclose(fits[0].coefficients[:2, 1], peer.params, rtol=1e-6)
    assert np.abs(fits[0].coefficients[2:]).max() < 1e-6


def test_generalised_cross_validation_by_hand():
    U, X, Z, _ = _data(3, free=1)
    columns = np.hstack([U, X])
    penalties = np.array([0.1, 10.0, 1000.0])
    fit = fit_ridge(columns.T @ columns, columns.T @ Z, (Z**2).sum(axis=0), len(Z), 1, penalties)
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    criterion = []
    for penalty in penalties:
        hat = standard @ np.linalg.solve(standard.T @ standard + penalty * np.eye(5), standard.T) + 1 / len(Z)
        residual = Z - hat @ Z
        criterion.append(len(Z) * (residual**2).sum(axis=0) / (len(Z) - np.trace(hat)) ** 2)
    np.testing.assert_array_equal(fit.penalty, penalties[np.argmin(criterion, axis=0)])


def test_a_column_that_does_not_vary_gets_no_weight():
    U, X, Z, groups = _data(4)
    X[:, 1] = 7.0
    fits = leave_group_out(group_moments(U, X, Z, groups), np.array([1.0]))
    assert np.isfinite(fits[0].coefficients).all()
    assert (fits[0].coefficients[3] == 0).all()


def test_more_columns_than_rows():
    generator = np.random.default_rng(0)
    X, Z, groups = generator.normal(size=(30, 80)), generator.normal(size=(30, 2)), np.arange(30) % 3
    fits = leave_group_out(group_moments(np.ones((30, 1)), X, Z, groups), np.array([0.0, 1.0]))
    assert np.isfinite(predict_left_out(fits, np.hstack([np.ones((30, 1)), X]), groups)).all()


def test_one_group_is_refused():
    with pytest.raises(InputError, match="at least 2 groups"):
        leave_group_out(group_moments(np.ones((5, 1)), np.eye(5), np.eye(5), np.zeros(5, dtype=int)))
