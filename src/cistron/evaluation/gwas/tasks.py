"""Traits with everything that does not depend on an embedding: covariates of both null models, folds, linkage."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from scipy import sparse

from cistron.errors import InputError
from cistron.evaluation.gwas.covariates import ExtraCovariates, gene_covariates
from cistron.evaluation.gwas.linkage import link
from cistron.evaluation.gwas.near import mean_over_neighbours
from cistron.evaluation.gwas.positions import has_positions, in_mhc, position_covariates
from cistron.evaluation.gwas.problem import Linkage, Problem
from cistron.evaluation.gwas.traits import TraitCollection, TraitDesign
from cistron.formats.magma import GeneCorrelations
from cistron.genes.splits import chromosome_groups
from cistron.statistics import group_like_rows

PUBLISHED, POSITIONAL = "published", "positional"
NULLS = (PUBLISHED, POSITIONAL)
Made = TypeVar("Made")


@dataclass(frozen=True)
class Task:
    """A design with what is fitted to its genes.

    Attributes
    ----------
    design
        Traits and genes.
    published
        Covariates of the published null model, float64 [gene, covariate].
    covariates
        Their names.
    places
        Covariates that the positional null model has in addition, float64 [gene, 4]; no columns where places
        are not known.
    mhc
        Genes of the MHC, bool [gene].
    folds
        Fold of each gene, int [gene].
    linkage
        Covariance of the genes, or None when nothing is projected.
    projection
        ``whiten``, ``none`` or ``paper``.
    neighbours
        Scale in base pairs over which neighbours of a gene count; 0 where they do not.
    """

    design: TraitDesign
    published: np.ndarray
    covariates: tuple[str, ...]
    places: np.ndarray
    mhc: np.ndarray
    folds: np.ndarray
    linkage: Linkage | None = None
    projection: str = "none"
    neighbours: float = 0.0
    _kept: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def keep(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Make something once and keep it under a key."""
        if key not in self._kept:
            self._kept[key] = make()
        found: Made = self._kept[key]
        return found

    @property
    def positional(self) -> bool:
        """Whether places are known, so that both null models can be fitted."""
        return self.places.shape[1] > 0

    @property
    def blocks(self) -> np.ndarray:
        """Number of the chromosome of each gene, in the order of the genes; int [gene]."""
        names = self.design.genes["CHR"]
        return self.keep("blocks", lambda: pd.factorize(names)[0].astype(np.int64))

    @property
    def middles(self) -> np.ndarray:
        """Middle of each gene in base pairs, or its start where the end is not known; float64 [gene]."""
        genes = self.design.genes
        stop = genes["STOP"] if has_positions(genes) else genes["START"]
        return ((genes["START"] + stop) / 2).to_numpy(np.float64)

    def problem(self, rows: np.ndarray, null: str, traits: Sequence[int] | None = None) -> Problem:
        """The problem of a null model on some of the genes and traits, without features.

        Parameters
        ----------
        rows
            Row numbers of the genes, int [row]; folds are renumbered without gaps.
        null
            ``published`` or ``positional``.
        traits
            Numbers of the traits; all when absent.
        """
        columns = [self.published[rows]] + ([self.places[rows]] if null == POSITIONAL else [])
        chosen = list(range(self.design.z.shape[1])) if traits is None else list(traits)
        folds = np.unique(self.folds[rows], return_inverse=True)[1]
        linkage = self._linkage_of(rows)
        if linkage is not None and len(chosen) < self.design.z.shape[1]:
            linkage = linkage.for_traits(chosen)
        z = self.design.z[rows][:, chosen]
        return Problem(z, np.hstack(columns), np.empty((len(rows), 0)), folds, linkage, self.projection)

    def _linkage_of(self, rows: np.ndarray) -> Linkage | None:
        """Linkage of some of the genes; the decomposition of their covariance is made once and kept."""
        if self.linkage is None or len(rows) == len(self.folds):
            return self.linkage
        linkage = self.linkage
        return self.keep(("linkage", rows.tobytes()), lambda: linkage.select(rows))

    def near(self, rows: np.ndarray) -> sparse.csr_array | None:
        """Mean over the neighbours of some of the genes among them, sparse [row, row]; None where they do not count."""
        if self.neighbours == 0 or not self.positional:
            return None
        blocks, middles = self.blocks[rows], self.middles[rows]
        return self.keep(
            ("near", rows.tobytes()), lambda: mean_over_neighbours(blocks, middles, self.neighbours)
        )

    def likeness(self, rows: np.ndarray) -> np.ndarray:
        """Small groups of genes of like density and length among some of the genes; int [row]."""
        return self.keep(("likeness", rows.tobytes()), lambda: group_like_rows(self.places[rows]))


