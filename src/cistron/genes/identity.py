"""Gene identifiers: what namespace they are of, how to clean them, how to map them without silent loss."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module

import pandas as pd

from cistron.errors import IdentifierError, InputError

NAMESPACES = ("ensembl", "symbol", "entrez", "other")

# ENSG00000141510.18, ENSMUSG00000059552, GENCODE's pseudoautosomal ENSG00000182378.15_PAR_Y (ENSGR0000182378 in old
# releases), and genes lifted to GRCh37, whose version counts the liftings too: ENSG00000223972.5_2
_ENSEMBL = re.compile(r"^ENS[A-Z]{0,6}G(\d{11}|R\d{10})(\.\d+)?(_\d+)?(_PAR_Y)?(_\d+)?$")
_VERSIONED = re.compile(r"^(ENS[A-Z]{0,6}[GTP](?:\d{11}|R\d{10}))\.\d+(?:_\d+)?(_PAR_Y)?(?:_\d+)?$")
_ENTREZ = re.compile(r"^\d{1,9}(\.0)?$")
_SYMBOL = re.compile(r"^[A-Za-z][A-Za-z0-9@._/-]{0,24}$")
_SHARE = 0.9


def guess_namespace(genes: Iterable[str], sample: int = 2000) -> str:
    """Guess the namespace of gene identifiers from their form.

    Parameters
    ----------
    genes
        Identifiers.
    sample
        Number of identifiers, evenly spread, that are looked at.

    Returns
    -------
    str
        ``ensembl``, ``entrez`` or ``symbol`` where at least 90% have that form, else ``other``.
    """
    genes = [str(gene) for gene in genes]
    genes = genes[:: max(1, len(genes) // sample)]
    if not genes:
        return "other"
    for namespace, pattern in (("ensembl", _ENSEMBL), ("entrez", _ENTREZ), ("symbol", _SYMBOL)):
        if sum(bool(pattern.match(gene)) for gene in genes) >= _SHARE * len(genes):
            return namespace
    return "other"


def normalise_identifiers(genes: Iterable[str], namespace: str) -> list[str]:
    """Strip what does not name a gene: Ensembl versions (``.12``), the ``.0`` of numbers read as floats, blanks.

    Versions are told by the form of an id (:func:`without_version`) and not by the namespace, so that both sides of a
    join lose them even where one side was declared or guessed to be of another namespace.
    """
    cleaned = [without_version(str(gene).strip()) for gene in genes]
    if namespace == "entrez":
        return [gene.removesuffix(".0") for gene in cleaned]
    return cleaned


def without_version(gene: str) -> str:
    """Cut the version from an Ensembl id of a gene, transcript or protein; any other id stays as it is.

    ``ENSG00000141510.18`` is ``ENSG00000141510``; ``STRG.1``, ``RP11-34P13.7`` and ``AL627309.1`` have no version. The
    pseudoautosomal copies ``_PAR_Y`` keep their suffix: they are other genes in GENCODE. The suffix of GENCODE's lifted
    releases (``.5_2``) is part of the version.
    """
    if "." not in gene:
        return gene
    found = _VERSIONED.match(gene)
    return found[1] + (found[2] or "") if found else gene


@dataclass(frozen=True)
class MatchReport:
    """Overlap of two lists of genes.

    Attributes
    ----------
    left, right
        Number of genes of each side.
    shared
        Number of genes of both.
    remark
        What was done to make them meet, empty where nothing was needed.
    """

    left: int
    right: int
    shared: int
    remark: str = ""

    def __str__(self) -> str:
        text = f"{self.shared:,} genes shared ({self.left:,} and {self.right:,})"
        return f"{text}; {self.remark}" if self.remark else text


def match_genes(
    left: Sequence[str], right: Sequence[str], left_name: str, right_name: str, minimum: int = 1
) -> MatchReport:
    """Count the shared genes of two lists, and explain a poor match in one line.

    Parameters
    ----------
    left, right
        Identifiers, already cleaned by :func:`normalise_identifiers`.
    left_name, right_name
        What the lists are, for the message.
    minimum
        Smallest number of shared genes that is accepted.

    Returns
    -------
    MatchReport
        Both sizes and the overlap.

    Raises
    ------
    IdentifierError
        If fewer than ``minimum`` genes are shared. The message names the namespaces when they differ.
    """
    shared = len(set(left) & set(right))
    if shared >= minimum:
        return MatchReport(len(left), len(right), shared)
    message = f"{left_name}: {shared:,} of {len(left):,} genes match {right_name} ({len(right):,} genes)"
    needed = f"at least {minimum:,} are needed; " if minimum > 1 or shared else ""
    advice = join_advice(left, right, left_name, right_name)
    raise IdentifierError(f"{message}: {'' if 'genes map' in advice else needed}{advice}")


def join_advice(left: Sequence[str], right: Sequence[str], left_name: str, right_name: str) -> str:
    """Advice if two lists share few genes: map one of them, if their namespaces differ.

    Parameters
    ----------
    left, right
        Identifiers.
    left_name, right_name
        What the lists are, for the message.
    """
    kinds = guess_namespace(left), guess_namespace(right)
    if kinds[0] != kinds[1] and "other" not in kinds:
        return (
            f"the ids of {left_name} look like {_plural(kinds[0])}, those of {right_name} like {_plural(kinds[1])}; "
            "convert with 'cistron genes map'"
        )
    capitals = {gene.upper(): gene for gene in right}
    alike = [gene for gene in left if gene.upper() in capitals]
    if len(alike) > 0.5 * len(left) and not set(left) & set(right):
        return (
            f"names are alike but for capitals ({alike[0]} against {capitals[alike[0].upper()]}): write both in one way; names like "
            "Trp53 are of mouse genes, whose human partners a table of orthologs tells ('cistron data list mgi_orthologs')"
        )
    examples = f" ({next(iter(left), 'none')} against {next(iter(right), 'none')})"
    return f"check that both are of the same species and cover the same genes{examples}"


def _plural(namespace: str) -> str:
    return {"ensembl": "Ensembl ids", "symbol": "gene symbols", "entrez": "Entrez ids"}.get(
        namespace, "other ids"
    )


@dataclass(frozen=True)
class GeneMap:
    """A table between namespaces, with the current name first and older names and aliases behind it.

    Attributes
    ----------
    table
        Columns ``ensembl``, ``symbol``, ``entrez`` (text, empty where unknown), one row a gene.
    older_names
        Previous symbols and aliases to the current symbol, unambiguous ones only.
    """

    table: pd.DataFrame
    older_names: dict[str, str] = field(default_factory=dict)

    def joined_with(self, other: "GeneMap") -> "GeneMap":
        """Fill the namespaces that this table lacks from another table, by a namespace that both have."""
        table = self.table.copy()
        for target in ("ensembl", "symbol", "entrez"):
            if (table[target] != "").any() or not (other.table[target] != "").any():
                continue
            for shared in ("ensembl", "symbol", "entrez"):
                if shared != target and (table[shared] != "").any() and (other.table[shared] != "").any():
                    found = other.lookup(shared, target)
                    table[target] = [found.get(name, "") for name in table[shared]]
                    break
        return GeneMap(table, {**other.older_names, **self.older_names})

    def lookup(self, source: str, target: str) -> dict[str, str]:
        """Give identifiers of ``source`` to identifiers of ``target``, leaving out ambiguous ones.

        Raises
        ------
        InputError
            If the table does not hold both namespaces.
        """
        for namespace in (source, target):
            if namespace not in self.table or not (self.table[namespace] != "").any():
                raise InputError(
                    f"the gene table has no {_plural(namespace)}; give one that has both (HGNC's complete set does)"
                )
        pairs = self.table.loc[(self.table[source] != "") & (self.table[target] != ""), [source, target]]
        pairs = pairs.drop_duplicates()
        # An identifier that names two genes cannot be mapped without guessing.
        pairs = pairs[~pairs[source].duplicated(keep=False)]
        mapping = dict(zip(pairs[source], pairs[target]))
        if source == "symbol":
            # A current symbol never means an older gene, not even one that was left out as ambiguous.
            symbols = set(self.table["symbol"])
            for old, current in self.older_names.items():
                if old not in symbols and current in mapping:
                    mapping[old] = mapping[current]
        return mapping

    def map(self, genes: Sequence[str], source: str, target: str) -> tuple[list[str | None], dict[str, int]]:
        """Map identifiers one by one.

        Parameters
        ----------
        genes
            Identifiers.
        source, target
            Namespaces: ``ensembl``, ``symbol`` or ``entrez``.

        Returns
        -------
        list of str or None
            Identifier in ``target`` for each of ``genes``; ``None`` where there is none. When several genes
            meet in one, the first that carries the current name keeps it and the rest are ``None``.
        dict of str to int
            Counts: ``given``, ``mapped``, ``unknown``, ``collided``.
        """
        mapping = self.lookup(source, target)
        cleaned = normalise_identifiers(genes, source)
        current = set(self.table[source])
        mapped: list[str | None] = [mapping.get(gene) for gene in cleaned]
        unknown = sum(gene is None for gene in mapped)
        taken: dict[str, int] = {}
        for position, gene in enumerate(mapped):
            if gene is None:
                continue
            first = taken.get(gene)
            if first is None:
                taken[gene] = position
            elif cleaned[first] not in current and cleaned[position] in current:
                mapped[first] = None
                taken[gene] = position
            else:
                mapped[position] = None
        counts = {"given": len(genes), "mapped": len(taken), "unknown": unknown}
        counts["collided"] = len(genes) - unknown - len(taken)
        return mapped, counts


def require_little_loss(counts: dict[str, int], what: str, allow_loss: bool, limit: float = 0.05) -> str:
    """Turn the counts of a mapping into a sentence, or an error when more than ``limit`` is lost.

    Parameters
    ----------
    counts
        ``given``, ``mapped``, ``unknown`` and ``collided``, as :meth:`GeneMap.map` counts them.
    what
        What was mapped, for the message.
    allow_loss
        Go on when more is lost.
    limit
        Share of the genes that may be lost.

    Raises
    ------
    IdentifierError
        If more than ``limit`` of the genes are lost and ``allow_loss`` is not set.
    """
    lost = counts["given"] - counts["mapped"]
    share = lost / max(counts["given"], 1)
    message = (
        f"{what}: {counts['mapped']:,} of {counts['given']:,} genes mapped, {lost:,} lost ({share:.1%}: "
        f"{counts['unknown']:,} unknown, {counts['collided']:,} collided)"
    )
    if counts["mapped"] == 0:
        raise IdentifierError(f"{message}; check --from and the species of the gene table")
    if share > limit and not allow_loss:
        raise IdentifierError(
            f"{message}; more than {limit:.0%} is not lost without being asked for: add --allow-loss"
        )
    return message


def __getattr__(name: str) -> object:
    """Give the names that stood here until 0.2: ``read_gene_map`` is in :mod:`cistron.genes.gene_map`."""
    if name == "read_gene_map":
        return import_module("cistron.genes.gene_map").read_gene_map
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
