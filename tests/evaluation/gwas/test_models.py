"""The regressors: closed forms against plain loops, linkage, and what a model must not see."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse
from sklearn.linear_model import RidgeCV

from cistron.errors import InputError
from cistron.evaluation.gwas import BoostedSettings, Linkage, Problem, RidgeSettings, XgboostSettings, predict
from cistron.evaluation.gwas.regressors import REGRESSORS
from cistron.formats import GeneCorrelations
from cistron.statistics import pearson, signed_square

FAST = {
    "ridge": RidgeSettings(),
    "linear": None,
    "xgboost": XgboostSettings(trees=20, depth=3, l2=10.0, l1=0.0),
    "boosted": BoostedSettings(trees=40, features_per_tree=0.5, linear_share=0.5),
}


def _problem(
    seed=0, genes=440, chromosomes=8, traits=2, linked=False, projection=None, correlation=0.6, signal=0.3
):
    generator = np.random.default_rng(seed)
    chromosome = np.repeat(np.arange(chromosomes), genes // chromosomes)
    X, C = generator.normal(size=(genes, 6)), generator.normal(size=(genes, 2))
    size = genes // chromosomes
    block = correlation ** np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    R = np.kron(np.eye(chromosomes), block)
    noise = np.linalg.cholesky(R) @ generator.normal(size=(genes, traits))
    z = signal * X @ generator.choice([-1.0, 1.0], size=(6, traits)) + 0.3 * C[:, :1] + noise
    linkage = None
    if linked:
        table = pd.DataFrame({"GENE": [f"g{n}" for n in range(genes)], "CHR": chromosome.astype(str)})
        linkage = Linkage(GeneCorrelations(table, sparse.csr_array(R)), z.var(axis=0))
    return Problem(z, C, X, chromosome, linkage, projection or ("whiten" if linked else "none"))


@pytest.mark.parametrize("model", REGRESSORS)
@pytest.mark.parametrize("projection", ["none", "whiten", "paper"])
def test_every_model_finds_the_signal_and_nothing_without_it(model, projection):
    problem = _problem(linked=projection != "none", projection=projection)
    found = signed_square(pearson(predict(problem, model, FAST[model]), problem.z))
    assert (found > 0.1).all()
    shuffled = problem.with_features(np.random.default_rng(1).permutation(problem.features))
    null = predict(problem.with_features(np.empty((len(problem.z), 0))), model, FAST[model])
    gain = signed_square(pearson(predict(shuffled, model, FAST[model]), problem.z)) - signed_square(
        pearson(null, problem.z)
    )
    assert gain.mean() < 0.03


@pytest.mark.parametrize("model", REGRESSORS)
def test_held_out_z_scores_are_not_seen(model):
    """Changing z on a chromosome must not change the predictions there."""
    problem = _problem()
    first = predict(problem, model, FAST[model])
    z = problem.z.copy()
    z[problem.folds == 3] = 50.0
    changed = Problem(z, problem.covariates, problem.features, problem.folds)
    second = predict(changed, model, FAST[model])
    np.testing.assert_allclose(first[problem.folds == 3], second[problem.folds == 3], atol=1e-6)
    assert np.abs(first[problem.folds != 3] - second[problem.folds != 3]).max() > 0.1


@pytest.mark.parametrize("model", REGRESSORS)
def test_traits_do_not_influence_each_other(model):
    problem = _problem()
    both = predict(problem, model, FAST[model], seed=5)
    alone = predict(
        Problem(problem.z[:, [1]], problem.covariates, problem.features, problem.folds),
        model,
        FAST[model],
        seed=5,
    )
    np.testing.assert_allclose(both[:, [1]], alone, atol=1e-6)


def test_ridge_equals_scikit_learn_with_a_penalty_each_trait():
    problem = _problem(genes=800)
    settings = RidgeSettings(penalise_covariates=True, choice="gcv")
    mine = predict(problem, "ridge", settings)
    columns = np.hstack([problem.covariates, problem.features])
    theirs = np.empty_like(mine)
    for fold in range(8):
        train = problem.folds != fold
        mean, deviation = columns[train].mean(axis=0), columns[train].std(axis=0)
        peer = RidgeCV(alphas=settings.penalties, alpha_per_target=True)
        peer.fit((columns[train] - mean) / deviation, problem.z[train])
        theirs[~train] = peer.predict((columns[~train] - mean) / deviation)
    difference = signed_square(pearson(mine, problem.z)) - signed_square(pearson(theirs, problem.z))
    assert np.abs(difference).max() < 1e-3


def test_whitened_linear_is_generalised_least_squares():
    problem = _problem(linked=True)
    mine = predict(problem, "linear")
    train = problem.folds != 2
    linkage = problem.linkage
    assert linkage is not None
    Sigma = linkage.correlations.matrix.toarray() + linkage.ridge(1) * np.eye(len(problem.z))
    columns = np.hstack([problem.intercept_and_covariates(), problem.features])
    peer = sm.GLS(problem.z[train, 1], columns[train], sigma=Sigma[np.ix_(train, train)]).fit()
    np.testing.assert_allclose(mine[~train, 1], columns[~train] @ peer.params, rtol=1e-6)


def test_whitening_helps_under_strong_linkage():
    gain = []
    for seed in range(6):
        problem = _problem(seed, correlation=0.9, linked=True, signal=0.15)
        plain = Problem(problem.z, problem.covariates, problem.features, problem.folds)
        r2 = [signed_square(pearson(predict(p, "linear"), p.z)).mean() for p in (problem, plain)]
        gain.append(r2[0] - r2[1])
    assert np.mean(gain) > 0


def test_subset_takes_the_right_correlations():
    problem = _problem(linked=True)
    assert problem.linkage is not None
    rows = np.setdiff1d(np.arange(len(problem.z)), np.arange(0, 440, 7))
    subset = problem.select(rows)
    assert subset.linkage is not None
    full = problem.linkage.correlations.matrix.toarray()
    np.testing.assert_array_equal(subset.linkage.correlations.matrix.toarray(), full[np.ix_(rows, rows)])
    assert np.isfinite(predict(subset, "ridge")).all()


def test_penalties_of_ridge_are_those_given():
    problem = _problem()
    null = predict(problem.with_features(problem.features[:, :0]), "ridge")
    np.testing.assert_allclose(predict(problem, "ridge", RidgeSettings(penalties=(1e12,))), null, atol=1e-6)
    free = predict(problem, "ridge", RidgeSettings(penalties=(1e-9,)))
    np.testing.assert_allclose(free, predict(problem, "linear"), atol=1e-6)


def test_leaves_of_boosted_trees_limit_what_they_tell_apart():
    """One feature: a tree of two leaves cuts it once, and a leaf of half of the genes can only be cut in the middle."""
    problem = _problem(chromosomes=2, traits=1)
    problem = Problem(problem.z, problem.covariates[:, :0], problem.features[:, :1], problem.folds)

    def values(**given):
        settings = BoostedSettings(trees=1, linear_share=0.0, l2=0.0, **given)
        return [len(set(predict(problem, "boosted", settings)[problem.folds == fold, 0])) for fold in (0, 1)]

    assert values(leaves=2, rows_per_leaf=5) == [2, 2]
    assert values(leaves=4, rows_per_leaf=5) == [4, 4]
    assert values(leaves=4, rows_per_leaf=100) == [2, 2]


def test_impossible_settings_are_refused():
    with pytest.raises(InputError, match="trees must be 1 or more"):
        BoostedSettings(trees=0)
    with pytest.raises(InputError, match="features_per_tree"):
        BoostedSettings(features_per_tree=0)
    with pytest.raises(InputError, match=r"there is no GWAS method .forest.; methods are ridge"):
        predict(_problem(), "forest")
