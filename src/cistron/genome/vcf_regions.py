"""The genotypes of one sample, read where they are needed from an indexed VCF or BCF: a cohort is not read to its end for fifty genes."""

from pathlib import Path
from typing import Any

from cistron.errors import InputError
from cistron.genome.bcf import INDEXES, BcfFile, find_pysam, is_bcf
from cistron.genome.sequence import Genome
from cistron.genome.settings import Unphased
from cistron.genome.variants import Changes
from cistron.genome.vcf import SampleReader
from cistron.runtime import say

_MARGIN = 20_000  # base pairs read on either side: a window that changes have made longer or shorter needs more of the reference


def has_index(path: Path) -> bool:
    """Whether regions of a VCF or BCF can be read: bgzip with an index beside it, and pysam.

    Without pysam a remark says how to get it.
    """
    if not any(path.with_name(path.name + suffix).exists() for suffix in INDEXES):
        return False
    with path.open("rb") as handle:
        if handle.read(14)[12:14] != b"BC":
            return False
    if find_pysam() is None:
        say(f"{path.name}: read from front to back; with pysam its index is used (pip install pysam)")
        return False
    return True


class IndexedSample:
    """Changes of one sample, region by region.

    What is left out is as of :func:`cistron.genome.vcf.read_sample`. A region is read from where no change of the sample reaches into it,
    so that of changes that overlap the same ones are kept as in the whole file.

    Parameters
    ----------
    path
        VCF, bgzip, or BCF, with a ``.tbi`` or ``.csi`` beside it.
    genome
        Reference of the same build.
    sample
        Name of the sample; may be absent where the file has one.
    unphased
        As of :func:`cistron.genome.vcf.read_sample`.

    Raises
    ------
    InputError
        If the file cannot be read, has no such sample or is of another build.
    """

    def __init__(self, path: Path, genome: Genome, sample: str | None, unphased: Unphased) -> None:
        self.path = path
        self._reader = SampleReader(path, genome, unphased)
        self._reader.unit = "record"
        self._file = self._opened()
        header = [str(line) for line in self._file.header]
        for line in header:
            self._reader.check_contig(line.encode())
        titles = [line for line in header if line.startswith("#CHROM")]
        if not titles:
            raise InputError(f"{path.name} has no #CHROM line; expected a VCF with genotypes")
        fields = titles[-1].split("\t")
        self._width = len(fields)
        self._column, self.sample = self._reader.find_column(fields, sample)
        if isinstance(self._file, BcfFile):
            self._file.choose(self.sample)
            self._column, self._width = 9, 10
        self._names = {self._reader.spelled(str(name)): str(name) for name in self._file.contigs}
        self._last: tuple[str, int, int, tuple[Changes, Changes]] | None = None

    def _opened(self) -> Any:
        """The file: ``header`` and ``contigs``, and ``fetch``, which gives lines."""
        if is_bcf(self.path):
            return BcfFile(self.path, genotypes=True)
        pysam = find_pysam()
        assert pysam is not None
        try:
            return pysam.TabixFile(str(self.path))
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> InputError:
        return InputError(
            f"{self.path.name} cannot be read by its index ({error}); index it again with 'bcftools index -f'"
        )

    def changes(self, chromosome: str, start: int, end: int) -> tuple[Changes, Changes] | None:
        """Changes of both haplotypes that touch a region, with some around it; ``None`` where the file lacks the chromosome.

        Parameters
        ----------
        chromosome
            As the genome spells it.
        start, end
            Region, 0-based, half-open.
        """
        if chromosome not in self._names:
            return None
        last = self._last
        if last is None or last[0] != chromosome or start < last[1] or end > last[2]:
            low, high = max(0, start - _MARGIN), end + _MARGIN
            self._last = (chromosome, low, high, self._read(chromosome, low, high))
        assert self._last is not None
        return self._last[3]

    def _read(self, chromosome: str, low: int, high: int) -> tuple[Changes, Changes]:
        while True:
            found = self._reader.changes_of(self._records(chromosome, low, high), self._column)
            first = min((int(one.start[0]) for one in found if len(one)), default=low)
            if first >= low:
                return found
            low = first

    def _records(self, chromosome: str, low: int, high: int) -> list[tuple[int, list[bytes]]]:
        """Number within the region and fields of each record."""
        records = []
        try:
            for number, text in enumerate(self._file.fetch(self._names[chromosome], low, high), 1):
                line = text.encode()
                if line.count(b"\t") + 1 != self._width:
                    raise InputError(
                        f"{self.path.name}, record {number} from {chromosome}:{low + 1:,}: {line.count(bytes([9])) + 1:,} tab-separated "
                        f"fields, but the header has {self._width:,}; the row is damaged"
                    )
                records.append((number, line.split(b"\t", self._column + 1)))
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error
        return records

    def summary(self) -> str:
        """Say in a line what is read."""
        return f"{self.path.name}: variants of sample {self.sample}, read by its index where they are needed"
