"""Proteins of genes from FASTA: headers of GENCODE, Ensembl and UniProt, or gene names alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cistron.errors import IdentifierError, InputError
from cistron.genes.identity import guess_namespace
from cistron.runtime.text_files import open_text

STANDARD = frozenset("ACDEFGHIKLMNPQRSTVWY")
_KNOWN = STANDARD | frozenset("XBUZO")
_ENSEMBL_GENE = re.compile(r"\bgene:(\S+)")
_ENSEMBL_SYMBOL = re.compile(r"\bgene_symbol:(\S+)")
_UNIPROT_GENE = re.compile(r"\bGN=(\S+)")
_GENCODE_GENE = re.compile(r"^ENS[A-Z]*G\d{11}")
_VERSION = re.compile(r"\.\d+(_PAR_Y)?$")
_DNA = frozenset("ACGTUN")


@dataclass(frozen=True)
class Protein:
    """One protein of a gene.

    Attributes
    ----------
    gene, symbol, protein
        Identifiers; ``symbol`` may be empty.
    residues
        One letter a residue, of the 20 standard ones and X, B, U, Z, O.
    """

    gene: str
    symbol: str
    protein: str
    residues: str


@dataclass(frozen=True)
class ProteinGenes:
    """Proteins by gene, and what the reader noticed.

    Attributes
    ----------
    genes
        Gene to its proteins, different sequences only, longest first.
    identifier_namespace
        Of the genes.
    remarks
        What was changed or left out.
    path
        File that they were read from.
    """

    genes: dict[str, tuple[Protein, ...]]
    identifier_namespace: str
    remarks: tuple[str, ...]
    path: Path | None = None


def parse_header(header: str) -> tuple[str, str, str, str]:
    """Give kind of header, gene, symbol and protein of a FASTA header without ``>``.

    The kind is ``ensembl`` (GENCODE, Ensembl), ``uniprot`` or ``plain``; a gene that the header does not name is empty.
    """
    word = header.split()[0] if header.split() else ""
    fields = word.split("|")
    if len(fields) >= 7 and _GENCODE_GENE.match(fields[2]):
        return "ensembl", _VERSION.sub("", fields[2]), fields[6], fields[0]
    if found := _ENSEMBL_GENE.search(header):
        symbol = _ENSEMBL_SYMBOL.search(header)
        return "ensembl", _VERSION.sub("", found[1]), symbol[1] if symbol else "", word
    if len(fields) == 3 and fields[0] in ("sp", "tr"):
        gene = _UNIPROT_GENE.search(header)
        return "uniprot", gene[1] if gene else "", gene[1] if gene else "", fields[1]
    return "plain", _VERSION.sub("", word) if word.startswith("ENS") else word, "", word


def read_proteins(path: str | Path) -> ProteinGenes:
    """Read proteins and group them by gene.

    Stop codons at the end are removed, those inside and letters that no model knows become X. Proteins without a gene
    name are left out, equal sequences of a gene kept once; both are counted.

    Parameters
    ----------
    path
        FASTA, plain or gzip.

    Raises
    ------
    InputError
        If the file is absent, empty, no FASTA, or holds DNA.
    IdentifierError
        If an identifier occurs twice with different sequences, or headers are of several kinds.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"protein FASTA {path} does not exist")
    kinds: dict[str, str] = {}
    proteins: dict[str, Protein] = {}
    counts = dict.fromkeys(("nameless", "doubled", "stops", "strange"), 0)
    dna = 0
    for header, letters in _records(path):
        kind, gene, symbol, name = parse_header(header)
        kinds.setdefault(kind, name)
        text = letters.upper().rstrip("*")
        if not text:
            raise InputError(f"{path.name}: {name or 'a record'} has no residues")
        if not set(text) - _DNA and len(text) >= 20:
            dna += 1
        counts["stops"] += "*" in text
        strange = set(text) - _KNOWN - {"*"}
        if any(not letter.isalpha() for letter in strange):
            raise InputError(
                f"{path.name}: {name} holds {sorted(strange)[0]!r}; expected residues without gaps (an alignment is not read)"
            )
        counts["strange"] += bool(strange)
        residues = "".join(letter if letter in _KNOWN else "X" for letter in text)
        if not gene:
            counts["nameless"] += 1
            continue
        if name in proteins:
            if proteins[name].residues != residues:
                raise IdentifierError(
                    f"{path.name}: {name} occurs twice with different sequences; give each protein its own identifier"
                )
            counts["doubled"] += 1
            continue
        proteins[name] = Protein(gene, symbol, name, residues)
    _require_proteins(path, proteins, kinds, dna, counts["nameless"])
    genes: dict[str, dict[str, Protein]] = {}
    for protein in proteins.values():
        genes.setdefault(protein.gene, {}).setdefault(protein.residues, protein)
    ordered = {
        gene: tuple(sorted(found.values(), key=lambda protein: -len(protein.residues)))
        for gene, found in genes.items()
    }
    namespace = (
        "ensembl" if "ensembl" in kinds else "symbol" if "uniprot" in kinds else guess_namespace(ordered)
    )
    meaning = {
        "nameless": "proteins without a gene name left out",
        "doubled": "proteins given twice taken once",
        "stops": "proteins with a stop codon inside, read as X",
        "strange": "proteins with a letter that is no residue, read as X",
    }
    remarks = tuple(f"{counts[key]:,} {text}" for key, text in meaning.items() if counts[key])
    return ProteinGenes(ordered, namespace, remarks, path)


def _require_proteins(
    path: Path, proteins: dict[str, Protein], kinds: dict[str, str], dna: int, nameless: int
) -> None:
    if not proteins and not nameless:
        raise InputError(f"{path.name} holds no protein; expected FASTA with '>' before each header")
    if dna > 0.5 * (len(proteins) + nameless):
        raise InputError(
            f"{path.name}: {dna:,} of {len(proteins) + nameless:,} sequences are made of A, C, G, T alone; this is DNA: give "
            "proteins, for example GENCODE's pc_translations.fa.gz"
        )
    if not proteins:
        raise IdentifierError(f"{path.name}: none of {nameless:,} headers names a gene (GN= of UniProt)")
    if len(kinds) > 1:
        examples = "; ".join(f"{kind}: {name}" for kind, name in kinds.items())
        raise IdentifierError(f"{path.name}: headers are of several kinds ({examples}); give one kind a file")


def _records(path: Path) -> Iterator[tuple[str, str]]:
    """Header and letters of each record."""
    header: str | None = None
    parts: list[str] = []
    with open_text(path, "proteins") as handle:
        for line in handle:
            if line.startswith(">"):
                if header is not None:
                    yield header, "".join(parts)
                header, parts = line[1:].strip(), []
            elif header is None and line.strip():
                raise InputError(
                    f"{path.name} is no FASTA: it begins with {line.strip()[:40]!r}, not with '>'"
                )
            else:
                parts.append("".join(line.split()))
    if header is not None:
        yield header, "".join(parts)
