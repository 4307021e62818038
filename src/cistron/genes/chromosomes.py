"""Names of chromosomes: with and without ``chr``, PLINK's numbers, RefSeq accessions."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

AUTOSOMES = tuple(str(number) for number in range(1, 23))
# PLINK and MAGMA number the human sex chromosomes and the mitochondrion behind the 22 autosomes.
_PLINK = {"23": "X", "24": "Y", "25": "XY", "26": "M"}
_MITOCHONDRION = {"MT": "M"}

# Versions of NC_000001 to NC_000024 in GRCh38 (GCF_000001405.40); those of GRCh37 are one lower.
_GRCH38 = (11, 12, 12, 12, 10, 12, 14, 11, 12, 11, 10, 12, 11, 9, 10, 10, 11, 10, 10, 11, 9, 11, 11, 10)
_HUMAN = (*AUTOSOMES, "X", "Y")
_MOUSE = (*AUTOSOMES[:19], "X", "Y")


def _accessions() -> dict[str, tuple[str, str]]:
    known = {"NC_012920.1": ("", "M"), "NC_005089.1": ("", "M")}  # shared by the builds of human and of mouse
    for place, (chromosome, version) in enumerate(zip(_HUMAN, _GRCH38)):
        known[f"NC_{place + 1:06d}.{version}"] = ("GRCh38", chromosome)
        known[f"NC_{place + 1:06d}.{version - 1}"] = ("GRCh37", chromosome)
        known[f"NC_{60925 + place:06d}.1"] = ("T2T-CHM13v2.0", chromosome)
    for place, chromosome in enumerate(_MOUSE):
        version = 8 if chromosome in ("2", "X", "Y") else 7
        known[f"NC_{67 + place:06d}.{version}"] = ("GRCm39", chromosome)
        known[f"NC_{67 + place:06d}.{version - 1}"] = ("GRCm38", chromosome)
    return known


# RefSeq accession to build (empty where several share it) and chromosome.
REFSEQ: Mapping[str, tuple[str, str]] = MappingProxyType(_accessions())


def normalise_chromosome(name: str | int) -> str:
    """Give a chromosome name without ``chr``; MT is M, and RefSeq accessions of known builds are their chromosomes.

    A number stays a number: dogs, cows and fish have a chromosome 23 (:func:`human_chromosomes` reads PLINK's).
    """
    text = str(name).strip()
    if text in REFSEQ:
        return REFSEQ[text][1]
    text = text.removesuffix(".0")
    text = (text[3:] if text.lower().startswith("chr") else text).upper()
    return _MITOCHONDRION.get(text, text)


def normalise_chromosomes(names: Sequence[str | int]) -> list[str]:
    """:func:`normalise_chromosome` of many names; each different name is looked at once."""
    seen = {name: normalise_chromosome(name) for name in dict.fromkeys(names)}
    return [seen[name] for name in names]


def human_chromosomes(names: Sequence[str | int]) -> list[str]:
    """Names of human chromosomes in a file of PLINK or MAGMA: 23 is X, 24 Y, 25 XY (pseudoautosomal), 26 M.

    The numbers stay what they are where the names cannot be of PLINK: a number above 26 occurs, or 23 beside X.
    """
    found = normalise_chromosomes(names)
    seen = set(found)
    if any(name.isdigit() and int(name) > 26 for name in seen) or {"23", "X"} <= seen:
        return found
    return [_PLINK.get(name, name) for name in found]


def plink_number(name: str) -> str:
    """Name of the human chromosome that PLINK gives this number, or the name itself."""
    return _PLINK.get(name, name)


def accession_build(names: Iterable[str]) -> str:
    """Genome build that RefSeq accessions are of; empty where none tells it."""
    return next((build for name in names if (build := REFSEQ.get(str(name), ("", ""))[0])), "")
