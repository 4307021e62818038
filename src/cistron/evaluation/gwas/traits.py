"""Read traits: gene z-scores of one or many GWAS, with the gene properties that the null model uses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.magma import OUT_COLUMNS, clean_gene_table, of_variants, read_genes_out
from cistron.formats.tables import read_table
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.runtime import say
from cistron.runtime.tables import MISSING, read_text_table
from cistron.runtime.text_files import plain_name

NOT_AUTOSOMES = ("X", "Y", "XY", "M")
_PROPERTIES = ("CHR", "START", "STOP", "NSNPS", "NPARAM", "MAC")
_NEEDED = {
    "CHR": "a chromosome",
    "ZSTAT": "a z-score",
    "START": "a start",
    "NSNPS": "a number of variants",
    "NPARAM": "a number of parameters",
    "MAC": "a minor allele count",
}
_OUT_SUFFIX = ".genes.out"

# Table 1 of the report: the traits of the maximally independent set (they are still correlated).
PUBLISHED_SUBSET = frozenset(
    {
        "Alanine_aminotransferase",
        "Albumin",
        "Apolipoprotein_A",
        "Apolipoprotein_B",
        "C-reactive_protein",
        "Calcium_100024",
        "Calcium_30680",
        "Cholesterol",
        "Creatinine",
        "HDL_cholesterol",
        "IGF-1",
        "LDL_direct",
        "Phosphate",
        "SHBG",
        "Total_bilirubin",
        "Total_protein",
        "Triglycerides",
        "Vitamin_D",
    }
)


@dataclass(frozen=True)
class TraitDesign:
    """Traits that were measured on the same genes with the same properties; they are fitted together.

    Attributes
    ----------
    traits
        Names.
    genes
        One row a gene: ``GENE CHR START STOP`` and, where known, ``NSNPS NPARAM MAC``; sorted by chromosome
        and start.
    z
        z-scores, float64 [gene, trait], no missing values.
    """

    traits: tuple[str, ...]
    genes: pd.DataFrame
    z: np.ndarray


@dataclass(frozen=True)
class TraitCollection:
    """All traits of a run.

    Attributes
    ----------
    name
        Name of the collection, from the file or folder.
    designs
        Traits in groups that share genes and properties.
    remarks
        What was left out while reading, one sentence each.
    """

    name: str
    designs: tuple[TraitDesign, ...]
    remarks: tuple[str, ...] = ()

    @property
    def traits(self) -> list[str]:
        """Names of all traits, sorted."""
        return sorted(trait for design in self.designs for trait in design.traits)

    @property
    def genes(self) -> pd.Index:
        """All genes of all traits, sorted."""
        genes = pd.Index([])
        for design in self.designs:
            genes = genes.union(pd.Index(design.genes["GENE"]))
        return genes

    def z_frame(self) -> pd.DataFrame:
        """z-scores [gene, trait] over all genes; NaN where a trait lacks a gene."""
        frames = [
            pd.DataFrame(design.z, index=design.genes["GENE"], columns=list(design.traits))
            for design in self.designs
        ]
        return pd.concat(frames, axis=1).reindex(self.genes)[self.traits]


def read_traits(
    path: str | Path, gene_table: pd.DataFrame | Callable[[], pd.DataFrame | None] | None = None
) -> TraitCollection:
    """Read traits from any of the accepted forms.

    Parameters
    ----------
    path
        A ``.genes.out`` file, a folder of them, a long table (.parquet, .tsv, .csv, also .gz) with columns
        ``TRAIT GENE CHR START STOP NSNPS NPARAM N ZSTAT P``, or a wide gene x trait matrix of z-scores.
    gene_table
        ``GENE CHR START STOP`` and, where known, ``NSNPS NPARAM MAC``; needed for a wide matrix. A function that
        gives one is called for a wide matrix only.

    Returns
    -------
    TraitCollection
        Traits on autosomes, grouped by the genes and properties that they share.

    Raises
    ------
    InputError
        If nothing can be read, a trait does not vary, or a wide matrix comes without a gene table.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(
            f"traits {path} does not exist; give a .genes.out file, a folder of them, or a table"
        )
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if plain_name(file).endswith(_OUT_SUFFIX))
        if not files:
            there = ", ".join(sorted(file.name for file in path.iterdir())[:3]) or "nothing"
            raise InputError(
                f"traits folder {path} holds no .genes.out file (it holds {there}); MAGMA's gene analysis makes them of a GWAS "
                "(docs/formats/magma.md); tables of another form are given by their own name"
            )
        tables = {_trait_name(file): read_genes_out(file) for file in files}
        name = path.name
    elif plain_name(path).endswith(_OUT_SUFFIX) or path.suffix == ".out":
        name = _trait_name(path)
        tables = {name: read_genes_out(path)}
    else:
        name = plain_name(path).rsplit(".", 1)[0]
        tables = _read_tables(path, gene_table)
    return _collect(name, tables)


