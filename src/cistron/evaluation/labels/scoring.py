"""Held-out predictions of every term by one embedding, scored."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.evaluation.labels.folds import Fold, given_folds, made_folds
from cistron.evaluation.labels.learners import area_of, correlation_of, predict_term
from cistron.evaluation.labels.settings import LabelSettings
from cistron.evaluation.labels.tables import LabelTable
from cistron.evaluation.weighted_area import weighted_area
from cistron.runtime.seeds import random_generator
from cistron.statistics import bootstrap_p_value, percentile_interval, permute_within

INTERVAL = "95% bootstrap over held-out genes"


@dataclass(frozen=True)
class Term:
    """Held-out predictions of one term, scored.

    Attributes
    ----------
    genes
        Genes that were scored.
    truth, predicted
        Labels and predictions, float64 [gene] or [gene, class].
    value
        The score.
    draws, seed
        Bootstrap samples of genes, and their seed.
    """

    genes: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    value: float
    draws: int
    seed: int

    def row(self, control: list[float]) -> dict[str, Any]:
        member = self.truth.ndim == 2 or set(np.unique(self.truth)) <= {0.0, 1.0}
        samples = self._samples(member)
        null = 0.5 if member else 0.0
        low, high = percentile_interval(samples[:, None])
        return {
            "metric": "auroc" if member else "r",
            "value": self.value,
            "low": min(float(low[0]), self.value),
            "high": max(float(high[0]), self.value),
            "interval": INTERVAL,
            "n": int(self.truth.sum()) if member and self.truth.ndim == 1 else len(self.truth),
            "null_model": "no information",
            "null_value": null,
            "control_value": float(np.mean(control)) if control else np.nan,
            "p_value": float(bootstrap_p_value(samples[:, None] - null)[0]),
        }

    def _samples(self, member: bool) -> np.ndarray:
        generator = random_generator(self.seed, "bootstrap over genes", len(self.truth))
        number = len(self.truth)
        weights = generator.multinomial(number, np.full(number, 1 / number), size=self.draws).astype(float)
        if not member:
            centred = [one[None] - weights @ one[:, None] / number for one in (self.predicted, self.truth)]
            x, y = centred  # (draw, gene)
            with np.errstate(invalid="ignore", divide="ignore"):
                top = (weights * x * y).sum(axis=1)
                return top / np.sqrt((weights * x**2).sum(axis=1) * (weights * y**2).sum(axis=1))
        if self.truth.ndim == 1:
            return weighted_area(self.predicted, self.truth > 0.5, weights)
        columns = [
            weighted_area(self.predicted[:, place], self.truth[:, place] > 0.5, weights)
            for place in range(self.truth.shape[1])
        ]
        return np.nanmean(columns, axis=0)

    def table(self, name: str, term: str) -> pd.DataFrame:
        truth, predicted = self.truth, self.predicted
        if truth.ndim == 2:  # how sure of the true class
            predicted, truth = (predicted * truth).sum(axis=1), truth.argmax(axis=1).astype(float)
        return pd.DataFrame(
            {
                "embedding": name,
                "term": term,
                "gene": self.genes,
                "value": truth.astype(np.float32),
                "predicted": predicted.astype(np.float32),
            }
        )


class LabelProblem:
    """One embedding on all terms.

    Parameters
    ----------
    embedding, genes
        Gene embedding, and its gene ids without version.
    labels
        Labels that are scored.
    settings
        Settings of the task.
    chromosomes
        Chromosome by gene, for tables without parts.
    seed
        Seed of the run.
    """

    def __init__(
        self,
        embedding: anndata.AnnData,
        genes: pd.Index,
        labels: LabelTable,
        settings: LabelSettings,
        chromosomes: pd.Series | None,
        seed: int,
    ) -> None:
        self.labels, self.settings, self.chromosomes, self.seed = labels, settings, chromosomes, seed
        self.genes, self.values = genes, np.asarray(embedding.X, dtype=np.float64)
        self.listed = np.flatnonzero(genes.isin(set(labels.frame["gene"])))

    def scored(self, control: int | None, terms: Collection[str] | None = None) -> dict[str, Term]:
        """Every term (or of these) that can be scored; rows exchanged among the genes of the table for a control."""
        values = self.values
        if control is not None:
            blocks = np.zeros(len(self.listed), dtype=np.int64)
            if self.chromosomes is not None:
                names = self.chromosomes.reindex(self.genes[self.listed]).fillna("")
                blocks = pd.factorize(names)[0]
            values = values.copy()
            values[self.listed] = self.values[self.listed[permute_within(blocks, self.seed, control)]]
        found = {}
        table = self.labels.frame
        wanted = table if terms is None else table[table["term"].isin(terms)]
        for term, frame in wanted.groupby("term", sort=False):
            one = self._term(frame, values)
            if one is not None:
                found[str(term)] = one
        return found

    def _term(self, frame: pd.DataFrame, values: np.ndarray) -> Term | None:
        labels, settings = self.labels, self.settings
        if labels.has_parts:
            frame = frame[frame["part"] != ""]
        elif self.chromosomes is not None:
            frame = frame[frame["gene"].isin(self.chromosomes.index)]
        place = self.genes.get_indexer(pd.Index(frame["gene"]))
        if settings.compare_on != "all":
            frame, place = frame[place >= 0], place[place >= 0]
        if len(frame) < 4:
            return None
        truth = self._truth(frame)
        folds = self._folds(frame, truth)
        known = place >= 0
        rows, at = np.flatnonzero(known), np.cumsum(known) - 1
        inside = [fold for one in folds if (fold := _covered(one, known, at)) is not None]
        member = labels.kind == "member"
        usable = [
            fold
            for fold in inside
            if labels.kind == "number" or np.unique(truth[rows[fold.train]], axis=0).shape[0] > 1
        ]
        if not usable or (member and min(truth.sum(), len(truth) - truth.sum()) < settings.minimum):
            return None
        quality = correlation_of if labels.kind == "number" else area_of
        outcome = predict_term(values[place[rows]], truth[rows], usable, settings.learner_in_force, quality)
        predicted = np.full(truth.shape, np.nan)
        predicted[rows] = outcome.scores
        for fold in folds:
            test = predicted[fold.test]
            absent = ~known[fold.test]
            if absent.any() and not absent.all():
                test[absent] = np.nanmean(
                    test[~absent], axis=0
                )  # the baseline: a gene of which nothing is known
            if len(folds) > 1 and labels.kind != "number":
                test = _ranks(test)  # predictions of folds that were fitted on other genes are not comparable
            predicted[fold.test] = test
        done = np.isfinite(predicted).reshape(len(predicted), -1).all(axis=1)
        truth, predicted = truth[done], predicted[done]
        value = quality(predicted, truth) if len(truth) else np.nan
        if not np.isfinite(value):
            return None
        return Term(frame["gene"].to_numpy()[done], truth, predicted, value, settings.draws, self.seed)

    def _truth(self, frame: pd.DataFrame) -> np.ndarray:
        value = frame["value"].to_numpy(np.float64)
        if self.labels.kind != "class":
            return value
        return (value[:, None] == np.arange(len(self.labels.classes))).astype(np.float64)

    def _folds(self, frame: pd.DataFrame, truth: np.ndarray) -> list[Fold]:
        if self.labels.has_parts:
            return given_folds(frame["part"].to_numpy())
        where = None if self.chromosomes is None else self.chromosomes.loc[frame["gene"]].to_numpy()
        member = truth > 0.5 if self.labels.kind == "member" else None
        return made_folds(len(frame), member, where, self.settings.folds, self.seed)


def _ranks(values: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=0, nan_policy="omit") / (len(values) + 1))


def _covered(fold: Fold, known: np.ndarray, at: np.ndarray) -> Fold | None:
    """The fold among the genes that the embedding has."""
    train, test = known[fold.train], known[fold.test]
    if not train.any() or not test.any():
        return None
    return Fold(
        at[fold.train[train]], at[fold.test[test]], np.unique(fold.inner[train], return_inverse=True)[1]
    )