def build_tasks(
    traits: TraitCollection,
    *,
    null: str,
    projection: str,
    folds: int | None,
    neighbours: float = 0.0,
    covariances: Mapping[str, GeneCorrelations] | None = None,
    extra: ExtraCovariates | None = None,
) -> list[Task]:
    """Prepare the traits for fitting.

    Parameters
    ----------
    traits
        Traits of :func:`read_traits`.
    null
        Null model of the headline; the positional one needs places.
    projection
        ``whiten``, ``none`` or ``paper``.
    folds
        Chromosome groups that are left out in turn; each chromosome when absent.
    neighbours
        Scale in base pairs over which neighbours of a gene count; 0 where they do not.
    covariances
        Correlations by trait name, or ``*`` for all traits.
    extra
        Further covariates of both null models.

    Returns
    -------
    list of Task
        One a design; with covariances one a file.

    Raises
    ------
    InputError
        If traits, covariances and places do not fit together.
    """
    tasks = []
    for design, correlations, name in _matched(traits, covariances):
        genes, linkage = design, None
        if correlations is not None:
            linked = link(design, correlations, name)
            genes = linked.design
            if projection != "none":
                linkage = Linkage(linked.correlations, linked.design.z.var(axis=0))
        table = genes.genes
        known = has_positions(table)
        if null == POSITIONAL or known:
            places = _places(table, traits.name, required=null == POSITIONAL)
        else:
            places = np.empty((len(table), 0))
        published, names = gene_covariates(table)
        if extra is not None:
            published = np.hstack([published, extra.of(table["GENE"])])
            names = [*names, *extra.names]
        found = table["CHR"].nunique()
        groups = chromosome_groups(list(table["CHR"]), None if folds is None else min(folds, found))
        mhc = in_mhc(table)
        made = Task(genes, published, tuple(names), places, mhc, groups, linkage, projection, neighbours)
        tasks.append(made)
    return tasks


def _places(table: pd.DataFrame, what: str, *, required: bool) -> np.ndarray:
    """Position covariates; where they are not required, unusable places count as absent."""
    try:
        return position_covariates(table, what)
    except InputError:
        if required:
            raise
        return np.empty((len(table), 0))


def _matched(
    traits: TraitCollection, covariances: Mapping[str, GeneCorrelations] | None
) -> list[tuple[TraitDesign, GeneCorrelations | None, str]]:
    if not covariances:
        return [(design, None, "") for design in traits.designs]
    if "*" in covariances:
        return [(design, covariances["*"], "the .genes.raw file") for design in traits.designs]
    absent = [trait for trait in traits.traits if trait not in covariances]
    if absent:
        raise InputError(
            f"the covariance folder has no file for {len(absent)} of {len(traits.traits)} traits, for example "
            f"{absent[0]}.genes.raw"
        )
    return [
        (TraitDesign((trait,), design.genes, design.z[:, [index]]), covariances[trait], f"{trait}.genes.raw")
        for design in traits.designs
        for index, trait in enumerate(design.traits)
    ]


def with_places(traits: TraitCollection, table: pd.DataFrame) -> TraitCollection:
    """Take ``START`` and ``STOP`` from a gene table for traits that carry none.

    Parameters
    ----------
    traits
        Traits of :func:`read_traits`.
    table
        Columns ``GENE``, ``START``, ``STOP``.

    Returns
    -------
    TraitCollection
        The same traits; a design that has places keeps its own. Genes that the table does not hold are left out
        and counted in a remark.

    Raises
    ------
    InputError
        If the table holds none of the genes.
    """
    if not {"GENE", "START", "STOP"} <= set(table):
        return traits
    places = table.drop_duplicates("GENE").set_index("GENE")[["START", "STOP"]].astype(np.float64)
    designs, remarks = [], list(traits.remarks)
    for design in traits.designs:
        if has_positions(design.genes):
            designs.append(design)
            continue
        found = places.reindex(design.genes["GENE"])
        known = found.notna().all(axis=1).to_numpy()
        if not known.any():
            raise InputError(
                f"gene table: 0 of {len(known):,} genes of {design.traits[0]} are in it, for example {design.genes['GENE'].iloc[0]}; "
                "give a table with the same kind of gene ids"
            )
        if not known.all():
            remarks.append(
                f"{design.traits[0]}: {int((~known).sum()):,} genes are not in the gene table and were left out"
            )
        genes = design.genes[known].assign(**{name: found[name].to_numpy()[known] for name in places})
        order = np.lexsort((genes["START"], pd.factorize(genes["CHR"])[0]))
        genes = genes.iloc[order].reset_index(drop=True)
        designs.append(replace(design, genes=genes, z=design.z[known][order]))
    return replace(traits, designs=tuple(designs), remarks=tuple(remarks))
