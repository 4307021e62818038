"""Read which alleles a VCF or BCF names, whoever carries them: one row an allele.

Text is read by :mod:`cistron.genome.vcf_text`. BCF, and regions of an indexed file, are read by htslib through pysam, which is an
optional extra: a cohort of terabytes is not read to its end for one region.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genome.bcf import INDEXES, BcfFile, find_pysam, is_bcf
from cistron.genome.sequence import Genome
from cistron.genome.variants import differs
from cistron.genome.vcf_text import VcfText, whole_number
from cistron.runtime import say

SITE_COLUMNS = ("chromosome", "position", "ref", "alt", "id", "row")
_BASES = frozenset(b"ACGTN")
_SHOWN = 5

_Record = tuple[
    int, str, bytes, bytes, bytes, bytes
]  # row, chromosome, position, id, reference, alternatives
_Span = tuple[str, int, int]  # chromosome as the genome spells it, start, end


@dataclass(frozen=True)
class Sites:
    """Alleles of a file.

    Attributes
    ----------
    path
        The file.
    frame
        One row an allele, :data:`SITE_COLUMNS`: ``chromosome`` as the genome spells it, ``position`` (1-based) and letters as in
        the file, ``id`` (several of one allele joined by ``;``), ``row`` (line of text, or number of the record of a BCF).
    skipped
        Row, chromosome, position, letters and reason of each allele that was left out.
    counts
        How many alleles were left out or joined, by reason.
    """

    path: Path
    frame: pd.DataFrame
    skipped: pd.DataFrame
    counts: Mapping[str, int]

    def summary(self) -> str:
        """Say in a line what was read and left out."""
        told = [
            f"{len(self.frame):,} variants",
            *(f"{number:,} {what}" for what, number in self.counts.items()),
        ]
        rows = self.skipped.head(_SHOWN)
        named = ", ".join(f"{row.chromosome}:{row.position} {row.alt[:20]}" for row in rows.itertuples())
        more = f" and {len(self.skipped) - len(rows):,} more" if len(self.skipped) > len(rows) else ""
        return f"{self.path.name}: {'; '.join(told)}{f' ({named}{more})' if named else ''}"


def read_sites(
    path: str | Path, genome: Genome, region: str | None = None, skip_mismatch: bool = False
) -> Sites:
    """Read the alleles of a VCF (plain, gzip, bgzip) or BCF.

    Records with several alternative alleles are split. Left out, and listed, are symbolic alleles, ``*``, records without an
    alternative and chromosomes that the genome lacks. An allele that occurs again keeps its first row and all its ids.

    Parameters
    ----------
    path
        File; a header is not needed, as many lists of variants have none.
    genome
        Reference of the same build.
    region
        ``chr1`` or ``chr1:1,000-2,000`` (1-based, both ends): alleles that touch it.
    skip_mismatch
        Leave out alleles whose reference letters are not those of the genome, and count them, in place of stopping.

    Raises
    ------
    InputError
        If the file cannot be read, is of another build, or holds no allele that can be used.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"variants {path} are no file; give a VCF or BCF")
    span = None if region is None else _span(region, genome)
    reader = _SiteReader(path, genome, skip_mismatch)
    for record in _records(reader, span):
        reader.take(record, span)
    return reader.sites(region)


def _span(region: str, genome: Genome) -> _Span:
    """Parse a region."""
    text = region.replace(",", "")
    name, colon, ends = text.rpartition(":") if ":" in text and text not in genome.lengths else (text, "", "")
    chromosome = genome.chromosome(name)
    if not colon:
        return chromosome, 0, genome.lengths[chromosome]
    first, _, last = ends.partition("-") if "-" in ends else (ends, "", ends)
    whole = first.isdigit() and (last.isdigit() or not last)
    if not whole or int(first) < 1 or (last and int(last) < int(first)):
        raise InputError(f"region {region!r}: expected CHROMOSOME or CHROMOSOME:FIRST-LAST, counted from 1")
    return chromosome, int(first) - 1, int(last) if last else genome.lengths[chromosome]


