"""Transcription start sites of genes: which one is canonical, which bins of a window they fall into."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.genes.chromosomes import accession_build
from cistron.genes.identity import without_version
from cistron.genes.places import read_gene_places
from cistron.genes.start_sites import choose_start_sites
from cistron.genome import Genome, build_name
from cistron.runtime import say
from cistron.runtime.text_files import open_text
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
    """Read the genome build from the comments of a GTF or GFF3; empty where they do not say."""
    with open_text(path, "annotation") as handle:
        comments = []
        for line in handle:
            if not line.startswith("#"):
                break
            comments.append(line)
    return _build_of(comments)


def _build_of(comments: Iterable[str]) -> str:
    for line in comments:
        found = re.search(r"mapped to (\w+)", line) or _BUILD.search(line)
        if found:
            return build_name(next(group for group in found.groups() if group))
    return ""


def gene_sites(transcripts: pd.DataFrame) -> list[GeneSites]:
    """Choose the canonical start site of each gene by :func:`cistron.genes.start_sites.choose_start_sites`.

    Parameters
    ----------
    transcripts
        As of :func:`cistron.genes.places.read_transcription_start_sites`.

    Returns
    -------
    list of GeneSites
        In the order in which the genes first occur. A gene on several chromosomes (pseudoautosomal) keeps the first.
    """
    chosen = choose_start_sites(transcripts)
    here = transcripts.merge(chosen[["gene", "chromosome"]], on=["gene", "chromosome"])
    sites = here.groupby("gene", sort=False)["position"].agg(
        lambda positions: tuple(sorted(set(map(int, positions))))
    )
    columns = (chosen[column] for column in ("gene", "symbol", "chromosome", "strand", "position"))
    return [
        GeneSites(str(gene), str(symbol), str(chromosome), str(strand), int(position), sites[gene])
        for gene, symbol, chromosome, strand, position in zip(*columns)
    ]


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
        What :func:`cistron.genes.places.read_gene_places` takes and says start sites.
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
    places = read_gene_places(annotation)
    transcripts, remarks = places.stranded_transcripts()
    for remark in (*places.remarks, *remarks):
        say(remark)
    name = Path(annotation).name
    build = _build_of(places.comments) or accession_build(transcripts["chromosome"].unique())
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
        if len(absent) == len(found):
            raise InputError(f"{message}; give the genome of this annotation")
        if len(absent) > 0.05 * len(found) and not allow_loss:
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
    wanted = {without_version(gene) for gene in genes}
    hit = transcripts["gene"].isin(wanted) | transcripts["symbol"].isin(set(genes))
    found = set(transcripts.loc[hit, "gene"]) | set(transcripts.loc[hit, "symbol"])
    lost = sorted(gene for gene in genes if without_version(gene) not in found and gene not in found)
    if lost and (len(lost) == len(genes) or (len(lost) > 0.05 * len(genes) and not allow_loss)):
        more = "" if len(lost) == len(genes) else ", or go on with --allow-loss"
        raise IdentifierError(
            f"{len(lost):,} of {len(genes):,} wanted genes are not in {name}, for example {lost[0]}; give Ensembl ids or "
            f"symbols of this annotation{more}"
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
