"""What an embedding tells of labels beyond trivial columns."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.evaluation.labels.tables import LabelTable
from cistron.evaluation.rivals import RIVAL_NAME, Rivals, gain_beyond, gain_beyond_in_numbers
from cistron.formats.gene_embedding import embedding_genes
from cistron.genes.splits import chromosome_groups
from cistron.runtime.seeds import random_generator
from cistron.statistics.estimate import INTERVAL, Estimate

RANDOM_GROUPS = "95%, random groups of genes left out of training and testing"
_GROUPS = 10
_LEAST_GROUPS = 4
_GENES_PER_COLUMN = 10


class LabelGains:
    """Gains of embeddings on the terms of a table.

    Ridge in closed form, the same groups of genes left out for every embedding and term.

    Parameters
    ----------
    labels
        Labels that are scored.
    chromosomes
        Chromosome by gene; groups of whole chromosomes are left out. Genes are left out at random without it.
    fill
        Whether a gene without an embedding counts, with the mean vector.
    seed
        Seed of random groups.
    """

    def __init__(self, labels: LabelTable, chromosomes: pd.Series | None, fill: bool, seed: int) -> None:
        self.labels, self.fill = labels, fill
        genes = pd.Index(sorted(set(labels.frame["gene"])))
        self.interval = RANDOM_GROUPS if chromosomes is None else INTERVAL
        if chromosomes is None:
            order = random_generator(seed, "groups of genes for gains", len(genes)).permutation(len(genes))
            group = order % _GROUPS
        else:
            genes = genes[genes.isin(chromosomes.index)]
            names = chromosomes.loc[genes].astype(str).tolist()
            number = len(set(names))
            group = (
                chromosome_groups(names, min(_GROUPS, number)) if number > 1 else np.zeros(len(genes), int)
            )
        self._group = pd.Series(group, index=genes)

    def rows(
        self, embedding: anndata.AnnData, rivals: Rivals, terms: Sequence[str], common: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], int]:
        """Rows of the scores table, and how many terms have too few genes for one.

        Parameters
        ----------
        embedding
            Gene embedding.
        rivals
            Its trivial columns.
        terms
            Terms that were scored.
        common
            Columns that all rows share.
        """
        genes = embedding_genes(embedding)
        wanted = set(terms)
        alike: dict[tuple[str, ...], list[tuple[str, pd.DataFrame]]] = {}
        for term, frame in self.labels.frame.groupby("term", sort=False):
            frame = frame[frame["gene"].isin(self._group.index)]
            if not self.fill:
                frame = frame[frame["gene"].isin(genes)]
            if str(term) in wanted:
                frame = frame.sort_values("gene")
                alike.setdefault(tuple(frame["gene"]), []).append((str(term), frame))
        found: dict[str, tuple[Estimate, int]] = {}
        for names, parts in alike.items():
            found |= self._measured(np.asarray(embedding.X), genes, list(names), parts, rivals)
        metric = "gain_r" if self.labels.kind == "number" else "gain_auroc"
        common = common | {
            "model": "ridge",
            "metric": metric,
            "interval": f"{self.interval}, paired",
            "null_model": RIVAL_NAME,
            "null_value": 0.0,
        }
        rows = [
            common | {"target": term, "n": number} | _plain(estimate)
            for term, (estimate, number) in found.items()
        ]
        if len(found) > 1:
            mean = _mean([estimate for estimate, _ in found.values()])
            rows.append(common | {"target": mean_name(len(found)), "n": len(found)} | _plain(mean))
        return rows, len(wanted) - len(found)

    def _measured(
        self,
        values: np.ndarray,
        genes: pd.Index,
        names: list[str],
        parts: list[tuple[str, pd.DataFrame]],
        rivals: Rivals,
    ) -> dict[str, tuple[Estimate, int]]:
        """Gain and number of members (or genes) of each of some terms with the same genes."""
        trivial = rivals.of(names).to_numpy()
        present, group = np.unique(self._group.reindex(names), return_inverse=True)
        few = len(names) < _GENES_PER_COLUMN * max(trivial.shape[1], 1)
        if few or not trivial.shape[1] or len(present) < _LEAST_GROUPS:
            return {}
        place = genes.get_indexer(pd.Index(names))
        if not (place >= 0).any():
            return {}
        rows = np.where((place >= 0)[:, None], values[place], values[place[place >= 0]].mean(axis=0))
        truth, owner = [], []
        for term, frame in parts:
            value = frame["value"].to_numpy(np.float64)
            if self.labels.kind == "class":
                columns = [value == number for number in range(len(self.labels.classes))]
            else:
                columns = [value]
            kept = [column.astype(np.float64) for column in columns if column.min() < column.max()]
            truth += kept
            owner += [term] * len(kept)
        if not truth:
            return {}
        target = np.column_stack(truth)
        if self.labels.kind == "number":
            beyond = gain_beyond_in_numbers(trivial, rows, target, group).beyond
        else:
            beyond = gain_beyond(trivial, rows, target > 0.5, group, ("auroc",))["auroc"].beyond
        beyond = _spread(beyond, present.astype(int), int(self._group.max()) + 1)
        made = {}
        for term in dict.fromkeys(owner):
            own = np.flatnonzero(np.array(owner) == term)
            member = self.labels.kind == "member"
            made[term] = _targets(beyond, own).mean(), int(target[:, own].sum()) if member else len(names)
        return made


def with_gains(summary: pd.DataFrame, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The summary of embeddings with ``gain, gain_low, gain_high`` beyond trivial columns, empty where not measured.

    Parameters
    ----------
    summary
        One row an embedding.
    rows
        Rows of :meth:`LabelGains.rows`; the last of an embedding is the mean over its terms, or its only term.
    """
    last = {row["embedding"]: row for row in rows}
    return summary.assign(
        **{
            name: [float(last[one][key]) if one in last else np.nan for one in summary["embedding"]]
            for name, key in (("gain", "value"), ("gain_low", "low"), ("gain_high", "high"))
        }
    )


def mean_name(terms: int) -> str:
    """Target of the row of the mean over terms."""
    return f"mean of {terms} terms"


def _spread(estimate: Estimate, present: np.ndarray, groups: int) -> Estimate:
    """The estimate with groups that hold none of its genes, so that terms with other genes can be averaged."""
    single = np.zeros((groups, estimate.single.shape[1]))
    single[present] = estimate.single
    pair = np.zeros((groups, groups, single.shape[1]))
    pair[np.ix_(present, present)] = estimate.pair
    return replace(estimate, single=single, pair=pair)


def _targets(estimate: Estimate, own: np.ndarray) -> Estimate:
    return Estimate(
        estimate.value[own], estimate.single[:, own], estimate.pair[:, :, own], estimate.least[own],
        estimate.held[own], estimate.carriers[own], estimate.bounded,
    )  # fmt: skip


def _mean(parts: Sequence[Estimate]) -> Estimate:
    return Estimate(
        np.concatenate([one.value for one in parts]),
        np.concatenate([one.single for one in parts], axis=1),
        np.concatenate([one.pair for one in parts], axis=2),
        np.concatenate([one.least for one in parts]),
        np.concatenate([one.held for one in parts]),
        np.concatenate([one.carriers for one in parts]),
        parts[0].bounded,
    ).mean()


def _plain(estimate: Estimate) -> dict[str, float]:
    low, high = estimate.interval()
    return {
        "value": float(estimate.value[0]),
        "low": float(low[0]),
        "high": float(high[0]),
        "p_value": float(estimate.p_value()[0]),
    }
