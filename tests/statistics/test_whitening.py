"""Whitening: ours whitens, the published projection does not, generalised least squares agrees with statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm

from cistron.errors import InputError
from cistron.formats import read_genes_raw
from cistron.statistics import BlockCovariance, PublishedProjection, reference_ridge


def _blocks(sizes=(4, 7), seed=0):
    generator = np.random.default_rng(seed)
    start, blocks = 0, []
    for size in sizes:
        factor = generator.normal(size=(size, size + 2))
        covariance = factor @ factor.T
        scale = np.sqrt(np.diag(covariance))
        blocks.append((np.arange(start, start + size), covariance / scale / scale[:, None]))
        start += size
    return blocks


def _dense(blocks):
    size = sum(len(rows) for rows, _ in blocks)
    matrix = np.zeros((size, size))
    for rows, block in blocks:
        matrix[np.ix_(rows, rows)] = block
    return matrix


def test_whitened_covariance_is_the_identity():
    blocks = _blocks()
    covariance = BlockCovariance.decompose(blocks)
    Sigma = _dense(blocks) + 0.3 * np.eye(11)
    W = covariance.whiten(np.eye(11), 0.3)
    np.testing.assert_allclose(W @ Sigma @ W.T, np.eye(11), atol=1e-12)
    np.testing.assert_allclose(covariance.solve(Sigma, 0.3), np.eye(11), atol=1e-12)


def test_published_projection_does_not_whiten_but_its_transpose_does():
    blocks = _blocks()
    projection = PublishedProjection.build(blocks, 0.3)
    Sigma = _dense(blocks) + 0.3 * np.eye(11)
    L = projection.project(np.eye(11))
    assert np.abs(L @ Sigma @ L.T - np.eye(11)).max() > 0.1
    np.testing.assert_allclose(L.T @ Sigma @ L, np.eye(11), atol=1e-12)
    np.testing.assert_allclose(projection.back(projection.project(Sigma)), Sigma, atol=1e-12)


def test_whitened_least_squares_is_generalised_least_squares():
    blocks = _blocks((30, 40))
    generator = np.random.default_rng(1)
    X = np.hstack([np.ones((70, 1)), generator.normal(size=(70, 3))])
    z = generator.normal(size=70)
    covariance = BlockCovariance.decompose(blocks)
    mine = np.linalg.lstsq(covariance.whiten(X, 0.1), covariance.whiten(z[:, None], 0.1)[:, 0])[0]
    peer = sm.GLS(z, X, sigma=_dense(blocks) + 0.1 * np.eye(70)).fit()
    np.testing.assert_allclose(mine, peer.params, rtol=1e-9)


def test_reference_ridge_by_hand():
    assert reference_ridge(-0.39, 3.0) == pytest.approx(0.39 + 0.05 + 1.8)
    assert reference_ridge(0.2, 0.5) == pytest.approx(0.05)


def test_a_covariance_that_is_not_positive_definite_is_refused_without_enough_ridge():
    covariance = BlockCovariance.decompose([(np.arange(2), np.array([[1.0, 1.4], [1.4, 1.0]]))])
    assert covariance.smallest_eigenvalue == pytest.approx(-0.4)
    with pytest.raises(InputError, match="not positive definite"):
        covariance.weights(0.3)
    repair = covariance.repair(variance=1.0)
    assert repair.smallest_after == pytest.approx(0.05)


@pytest.mark.real_data
def test_real_covariance_of_three_chromosomes_is_whitened_to_rounding(test_data):
    correlations = read_genes_raw(test_data / "gwas/magma_files_public/ieu-a-1041.genes.raw.gz")
    z = correlations.genes["ZSTAT"].to_numpy()
    blocks = [block for name, block in correlations.dense_blocks().items() if name in ("1", "6", "22")]
    covariance = BlockCovariance.decompose(blocks)
    repair = covariance.repair(float(z.var()))
    assert repair.smallest_eigenvalue < 0  # as delivered it is not positive definite
    published = PublishedProjection.build(blocks, repair.ridge)
    worst, worst_published = 0.0, 0.0
    for number, (rows, block) in enumerate(blocks):
        Sigma = block + repair.ridge * np.eye(len(rows))
        W = (covariance.eigenvalues[number] + repair.ridge)[:, None] ** -0.5 * covariance.vectors[number].T
        worst = max(worst, np.abs(W @ Sigma @ W.T - np.eye(len(rows))).max())
        L = published.factors[number]
        worst_published = max(worst_published, np.abs(L @ Sigma @ L.T - np.eye(len(rows))).max())
    assert worst < 1e-8
    assert worst_published > 1.0
