"""DNA in which short motifs raise or lower signal where they stand, and variants that break or make them.

Each activator raises the signal of its own cell types in the bin of 128 bp in which its middle lies, the repressor lowers all signal
of its bin. Training sequences and test variants come from one rule, so what a variant does is known. Version 1; a change of the
generator changes the version.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.runtime import atomic_path, random_generator

VERSION = 1
BIN = 128
TRACKS = ("DNASE:planted blood", "CAGE:planted blood", "DNASE:planted liver", "CAGE:planted liver")
# motif, effect of a copy on each track: added to the signal of the bin
ACTIVATORS = {"blood": ("AGATAACGTG", (6.0, 3.0, 0.0, 0.0)), "liver": ("GTTAATCCAC", (0.0, 0.0, 6.0, 3.0))}
REPRESSOR = ("CCTGGAAGTC", 0.25)  # factor on the whole signal of the bin
BACKGROUND = 0.5
_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def reverse_complement_text(text: str) -> str:
    """Reverse and complement letters."""
    return text.translate(_COMPLEMENT)[::-1]


def planted_signal(dna: str) -> np.ndarray:
    """Give the signal of DNA by the rule, float32 [bins, track]; a copy counts on either strand.

    Parameters
    ----------
    dna
        Letters; a multiple of 128 bp.
    """
    signal = np.full((len(dna) // BIN, len(TRACKS)), BACKGROUND)
    for motif, effect in ACTIVATORS.values():
        for place in _copies(dna, motif):
            signal[place] += np.array(effect)
    for place in _copies(dna, REPRESSOR[0]):
        signal[place] *= REPRESSOR[1]
    return signal.astype(np.float32)


def _copies(dna: str, motif: str) -> list[int]:
    """Bins of the copies of a motif, by their middles."""
    found = []
    for text in {motif, reverse_complement_text(motif)}:
        start = dna.find(text)
        while start >= 0:
            found.append(min((start + len(text) // 2) // BIN, len(dna) // BIN - 1))
            start = dna.find(text, start + 1)
    return found


def random_planted_dna(random: np.random.Generator, length: int, motifs: float) -> str:
    """Make random DNA with motifs in it.

    Parameters
    ----------
    random
        Generator.
    length
        Base pairs.
    motifs
        Mean number of motifs in 1,000 bp.
    """
    letters = np.array(list("ACGT"))[random.integers(0, 4, length)]
    texts = [motif for motif, _ in ACTIVATORS.values()] + [REPRESSOR[0]]
    for _ in range(random.poisson(motifs * length / 1000)):
        text = texts[int(random.integers(len(texts)))]
        if random.random() < 0.5:
            text = reverse_complement_text(text)
        place = int(random.integers(0, length - len(text)))
        letters[place : place + len(text)] = list(text)
    return "".join(letters)


def training_batch(random: np.random.Generator, number: int, length: int) -> tuple[list[str], np.ndarray]:
    """Draw sequences and their signal with Poisson noise.

    Parameters
    ----------
    random
        Generator.
    number
        Sequences.
    length
        Base pairs of each.

    Returns
    -------
    sequences : list of str
        DNA.
    signal : ndarray
        float32 [sequence, bins, track].
    """
    sequences = [random_planted_dna(random, length, 10.0) for _ in range(number)]
    rate = np.stack([planted_signal(dna) for dna in sequences])
    return sequences, random.poisson(rate).astype(np.float32)


@dataclass(frozen=True)
class PlantedVariants:
    """A chromosome with motifs and substitutions of known effect.

    Attributes
    ----------
    dna
        Letters of chromosome ``chr1``.
    variants
        One row a variant: ``position`` (1-based), ``ref``, ``alt``, ``id``, ``causal`` and, by the rule, the change of the sum
        of each track, columns ``effect_0`` and so on.
    """

    dna: str
    variants: pd.DataFrame


def planted_variants(
    seed: int = 0, *, length: int = 60_000, causal: int = 60, neutral: int = 240
) -> PlantedVariants:
    """Plant motifs and draw substitutions: causal ones in the middle letters of a motif, neutral ones elsewhere.

    Parameters
    ----------
    seed
        Seed; the same seed gives the same world.
    length
        Base pairs of the chromosome, a multiple of 128 is cut from it.
    causal, neutral
        Number of variants of each kind.

    Raises
    ------
    InputError
        If the variants do not fit.
    """
    if min(causal, neutral) < 0 or (causal + neutral) * 60 > length:
        raise InputError(
            f"planted variants need 60 bp each. Given: {causal:,} causal and {neutral:,} neutral ones on {length:,} bp"
        )
    random = random_generator(seed, "planted variants", VERSION)
    dna = random_planted_dna(random, length // BIN * BIN, 6.0)
    rows: dict[int, dict[str, object]] = {}
    texts = [*(motif for motif, _ in ACTIVATORS.values()), REPRESSOR[0]]
    inside = [
        place + 3 + int(random.integers(4))
        for motif in texts
        for text in (motif, reverse_complement_text(motif))
        for place in _places(dna, text)
    ]
    random.shuffle(inside)
    wanted = {True: causal, False: neutral}
    candidates = [*inside, *random.integers(1000, len(dna) - 1000, 20 * (causal + neutral)).tolist()]
    for place in candidates:
        if place in rows or not any(wanted.values()):
            continue
        letter = "ACGT"[("ACGT".index(dna[place]) + int(random.integers(1, 4))) % 4]
        low = max(0, place // BIN - 1) * BIN
        part, high = dna[low : low + 4 * BIN], place - low
        effect = planted_signal(part[:high] + letter + part[high + 1 :]).sum(0) - planted_signal(part).sum(0)
        kind = bool(np.abs(effect).max() > 0)
        if not wanted[kind]:
            continue
        wanted[kind] -= 1
        rows[place] = {"position": place + 1, "ref": dna[place], "alt": letter, "causal": kind} | {
            f"effect_{track}": float(value) for track, value in enumerate(effect)
        }
    if any(wanted.values()):
        raise InputError(
            f"only {len(rows):,} variants fit on {len(dna):,} bp; give a longer chromosome or fewer variants"
        )
    frame = pd.DataFrame([rows[place] for place in sorted(rows)])
    frame.insert(3, "id", [f"planted{number}" for number in range(len(frame))])
    return PlantedVariants(dna, frame)


def _places(dna: str, text: str) -> list[int]:
    found, start = [], dna.find(text, 1000, len(dna) - 1000)
    while start >= 0:
        found.append(start)
        start = dna.find(text, start + 1, len(dna) - 1000)
    return found


def write_planted_variants(world: PlantedVariants, directory: str | Path) -> tuple[Path, Path]:
    """Write ``genome.fa`` and ``variants.vcf``.

    Returns
    -------
    fasta, variants : Path
        The files.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    fasta, vcf = directory / "genome.fa", directory / "variants.vcf"
    with atomic_path(fasta) as partial:
        partial.write_text(
            ">chr1\n" + "\n".join(world.dna[low : low + 80] for low in range(0, len(world.dna), 80)) + "\n"
        )
    lines = [
        "##fileformat=VCFv4.2",
        f"##contig=<ID=chr1,length={len(world.dna)}>",
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    ]
    lines += [
        f"chr1\t{row.position}\t{row.id}\t{row.ref}\t{row.alt}\t.\tPASS\t."
        for row in world.variants.itertuples()
    ]
    with atomic_path(vcf) as partial:
        partial.write_text("\n".join(lines) + "\n")
    return fasta, vcf
