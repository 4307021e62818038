"""Read gene sets (.gmt, lists of genes) and the chromosomes by which they are cross-validated."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.genes.annotation import read_annotation
from cistron.genes.identity import guess_namespace, normalise_identifiers, read_gene_map
from cistron.genes.splits import normalise_chromosome

_HEADERS = {"gene", "genes", "symbol", "gene_symbol", "gene_id", "ensembl", "entrez", "hgnc_symbol"}


@dataclass(frozen=True)
class GeneSets:
    """Named sets of genes.

    Attributes
    ----------
    name
        Name of the collection.
    members
        Name of each set to its genes.
    namespace
        Namespace of the genes.
    remarks
        What was done while reading, one sentence each.
    """

    name: str
    members: dict[str, frozenset[str]]
    namespace: str
    remarks: list[str] = field(default_factory=list)

    def mapped(self, namespace: str, table: Path | None) -> "GeneSets":
        """The same sets with genes of another namespace.

        Raises
        ------
        InputError
            If a gene table is needed and absent.
        IdentifierError
            If no gene can be mapped.
        """
        if namespace == self.namespace:
            return self
        if table is None:
            raise InputError(
                f"{self.name} names genes by {self.namespace}, the embeddings by {namespace}; give a table that has "
                "both with --identifiers FILE (HGNC's complete set does)"
            )
        lookup = read_gene_map(table).lookup(self.namespace, namespace)
        genes = frozenset().union(*self.members.values())
        found = {gene: lookup[gene] for gene in genes if gene in lookup}
        if not found:
            raise IdentifierError(
                f"{self.name}: none of {len(genes):,} genes is in {table.name}; check the species and the ids, for example {min(genes)}"
            )
        members = {
            name: frozenset(found[gene] for gene in group if gene in found)
            for name, group in self.members.items()
        }
        remark = (
            f"{len(genes) - len(found):,} of {len(genes):,} genes of {self.name} could not be mapped from "
            f"{self.namespace} to {namespace} and are left out of the sets"
        )
        return GeneSets(self.name, members, namespace, [*self.remarks, remark])


def read_gene_sets(path: str | Path) -> GeneSets:
    """Read a .gmt file, a list with one gene a line, or a folder of these.

    Parameters
    ----------
    path
        ``.gmt``: set, description and genes, separated by tabs. Any other file: one gene a line in the first
        column; a header of a usual name is recognised. A folder: every such file in it.

    Raises
    ------
    InputError
        If nothing can be read, a set is named twice, or the files name genes in different ways.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"gene sets {path} do not exist")
    files = (
        sorted(p for p in path.iterdir() if p.suffix in (".gmt", ".txt", ".tsv", ".csv"))
        if path.is_dir()
        else [path]
    )
    members: dict[str, frozenset[str]] = {}
    for file in files:
        for name, listed in _read_file(file):
            if name in members:
                raise InputError(f"gene sets {path.name}: {name!r} occurs twice; rename one")
            members[name] = listed
    if not any(members.values()):
        raise InputError(f"gene sets {path.name} hold no genes; expected .gmt or lists with one gene a line")
    genes = sorted(frozenset().union(*members.values()))
    namespace = guess_namespace(genes)
    cleaned = dict(zip(genes, normalise_identifiers(genes, namespace)))
    members = {name: frozenset(cleaned[gene] for gene in group) for name, group in members.items()}
    return GeneSets(path.name.removesuffix(".gmt"), members, namespace)


def _read_file(path: Path) -> list[tuple[str, frozenset[str]]]:
    try:
        lines = [line.rstrip("\r\n") for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"gene sets {path.name} cannot be read as text") from error
    lines = [line for line in lines if line.strip()]
    if path.suffix != ".gmt":
        separator = "," if path.suffix == ".csv" else "\t"
        first = [line.split(separator)[0].strip() for line in lines]
        if first and first[0].lower() in _HEADERS:
            first = first[1:]
        return [(path.stem, frozenset(gene for gene in first if gene))]
    sets = []
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if len(fields) < 3:
            raise InputError(
                f"{path.name} line {number}: a .gmt row has a set, a description and genes, separated by tabs. "
                f"Given: {len(fields)} fields"
            )
        sets.append((fields[0], frozenset(gene.strip() for gene in fields[2:] if gene.strip())))
    return sets


def read_chromosomes(path: str | Path) -> pd.Series:
    """Read the chromosome of each gene from a GTF, or from a table with a gene and a chromosome column.

    Returns
    -------
    Series
        Normalised chromosome by gene id. A table may carry several kinds of ids; each is an index entry.

    Raises
    ------
    InputError
        If the file has no such columns.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"gene table {path} does not exist")
    name = path.name.removesuffix(".gz")
    if name.endswith((".gtf", ".gff", ".gff3")):
        table = read_annotation(path)
    elif name.endswith(".parquet"):
        table = pd.read_parquet(path)
    else:
        table = pd.read_csv(path, sep="," if name.endswith(".csv") else "\t", dtype=str)
    lowered = {str(column).lower(): column for column in table.columns}
    place = next((lowered[key] for key in ("chromosome", "chr", "chrom", "seqname") if key in lowered), None)
    keys = (
        "gene",
        "gene_id",
        "ensembl",
        "ensembl_gene_id",
        "geneid",
        "symbol",
        "gene_name",
        "entrez",
        "entrez_id",
    )
    columns = [lowered[key] for key in keys if key in lowered]
    if place is None or not columns:
        raise InputError(
            f"gene table {path.name} has columns {', '.join(map(str, table.columns[:6]))}; expected a gene and a chromosome"
        )
    names = table[place].map(lambda value: normalise_chromosome(str(value)))
    parts = []
    for column in columns:
        genes = table[column].astype(str).to_numpy()
        genes = np.array(
            normalise_identifiers(list(genes), guess_namespace(list(genes[:2000]))), dtype=object
        )
        parts.append(pd.Series(names.to_numpy(), index=genes))
    joined = pd.concat(parts)
    return joined[~joined.index.duplicated()]