def _records(reader: "_SiteReader", span: _Span | None) -> Iterator[_Record]:
    """Choose how a file is read."""
    path, pysam = reader.path, find_pysam()
    indexed = any(path.with_name(path.name + suffix).exists() for suffix in INDEXES)
    if is_bcf(path):
        yield from _binary(reader, span if indexed else None)
    elif span is not None and indexed and pysam is not None:
        yield from _indexed(reader, pysam, span)
    else:
        if span is not None and indexed:
            say(f"{path.name}: read from front to back; with pysam its index is used (pip install pysam)")
        yield from _text(reader)


def _text(reader: "_SiteReader") -> Iterator[_Record]:
    for number, line in reader.lines():
        if line.startswith(b"#"):
            reader.check_contig(line)
        elif line:
            yield reader.parsed(line, number)


def _contig(reader: "_SiteReader", names: Any, chromosome: str) -> str | None:
    """Give the file's spelling of a chromosome."""
    return next((str(name) for name in names if reader.spelled(str(name)) == chromosome), None)


def _indexed(reader: "_SiteReader", pysam: Any, span: _Span) -> Iterator[_Record]:
    try:
        with pysam.TabixFile(str(reader.path)) as file:
            for line in file.header:
                reader.check_contig(line.encode())
            name = _contig(reader, file.contigs, span[0])
            lines = file.fetch(name, span[1], span[2]) if name is not None else ()
            for number, line in enumerate(lines, 1):
                yield reader.parsed(line.encode(), number)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{reader.path.name} cannot be read by its index ({error}); index it again with tabix"
        ) from error


def _binary(reader: "_SiteReader", span: _Span | None) -> Iterator[_Record]:
    """Records of a BCF; of a region where the file has an index for it."""
    reader.unit = "record"
    with BcfFile(reader.path, genotypes=False) as file:
        for line in file.header:
            reader.check_contig(line.encode())
        where: tuple[Any, ...] = ()
        if span is not None:
            name = _contig(reader, file.contigs, span[0])
            if name is None:
                return
            where = (name, span[1], span[2])
        for number, record in enumerate(file.records(*where), 1):
            alternatives = ",".join(record.alts or (".",))
            fields = (str(record.pos), record.id or ".", record.ref, alternatives)
            position, identifier, reference, alternative = (field.encode() for field in fields)
            yield number, record.chrom, position, identifier, reference, alternative


