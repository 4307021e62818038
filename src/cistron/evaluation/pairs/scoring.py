"""Fit pairs and score them: predictions of a fold, areas with every resampling of genes."""

from collections.abc import Callable, Sequence

import numpy as np

from cistron.evaluation.pairs.features import pair_kernels
from cistron.evaluation.pairs.folds import PairFold
from cistron.evaluation.weighted_area import area, weighted_area
from cistron.runtime.seeds import random_generator

PENALTIES = (0.03, 0.3, 3.0, 30.0)
_PLAIN = 0.3  # where no penalty can be tried: too few training pairs for inner folds

Predictor = Callable[[PairFold], np.ndarray]


def kernel_ridge(values: np.ndarray, combination: str) -> Predictor:
    """Kernel ridge on pairs; the penalty is chosen on inner gene-disjoint halves of the training genes.

    Parameters
    ----------
    values
        Embedding, float64 [gene, dimension]; standardised here.
    combination
        How the two vectors of a pair are joined.
    """
    spread = values.std(axis=0)
    values = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)

    def predict(fold: PairFold) -> np.ndarray:
        first, second, label = fold.train
        tried = []
        for train, validation in fold.inner:
            found = _path(
                values, fold, train, (first[validation], second[validation]), combination, PENALTIES
            )
            tried.append([area(one, label[validation]) for one in found])
        penalty = _PLAIN
        if tried:
            mean = np.nanmean(tried, axis=0)
            penalty = PENALTIES[int(np.flatnonzero(mean >= np.nanmax(mean) - 1e-12)[-1])]
        every = np.ones(len(label), dtype=bool)
        return _path(values, fold, every, fold.test[:2], combination, (penalty,))[0]

    return predict


def _path(
    values: np.ndarray,
    fold: PairFold,
    rows: np.ndarray,
    test: tuple[np.ndarray, np.ndarray],
    combination: str,
    penalties: Sequence[float],
) -> list[np.ndarray]:
    from scipy.linalg import cho_factor, cho_solve

    first, second, label = (one[rows] for one in fold.train)
    kernel, across = pair_kernels(values, (first, second), test, combination)
    centred = label - label.mean()
    found = []
    for penalty in penalties:
        regularised = kernel.copy()
        regularised.flat[:: len(kernel) + 1] += penalty
        found.append(across @ cho_solve(cho_factor(regularised, overwrite_a=True), centred))
    return found


def support_vectors(values: np.ndarray, combination: str) -> Predictor:
    """The published protocol: a support-vector machine on unscaled features, C by mean AUROC over the inner folds."""
    from sklearn.svm import SVC

    from cistron.evaluation.labels.learners import COSTS
    from cistron.evaluation.pairs.features import pair_features

    def predict(fold: PairFold) -> np.ndarray:
        first, second, label = fold.train
        features = pair_features(values, first, second, combination)

        def fitted(rows: np.ndarray, test: np.ndarray, cost: float) -> np.ndarray:
            machine = SVC(C=cost, gamma="scale", class_weight="balanced", cache_size=500)
            return np.asarray(machine.fit(features[rows], label[rows]).decision_function(test))

        tried = [
            [area(fitted(train, features[validation], cost), label[validation]) for cost in COSTS]
            for train, validation in fold.inner
            if min(label[train].sum(), label[validation].sum()) > 0
            and not (label[train].all() or label[validation].all())
        ]
        cost = COSTS[int(np.nanmean(tried, axis=0).argmax())] if tried else COSTS[1]
        test = pair_features(values, *fold.test[:2], combination)
        return fitted(np.ones(len(label), dtype=bool), test, cost)

    return predict


def gene_draws(genes: int, draws: int, seed: int) -> np.ndarray:
    """Draw genes with replacement, the same for every embedding.

    Parameters
    ----------
    genes, draws
        Number of genes and of samples.
    seed
        Seed of the run.

    Returns
    -------
    ndarray
        Times that each gene is taken, float32 [draw, gene].
    """
    generator = random_generator(seed, "bootstrap over genes of pairs", genes)
    return generator.multinomial(genes, np.full(genes, 1 / genes), size=draws).astype(np.float32)


def fold_areas(
    folds: Sequence[PairFold], predictions: Sequence[np.ndarray], times: np.ndarray
) -> tuple[float, np.ndarray]:
    """Mean AUROC of the folds, weighted by their positives, and of every resampling of genes.

    Parameters
    ----------
    folds
        Folds.
    predictions
        Prediction for the test pairs of each fold.
    times
        Of :func:`gene_draws`. A pair counts as often as both of its genes are taken, so that a hub takes all its pairs with it.

    Returns
    -------
    value
        Weighted mean AUROC.
    samples
        float64 [draw]; NaN where no fold is left.
    """
    sizes = np.array([fold.test[2].sum() for fold in folds], dtype=np.float64)
    values = np.array([area(one, fold.test[2]) for fold, one in zip(folds, predictions)])
    drawn = np.array(
        [
            weighted_area(
                one,
                fold.test[2],
                times[:, fold.test[0]].astype(np.float64) * times[:, fold.test[1]],
            )
            for fold, one in zip(folds, predictions)
        ]
    )
    kept = np.where(np.isfinite(drawn), sizes[:, None], 0.0)
    total = kept.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        samples = np.where(total > 0, (np.nan_to_num(drawn) * kept).sum(axis=0) / total, np.nan)
    known = np.isfinite(values)
    return float((values[known] * sizes[known]).sum() / sizes[known].sum()), samples
