"""The models that are fitted: both null models, each embedding, and its negative controls."""

from dataclasses import dataclass, replace

import numpy as np

from cistron.evaluation.gwas.coverage import MINIMUM_GENES, Scored
from cistron.evaluation.gwas.problem import Problem
from cistron.evaluation.gwas.tasks import NULLS, PUBLISHED, Task
from cistron.statistics import permute_matched, permute_within, shift_within

CONTROLS = ("permuted", "shifted", "matched")
EVERY_GENE = -1


@dataclass(frozen=True)
class Variant:
    """One model on one set of genes.

    Attributes
    ----------
    kind
        ``null``, ``full``, a control (``permuted``, ``shifted``, ``matched``), ``leading``: the leading principal
        component alone, or ``positions``: the columns made from places alone, as if they were an embedding.
    embedding
        Number of the embedding whose genes are used, -1 for all genes of the traits.
    null
        Null model: ``published`` or ``positional``.
    mhc
        Whether genes of the MHC are used.
    draw
        Draw of a control.
    alone
        Whether the neighbours of a gene are left out where the task has them count.
    """

    kind: str
    embedding: int
    null: str
    mhc: bool = False
    draw: int = 0
    alone: bool = False

    @property
    def label(self) -> str:
        """Name in files."""
        who = "all" if self.embedding == EVERY_GENE else str(self.embedding)
        return f"{self.kind}-{who}-{self.draw}-{self.null}{'-mhc' if self.mhc else ''}{'-alone' if self.alone else ''}"


@dataclass(frozen=True)
class Plan:
    """What a run fits.

    Attributes
    ----------
    null
        Null model of the headline.
    mhc
        Whether the headline uses the genes of the MHC.
    controls
        Draws of each control.
    kinds
        Controls that are drawn; the matched one needs places.
    both_nulls
        Whether the other null model is fitted too: the positional one needs places.
    has_mhc
        Whether any trait has genes of the MHC.
    has_alone
        Whether each embedding is fitted without the neighbours of genes too.
    has_leading
        Whether the leading principal component of each embedding is fitted alone too.
    """

    null: str
    mhc: bool
    controls: int
    kinds: tuple[str, ...]
    both_nulls: bool
    has_mhc: bool
    has_alone: bool = False
    has_leading: bool = False

    @classmethod
    def of(cls, tasks: list[Task], null: str, keep_mhc: bool, controls: int, more: bool = False) -> "Plan":
        """Find what the traits allow.

        Parameters
        ----------
        tasks
            The traits.
        null
            Null model of the headline.
        keep_mhc
            Whether the headline uses the genes of the MHC.
        controls
            Draws of each control.
        more
            Whether each embedding is to be fitted without the neighbours of genes too, where they count, and its
            leading component alone.
        """
        positional = all(task.positional for task in tasks)
        kinds = CONTROLS if positional else tuple(kind for kind in CONTROLS if kind != "matched")
        has_mhc = any(task.mhc.any() for task in tasks)
        alone = more and positional and any(task.neighbours > 0 for task in tasks)
        return cls(null, keep_mhc, controls, kinds if controls else (), positional, has_mhc, alone, more)

    @property
    def other_null(self) -> str:
        """The null model that is not the headline's."""
        return next(null for null in NULLS if null != self.null)

    def full(self, embedding: int) -> Variant:
        """The headline model of an embedding."""
        return Variant("full", embedding, self.null, self.mhc)

    def control(self, kind: str, embedding: int, draw: int) -> Variant:
        """A control of the headline model.

        Parameters
        ----------
        kind
            Kind of control.
        embedding
            Number of the embedding.
        draw
            Number of the draw.
        """
        return Variant(kind, embedding, self.null, self.mhc, draw)

    def baseline(self) -> Variant:
        """Places alone, beside the published null model."""
        return Variant("positions", EVERY_GENE, PUBLISHED, self.mhc)

    def every_gene_null(self) -> Variant:
        """The headline's null model on all genes of the traits."""
        return Variant("null", EVERY_GENE, self.null, self.mhc)

    def variants(self, embeddings: int) -> list[Variant]:
        """List every model of the run."""
        listed = [self.every_gene_null()]
        for number in range(embeddings):
            full = self.full(number)
            models = [full]
            if self.both_nulls:
                models.append(replace(full, null=self.other_null))
            if self.has_mhc:
                models.append(replace(full, mhc=not self.mhc))
            if self.has_alone:
                models.append(replace(full, alone=True))
            if self.has_leading:
                models.append(replace(full, kind="leading"))
            for model in models:
                listed += [null_of(model), model]
            listed += [
                self.control(kind, number, draw) for kind in self.kinds for draw in range(self.controls)
            ]
        if self.both_nulls:
            listed += [null_of(self.baseline()), self.baseline()]
        return list(dict.fromkeys(listed))


