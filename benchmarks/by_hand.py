"""By-hand readers beside a library: seconds of CPU on files of real size and lines of code (python -m benchmarks by_hand)."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pysam

from cistron.genes.places import read_gene_places
from cistron.genome import Genome, read_sample

SOURCE = Path(__file__).parents[1] / "src/cistron"
BASES, WINDOWS, VARIANTS, GENES = 20_000_000, 1_000, 100_000, 20_000


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _lines(*names: str) -> int:
    return sum(len((SOURCE / name).read_text().splitlines()) for name in names)


def main() -> None:
    """Print one row a format."""
    random = np.random.default_rng(0)
    folder = Path(tempfile.mkdtemp())
    letters = random.choice(np.frombuffer(b"ACGT", np.uint8), BASES).tobytes()
    fasta, vcf, gtf = folder / "genome.fa", folder / "sample.vcf", folder / "genes.gtf"
    with fasta.open("wb") as handle:
        handle.write(b">chr1\n")
        handle.writelines(letters[place : place + 60] + b"\n" for place in range(0, BASES, 60))
    places = np.sort(random.choice(BASES - 10, VARIANTS, replace=False))
    other = {65: "C", 67: "G", 71: "T", 84: "A"}
    with vcf.open("w") as handle:
        handle.write(
            '##fileformat=VCFv4.2\n##contig=<ID=chr1>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
        )
        handle.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\n")
        for place in places:
            letter = letters[place]
            handle.write(f"chr1\t{place + 1}\t.\t{chr(letter)}\t{other[letter]}\t.\tPASS\t.\tGT\t0|1\n")
    with gtf.open("w") as handle:
        for gene in range(GENES):
            start = 1 + gene * (BASES // GENES)
            for feature in ("gene", "transcript"):
                named = f'gene_id "ENSG{gene:011d}"; transcript_id "ENST{gene:011d}"; gene_name "G{gene}"; gene_type "protein_coding";'
                handle.write(f"chr1\tx\t{feature}\t{start}\t{start + 400}\t.\t+\t.\t{named}\n")
    os.environ["CISTRON_PROGRESS"] = "0"
    starts = random.integers(0, BASES - 200_000, WINDOWS)
    genome = Genome(fasta, build="planted")
    pysam.faidx(str(fasta))
    peer = pysam.FastaFile(str(fasta))

    def fetch() -> None:
        for start in starts:
            np.frombuffer(peer.fetch("chr1", start, start + 196_608).encode(), np.uint8)

    bcf = folder / "sample.bcf"
    with pysam.VariantFile(str(vcf)) as source, pysam.VariantFile(str(bcf), "wb", header=source.header) as to:
        for record in source:
            to.write(record)

    def variants(path: Path = vcf) -> int:
        with pysam.VariantFile(str(path)) as file:
            return sum(len([record.pos, record.alleles, record.samples[0]["GT"]]) for record in file)

    print(f"{'what':<44}{'cistron':>9}{'pysam':>8}{'lines':>7}")
    ours = _seconds(lambda: [genome.codes("chr1", int(start), int(start) + 196_608) for start in starts])
    print(
        f"{f'FASTA, {WINDOWS:,} windows of 196,608 bp':<44}{ours:>8.2f}s{_seconds(fetch):>7.2f}s{_lines('genome/fasta.py'):>7}"
    )
    ours = _seconds(lambda: read_sample(vcf, genome))
    lines = _lines("genome/vcf.py", "genome/vcf_text.py")
    print(
        f"{f'VCF, {VARIANTS:,} genotypes of one person':<44}{ours:>8.2f}s{_seconds(variants):>7.2f}s{lines:>7}"
    )
    ours = _seconds(lambda: read_sample(bcf, genome))
    peers, lines = _seconds(lambda: variants(bcf)), _lines("genome/bcf.py")
    print(f"{f'BCF, {VARIANTS:,} genotypes of one person':<44}{ours:>8.2f}s{peers:>7.2f}s{lines:>7}")
    ours = _seconds(lambda: read_gene_places(gtf, "genes"))
    print(f"{f'GTF, {2 * GENES:,} lines':<44}{ours:>8.2f}s{'-':>8}{_lines('genes/gene_features.py'):>7}")


if __name__ == "__main__":
    main()
