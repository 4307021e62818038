"""From held-out predictions to the scores table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from cistron.evaluation.gwas.coverage import Scored
from cistron.evaluation.gwas.gains import Gain
from cistron.evaluation.gwas.measures import Agreement, Agreements, Predictions
from cistron.evaluation.gwas.predictions import Predicted, fill_missing
from cistron.evaluation.gwas.tasks import POSITIONAL, PUBLISHED, Task
from cistron.evaluation.gwas.variants import Plan, Variant, covered_rows, null_of, variant_rows

ALL_GENES, SHARED, FILLED = "all genes", "shared genes", "uncovered genes filled"
ODD, EVEN = "odd chromosomes", "even chromosomes"
WITH_MHC, WITHOUT_MHC = "with the MHC", "without the MHC"
OWN_ALONE = "without neighbours"
LEADING_ALONE = "leading component alone"
POSITIONS_ALONE = "positions alone"
RANGE = "range over draws"
_COVARIATES = {PUBLISHED: "covariates", POSITIONAL: "covariates and positions"}

Row = dict[str, Any]
Ratio = Callable[[Variant, np.ndarray | None], np.ndarray | None]
_ENOUGH_CONTROLS = 6  # draws of all controls from which their variance can be told


@dataclass(frozen=True)
class Subset:
    """A named set of traits over which a median is taken."""

    name: str
    traits: tuple[str, ...]


class Scoring:
    """Scores of one run, row by row.

    Parameters
    ----------
    tasks, embeddings, predicted, plan
        What was fitted.
    subsets
        Sets of traits over which medians are taken.
    ratio
        From a model, and the variance of its controls' gains or nothing, to the deviation of the linear part of the
        gain over that of the bootstrap, float64 [trait]; or to nothing where it cannot be told.
    missing
        Prediction for genes without an embedding, ``mean`` or ``null``.
    draws, seed
        Bootstrap samples and the seed of the run.
    common
        Columns that all rows share: task, dataset, model, seed, run_id.
    """

    def __init__(
        self,
        tasks: list[Task],
        embeddings: list[Scored],
        predicted: list[Predicted],
        plan: Plan,
        subsets: list[Subset],
        ratio: Ratio,
        *,
        missing: str,
        draws: int,
        seed: int,
        common: Row,
    ) -> None:
        self.tasks, self.embeddings, self.predicted, self.plan = tasks, embeddings, predicted, plan
        self.subsets, self.ratio, self.missing, self.common = subsets, ratio, missing, common
        self.seed = seed
        self._controls: dict[int, np.ndarray] = {}
        self._ratios: dict[Variant, np.ndarray | None] = {}
        self.traits = [trait for task in tasks for trait in task.design.traits]
        self.agreements = Agreements(tasks, draws, seed)
        covered = [np.zeros((len(embeddings), len(task.mhc)), dtype=bool) for task in tasks]
        for mask, task in zip(covered, tasks):
            for number, scored in enumerate(embeddings):
                mask[number, covered_rows(task, scored)[0]] = True
        self.covered_by_all: list[np.ndarray] = [np.logical_and.reduce(mask, axis=0) for mask in covered]

    def rows(self) -> Iterator[Row]:
        """Every row of the scores table."""
        for number in range(len(self.embeddings)):
            yield from self._embedding(number)
        if self.plan.both_nulls:
            yield from self._baseline()

    def _covered_by_all(self, task: int, rows: np.ndarray) -> np.ndarray:
        """Which rows of a design every embedding covers, bool [row]."""
        covered: np.ndarray = self.covered_by_all[task][rows]
        return covered

    def _predictions(self, variant: Variant) -> Predictions:
        rows, values = [], []
        for task, predicted in zip(self.tasks, self.predicted):
            found = predicted.get(variant)
            rows.append(None if found is None else variant_rows(task, variant, self.embeddings)[0])
            values.append(found)
        return Predictions(tuple(rows), tuple(values))

    def _base(self, embedding: str, stratum: str, null: str) -> Row:
        null_model = f"{self.common['model']} on {_COVARIATES[null]}"
        return self.common | {"embedding": embedding, "stratum": stratum, "null_model": null_model}

    def _embedding(self, number: int) -> Iterator[Row]:
        name, plan = self.embeddings[number].name, self.plan
        full = plan.full(number)
        models = [full, null_of(full)]
        controls = {
            kind: [plan.control(kind, number, draw) for draw in range(plan.controls)] for kind in plan.kinds
        }
        models += [variant for drawn in controls.values() for variant in drawn]
        predictions = {variant: self._predictions(variant) for variant in models}
        sums = {variant: self.agreements.sums(found) for variant, found in predictions.items()}
        for stratum, chromosomes in (
            (ALL_GENES, None),
            (ODD, self.agreements.odd),
            (EVEN, ~self.agreements.odd),
        ):
            known = np.asarray(sums[full].sums[0]).sum(axis=1) > 0
            if chromosomes is not None and known[chromosomes].sum() < 2:
                continue
            found = {variant: self.agreements.agreement(s, chromosomes) for variant, s in sums.items()}
            yield from self._stratum(number, stratum, found, controls)
        if len(self.embeddings) > 1 and all(mask.any() for mask in self.covered_by_all):
            shared = {
                variant: self.agreements.agreement(self.agreements.sums(made, self._covered_by_all))
                for variant, made in predictions.items()
            }
            if np.count_nonzero(np.asarray(shared[full].sums.sums[0]).sum(axis=1) > 0) >= 2:
                yield from self._stratum(number, SHARED, shared, controls)
        yield from self._other_null(number, name)
        yield from self._other_mhc(number, name)
        yield from self._parts(number, name)
        yield from self._filled(number, name)

    def _stratum(
        self, number: int, stratum: str, found: dict[Variant, Agreement], controls: dict[str, list[Variant]]
    ) -> Iterator[Row]:
        """All metrics of the headline model on one stratum."""
        full = self.plan.full(number)
        null = found[null_of(full)]
        drawn = {
            kind: np.array([found[variant].r2 - null.r2 for variant in variants])
            for kind, variants in controls.items()
        }
        every = np.concatenate(list(drawn.values())) if drawn else np.empty((0, len(self.traits)))
        if stratum == ALL_GENES:
            self._controls[number] = every
            self._ratios[full] = self.ratio(
                full, every.var(axis=0, ddof=1) if len(every) >= _ENOUGH_CONTROLS else None
            )
        gain = Gain.between(found[full], null, ratio=self._ratios.get(full), controls=every, seed=self.seed)
        base = self._base(self.embeddings[number].name, stratum, full.null)
        detail = stratum == ALL_GENES
        for index in np.flatnonzero(found[full].count > 0):
            row = base | {"target": self.traits[index], "n": int(found[full].count[index])}
            yield row | {"metric": "r", "value": found[full].r[index], "null_value": null.r[index]}
            yield row | {"metric": "r2", "value": found[full].r2[index], "null_value": null.r2[index]}
            yield from _gain_rows(row, gain, drawn, np.array([index]), detail=detail)
        for subset, chosen in self._subsets(found[full].count):
            row = base | {"target": subset.name, "n": len(chosen)}
            r2 = (float(np.median(agreement.r2[chosen])) for agreement in (found[full], null))
            yield row | dict(zip(("value", "null_value"), r2)) | {"metric": "r2"}
            yield from _gain_rows(row, gain, drawn, chosen, detail=detail)
            if detail:
                yield from _wilcoxon(row, gain.value[chosen], len(self.embeddings))

    def _subsets(self, count: np.ndarray) -> Iterator[tuple[Subset, np.ndarray]]:
        for subset in self.subsets:
            chosen = np.array([self.traits.index(trait) for trait in subset.traits])
            chosen = chosen[count[chosen] > 0]
            if len(chosen):
                yield subset, chosen

    def _plain(
        self, base: Row, metric: str, models: tuple[Agreement, Agreement], headline: Variant
    ) -> Iterator[Row]:
        """Gain of each trait and median, without controls of its own; deviations are those of the headline model."""
        full, null = models
        controls = self._controls.get(headline.embedding)
        gain = Gain.between(full, null, ratio=self._ratios.get(headline), controls=controls, seed=self.seed)
        for index in np.flatnonzero(full.count > 0):
            row = base | {"target": self.traits[index], "n": int(full.count[index])}
            yield row | _with_interval(metric, gain.of(np.array([index])))
        for subset, chosen in self._subsets(full.count):
            row = base | {"target": subset.name, "n": len(chosen)}
            yield row | _with_interval(metric, gain.of(chosen).median())

    def _pair(self, variant: Variant) -> tuple[Agreement, Agreement]:
        models = (variant, null_of(variant))
        full, null = (
            self.agreements.agreement(self.agreements.sums(self._predictions(model))) for model in models
        )
        return full, null

    def _other_null(self, number: int, name: str) -> Iterator[Row]:
        """Gain and R2 over the null model that is not the headline's."""
        if not self.plan.both_nulls:
            return
        headline = self.plan.full(number)
        variant = replace(headline, null=self.plan.other_null)
        full, null = self._pair(variant)
        base = self._base(name, ALL_GENES, variant.null)
        yield from self._plain(base, f"delta_r2_{variant.null}", (full, null), headline)
        for index in np.flatnonzero(full.count > 0):
            values = {"value": full.r2[index], "null_value": null.r2[index], "n": int(full.count[index])}
            yield base | {"target": self.traits[index], "metric": f"r2_{variant.null}"} | values

    def _other_mhc(self, number: int, name: str) -> Iterator[Row]:
        """The gain with the MHC where the headline leaves it out, and without it where the headline keeps it."""
        if not self.plan.has_mhc:
            return
        headline = self.plan.full(number)
        variant = replace(headline, mhc=not headline.mhc)
        stratum = WITH_MHC if variant.mhc else WITHOUT_MHC
        base = self._base(name, stratum, variant.null)
        yield from self._plain(base, "delta_r2", self._pair(variant), headline)

    def _parts(self, number: int, name: str) -> Iterator[Row]:
        """The gain from a part of what the headline has: a gene's own functions, or the leading component."""
        headline = self.plan.full(number)
        parts = []
        if self.plan.has_alone:
            parts.append((OWN_ALONE, replace(headline, alone=True)))
        if self.plan.has_leading and self.embeddings[number].values.shape[1] > 1:
            parts.append((LEADING_ALONE, replace(headline, kind="leading")))
        for stratum, variant in parts:
            base = self._base(name, stratum, headline.null)
            yield from self._plain(base, "delta_r2", self._pair(variant), headline)

    def _filled(self, number: int, name: str) -> Iterator[Row]:
        """The gain over all genes of the traits, those without an embedding predicted by the rule for them."""
        headline, every = self.plan.full(number), self.plan.every_gene_null()
        rows, values, whole = [], [], True
        for task, predicted in zip(self.tasks, self.predicted):
            filled, covered = fill_missing(task, headline, self.embeddings, predicted, every, self.missing)
            rows.append(variant_rows(task, every, self.embeddings)[0])
            values.append(filled)
            whole &= bool(covered.all())
        if whole:
            return
        sums = [
            self.agreements.sums(one)
            for one in (Predictions(tuple(rows), tuple(values)), self._predictions(every))
        ]
        full, null = (self.agreements.agreement(one) for one in sums)
        yield from self._plain(self._base(name, FILLED, every.null), "delta_r2", (full, null), headline)

    def _baseline(self) -> Iterator[Row]:
        """Places alone over the published null model; over the positional one they gain nothing by construction."""
        variant = self.plan.baseline()
        name = POSITIONS_ALONE
        while name in {scored.name for scored in self.embeddings}:
            name += " (baseline)"
        metric = "delta_r2" if self.plan.null == PUBLISHED else f"delta_r2_{PUBLISHED}"
        self._ratios[variant] = self.ratio(variant, None)
        yield from self._plain(self._base(name, ALL_GENES, PUBLISHED), metric, self._pair(variant), variant)