def null_of(variant: Variant) -> Variant:
    """The null model on the same genes as a variant."""
    return Variant("null", variant.embedding, variant.null, variant.mhc)


def covered_rows(task: Task, scored: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the design that an embedding covers, and their rows in the embedding; two int arrays."""

    def find() -> tuple[np.ndarray, np.ndarray]:
        position = scored.rows_for(task.design.genes["GENE"])
        rows = np.flatnonzero(position >= 0)
        return rows, position[rows]

    return task.keep(("covered", scored.name), find)


def variant_rows(task: Task, variant: Variant, embeddings: list[Scored]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the design that a variant is fitted and scored on, and their rows in its embedding; two int arrays.

    Parameters
    ----------
    task
        The traits.
    variant
        The model.
    embeddings
        All embeddings of the run.
    """
    if variant.embedding == EVERY_GENE:
        rows = position = np.arange(len(task.mhc))
    else:
        rows, position = covered_rows(task, embeddings[variant.embedding])
    if not variant.mhc:
        kept = ~task.mhc[rows]
        rows, position = rows[kept], position[kept]
    return rows, position


def can_be_fitted(variant: Variant, rows: np.ndarray) -> bool:
    """Whether an embedding covers enough genes of a design."""
    return variant.embedding == EVERY_GENE or len(rows) >= MINIMUM_GENES


def variant_problem(
    task: Task, variant: Variant, embeddings: list[Scored], traits: tuple[int, ...], seed: int
) -> Problem:
    """The regression of a variant for some of the traits.

    Parameters
    ----------
    task
        The traits.
    variant
        The model.
    embeddings
        All embeddings of the run.
    traits
        Numbers of the traits.
    seed
        Seed of the controls.
    """
    rows, position = variant_rows(task, variant, embeddings)
    problem = task.problem(rows, variant.null, traits)
    if variant.kind == "null":
        return problem
    if variant.kind == "positions":
        return problem.with_features(task.places[rows])
    order = _order(task, variant, rows, seed)
    features = embeddings[variant.embedding].values[position[order]]
    if variant.kind == "leading":
        features = _leading_component(features)
    near = None if variant.alone else task.near(rows)
    return replace(problem, features=features.astype(np.float64), near=near)


def _leading_component(values: np.ndarray) -> np.ndarray:
    """Scores of the first principal component, float64 [gene, 1]."""
    centred = values.astype(np.float64)
    centred = centred - centred.mean(axis=0)
    return centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1:]


def _order(task: Task, variant: Variant, rows: np.ndarray, seed: int) -> np.ndarray:
    """Which gene's embedding takes the place of each gene, int [row]."""
    if variant.kind in ("full", "leading"):
        return np.arange(len(rows))
    blocks, middles = task.blocks[rows], task.middles[rows]
    if variant.kind == "permuted":
        return permute_within(blocks, seed, variant.draw)
    if variant.kind == "shifted":
        return shift_within(blocks, middles, seed, variant.draw)
    return permute_matched(task.likeness(rows), blocks, middles, seed, variant.draw)
