"""Read gene sets (.gmt, lists of genes) and the chromosomes by which they are cross-validated."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.genes.chromosomes import human_chromosomes
from cistron.genes.gene_map import lookup_for
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.lists import read_gene_list
from cistron.genes.places import GenePlaces, read_gene_places
from cistron.runtime.text_files import plain_name, read_lines


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

    def mapped(self, namespace: str, tables: Path | Sequence[Path] | None) -> "GeneSets":
        """The same sets with genes of another namespace, by one gene table or several.

        Raises
        ------
        InputError
            If a gene table is needed and absent.
        IdentifierError
            If no gene can be mapped.
        """
        if namespace == self.namespace:
            return self
        given = [] if tables is None else [tables] if isinstance(tables, Path) else list(tables)
        lookup = lookup_for(self.name, self.namespace, namespace, given)
        genes = frozenset().union(*self.members.values())
        found = {gene: lookup[gene] for gene in genes if gene in lookup}
        if not found:
            raise IdentifierError(
                f"{self.name}: none of {len(genes):,} genes is in {given[0].name}; check the species and the ids, for example {min(genes)}"
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
    if path.suffix != ".gmt" and not path.name.endswith(".gmt.gz"):
        return [
            (plain_name(path).rpartition(".")[0] or path.name, frozenset(read_gene_list(path, "gene sets")))
        ]
    sets = []
    for number, line in read_lines(path, "gene sets"):
        fields = line.split("\t")
        if len(fields) < 3:
            raise InputError(
                f"{path.name} line {number}: a .gmt row has a set, a description and genes, separated by tabs. "
                f"Given: {len(fields)} fields"
            )
        sets.append((fields[0], frozenset(gene.strip() for gene in fields[2:] if gene.strip())))
    return sets


def read_chromosomes(path: str | Path) -> pd.Series:
    """Read the chromosome of each gene.

    Parameters
    ----------
    path
        What :func:`cistron.genes.places.read_gene_places` takes.

    Returns
    -------
    Series
        Normalised chromosome by gene id. A table may carry several kinds of ids; each is an index entry.

    Raises
    ------
    InputError
        If the file has no such columns.
    """
    return chromosomes_of(read_gene_places(path, "gene table"))


def chromosomes_of(places: GenePlaces) -> pd.Series:
    """Chromosome of each gene of places that were read, as :func:`read_chromosomes` gives it."""
    table = places.require("chromosome")
    names = pd.Series(human_chromosomes(table["chromosome"].tolist()), dtype=object)
    columns = ["gene", *(column for column in ("symbol", "entrez") if column in table)]
    parts = []
    for column in columns:
        genes = [str(gene) for gene in table[column]]
        cleaned = normalise_identifiers(genes, guess_namespace(genes[:2000]))
        parts.append(pd.Series(names.to_numpy(), index=pd.Index(cleaned, dtype=object)))
    joined = pd.concat(parts)
    joined = joined[joined.index != ""]
    return joined[~joined.index.duplicated()]