def _gain_rows(
    row: Row, gain: Gain, drawn: dict[str, np.ndarray], traits: np.ndarray, *, detail: bool
) -> Iterator[Row]:
    """Gain of a trait, or the median of several, its controls, and, with ``detail``, the differences from them."""
    several = len(traits) > 1

    def one(gain: Gain) -> Gain:
        return gain.of(traits).median() if several else gain.of(traits)

    medians = {kind: np.median(values[:, traits], axis=1) for kind, values in drawn.items()}
    control = float(np.median(medians["permuted"])) if "permuted" in medians else None
    yield row | _with_interval("delta_r2", one(gain)) | {"control_value": control}
    for kind, values in medians.items():
        yield row | {
            "metric": f"delta_r2_{kind}",
            "value": float(np.median(values)),
            "low": float(values.min()),
            "high": float(values.max()),
            "interval": RANGE,
            "null_value": 0.0,
        }
        if detail:
            yield row | _with_interval(f"delta_r2_minus_{kind}", one(gain.minus(drawn[kind])))


def _with_interval(metric: str, gain: Gain) -> Row:
    low, high = gain.interval()
    return {
        "metric": metric,
        "value": float(gain.value[0]),
        "low": float(low[0]),
        "high": float(high[0]),
        "interval": gain.kind,
        "null_value": 0.0,
        "p_value": float(gain.p_value()[0]),
    }


def _wilcoxon(row: Row, values: np.ndarray, tested: int) -> Iterator[Row]:
    """Wilcoxon's test over traits, Bonferroni over the embeddings of the run; descriptive."""
    if len(values) < 6 or not np.any(values != 0):
        return  # fewer than six pairs cannot reach p < 0.05
    yield row | {
        "metric": "wilcoxon",
        "value": float(np.median(values)),
        "p_value": min(1.0, float(stats.wilcoxon(values).pvalue) * tested),
        "null_value": 0.0,
        "null_model": f"{row['null_model']}; Bonferroni over {tested} embeddings; the sign of value is the direction",
    }
