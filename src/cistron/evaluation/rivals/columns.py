"""Trivial columns of genes: what any embedding must beat before it can be said to know something.

Gene density, length, numbers of exons and transcripts, and the level and breadth of expression tell much of what
embeddings are credited with: essential genes are broadly expressed, receptors are narrowly expressed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.formats.expression_columns import BREADTH, LEVEL, carried_level_and_breadth
from cistron.formats.gene_embedding import embedding_genes, read_gene_embedding
from cistron.formats.tables import read_table
from cistron.genes.chromosomes import human_chromosomes
from cistron.genes.density import log_densities
from cistron.genes.identity import guess_namespace, join_advice, normalise_identifiers
from cistron.genes.places import GenePlaces

RIVAL_NAME = "trivial columns"
DENSITY_SCALES = (30_000, 100_000, 300_000, 1_000_000)  # base pairs
_ABSENT = 0.01  # from this share of absent genes on, a column says which genes it lacks
_FEWEST_CODING = 1000
_SKEWED = 2.0
_COUNTS = {
    "exons": "exons exon_count exon_number n_exons number_of_exons",
    "transcripts": "transcripts transcript_count n_transcripts number_of_transcripts",
}


@dataclass(frozen=True)
class Rivals:
    """Trivial columns of genes.

    Attributes
    ----------
    table
        Numbers, float64 [gene, column], by gene id without version; NaN where a value is not known.
    remarks
        What was assumed or is absent, one sentence each.
    """

    table: pd.DataFrame
    remarks: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [str(column) for column in self.table.columns]

    def of(self, genes: Sequence[str] | pd.Index) -> pd.DataFrame:
        """Columns of some genes, ready to be fitted.

        Parameters
        ----------
        genes
            Gene ids without version.

        Returns
        -------
        DataFrame
            float64 [gene, column], each of mean 0 and variance 1 over ``genes``. A value that is not known is the
            mean; where more than 1% are not known a further column, ``NAME is known``, tells which. Columns that do
            not vary are left out, so there may be none.
        """
        found = self.table.reindex(pd.Index(genes))
        columns: dict[str, np.ndarray] = {}
        patterns: dict[bytes, str] = {}
        for name in found.columns:
            values = found[name].to_numpy(np.float64)
            known = np.isfinite(values)
            if not known.any():
                continue
            columns[str(name)] = np.where(known, values, values[known].mean())
            if (~known).mean() > _ABSENT and patterns.setdefault(known.tobytes(), str(name)) == str(name):
                columns[f"{name} is known"] = known.astype(np.float64)
        kept = {name: values - values.mean() for name, values in columns.items()}
        kept = {name: values / values.std() for name, values in kept.items() if values.std() > 1e-9}
        return pd.DataFrame(kept, index=pd.Index(genes), dtype=np.float64)

    def require(self, genes: pd.Index, what: str) -> None:
        """Raise unless some of the genes are known, if there are columns at all.

        Raises
        ------
        IdentifierError
            Naming ``what``.
        """
        if self.names and not genes.isin(self.table.index).any():
            advice = join_advice(list(genes), list(self.table.index), what, "the trivial columns")
            raise IdentifierError(f"{what}: 0 of {len(genes):,} genes have trivial columns; {advice}")

    def joined(self, table: pd.DataFrame, *remarks: str) -> "Rivals":
        """These columns beside others, by gene; a column of the same name is replaced."""
        own = self.table.drop(columns=[name for name in table.columns if name in self.table])
        both = own.join(table, how="outer") if own.shape[1] else table
        return replace(self, table=both, remarks=(*self.remarks, *remarks))


def read_rivals(places: GenePlaces | None = None, *tables: str | Path) -> Rivals:
    """Make the columns that do not depend on an embedding.

    Parameters
    ----------
    places
        Where genes lie (:func:`cistron.genes.places.read_gene_places`): gives log density at 30, 100 and 300 kb and
        1 Mb, log gene length, and log numbers of exons and transcripts, as far as the file has them.
    *tables
        Further columns: gene ids in the first column and one numeric column each (publications, GC content). Empty
        cells are allowed. Columns of positive numbers that are heavily skewed are taken as log(1 + x). Of a gene
        embedding (.h5ad) the level and breadth of expression that it carries are taken.

    Returns
    -------
    Rivals
        The columns. A table that carries ids of several kinds is found by each of them.

    Raises
    ------
    InputError
        If a table cannot be read or names a gene twice, or an embedding carries no level and breadth.
    """
    rivals = Rivals(pd.DataFrame(index=pd.Index([], dtype=object)))
    if places is not None:
        columns, remarks = place_columns(places)
        rivals = rivals.joined(columns, *remarks)
    for table in tables:
        columns, remarks = _table_columns(Path(table))
        rivals = rivals.joined(columns, *remarks)
    return rivals


def rivals_of(embedding: anndata.AnnData, rivals: Rivals) -> Rivals:
    """Trivial columns for one embedding: the given ones and, where it saw expression, level and breadth.

    ``cistron omics embed`` keeps both in ``obs`` (``expression_level``, ``expression_breadth``); an embedding from
    elsewhere has them only if ``--rivals`` gives them.

    Parameters
    ----------
    embedding
        Gene embedding with its header.
    rivals
        Columns of :func:`read_rivals`.

    Returns
    -------
    Rivals
        The columns; a remark says where level and breadth should be and are not.

    Raises
    ------
    IdentifierError
        If there are columns, and none of them is known for any gene of the embedding.
    """
    genes = embedding_genes(embedding)
    header = embedding.uns["cistron"]
    name = str(header["name"])
    rivals.require(genes, f"embedding {name}")
    carried = _carried(embedding)
    if carried is not None:
        return rivals.joined(carried)
    saw = set(str(header["evidence"]).split("+"))
    given = any("level" in column.lower() or "breadth" in column.lower() for column in rivals.names)
    if saw & {"expression", "unknown"} and not given:
        remark = (
            f"{name}: level and breadth of expression are not among the trivial columns, because the embedding does "
            "not carry them (those of 'cistron omics embed' do); give them with --rivals TABLE, or its gain may be these two"
        )
        return replace(rivals, remarks=(*rivals.remarks, remark))
    return rivals


def place_columns(places: GenePlaces) -> tuple[pd.DataFrame, list[str]]:
    """Columns that follow from where genes lie.

    Parameters
    ----------
    places
        Places of genes.

    Returns
    -------
    DataFrame
        float64 [gene, column] by each kind of gene id that the file has; NaN where a value is not known.
    list of str
        What is absent.
    """
    genes = places.genes
    columns: dict[str, np.ndarray] = {}
    remarks: list[str] = []
    if "chromosome" in genes and ("position" in genes or {"start", "end"} <= set(genes)):
        if {"start", "end"} <= set(genes):
            middle = ((genes["start"] + genes["end"]) / 2).to_numpy(np.float64)
        else:
            middle = genes["position"].to_numpy(np.float64)
        densities = _densities(genes, middle)
        for number, scale in enumerate(DENSITY_SCALES):
            columns[f"log density at {scale // 1000} kb"] = densities[:, number]
    else:
        remarks.append(
            f"{places.name} says no places within chromosomes: gene density and length are not among the trivial columns"
        )
    windows = places.form == "bed" and "position" in genes  # one width: not the length of genes
    if {"start", "end"} <= set(genes) and not windows:
        length = (genes["end"] - genes["start"]).to_numpy(np.float64)
        columns["log gene length"] = np.log(np.where(length > 0, length, np.nan))
    plain = {str(column).strip().lower().replace(" ", "_"): column for column in genes.columns}
    for name, spellings in _COUNTS.items():
        found = next((plain[spelling] for spelling in spellings.split() if spelling in plain), None)
        if found is not None:
            numbers = pd.to_numeric(genes[found], errors="coerce").to_numpy(np.float64)
            columns[f"log number of {name}"] = np.log(np.where(numbers > 0, numbers, np.nan))
    return _by_every_id(pd.DataFrame(columns), genes), remarks


def _densities(genes: pd.DataFrame, middle: np.ndarray) -> np.ndarray:
    """Log densities, of protein-coding genes where the file tells which these are; NaN without a place."""
    chromosomes = np.array(human_chromosomes(genes["chromosome"].tolist()), dtype=object)
    placed = np.isfinite(middle) & (chromosomes != "")
    counted = np.ones(len(genes), dtype=bool)
    if (
        "biotype" in genes
        and (coding := (genes["biotype"] == "protein_coding").to_numpy()).sum() >= _FEWEST_CODING
    ):
        counted = coding
    densities = np.full((len(genes), len(DENSITY_SCALES)), np.nan)
    densities[placed] = log_densities(chromosomes[placed], middle[placed], DENSITY_SCALES, counted[placed])
    return densities


def _by_every_id(columns: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for kind in ("gene", "symbol", "entrez"):
        if kind not in genes:
            continue
        names = [str(name) for name in genes[kind]]
        parts.append(columns.set_axis(pd.Index(normalise_identifiers(names, guess_namespace(names)))))
    joined = pd.concat(parts)
    joined = joined[joined.index != ""]
    return joined[~joined.index.duplicated()]


def _carried(embedding: anndata.AnnData) -> pd.DataFrame | None:
    carried = carried_level_and_breadth(embedding)
    if carried is None:
        return None
    named = {LEVEL: "expression level", BREADTH: "expression breadth"}
    return carried.set_axis(embedding_genes(embedding), axis=0).rename(columns=named)


def _table_columns(path: Path) -> tuple[pd.DataFrame, list[str]]:
    if path.suffix == ".h5ad":
        carried = _carried(read_gene_embedding(path))
        if carried is None:
            raise InputError(
                f"rivals {path.name}: the embedding carries no level and breadth of expression; make it again with "
                "'cistron omics embed', or give a table"
            )
        return carried, []
    table = read_table(path, word2vec=False)
    ids = [str(gene) for gene in table.index]
    table = table.set_axis(pd.Index(normalise_identifiers(ids, guess_namespace(ids))), axis=0)
    if not table.index.is_unique:
        raise InputError(
            f"rivals {path.name}: gene {table.index[table.index.duplicated()][0]} occurs more than once; keep one row a gene"
        )
    numbers = table.astype(np.float64).replace([np.inf, -np.inf], np.nan)
    logged = []
    for name in numbers.columns:
        values = numbers[name]
        if values.min() >= 0 and values.skew() > _SKEWED:
            numbers[name] = np.log1p(values)
            logged.append(str(name))
    remarks = [f"rivals {path.name}: log(1 + x) taken of {', '.join(logged)}"] if logged else []
    return numbers.rename(columns=str), remarks