def _trait_name(path: Path) -> str:
    return plain_name(path).removesuffix(".out").removesuffix(".genes")


def _read_tables(
    path: Path, gene_table: pd.DataFrame | Callable[[], pd.DataFrame | None] | None
) -> dict[str, pd.DataFrame]:
    if path.name.endswith(".parquet"):
        try:
            table = pd.read_parquet(path)
        except Exception as error:  # damaged metadata makes pyarrow raise nearly anything
            raise InputError(
                f"traits {path.name} cannot be read ({str(error)[:120]}); it may be truncated"
            ) from error
    elif plain_name(path).endswith((".tsv", ".csv", ".txt")):
        table = _read_long(path)
    else:
        raise InputError(
            f"traits {path.name}: expected .genes.out, a folder of them, .parquet, .tsv or .csv (also .gz)"
        )
    if "TRAIT" in table:
        absent = [column for column in ("GENE", "CHR", "ZSTAT") if column not in table]
        if absent:
            raise InputError(
                f"traits {path.name}: a long table needs {' '.join(('TRAIT', *OUT_COLUMNS))}; {absent[0]} is absent"
            )
        groups = table.groupby(table["TRAIT"].astype(str), sort=True)
        return {
            str(trait): clean_gene_table(rows.drop(columns="TRAIT"), f"{path.name}, trait {trait}")
            for trait, rows in groups
        }
    if {"GENE", "ZSTAT"} <= set(table):  # what MAGMA wrote, under another name
        return {plain_name(path).rsplit(".", 1)[0].removesuffix(".genes"): clean_gene_table(table, path.name)}
    if of_variants(table.columns):
        raise InputError(f"traits {path.name} names no genes{of_variants(table.columns)}")
    return _read_wide(path, gene_table() if callable(gene_table) else gene_table)


def _read_long(path: Path) -> pd.DataFrame:
    """Read a long table or MAGMA's own, its columns in capitals; of any other table the names of the columns only."""
    text = read_text_table(path, "traits", header=None)
    names = [name.upper() for name in text.columns]
    if "TRAIT" not in names and not {"GENE", "ZSTAT"} <= set(names):
        return pd.DataFrame(columns=list(text.columns))
    for remark in text.remarks:
        say(remark)
    numbers = [*_PROPERTIES[1:], "N", "ZSTAT", "P"]
    return pd.DataFrame(
        {
            name: text.numbers(column) if name in numbers else text.text(column)
            for name, column in zip(names, text.columns)
        }
    )


