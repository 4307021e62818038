"""A VCF as text: its lines, its header against the genome, the genome's spelling of its chromosomes.

Format: VCF 4.1 to 4.5, plain, gzip or bgzip; no index is needed, the file is read once from front to back.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cistron.errors import InputError
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genome.sequence import CHROMOSOME_1, Genome
from cistron.runtime import say

_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def whole_number(text: bytes) -> int:
    """Read a whole number; unlike ``int``, nothing but digits is one."""
    if not text.isdigit():
        raise ValueError
    return int(text)


class VcfText:
    """What all readers of a VCF share.

    Parameters
    ----------
    path
        VCF, plain, gzip or bgzip.
    genome
        Reference of the same build.
    """

    def __init__(self, path: Path, genome: Genome) -> None:
        self.path, self.genome = path, genome
        self.spelling: dict[str, str | None] = {}
        self.other_mitochondrion: set[str] = set()
        self.counts: Counter[str] = Counter()  # what became of the records
        self.unit = "line"  # what is counted to say where a fault is

    def at(self, number: int) -> str:
        """Name the file and a place in it, for messages."""
        return f"{self.path.name} {self.unit} {number}"

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Give number and text of each line."""
        try:
            with self.path.open("rb") as handle:
                head = handle.read(14)
                handle.seek(max(0, self.path.stat().st_size - len(_BGZIP_END)))
                if head[12:14] == b"BC" and handle.read() != _BGZIP_END:
                    raise EOFError("its last bgzip block is missing")
            opened = gzip.open(self.path) if head[:2] == b"\x1f\x8b" else self.path.open("rb")
            with opened as lines:
                number, line = 0, b""
                for number, line in enumerate(lines, 1):
                    yield number, line.rstrip(b"\r\n")
                if number and not line.endswith(b"\n"):
                    say(f"{self.path.name}: its last line ({number:,}) has no end; the file may be cut there")
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{self.path.name} cannot be read ({error}); it may be truncated") from error

    def check_contig(self, line: bytes) -> None:
        """Compare a ``##contig`` line with the genome: a length that differs is another build."""
        if not line.startswith(b"##contig=<"):
            return
        fields = dict(
            part.split("=", 1) for part in line.decode("utf8", "replace")[10:-1].split(",") if "=" in part
        )
        name, length = self.spelled(fields.get("ID", "")), fields.get("length", "")
        if name is None or not length.isdigit() or int(length) == self.genome.lengths[name]:
            return
        if normalise_chromosome(name) == "M":
            # GRCh37 goes with two: 16,571 bp in UCSC's hg19, 16,569 bp elsewhere. Nothing else differs.
            self.other_mitochondrion.add(fields["ID"])
            return
        told = CHROMOSOME_1.get(int(length), "")
        if told and told == self.genome.build:  # a genome that was cut short
            return
        raise InputError(
            f"{self.path.name} is of another genome build{f', {told}' if told else ''}: its header gives {fields['ID']} "
            f"{int(length):,} bp, {self.genome.path.name} has {self.genome.lengths[name]:,}; lift the variants over or give "
            "the genome that they were called on"
        )

    def spelled(self, name: str) -> str | None:
        """Give the genome's spelling of a chromosome; None where it lacks it."""
        if name not in self.spelling:
            try:
                self.spelling[name] = self.genome.chromosome(name)
            except InputError:
                self.spelling[name] = None
        return self.spelling[name]

    def other_names(self) -> str:
        """How file and genome call chromosomes, for the message that no variant could be used; empty where that is not why."""
        absent = [name for name, known in self.spelling.items() if known is None]
        if not absent or not any(what.endswith("lacks") for what in self.counts):
            return ""
        return (
            f"; {self.path.name} has {', '.join(absent[-3:])}, {self.genome.path.name} {', '.join([*self.genome.lengths][:3])}: rename "
            "its chromosomes, for example with 'bcftools annotate --rename-chrs'"
        )
