"""Collect the rows of the scores table, and the correlations of single genes and cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cistron.evaluation.expression.comparison import Comparison
from cistron.evaluation.expression.complete import ObservedSide
from cistron.evaluation.expression.differential import differential_overlap
from cistron.evaluation.expression.references import CEILING_METHOD, CEILING_NAME, NULL_METHOD
from cistron.evaluation.expression.rival import FULL_METHOD
from cistron.evaluation.expression.strata import Stratum, pool
from cistron.evaluation.rivals import RIVAL_NAME, least_share
from cistron.statistics import bootstrap_p_value, percentile_interval

INTERVAL = "95% bootstrap over genes"


def gain_draws(full: np.ndarray, rival: np.ndarray, genes: int) -> np.ndarray:
    """Bootstrap samples of a gain, wider by what the mixture of both predictions owes to the genes that it was fitted on.

    Genes are drawn again with the mixture as it is, which sees the tested genes only; the share was chosen on planted worlds
    (``benchmarks/gains_intervals.py``).

    Parameters
    ----------
    full, rival
        Samples of the score of both together, and of trivial columns, float64 [draw].
    genes
        Number of genes.
    """
    draws = full - rival
    spread, centre = np.nanstd(draws), np.nanmean(draws)
    if not spread > 0:
        return draws
    score = max(
        np.nanstd(rival), 0.5 / np.sqrt(genes)
    )  # at least half the deviation of a correlation over so many genes
    added = least_share(genes) * score
    return np.asarray(centre + (draws - centre) * np.sqrt(1.0 + (added / spread) ** 2))


@dataclass
class Level:
    """One stratum at one level of pooling.

    Attributes
    ----------
    target
        ``cells``, ``pseudobulks`` or ``cell types``.
    stratum
        Which cells and genes.
    observed
        float32 [cell or label, gene].
    cells, genes
        Names along both axes.
    members
        Cells of each pseudobulk, of :func:`pool_matrix`; ``None`` where cells are not pooled.
    logarithm
        As of :func:`pool`.
    side
        What is computed of ``observed`` once for all predictions.
    """

    target: str
    stratum: Stratum
    observed: np.ndarray
    cells: list[str]
    genes: list[str]
    members: np.ndarray | None
    logarithm: bool
    side: ObservedSide | None = None

    def view(self, values: np.ndarray) -> np.ndarray:
        """Values of single cells, averaged within labels if this level pools cells."""
        return values if self.members is None else pool(values, self.members, self.logarithm)


class Collector:
    """Collects rows of scores and tables of correlations while predictions are scored."""

    def __init__(self, common: Mapping[str, Any]) -> None:
        self.common = dict(common)
        self.rows: list[dict[str, Any]] = []
        self.tables: dict[str, list[pd.DataFrame]] = {"gene": [], "cell": [], "type": []}

    def extend(self, other: "Collector") -> None:
        """Take over what another has collected."""
        self.rows += other.rows
        for kind, tables in other.tables.items():
            self.tables[kind] += tables

    def score(
        self, level: Level, name: str, method: str, found: Comparison, null: Mapping[str, float]
    ) -> None:
        """Rows of one prediction; a metric without a defined value has no row.

        Parameters
        ----------
        level
            Cells or cell types, and the stratum, that were scored.
        name, method
            Name of the prediction, and the method that made it.
        found
            Scores with their bootstrap draws.
        null
            Scores of the baseline, by metric.
        """
        for metric, value in found.values.items():
            if not np.isfinite(value):
                continue
            low, high = percentile_interval(found.draws[metric])
            self._add(
                level, name, method, metric,
                value=value, low=low, high=high, interval=INTERVAL, n=found.counts[metric],
                null_model=NULL_METHOD, null_value=null.get(metric, np.nan), control_value=found.controls[metric],
            )  # fmt: skip

    def ceiling(self, level: Level, values: Mapping[str, float]) -> None:
        """Rows of the ceiling."""
        for metric, value in values.items():
            if np.isfinite(value):
                self._add(level, CEILING_NAME, CEILING_METHOD, metric, value=value, n=len(level.cells))

    def undefined(
        self, level: Level, name: str, method: str, predicted: np.ndarray, found: Comparison
    ) -> None:
        """Shares of entries, cells and genes that could not be scored.

        Parameters
        ----------
        level
            Cells or cell types, and the stratum, that were scored.
        name, method
            Name of the prediction, and the method that made it.
        predicted
            Predictions, float [cell, gene]; NaN where there is none.
        found
            Scores, with the correlations of each gene and cell.
        """
        measured = np.isfinite(level.observed)
        entries = float((measured & ~np.isfinite(predicted)).sum() / max(measured.sum(), 1))
        shares = (
            ("undefined_entries", entries, int(measured.sum())),
            ("undefined_cells", _share_undefined(found.per_cell["pearson_across_genes"]), len(level.cells)),
            ("undefined_genes", _share_undefined(found.per_gene["pearson_across_cells"]), len(level.genes)),
        )
        for metric, value, number in shares:
            self._add(level, name, method, metric, value=value, n=number)

    def difference(
        self,
        level: Level,
        pair: tuple[tuple[str, str], tuple[str, str]],
        found: Comparison,
        other: Comparison,
    ) -> None:
        """Rows of the difference of two predictions, from the same draws of genes.

        Parameters
        ----------
        level
            Cells or cell types, and the stratum, that were scored.
        pair
            Name and method of the first and of the second prediction.
        found, other
            Scores of the first and of the second, with draws of the same genes.
        """
        (name, _), (other_name, _) = pair
        for metric, value in found.values.items():
            draws = found.draws[metric] - other.draws[metric]
            change = value - other.values[metric]
            if not np.isfinite(change):
                continue
            low, high = percentile_interval(draws)
            self._add(
                level, name, f"less {other_name}", f"difference_{metric}",
                value=change, low=low, high=high, interval=f"{INTERVAL}, paired",
                n=min(found.counts[metric], other.counts[metric]),
                null_model=other_name, null_value=other.values[metric],
                p_value=float(bootstrap_p_value(draws)),
            )  # fmt: skip

    def gain(self, level: Level, name: str, full: Comparison, rival: Comparison) -> None:
        """Rows of what a prediction adds to trivial columns, from the same draws of genes.

        Parameters
        ----------
        level
            Cells or cell types, and the stratum, that were scored.
        name
            Name of the prediction.
        full, rival
            Scores of both together, and of the trivial columns alone.
        """
        for metric, value in full.values.items():
            change = value - rival.values[metric]
            if not np.isfinite(change):
                continue
            draws = gain_draws(full.draws[metric], rival.draws[metric], len(level.genes))
            low, high = percentile_interval(draws)
            self._add(
                level, name, FULL_METHOD, f"gain_{metric}",
                value=change, low=low, high=high, interval=f"{INTERVAL}, paired", n=full.counts[metric],
                null_model=RIVAL_NAME, null_value=0.0, p_value=float(bootstrap_p_value(draws)),
            )  # fmt: skip

    def detail(self, level: Level, name: str, found: Comparison) -> None:
        """Tables of the correlations of each gene and each cell.

        Parameters
        ----------
        level
            Cells or cell types, and the stratum, that were scored.
        name
            Name of the prediction.
        found
            Scores, with the correlations of each gene and cell.
        """
        for axis, labels, columns in (
            ("gene", level.genes, found.per_gene),
            ("cell", level.cells, found.per_cell),
        ):
            table = pd.DataFrame(
                {"embedding": name, "target": level.target, "stratum": level.stratum.name, axis: labels}
            )
            if axis == "gene":
                columns = {"expression": _mean_over_cells(level.observed), **columns}
            self.tables[axis].append(table.assign(**columns))

    def types(self, level: Level, name: str, predicted: np.ndarray) -> None:
        """Overlap of the genes by which cell types differ, where there are 3 types or more.

        Parameters
        ----------
        level
            The stratum at a level whose rows are cell types.
        name
            Name of the prediction.
        predicted
            float32 [type, gene].
        """
        if level.target == "cells" or len(level.cells) < 3 or not np.isfinite(predicted).any():
            return
        table = differential_overlap(predicted, level.observed, level.cells)
        table.insert(0, "stratum", level.stratum.name)
        table.insert(0, "target", level.target)
        table.insert(0, "embedding", name)
        self.tables["type"].append(table)

    def _add(self, level: Level, name: str, method: str, metric: str, **row: Any) -> None:
        self.rows.append(
            {
                **self.common,
                "target": level.target,
                "stratum": level.stratum.name,
                "embedding": name,
                "model": method,
                "metric": metric,
                **row,
            }
        )


def _mean_over_cells(values: np.ndarray) -> np.ndarray:
    """Mean of each gene over what is measured, float32 [gene]; NaN where nothing is."""
    known = np.isfinite(values)
    number = known.sum(axis=0)
    total = np.where(known, values, np.float32(0)).sum(axis=0, dtype=np.float64)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan).astype(np.float32)


def _share_undefined(correlations: np.ndarray) -> float:
    return float(np.isnan(correlations).mean())