def _read_wide(path: Path, gene_table: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    wide = read_table(path, word2vec=False)
    if gene_table is None:
        raise InputError(
            f"traits {path.name} is a wide gene x trait matrix ({wide.shape[0]:,} x {wide.shape[1]:,}), which does not say "
            "where genes lie: give --annotation TABLE (GENE CHR START STOP, if known NSNPS NPARAM MAC) or --covariance"
        )
    genes = normalise_identifiers(wide.index.astype(str), guess_namespace(wide.index.astype(str)))
    wide = wide.set_axis(genes, axis=0)
    if not wide.index.is_unique:
        raise InputError(
            f"traits {path.name}: gene {wide.index[wide.index.duplicated()][0]} occurs more than once"
        )
    places = gene_table.set_index("GENE")
    shared = wide.index.intersection(places.index)
    if len(shared) == 0:
        raise InputError(
            f"traits {path.name}: 0 of {len(wide):,} genes are in the gene table (ids like {wide.index[0]} against {places.index[0]})"
        )
    tables = {}
    for trait in wide.columns:
        table = (
            places.loc[shared]
            .assign(ZSTAT=wide.loc[shared, trait])
            .dropna(subset=["ZSTAT"])
            .reset_index(names="GENE")
        )
        tables[str(trait)] = clean_gene_table(table, f"{path.name}, trait {trait}")
    return tables


def _collect(name: str, tables: dict[str, pd.DataFrame]) -> TraitCollection:
    remarks = []
    groups: dict[int, list[tuple[str, pd.DataFrame]]] = {}
    for trait, given in tables.items():
        table = given[~given["CHR"].isin(NOT_AUTOSOMES)]
        if len(table) < len(given):
            remarks.append(
                f"{trait}: {len(given) - len(table):,} genes on X, Y or M left out (22 autosomes are used)"
            )
        for column, what in _NEEDED.items():
            if column not in table or (column != "ZSTAT" and table[column].isna().all()):
                continue
            known = ~table[column].isin(MISSING) if column == "CHR" else table[column].notna()
            if not known.all():
                example = table["GENE"][~known].iloc[0]
                remarks.append(
                    f"{trait}: {int((~known).sum()):,} genes without {what} left out, for example {example}"
                )
                table = table[known]
        if len(table) < 30:
            raise InputError(f"trait {trait} has {len(table):,} genes on autosomes; at least 30 are needed")
        if not table["ZSTAT"].std() > 1e-9:
            raise InputError(f"trait {trait} has zero variance: every z-score is {table['ZSTAT'].iloc[0]:g}")
        if "START" not in table:
            table = table.assign(START=np.arange(len(table), dtype=np.float64))
        table = table.assign(_rank=_chromosome_rank(table["CHR"].tolist())).sort_values(
            ["_rank", "START", "GENE"], kind="stable"
        )
        table = table.drop(columns="_rank").reset_index(drop=True)
        shared = ["GENE", *(column for column in _PROPERTIES if column in table)]
        key = int(pd.util.hash_pandas_object(table[shared], index=False).sum())
        groups.setdefault(key, []).append((trait, table))
    designs = []
    for members in groups.values():
        table = members[0][1]
        kept = ["GENE", *(column for column in _PROPERTIES if column in table)]
        z = np.column_stack([member["ZSTAT"].to_numpy(np.float64) for _, member in members])
        designs.append(TraitDesign(tuple(trait for trait, _ in members), table[kept], z))
    return TraitCollection(name, tuple(designs), tuple(remarks))


def _chromosome_rank(names: Sequence[str]) -> list[tuple[int, str]]:
    rank = {name: (int(name), "") if name.isdigit() else (1000, name) for name in dict.fromkeys(names)}
    return [rank[name] for name in names]


def independent_subset(z: pd.DataFrame, limit: float = 0.5) -> list[str]:
    """Choose traits of which no two have abs(r) >= limit: again and again the one with the fewest correlated partners.

    Parameters
    ----------
    z
        z-scores [gene, trait].
    limit
        Largest absolute correlation allowed.

    Returns
    -------
    list of str
        Names, sorted.
    """
    conflicts = (z.corr().abs() >= limit).to_numpy()
    np.fill_diagonal(conflicts, False)
    open_traits = list(range(z.shape[1]))
    chosen = []
    while open_traits:
        best = min(open_traits, key=lambda trait: (conflicts[trait, open_traits].sum(), z.columns[trait]))
        chosen.append(str(z.columns[best]))
        open_traits = [trait for trait in open_traits if trait != best and not conflicts[best, trait]]
    return sorted(chosen)


def trait_halves(z: pd.DataFrame, limit: float = 0.5) -> tuple[list[str], list[str]]:
    """Divide traits into two halves, correlated traits (abs(r) >= limit, joined in chains) on the same side.

    Choices are made on the first half; the second tells what they are worth.
    """
    from scipy.sparse.csgraph import connected_components

    _, component = connected_components((z.corr().abs() >= limit).to_numpy(), directed=False)
    sizes = np.bincount(component)
    halves: tuple[list[str], list[str]] = ([], [])
    for member in np.argsort(-sizes, kind="stable"):
        side = 0 if len(halves[0]) <= len(halves[1]) else 1
        halves[side].extend(str(z.columns[trait]) for trait in np.flatnonzero(component == member))
    return sorted(halves[0]), sorted(halves[1])


def effective_number(z: pd.DataFrame) -> float:
    """Effective number of traits, (sum e)^2 / sum e^2 over the eigenvalues e of their correlations."""
    eigenvalues = np.linalg.eigvalsh(z.corr().fillna(0.0).to_numpy())
    return float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())
