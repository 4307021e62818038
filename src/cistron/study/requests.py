"""What one cell of a study is made of, and what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.rivals import Rivals, read_rivals
from cistron.formats.gene_embedding import embedding_genes, read_gene_embedding
from cistron.methods import with_given
from cistron.study.kinds import KINDS

COMMON, ALL = "common genes", "all genes"
PARTS = (COMMON, ALL)
_GAINS = ("gain_auroc", "gain_r", "gain_pearson_across_genes")


@dataclass(frozen=True)
class Request:
    """What one cell is made of, as plain values.

    Attributes
    ----------
    task, kind
        Name and kind of the task.
    inputs
        Paths by name of the input.
    settings
        Settings by dotted name.
    embedding
        File of the embedding, whose name is that of the row.
    part
        ``common genes`` or ``all genes``.
    common
        List of the common genes, for that part.
    annotation, gene_map, covariates
        As of the study.
    seed
        Seed of the study.
    working
        Folder for what is only needed meanwhile.
    """

    task: str
    kind: str
    inputs: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, Any]
    embedding: str
    part: str
    common: str | None
    annotation: str | None
    gene_map: tuple[str, ...]
    covariates: str | None
    seed: int
    working: str

    def settings_object(self) -> Any:
        """Settings of the task."""
        given = {
            key: tuple(value) if isinstance(value, list) else value for key, value in self.settings.items()
        }
        return with_given(KINDS[self.kind].settings_class()(), given)

    def read_embedding(self) -> anndata.AnnData:
        """The embedding, of the common genes only where that is the part."""
        embedding = read_gene_embedding(self.embedding, evidence="as recorded")
        embedding.obs_names = embedding_genes(embedding)
        if self.part == COMMON:
            wanted = self.common_genes()
            embedding = embedding[[gene in wanted for gene in embedding.obs_names]].copy()
            if embedding.n_obs == 0:
                raise InputError(f"{embedding.uns['cistron']['name']} has none of the common genes")
        return embedding

    def common_genes(self) -> frozenset[str]:
        """The common genes."""
        assert self.common is not None
        return _gene_list(self.common)

    def rivals(self, embedding: anndata.AnnData) -> Rivals | None:
        """Trivial columns of the annotation and the covariates of the study; ``None`` where they know none of the genes."""
        found = read_once(_rivals, self.annotation, self.covariates)
        known = embedding.obs_names.isin(found.table.index).any()
        return found if known else None

    def one(self, name: str) -> str | None:
        """The only path of an input; ``None`` where it is not given."""
        return self.inputs[name][0] if self.inputs.get(name) else None


@dataclass
class Outcome:
    """What one cell gives.

    Attributes
    ----------
    value, low, high, null, control, p_value
        The headline figure.
    metric, unit, n
        What it is, what was drawn again for the interval, and the number of genes, terms or pairs behind it.
    draws
        The figure in each bootstrap sample, float64 [draw]; the same samples for every embedding.
    beyond
        What the embedding adds to trivial columns: value, low and high. NaN where there were none to compare with.
    scores
        Scores table of the task.
    tables
        Further tables of the task, by name.
    facts, warnings
        As of ``run.json``.
    """

    value: float
    low: float
    high: float
    null: float
    control: float
    p_value: float
    metric: str
    unit: str
    n: int
    draws: np.ndarray
    scores: pd.DataFrame
    beyond: tuple[float, float, float] = (float("nan"), float("nan"), float("nan"))
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@lru_cache(maxsize=4)
def _gene_list(path: str) -> frozenset[str]:
    return frozenset(Path(path).read_text().split("\n")) - {""}


@lru_cache(maxsize=8)
def read_once(reader: Callable[..., Any], *arguments: Any) -> Any:
    """Tasks' inputs are read once a process."""
    return reader(*arguments)


def _rivals(annotation: str | None, covariates: str | None) -> Rivals:
    from cistron.genes.places import read_gene_places

    places = None if annotation is None else read_gene_places(annotation, "annotation")
    return read_rivals(places, *([] if covariates is None else [covariates]))


def beyond_of(scores: pd.DataFrame, name: str, **where: object) -> tuple[float, float, float]:
    """Gain of an embedding beyond trivial columns: the last of its rows, which stands for all targets.

    Parameters
    ----------
    scores
        Scores table of a task.
    name
        Name of the embedding.
    **where
        Values of further columns.
    """
    rows = scores[(scores["embedding"] == name) & (scores["metric"].isin(_GAINS))]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    if rows.empty:
        return float("nan"), float("nan"), float("nan")
    last = rows.iloc[-1]
    return float(last["value"]), float(last["low"]), float(last["high"])


def outcome_of_row(row: Any, draws: np.ndarray, unit: str, **parts: Any) -> Outcome:
    """The outcome whose headline is a row of a scores table.

    Parameters
    ----------
    row
        The row.
    draws, unit
        As of :class:`Outcome`.
    **parts
        Further attributes of :class:`Outcome`.
    """

    def number(column: str) -> float:
        return float(row[column]) if pd.notna(row[column]) else float("nan")

    return Outcome(
        number("value"),
        number("low"),
        number("high"),
        number("null_value"),
        number("control_value"),
        number("p_value"),
        metric=str(row["metric"]),
        unit=unit,
        n=int(row["n"]),
        draws=draws,
        **parts,
    )
