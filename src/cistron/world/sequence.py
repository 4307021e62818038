"""A small planted genome: FASTA and GTF with genes on both strands, near the ends, with several start sites.

The DNA is random but for a promoter motif that stands upstream of the start sites; how often is the planted activity of
the gene. Version 1; a change of the generator changes the version.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.runtime import atomic_path, random_generator

VERSION = 1
BUILD = "planted"
MOTIF = "TATAAAAGGC"
_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


@dataclass(frozen=True)
class PlantedGenome:
    """A genome and what was planted in it.

    Parameters
    ----------
    chromosomes
        Name to DNA.
    genes
        One row a gene: ``gene``, ``symbol``, ``chromosome``, ``strand``, ``activity`` (copies of the motif, 0 to 4),
        ``canonical`` (start site, 0-based), ``sites`` (all start sites).
    """

    chromosomes: dict[str, str]
    genes: pd.DataFrame


def planted_genome(seed: int = 0, *, genes: int = 12, chromosome_length: int = 60_000) -> PlantedGenome:
    """Make a planted genome of two chromosomes.

    Parameters
    ----------
    seed
        Seed; the same seed gives the same genome.
    genes
        Number of genes, at least 4; the first and last of each chromosome lie close to its ends.
    chromosome_length
        Base pairs of the first chromosome; the second has three quarters.

    Raises
    ------
    InputError
        If the genes do not fit.
    """
    if genes < 4 or chromosome_length < 2000 * genes:
        raise InputError(
            f"a planted genome needs at least 4 genes and 2,000 bp for each. Given: {genes} genes and "
            f"{chromosome_length:,} bp"
        )
    random = random_generator(seed, "planted genome", VERSION)
    lengths = {"chr1": chromosome_length, "chr2": chromosome_length * 3 // 4}
    dna = {name: np.array(list("ACGT"))[random.integers(0, 4, size)] for name, size in lengths.items()}
    dna["chr1"][:50] = "N"  # as assemblies begin
    rows = []
    for number in range(genes):
        name = "chr1" if number % 2 == 0 else "chr2"
        rank, last = number // 2, (genes - 1 - number % 2) // 2
        place = int(400 + rank * (lengths[name] - 800) / last)
        strand = "+" if random.random() < 0.5 else "-"
        step = 1 if strand == "+" else -1
        sites = [place]
        if 0 < rank < last:  # those inside have one or two more start sites, downstream
            sites += [place + step * int(shift) for shift in random.integers(200, 900, random.integers(0, 3))]
        activity = int(random.integers(0, 5))
        _plant(dna[name], place, strand, activity)
        rows.append(
            {
                "gene": f"PLANTED{number:04d}",
                "symbol": f"PL{number}",
                "chromosome": name,
                "strand": strand,
                "activity": activity,
                "canonical": place,
                "sites": tuple(sorted(set(sites))),
            }
        )
    return PlantedGenome({name: "".join(letters) for name, letters in dna.items()}, pd.DataFrame(rows))


def _plant(letters: np.ndarray, place: int, strand: str, copies: int) -> None:
    """Write the motif ``copies`` times upstream of a start site, on its strand."""
    for copy in range(copies):
        distance = 30 + 20 * copy
        if strand == "+":
            start, text = place - distance - len(MOTIF), MOTIF
        else:
            start, text = place + 1 + distance, MOTIF.translate(_COMPLEMENT)[::-1]
        letters[start : start + len(MOTIF)] = list(text)


def write_planted_genome(genome: PlantedGenome, directory: str | Path) -> tuple[Path, Path]:
    """Write ``genome.fa`` and ``genes.gtf`` as public ones look: lower-case stretches, versions, tags, comments.

    Returns
    -------
    fasta, annotation : Path
        The two files.
    """
    directory = Path(directory)
    fasta, annotation = directory / "genome.fa", directory / "genes.gtf"
    with atomic_path(fasta) as partial, partial.open("w") as handle:
        for name, dna in genome.chromosomes.items():
            soft_masked = dna[:1000] + dna[1000:2000].lower() + dna[2000:]
            handle.write(f">{name} planted, version {VERSION}\n")
            handle.writelines(soft_masked[start : start + 60] + "\n" for start in range(0, len(dna), 60))
    with atomic_path(annotation) as partial:
        partial.write_text(f"#!genome-build {BUILD}\n" + "".join(_gtf_rows(genome)))
    return fasta, annotation


def _gtf_rows(genome: PlantedGenome) -> list[str]:
    rows = []
    for gene in genome.genes.itertuples():
        length = len(genome.chromosomes[gene.chromosome])
        spans = []
        for site in gene.sites:
            start, end = (
                (site, min(site + 300, length)) if gene.strand == "+" else (max(site - 299, 0), site + 1)
            )
            spans.append((start, end, site == gene.canonical))
        names = f'gene_id "{gene.gene}"; gene_type "protein_coding"; gene_name "{gene.symbol}";'
        low, high = min(start for start, _, _ in spans), max(end for _, end, _ in spans)
        columns = f"\t.\t{gene.strand}\t.\t"
        rows.append(f"{gene.chromosome}\tplanted\tgene\t{low + 1}\t{high}{columns}{names}\n")
        for number, (start, end, canonical) in enumerate(spans):
            tag = ' tag "Ensembl_canonical";' if canonical else ""
            rows.append(
                f"{gene.chromosome}\tplanted\ttranscript\t{start + 1}\t{end}{columns}{names} "
                f'transcript_id "{gene.gene}.T{number}";{tag}\n'
            )
    return rows
