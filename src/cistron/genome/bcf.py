"""A BCF, the binary form of a VCF, as the lines of a VCF.

It is read by htslib through pysam, which is an optional extra (``variants``).
"""

import gzip
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cistron.errors import InputError

INDEXES = (".tbi", ".csi")
_MAGIC = b"BCF\2"


def find_pysam() -> Any | None:
    """The package pysam, where it is installed."""
    try:
        return importlib.import_module("pysam")
    except ImportError:
        return None


def is_bcf(path: Path) -> bool:
    """Whether a file is BCF, compressed or not, whatever its name."""
    with path.open("rb") as handle:
        head = handle.read(4)
    if head[:2] != b"\x1f\x8b":
        return head == _MAGIC
    try:
        with gzip.open(path) as unpacked:
            return unpacked.read(4) == _MAGIC
    except (OSError, EOFError):
        return False  # the reader of text says what is wrong


@contextmanager
def _silent(pysam: Any) -> Iterator[None]:
    """Keep htslib from writing to standard error: what is wrong is told once, by us."""
    before = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(before)


class BcfFile:
    """An open BCF. Its header, contigs and lines are got as those of :class:`pysam.TabixFile`.

    Parameters
    ----------
    path
        File.
    genotypes
        Whether genotypes are read.

    Raises
    ------
    InputError
        If pysam is absent, or the file cannot be read.
    """

    def __init__(self, path: Path, *, genotypes: bool) -> None:
        self.path = path
        pysam = find_pysam()
        if pysam is None:
            raise InputError(
                f"{path.name} is BCF, which needs pysam: pip install pysam, or write it as VCF with bcftools view -Oz"
            )
        self._pysam = pysam
        with self._told():
            self._file = pysam.VariantFile(str(path), drop_samples=not genotypes)
        self.header: list[str] = str(self._file.header).splitlines()
        self.contigs: list[str] = list(self._file.header.contigs)

    def choose(self, sample: str) -> None:
        """Read the genotypes of one sample only; before the first record."""
        self._file.subset_samples([sample])

    def records(self, chromosome: str | None = None, start: int = 0, end: int | None = None) -> Iterator[Any]:
        """Give pysam's records: of the whole file, or of a region by the index.

        Parameters
        ----------
        chromosome
            As the file spells it; the whole file when absent.
        start, end
            Region, 0-based, half-open.
        """
        if chromosome is not None and self._file.index is None:
            raise InputError(
                f"{self.path.name} cannot be read by its index; index it again with 'bcftools index -f'"
            )
        with self._told():
            yield from self._file if chromosome is None else self._file.fetch(chromosome, start, end)

    def fetch(self, chromosome: str | None = None, start: int = 0, end: int | None = None) -> Iterator[str]:
        """Give lines as a VCF has them, with the chosen sample alone.

        Parameters
        ----------
        chromosome, start, end
            As of :meth:`records`.
        """
        for record in self.records(chromosome, start, end):
            yield str(record).rstrip("\n")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            with _silent(self._pysam):
                yield
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path.name} cannot be read ({error}); it may be truncated") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
