"""DNA from FASTA: windows as one-hot arrays, whatever the case, the ends or the spelling of the chromosome."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Literal, Protocol, Self

import numpy as np

from cistron.errors import InputError
from cistron.genes.chromosomes import accession_build, normalise_chromosome, plink_number
from cistron.genome.fasta import IndexedFasta

Ambiguous = Literal["error", "n"]

# Length of chromosome 1 tells the build; nothing else is guessed.
CHROMOSOME_1 = MappingProxyType(
    {
        249_250_621: "GRCh37",
        248_956_422: "GRCh38",
        248_387_328: "T2T-CHM13v2.0",
        197_195_432: "GRCm37",
        195_471_971: "GRCm38",
        195_154_279: "GRCm39",
    }
)
HUMAN_BUILDS = frozenset({"GRCh37", "GRCh38", "T2T-CHM13v2.0"})
_SAME_BUILD = {
    "hg19": "GRCh37",
    "hg38": "GRCh38",
    "hs1": "T2T-CHM13v2.0",
    "mm9": "GRCm37",
    "mm10": "GRCm38",
    "mm39": "GRCm39",
}

_CODES = np.full(256, 255, np.uint8)
for _code, _letters in enumerate(("Aa", "Cc", "Gg", "TtUu", "Nn-.")):
    for _letter in _letters:
        _CODES[ord(_letter)] = _code
_AMBIGUOUS = np.zeros(256, bool)
for _letter in "RYSWKMBDHVryswkmbdhv":
    _AMBIGUOUS[ord(_letter)] = True

_ROWS = np.zeros((5, 4), np.float32)
_ROWS[:4] = np.eye(4)
_ROWS.setflags(write=False)


def build_name(name: str) -> str:
    """Give a build's name as the Genome Reference Consortium writes it, without patch: ``hg38`` is ``GRCh38``."""
    text = name.strip()
    known = _SAME_BUILD.get(text.lower())
    if known:
        return known
    stem = text.split(".p")[0]
    return next((build for build in _SAME_BUILD.values() if build.lower() == stem.lower()), stem)


def encode(sequence: str | bytes, ambiguous: Ambiguous = "error", where: str = "sequence") -> np.ndarray:
    """Turn DNA letters into codes.

    Parameters
    ----------
    sequence
        A, C, G, T (or U), N in any case.
    ambiguous
        What to do with the IUPAC letters for several bases: ``error``, or read them as ``n``.
    where
        What the sequence is, for the message.

    Returns
    -------
    ndarray of uint8
        0, 1, 2, 3 for A, C, G, T; 4 for N.

    Raises
    ------
    InputError
        If a letter is no base, or is ambiguous and that is an error.
    """
    raw = sequence if isinstance(sequence, bytes) else sequence.encode("ascii", "replace")
    letters = np.frombuffer(raw, np.uint8)
    codes = _CODES[letters]
    if (codes == 255).any():
        wrong = codes == 255
        if ambiguous == "n":
            codes = np.where(_AMBIGUOUS[letters], np.uint8(4), codes)
            wrong = codes == 255
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            letter = chr(letters[place])
            iupac = _AMBIGUOUS[letters[place]]
            remedy = (
                "it stands for several bases; read such letters as N with --ambiguous n"
                if iupac
                else "expected A, C, G, T or N: is this DNA?"
            )
            raise InputError(f"{where}: letter {letter!r} at position {place + 1:,}: {remedy}")
    return codes


def one_hot(codes: np.ndarray) -> np.ndarray:
    """Turn codes [...] into one-hot float32 [..., 4] in the order A, C, G, T; N is four zeros."""
    return _ROWS[codes]


def reverse_complement(array: np.ndarray) -> np.ndarray:
    """Reverse and complement one-hot DNA [..., length, 4] (a view)."""
    return array[..., ::-1, ::-1]


class Dna(Protocol):
    """One copy of a genome: reads windows as codes, and tells the reference position of each letter."""

    def codes(self, chromosome: str, start: int, end: int) -> np.ndarray:
        """Read codes (:func:`encode`) of a window.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``.
        start, end
            Window in the reference, 0-based, half-open.
        """

    def offsets(self, chromosome: str, start: int, end: int, positions: Sequence[int]) -> np.ndarray:
        """Give where positions of the reference lie in a window, int64.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``.
        start, end
            Window in the reference, 0-based, half-open.
        positions
            Positions in the reference, 0-based.
        """

    def position(self, chromosome: str, start: int, end: int, offset: int) -> int:
        """Give the position in the reference of a letter of a window.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``.
        start, end
            Window in the reference, 0-based, half-open.
        offset
            Number of the letter in the window, from 0.
        """


