"""DNA in which distal elements raise the expression of the promoters around them, each in its own cell type.

A promoter motif marks where transcription starts; every element within the window, at any distance, adds to the CAGE of its cell type
there, and shows as DNase where it stands itself. Version 2; a change of the generator changes the version.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.runtime import atomic_path, random_generator
from cistron.world.variants import ACTIVATORS, BIN, TRACKS, reverse_complement_text

VERSION = 2
PROMOTER = "TATAAAAGGC"
WINDOW = 4096
ELEMENTS = {
    "blood": (ACTIVATORS["blood"][0], 0, 1),
    "liver": (ACTIVATORS["liver"][0], 2, 3),
}  # motif, DNase, CAGE track
OPEN, BASE, GAIN = 6.0, 1.0, 4.0
BACKGROUND = 0.2


def _plant(letters: np.ndarray, text: str, place: int, random: np.random.Generator) -> None:
    if random.random() < 0.5:
        text = reverse_complement_text(text)
    letters[place : place + len(text)] = list(text)


def _signal(promoters: list[int], elements: dict[str, list[int]], bins: int) -> np.ndarray:
    """Signal by the rule, float32 [bins, track]."""
    signal = np.full((bins, len(TRACKS)), BACKGROUND, np.float32)
    for kind, (_, open_track, cage) in ELEMENTS.items():
        for place in elements[kind]:
            signal[(place + 5) // BIN, open_track] += OPEN
        for place in promoters:
            signal[(place + 5) // BIN, cage] += BASE + GAIN * len(elements[kind])
    return signal


def training_batch(
    random: np.random.Generator, number: int, length: int = WINDOW
) -> tuple[list[str], np.ndarray]:
    """Draw windows and their signal with Poisson noise.

    Parameters
    ----------
    random
        Generator.
    number
        Windows.
    length
        Base pairs of each.

    Returns
    -------
    sequences : list of str
        DNA.
    signal : ndarray
        float32 [window, bins, track].
    """
    sequences, rates = [], []
    for _ in range(number):
        letters = np.array(list("ACGT"))[random.integers(0, 4, length)]
        slots = random.permutation(
            length // 64 - 1
        )  # no two motifs overlap, and each lies anywhere in its bin
        free = slots * 64 + random.integers(0, 64 - len(PROMOTER), len(slots))
        promoters = free[: int(random.integers(1, 4))].tolist()
        counts = {kind: int(random.integers(0, 4)) for kind in ELEMENTS}
        places = free[3 : 3 + sum(counts.values())].tolist()
        elements = {"blood": places[: counts["blood"]], "liver": places[counts["blood"] :]}
        for place in promoters:
            _plant(letters, PROMOTER, place, random)
        for kind, own in elements.items():
            for place in own:
                _plant(letters, ELEMENTS[kind][0], place, random)
        sequences.append("".join(letters))
        rates.append(_signal(promoters, elements, length // BIN))
    return sequences, random.poisson(np.stack(rates)).astype(np.float32)


@dataclass(frozen=True)
class PlantedEnhancers:
    """A chromosome with genes, elements of both cell types, and places where nothing is.

    Attributes
    ----------
    dna
        Letters of chromosome ``chr1``.
    genes
        ``gene``, ``symbol`` and ``site`` (0-based) of each.
    pairs
        With the columns of the CRISPR benchmark: an element of ``blood`` is regulated, one of ``liver`` and a place without any are
        not; ``kind`` says which it is.
    """

    dna: str
    genes: pd.DataFrame
    pairs: pd.DataFrame


def planted_enhancers(seed: int = 0, *, genes: int = 12, each: int = 2) -> PlantedEnhancers:
    """Plant genes 8 kb apart, each with elements of both kinds and as many empty places at like distances.

    Parameters
    ----------
    seed
        Seed; the same seed gives the same world.
    genes
        Number of genes.
    each
        Elements of each kind of a gene; twice as many places are empty.
    """
    random = random_generator(seed, "planted enhancers", VERSION)
    spacing = 2 * WINDOW
    letters = np.array(list("ACGT"))[random.integers(0, 4, spacing * (genes + 1))]
    gene_rows, pair_rows = [], []
    for number in range(genes):
        site = spacing * (number + 1)
        letters[site - 5 : site + 5] = list(PROMOTER)
        slots = np.r_[-7:-1, 2:8] * 250 + random.integers(-40, 40, 12)
        kinds = ["blood"] * each + ["liver"] * each + ["none"] * (2 * each)
        for offset, kind in zip(random.permutation(slots)[: len(kinds)].tolist(), kinds, strict=True):
            middle = site + offset
            if kind != "none":
                _plant(letters, ELEMENTS[kind][0], middle - 5, random)
            pair_rows.append(
                {
                    "chrom": "chr1",
                    "chromStart": middle - 100,
                    "chromEnd": middle + 100,
                    "name": f"PE{number}|{middle}",
                    "startTSS": site,
                    "endTSS": site + 1,
                    "measuredGeneSymbol": f"PE{number}",
                    "ValidConnection": "TRUE",
                    "CellType": "blood",
                    "Regulated": "TRUE" if kind == "blood" else "FALSE",
                    "distanceToTSS": abs(offset),
                    "kind": kind,
                }
            )
        gene_rows.append({"gene": f"PLANTED{number:04d}", "symbol": f"PE{number}", "site": site})
    return PlantedEnhancers("".join(letters), pd.DataFrame(gene_rows), pd.DataFrame(pair_rows))


def write_planted_enhancers(world: PlantedEnhancers, directory: str | Path) -> tuple[Path, Path, Path]:
    """Write ``genome.fa``, ``genes.gtf`` and ``pairs.tsv``.

    Returns
    -------
    fasta, annotation, pairs : Path
        The files.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    fasta, annotation, pairs = (directory / name for name in ("genome.fa", "genes.gtf", "pairs.tsv"))
    with atomic_path(fasta) as partial:
        partial.write_text(
            ">chr1\n" + "\n".join(world.dna[low : low + 80] for low in range(0, len(world.dna), 80)) + "\n"
        )
    lines = []
    for gene in world.genes.itertuples():
        names = f'gene_id "{gene.gene}"; gene_name "{gene.symbol}"; gene_type "protein_coding";'
        span = f"chr1\tplanted\t{{}}\t{gene.site + 1}\t{gene.site + 1000}\t.\t+\t."
        lines += [
            f"{span.format('gene')}\t{names}",
            f'{span.format("transcript")}\t{names} transcript_id "{gene.gene}-1";',
        ]
    with atomic_path(annotation) as partial:
        partial.write_text("\n".join(lines) + "\n")
    with atomic_path(pairs) as partial:
        world.pairs.to_csv(partial, sep="\t", index=False)
    return fasta, annotation, pairs