class _SiteReader(VcfText):
    """Collects alleles."""

    def __init__(self, path: Path, genome: Genome, skip_mismatch: bool) -> None:
        super().__init__(path, genome)
        self.skip_mismatch = skip_mismatch
        self.rows: dict[tuple[str, int, bytes, bytes], tuple[list[str], int]] = {}
        self.skipped: list[tuple[int, str, str, str, str, str]] = []

    def parsed(self, line: bytes, number: int) -> _Record:
        fields = line.split(b"\t", 5)
        if len(fields) < 5:
            raise InputError(
                f"{self.at(number)}: expected the tab-separated fields CHROM, POS, ID, REF, ALT of a VCF. "
                f"Given: {line[:60].decode('utf8', 'replace')!r}"
            )
        return number, fields[0].decode("utf8", "replace"), fields[1], fields[2], fields[3], fields[4]

    def leave_out(self, record: _Record, alternative: bytes, reason: str) -> None:
        number, name, position, _, reference, _ = record
        texts = (field.decode("utf8", "replace") for field in (position, reference, alternative))
        self.counts[f"left out: {reason}"] += 1
        self.skipped.append((number, name, *texts, reason))  # type: ignore[arg-type]

    def take(self, record: _Record, span: _Span | None) -> None:
        number, given, text, identifier, reference, alternatives = record
        name = self.spelled(given)
        try:
            start = whole_number(text) - 1
            if not reference or not alternatives:
                raise ValueError
        except ValueError as error:
            raise InputError(
                f"{self.at(number)}: expected the fields CHROM, POS, ID, REF, ALT of a VCF. "
                f"Given: {b' '.join((given.encode(), text, identifier, reference, alternatives)).decode('utf8', 'replace')[:80]!r}"
            ) from error
        if span is not None and not (
            name == span[0] and start < span[2] and start + len(reference) > span[1]
        ):
            return
        if given in self.other_mitochondrion:
            self.leave_out(
                record,
                alternatives,
                f"on a mitochondrion of another length than that of {self.genome.path.name}",
            )
            return
        if name is None:
            self.leave_out(record, alternatives, f"on chromosomes that {self.genome.path.name} lacks")
            return
        if not 0 <= start <= self.genome.lengths[name] - len(reference):
            raise InputError(
                f"{self.at(number)}: {name}:{start + 1:,} lies outside of the chromosome "
                f"({self.genome.lengths[name]:,} bp in {self.genome.path.name}); is it of another genome build?"
            )
        reference = reference.upper()
        if not _BASES.issuperset(reference):
            self.leave_out(record, alternatives, "reference letters that are not plain DNA")
        elif self._agrees(record, name, start, reference):
            for alternative in alternatives.split(b","):
                self._allele(record, name, start, reference, alternative)

    def _agrees(self, record: _Record, name: str, start: int, reference: bytes) -> bool:
        there = self.genome.codes(name, start, start + len(reference))
        if not differs(there, reference):
            return True
        if self.skip_mismatch:
            self.leave_out(record, record[5], "REF is not what the genome has")
            return False
        letters = "".join("ACGTN"[code] for code in there[:20])
        identifier = record[3].decode("utf8", "replace")
        raise InputError(
            f"{self.at(record[0])}{'' if identifier == '.' else f' ({identifier})'}: REF at {name}:{start + 1:,} is "
            f"{reference[:20].decode()}, but {self.genome.path.name} has {letters} there; it is of another genome build than "
            f"{self.genome.build or 'this'}, or REF and ALT are exchanged; --skip-mismatch leaves such rows out"
        )

    def _allele(self, record: _Record, name: str, start: int, reference: bytes, given: bytes) -> None:
        alternative = given.upper()
        if given in (b"*", b"<*>"):
            self.leave_out(record, given, "* (an allele that a deletion took away)")
        elif given == b".":
            self.leave_out(record, given, "without an alternative allele")
        elif not alternative or not _BASES.issuperset(alternative):
            self.leave_out(record, given, "symbolic alleles and others that are not plain DNA")
        elif alternative == reference:
            self.leave_out(record, given, "the alternative is the reference")
        else:
            ids = [one for one in record[3].decode("utf8", "replace").split(";") if one not in ("", ".")]
            known = self.rows.setdefault((name, start + 1, reference, alternative), (ids, record[0]))
            if known[1] != record[0] or known[0] is not ids:
                known[0].extend(one for one in ids if one not in known[0])
                self.counts["named again (one row, all ids)"] += 1

    def sites(self, region: str | None) -> Sites:
        if not self.rows:
            told = ", ".join(f"{count:,} {what}" for what, count in self.counts.items()) or "no record"
            where = f" in {region}" if region else ""
            raise InputError(
                f"{self.path.name} holds no variant{where} that can be used ({told}){self.other_names()}"
            )
        frame = pd.DataFrame(
            {
                "chromosome": [name for name, *_ in self.rows],
                "position": np.array([place for _, place, *_ in self.rows], np.int64),
                "ref": [reference.decode() for _, _, reference, _ in self.rows],
                "alt": [alternative.decode() for *_, alternative in self.rows],
                "id": [";".join(ids) or "." for ids, _ in self.rows.values()],
                "row": np.array([number for _, number in self.rows.values()], np.int64),
            }
        )
        columns = ["row", "chromosome", "position", "ref", "alt", "reason"]
        return Sites(self.path, frame, pd.DataFrame(self.skipped, columns=columns), dict(self.counts))