class Genome:
    """Chromosomes of a FASTA file, plain or bgzip.

    Parameters
    ----------
    path
        FASTA. An index is made beside it where there is none.
    build
        Name of the genome build (``GRCh38``, ``hg38``, any name for other genomes). When absent it is told by the
        length of chromosome 1, where that is known, or by a header in Ensembl's form (``chromosome:GRCz11:1:1:59578282:1``).
    ambiguous
        What to do with IUPAC letters for several bases: ``error`` or ``n``.

    Raises
    ------
    InputError
        If the file is absent or broken, or the named build has another chromosome 1.

    Examples
    --------
    >>> from pathlib import Path
    >>> written = Path("small.fa").write_text(">chr1\\nACGTTACG\\n")
    >>> genome = Genome("small.fa")
    >>> genome.window("1", 2, 6).shape
    (4, 4)
    """

    def __init__(self, path: str | Path, build: str | None = None, ambiguous: Ambiguous = "error") -> None:
        self.path = Path(path)
        self.ambiguous = ambiguous
        self._fasta = IndexedFasta(self.path)
        self.lengths: Mapping[str, int] = {
            name: record.length for name, record in self._fasta.records.items()
        }
        self._names: dict[str, str] = {}
        for name in self.lengths:
            self._names.setdefault(normalise_chromosome(name), name)
        told = self._told_build()
        if build is not None and told and build_name(build) != told:
            raise InputError(
                f"{self.path.name} was called {build}, but its chromosome 1 or its header is that of {told}; give the right "
                "file or the right --build"
            )
        self.build = build_name(build) if build is not None else told

    def __reduce__(self) -> Any:
        """Another process that is given the genome opens the files itself."""
        return type(self), (self.path.absolute(), self.build or None, self.ambiguous)

    def _told_build(self) -> str:
        name = self._names.get("1")
        known = CHROMOSOME_1.get(self.lengths[name], "") if name else ""
        return known or self._fasta.build_in_header()

    def require_build(self) -> str:
        """Give the name of the build.

        Raises
        ------
        InputError
            If it was not given and cannot be told.
        """
        if not self.build:
            raise InputError(
                f"the genome build of {self.path.name} is not known (chromosome 1 has no length of a known build, the header names none); "
                "name it with --build"
            )
        return self.build

    def chromosome(self, name: str) -> str:
        """Give the FASTA's spelling of a chromosome: ``1``, ``chr1`` and ``Chr1`` are the same, ``MT`` and ``chrM`` too.

        The FASTA's own names win. RefSeq accessions (``NC_000001.11``) name the chromosomes of known builds, and 23 to 26
        are PLINK's numbers of X, Y, XY and M in a human genome only.

        Raises
        ------
        InputError
            If the FASTA does not have it, or it is an accession of another build.
        """
        if name in self.lengths:
            return name
        build = accession_build([name])
        if build and self.build and build != self.build:
            raise InputError(
                f"{name} is a chromosome of {build}, and {self.path.name} is {self.build}; use files of one build"
            )
        plain = normalise_chromosome(name)
        found = self._names.get(plain)
        if found is None and self.build in HUMAN_BUILDS:
            found = self._names.get(plink_number(plain))
        if found is None:
            some = ", ".join(list(self.lengths)[:5])
            more = f" and {len(self.lengths) - 5:,} more" if len(self.lengths) > 5 else ""
            raise InputError(f"chromosome {name} is not in {self.path.name}, which has {some}{more}")
        return found

    def codes(self, chromosome: str, start: int, end: int) -> np.ndarray:
        """Read codes (:func:`encode`) of a 0-based half-open window; what lies beyond the chromosome is N.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``.
        start, end
            0-based, half-open; may reach beyond the chromosome.
        """
        name = self.chromosome(chromosome)
        low, high = max(0, start), min(end, self.lengths[name])
        codes = np.full(end - start, 4, np.uint8)
        if high > low:
            letters = self._fasta.fetch(name, low, high)
            where = f"{self.path.name} {name}:{low + 1:,}-{high:,}"
            codes[low - start : high - start] = encode(letters, self.ambiguous, where)
        return codes

    def window(self, chromosome: str, start: int, end: int) -> np.ndarray:
        """Read a window as one-hot float32 [end - start, 4]; zeros beyond the ends of the chromosome.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``.
        start, end
            0-based, half-open; may reach beyond the chromosome.
        """
        return one_hot(self.codes(chromosome, start, end))

    @property
    def copies(self) -> "tuple[Dna, ...]":
        """What a model reads: the genome itself, or the haplotypes of a person (:class:`PersonalGenome`)."""
        return (self,)

    def person_facts(self) -> dict[str, str]:
        """Say whose variants are in it, for the record; empty for the reference."""
        return {}

    def offsets(self, chromosome: str, start: int, end: int, positions: Sequence[int]) -> np.ndarray:
        """Give where positions lie in a window, int64; outside of 0 to ``end - start`` if they are not in it.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``; not used here.
        start, end
            Window, 0-based, half-open.
        positions
            Positions in the chromosome, 0-based.
        """
        return np.asarray(positions, np.int64) - start

    def position(self, chromosome: str, start: int, end: int, offset: int) -> int:
        """Give the position of a letter of a window.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``; not used here.
        start, end
            Window, 0-based, half-open.
        offset
            Number of the letter in the window, from 0.
        """
        return start + offset

    def close(self) -> None:
        """Close the file."""
        self._fasta.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
