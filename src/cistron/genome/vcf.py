"""Read the genotypes of one sample of a VCF or BCF.

Format: VCF 4.1 to 4.5, plain, gzip or bgzip, or BCF; no index is needed, the file is read once from front to back.
"""

from pathlib import Path

import numpy as np

from cistron.errors import InputError
from cistron.genome.bcf import BcfFile, is_bcf
from cistron.genome.sequence import Genome
from cistron.genome.settings import Unphased
from cistron.genome.variants import Changes, SampleVariants, check_reference, trimmed
from cistron.genome.vcf_text import VcfText, whole_number
from cistron.runtime import say

_BASES = frozenset(b"ACGTNacgtn")
_UPPER = bytes.maketrans(b"acgtn", b"ACGTN")


def read_sample(
    path: str | Path, genome: Genome, sample: str | None = None, unphased: Unphased = "as-written"
) -> SampleVariants:
    """Read the variants that one sample of a VCF carries.

    Taken are alleles of plain letters in records whose FILTER is PASS or a dot. Left out, and counted, are failed records,
    symbolic alleles (``<DEL>``, breakends), records on chromosomes that the genome lacks, and changes that overlap an
    earlier one of the same haplotype. A missing allele counts as the reference, a haploid call for both haplotypes.

    Parameters
    ----------
    path
        VCF, plain, gzip or bgzip; or BCF, which needs pysam.
    genome
        Reference of the same build.
    sample
        Name of the sample; may be absent where the file has one.
    unphased
        What to do with heterozygous genotypes without a phase: take the alleles in the order in which they are
        written, and count them, or stop.

    Raises
    ------
    InputError
        If the file cannot be read, has no such sample, is of another build, or carries nothing.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"variants {path} do not exist")
    if path.is_dir():
        raise InputError(f"variants {path} are a folder; give the file of one VCF")
    reader = SampleReader(path, genome, unphased)
    found = reader.read(sample)
    check_reference(found, genome)
    return found


_Row = tuple[int, bytes, bytes]  # start, reference, alternative


class SampleReader(VcfText):
    """Reads the genotypes of one sample: a whole file from front to back, or records of a region.

    Parameters
    ----------
    path
        VCF.
    genome
        Reference of the same build.
    unphased
        As of :func:`read_sample`.
    """

    def __init__(self, path: Path, genome: Genome, unphased: Unphased) -> None:
        super().__init__(path, genome)
        self.unphased = unphased
        self.reference_calls = 0
        self.width = 0
        # of the chromosome that is being read, a list a haplotype of (start, reference, alternative); then its changes
        self.current = ""
        self.rows: tuple[list[_Row], list[_Row]] = ([], [])
        self.found: dict[str, tuple[Changes, Changes]] = {}

    def read(self, sample: str | None) -> SampleVariants:
        """Read the file to its end."""
        sample = self._read_binary(sample) if is_bcf(self.path) else self._read_text(sample)
        self._finish()
        if not self.found and self.reference_calls and not self.counts:
            say(
                f"{self.path.name}: sample {sample} has the reference in all {self.reference_calls:,} records; the result is "
                "that of the reference"
            )
        elif not self.found:
            raise InputError(
                f"{self.path.name}: sample {sample} carries no variant that can be applied "
                f"({', '.join(f'{count:,} {what}' for what, count in self.counts.items()) or 'no record'})"
                f"{self.other_names()}"
            )
        first, second = ({name: pair[which] for name, pair in self.found.items()} for which in (0, 1))
        return SampleVariants(self.path, sample, (first, second), dict(self.counts))

    def _read_text(self, given: str | None) -> str:
        """Take each record of a text; give the sample's name."""
        column, sample = -1, ""
        for number, line in self.lines():
            if line.startswith(b"##"):
                self.check_contig(line)
            elif line.startswith(b"#CHROM"):
                fields = line.decode("utf8", "replace").split("\t")
                self.width = len(fields)
                column, sample = self.find_column(fields, given)
            elif line:
                if column < 0:
                    raise InputError(
                        f"{self.at(number)}: expected a VCF header with a #CHROM line that names the samples "
                        f"before the first record"
                    )
                if line.count(b"\t") + 1 != self.width:
                    raise InputError(
                        f"{self.at(number)}: {line.count(bytes([9])) + 1:,} tab-separated fields, but the header has "
                        f"{self.width:,}; the row is damaged, or the file is cut there"
                    )
                self._record(line.split(b"\t", column + 1), column, number)
        if column < 0:
            raise InputError(f"{self.path.name} has no #CHROM line; expected a VCF with genotypes")
        return sample

    def _read_binary(self, given: str | None) -> str:
        """Take each record of a BCF; give the sample's name."""
        self.unit = "record"
        with BcfFile(self.path, genotypes=True) as file:
            for line in file.header:
                self.check_contig(line.encode())
            sample = self.find_column(file.header[-1].split("\t"), given)[1]
            file.choose(sample)
            for number, text in enumerate(file.fetch(), 1):
                self._record(text.encode().split(b"\t"), 9, number)
        return sample

    def _finish(self) -> None:
        """Turn the rows of the current chromosome into changes, which take a fifth of the memory."""
        if self.rows[0] or self.rows[1]:
            self.found[self.current] = (self._resolved(self.rows[0]), self._resolved(self.rows[1]))
        self.rows = ([], [])

    def changes_of(self, records: list[tuple[int, list[bytes]]], column: int) -> tuple[Changes, Changes]:
        """Changes of the sample in records of one chromosome, in the order of the file.

        Parameters
        ----------
        records
            Number and fields of each, up to the sample at least.
        column
            Column of the sample.
        """
        self.current, self.rows, self.found = "", ([], []), {}
        for number, fields in records:
            self._record(fields, column, number)
        return self._resolved(self.rows[0]), self._resolved(self.rows[1])

    def find_column(self, fields: list[str], sample: str | None) -> tuple[int, str]:
        """Column and name of the sample, of the fields of the ``#CHROM`` line."""
        samples = fields[9:]
        if not samples:
            raise InputError(f"{self.path.name} has no genotypes (no sample in its #CHROM line)")
        some = ", ".join(samples[:5]) + (f" and {len(samples) - 5:,} more" if len(samples) > 5 else "")
        if sample is None:
            if len(samples) > 1:
                raise InputError(
                    f"{self.path.name} has {len(samples):,} samples; name one with --sample: {some}"
                )
            sample = samples[0]
        if sample not in samples:
            raise InputError(f"{self.path.name} has no sample {sample!r}; it has {some}")
        return 9 + samples.index(sample), sample

    def _record(self, fields: list[bytes], column: int, number: int) -> None:
        try:
            calls = self._genotype(fields[8].split(b":"), fields[column].split(b":"))
            position, reference = whole_number(fields[1]) - 1, fields[3]
            if not reference or not fields[4]:
                raise ValueError
        except (IndexError, ValueError) as error:
            raise InputError(
                f"{self.at(number)}: expected the fields of a VCF record with a genotype such as 0|1. "
                f"Given: {b' '.join(fields[:5] + fields[8 : column + 1][:4]).decode('utf8', 'replace')[:80]!r}"
            ) from error
        if calls is None:
            return
        alleles, phased = calls
        if fields[6] not in (b"PASS", b".", b""):
            self.counts["left out: FILTER is not PASS"] += 1
            return
        given = fields[0].decode("utf8", "replace")
        if given in self.other_mitochondrion:
            self.counts[
                f"left out: on a mitochondrion of another length than that of {self.genome.path.name}"
            ] += 1
            return
        name = self.spelled(given)
        if name is None:
            self.counts[f"left out: on chromosomes that {self.genome.path.name} lacks"] += 1
            return
        if not 0 <= position <= self.genome.lengths[name] - len(reference):
            raise InputError(
                f"{self.at(number)}: {name}:{position + 1:,} lies behind the end of the chromosome "
                f"({self.genome.lengths[name]:,} bp in {self.genome.path.name}); is it of another genome build?"
            )
        if not phased and alleles[0] != alleles[1]:
            if self.unphased == "error":
                raise InputError(
                    f"{self.at(number)}: the genotype is heterozygous without a phase; phase the variants, or "
                    "take alleles in the order in which they are written with --unphased as-written"
                )
            self.counts["unphased heterozygotes (alleles taken as written)"] += 1
        self._take(name, position, reference, fields[4].split(b","), alleles, number)

    def _genotype(self, names: list[bytes], values: list[bytes]) -> tuple[tuple[int, int], bool] | None:
        """Give the allele of each haplotype and whether they are phased; None where there is nothing to apply."""
        if names[0] != b"GT":
            self.counts["left out: without a genotype"] += 1
            return None
        text = values[0]
        parts = text.replace(b"|", b"/").split(b"/")
        parts = parts[1:] if len(parts) > 1 and not parts[0] else parts  # 4.4 may begin with the phase
        if len(parts) > 2:
            self.counts["left out: more than two copies"] += 1
            return None
        if b"." in parts:
            self.counts["with a missing allele (taken as the reference)"] += 1
        numbers = [0 if part == b"." else whole_number(part) for part in parts]
        first, second = numbers if len(numbers) == 2 else (numbers[0], numbers[0])
        if first == second == 0:
            self.reference_calls += 1
            return None
        return (first, second), b"/" not in text

    def _take(
        self,
        name: str,
        position: int,
        reference: bytes,
        alternatives: list[bytes],
        alleles: tuple[int, int],
        number: int,
    ) -> None:
        if max(alleles) > len(alternatives):
            raise InputError(
                f"{self.at(number)}: the genotype names allele {max(alleles)}, ALT has {len(alternatives)}"
            )
        plain = _BASES.issuperset(reference)
        if name != self.current:
            self._finish()
            if name in self.found:
                raise InputError(
                    f"{self.at(number)}: records of {name} do not stand together; sort the file with bcftools sort"
                )
            self.current = name
        taken = False
        for which, allele in enumerate(alleles):
            alternative = alternatives[allele - 1] if allele else b""
            if not allele or alternative == b"*":  # an allele that an earlier deletion took away
                continue
            if not plain or not alternative or not _BASES.issuperset(alternative):
                self.counts["left out: symbolic alleles and others that are not plain DNA"] += 1
                continue
            self.rows[which].append((position, reference.translate(_UPPER), alternative.translate(_UPPER)))
            taken = True
        if taken:
            self.counts["carried"] += 1

    def _resolved(self, rows: list[_Row]) -> Changes:
        """Trim and sort the changes of a haplotype, and leave out those that overlap an earlier one."""
        kept: list[tuple[int, int, bytes, bytes]] = []
        for start, reference, alternative in sorted((trimmed(*row) for row in rows), key=lambda row: row[0]):
            if not reference and not alternative:
                continue
            end = start + len(reference)
            if kept:
                before, behind, was, _ = kept[-1]
                # two insertions at one place have no order
                if start < behind or (start == before and not reference and before == behind):
                    if (start, end, alternative) != (before, behind, was):
                        self.counts["left out: overlap an earlier change of the haplotype"] += 1
                    continue
            kept.append((start, end, alternative, reference))
        return Changes(
            np.array([row[0] for row in kept], np.int64),
            np.array([row[1] for row in kept], np.int64),
            [row[2] for row in kept],
            [row[3] for row in kept],
        )
