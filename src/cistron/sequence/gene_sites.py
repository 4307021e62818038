"""Transcription start sites of genes: which one is canonical, which bins of a window they fall into."""

import gzip
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.genes.annotation import read_transcription_start_sites
from cistron.genome import Genome, build_name
from cistron.runtime import say
from cistron.sequence.settings import BIN

# GENCODE's lifted releases name two builds; the one they were mapped to counts
_BUILD = re.compile(
    r"genome-build\s+(\S+)|^##description.*\bgenome \(([^),]+)\)|\b(GRC[hm]\d+)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class GeneSites:
    """A gene and where its transcription may start.

    Parameters
    ----------
    gene, symbol
        Identifier and symbol.
    chromosome
        As the genome spells it.
    strand
        ``+`` or ``-``.
    canonical
        Position (0-based) of the canonical start site.
    sites
        Positions of all annotated start sites, sorted, each once.
    """

    gene: str
    symbol: str
    chromosome: str
    strand: str
    canonical: int
    sites: tuple[int, ...]


def annotation_build(path: str | Path) -> str:
    """Read the genome build from the comments of a GTF; empty where they do not say."""
    path = Path(path)
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as handle:
        for line in handle:
            if not line.startswith("#"):
                break
            found = re.search(r"mapped to (\w+)", line) or _BUILD.search(line)
            if found:
                return build_name(next(group for group in found.groups() if group))
    return ""


def gene_sites(transcripts: pd.DataFrame) -> list[GeneSites]:
    """Choose the canonical start site of each gene.

    It is that of the transcript tagged canonical (Ensembl canonical, MANE select, APPRIS principal); without a tag the
    site that most transcripts share, and of equals the one furthest upstream.

    Parameters
    ----------
    transcripts
        As of :func:`cistron.genes.annotation.read_transcription_start_sites`.

    Returns
    -------
    list of GeneSites
        In the order in which the genes first occur. A gene on several chromosomes (pseudoautosomal) keeps the first.
    """
    rows_of: dict[str, list[tuple[str, str, str, int, bool]]] = {}
    columns = ("symbol", "chromosome", "strand", "position", "canonical")
    for gene, *values in zip(transcripts["gene"], *(transcripts[column] for column in columns)):
        rows_of.setdefault(str(gene), []).append(tuple(values))
    genes = []
    for gene, rows in rows_of.items():
        symbol, chromosome, strand = (str(value) for value in rows[0][:3])
        rows = [row for row in rows if row[1] == chromosome]
        tagged = [row[3] for row in rows if row[4]]
        counts = Counter(row[3] for row in rows)
        common = [position for position, count in counts.items() if count == max(counts.values())]
        shared = max(common) if strand == "-" else min(common)
        canonical = int(tagged[0] if tagged else shared)
        sites = tuple(sorted(int(position) for position in counts))
        genes.append(GeneSites(gene, symbol, chromosome, strand, canonical, sites))
    return genes


def read_gene_sites(
    annotation: str | Path,
    genome: Genome,
    *,
    biotypes: Sequence[str] = ("protein_coding",),
    genes: Sequence[str] = (),
    allow_loss: bool = False,
) -> list[GeneSites]:
    """Read genes and their start sites that lie on a genome.

    Parameters
    ----------
    annotation
        GTF with transcripts.
    genome
        Genome of the same build.
    biotypes
        Kinds of gene to take; empty takes all.
    genes
        Identifiers or symbols to take; empty takes all.
    allow_loss
        Go on when more than 5% of the genes lie on chromosomes that the genome lacks.

    Raises
    ------
    InputError
        If the annotation is of another build, or nothing is left.
    IdentifierError
        If more than 5% of the wanted genes are not found.
    """
    transcripts = read_transcription_start_sites(annotation)
    name = Path(annotation).name
    build = annotation_build(annotation)
    if build and genome.build and build != genome.build:
        raise InputError(
            f"annotation {name} is of {build}, genome {genome.path.name} of {genome.build}; use files of one build"
        )
    if biotypes and transcripts["biotype"].any():
        known = sorted(transcripts["biotype"].unique())
        transcripts = transcripts[transcripts["biotype"].isin(biotypes)]
        if transcripts.empty:
            raise InputError(
                f"{name} has no {' or '.join(biotypes)} genes; its biotypes are {', '.join(known[:8])}"
            )
    if genes:
        transcripts = _named(transcripts, genes, name, allow_loss)
    found = gene_sites(transcripts)
    absent = [gene for gene in found if not _has(genome, gene.chromosome)]
    if absent:
        message = (
            f"{len(absent):,} of {len(found):,} genes of {name} lie on chromosomes that {genome.path.name} lacks, for "
            f"example {absent[0].gene} on {absent[0].chromosome}"
        )
        if len(absent) == len(found) or (len(absent) > 0.05 * len(found) and not allow_loss):
            raise InputError(f"{message}; give the genome of this annotation, or go on with --allow-loss")
        say(f"left out: {message}")
    kept = []
    for gene in found:
        if not _has(genome, gene.chromosome):
            continue
        chromosome = genome.chromosome(gene.chromosome)
        if max(gene.sites) >= genome.lengths[chromosome]:
            raise InputError(
                f"gene {gene.gene} starts at {chromosome}:{max(gene.sites) + 1:,}, behind the end of the chromosome "
                f"({genome.lengths[chromosome]:,} bp in {genome.path.name}); is {name} of another genome build?"
            )
        kept.append(GeneSites(gene.gene, gene.symbol, chromosome, gene.strand, gene.canonical, gene.sites))
    return kept


def _has(genome: Genome, chromosome: str) -> bool:
    try:
        genome.chromosome(chromosome)
    except InputError:
        return False
    return True


def _named(transcripts: pd.DataFrame, genes: Sequence[str], name: str, allow_loss: bool) -> pd.DataFrame:
    wanted = {gene.split(".")[0] for gene in genes}
    hit = transcripts["gene"].isin(wanted) | transcripts["symbol"].isin(set(genes))
    found = set(transcripts.loc[hit, "gene"]) | set(transcripts.loc[hit, "symbol"])
    lost = sorted(gene for gene in genes if gene.split(".")[0] not in found and gene not in found)
    if lost and (len(lost) == len(genes) or (len(lost) > 0.05 * len(genes) and not allow_loss)):
        raise IdentifierError(
            f"{len(lost):,} of {len(genes):,} wanted genes are not in {name}, for example {lost[0]}; give Ensembl ids or "
            "symbols of this annotation, or go on with --allow-loss"
        )
    if lost:
        say(
            f"left out: {len(lost):,} of {len(genes):,} wanted genes are not in {name}, for example {lost[0]}"
        )
    return transcripts[hit]


def site_bins(offsets: np.ndarray, crop: int, bins: int) -> np.ndarray:
    """Give the output bin of each start site, int64; -1 where it has none.

    Parameters
    ----------
    offsets
        Where the sites lie in the input window (:meth:`cistron.genome.Genome.offsets`).
    crop, bins
        Bins cut from the left, bins of the output.
    """
    found = np.asarray(offsets, np.int64) // BIN - crop
    return np.where((found >= 0) & (found < bins), found, -1)
