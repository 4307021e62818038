"""Random forests over folds at random, by gene and by chromosome, and the area under ROC curves within folds."""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from cistron.evaluation.variants.settings_eqtl import EqtlSettings
from cistron.runtime.seeds import random_generator, seed_for


@dataclass(frozen=True)
class HeldOut:
    """Predictions of rows that were not fitted on.

    Attributes
    ----------
    score
        Probability of the positive class, float64 [repeat, row].
    fold
        Fold of each row, int64 [repeat, row].
    """

    score: np.ndarray
    fold: np.ndarray

    @property
    def mean_rank(self) -> np.ndarray:
        """Rank of each row within its fold, from 0 to 1, mean over repeats, float64 [row]."""
        ranks = np.zeros(self.score.shape)
        for repeat, (score, fold) in enumerate(zip(self.score, self.fold)):
            for number in np.unique(fold):
                inside = np.flatnonzero(fold == number)
                _, place, count = np.unique(score[inside], return_inverse=True, return_counts=True)
                ranks[repeat, inside] = (np.cumsum(count) - count / 2)[place] / len(inside)
        return ranks.mean(0)


def deal_groups(groups: np.ndarray, folds: int, random: np.random.Generator) -> np.ndarray:
    """Deal whole groups to folds, in random order, each to the fold with the fewest rows.

    Parameters
    ----------
    groups
        Group of each row, [row].
    folds
        Number of folds; the number of groups where that is less.
    random
        Generator.

    Returns
    -------
    ndarray
        Fold of each row, int64 [row].
    """
    names, number = np.unique(groups, return_inverse=True)
    sizes, load = np.bincount(number), np.zeros(min(folds, len(names)))
    home = np.zeros(len(names), np.int64)
    for group in random.permutation(len(names)):
        home[group] = int(load.argmin())
        load[home[group]] += sizes[group]
    return home[number]


def predict_held_out(
    features: np.ndarray,
    positive: np.ndarray,
    groups: np.ndarray,
    settings: EqtlSettings,
    *,
    seed: int,
    repeats: int | None = None,
    threads: int | None = 1,
) -> HeldOut:
    """Fit a forest on all folds but one, predict that one, and draw the folds anew.

    Parameters
    ----------
    features
        float64 [row, feature].
    positive
        bool [row].
    groups
        Rows of one group share a fold; one group a row deals them at random.
    settings
        Forest and folds.
    seed
        Seed of folds and forests.
    repeats
        Times that the folds are drawn; those of the settings when absent.
    threads
        Threads of a forest.
    """
    repeats = settings.repeats if repeats is None else repeats
    score, fold = np.full((repeats, len(positive)), 0.5), np.zeros((repeats, len(positive)), np.int64)
    for repeat in range(repeats):
        random = random_generator(seed, "folds", repeat)
        fold[repeat] = deal_groups(groups, settings.folds, random)
        for number in np.unique(fold[repeat]):
            tested = fold[repeat] == number
            if tested.all() or len(np.unique(positive[~tested])) < 2:
                continue
            forest = RandomForestClassifier(
                settings.trees,
                max_depth=settings.tree_depth,
                max_features="log2",
                random_state=seed_for(seed, "forest", repeat, int(number)) % 2**32,
                n_jobs=threads,
            )
            score[repeat, tested] = forest.fit(features[~tested], positive[~tested]).predict_proba(
                features[tested]
            )[:, 1]
    return HeldOut(score, fold)


@dataclass(frozen=True)
class PairedAreas:
    """Comparisons of positives with negatives of the same fold, summed over repeats.

    The area of any weighting w of rows is w' won w / w' made w, so that bootstrap samples are two matrix products.

    Attributes
    ----------
    won
        Times that the positive was above, ties one half, float32 [positive, negative].
    made
        Times that they were compared, float32 [positive, negative].
    """

    won: np.ndarray
    made: np.ndarray

    @classmethod
    def of(cls, found: HeldOut, positive: np.ndarray) -> "PairedAreas":
        """Compare all pairs of a fold.

        Parameters
        ----------
        found
            Predictions.
        positive
            bool [row].
        """
        shape = (int(positive.sum()), int((~positive).sum()))
        won, made = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for score, fold in zip(found.score, found.fold):
            same = fold[positive][:, None] == fold[~positive][None]
            gap = score[positive][:, None] - score[~positive][None]
            won += same * (np.float32(0.5) * (gap == 0) + (gap > 0))
            made += same
        return cls(won, made)

    def areas(self, high: np.ndarray, low: np.ndarray) -> np.ndarray:
        """Area for each weighting, float64 [draw]; NaN where nothing is compared.

        Parameters
        ----------
        high
            Weights of the positives, float64 [draw, positive].
        low
            Weights of the negatives, float64 [draw, negative].
        """
        won = ((high.astype(np.float32) @ self.won) * low).sum(1, dtype=np.float64)
        made = ((high.astype(np.float32) @ self.made) * low).sum(1, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(made > 0, won / made, np.nan)
