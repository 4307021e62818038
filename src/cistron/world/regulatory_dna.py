"""Planted regulatory DNA: blocks of sequence whose tracks follow from motifs, a spacing rule and distal enhancers, with Poisson noise.

Each block is one sequence. Promoters lie at one end of it and enhancers more than 10 kb away at the other. An enhancer is a pair of motifs
at a fixed distance; the same pair at another distance is a decoy and does nothing. Enhancers of kind A raise the promoters of their block in
cell type A, those of kind B in cell type B. How strongly a promoter is active by itself follows from the activator motifs beside it, and on which strand
from the direction of its own motif. Version 1; a change of the generator changes the version.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.methods import Count, Positive, check_settings
from cistron.runtime import atomic_path, random_generator

VERSION = 1
BIN = 128
PROMOTER = "TATAAAAGGC"
ACTIVATOR = "GGGCGGAGCC"
PAIRS = {"A": ("TGACTCAGCT", "AGATAAGACT"), "B": ("CCACGTGACC", "ATTTGCGCAA")}
SPACING, DECOY_SPACING = 10, 27  # base pairs between the two motifs of an enhancer, and of a decoy
TRACKS = ("DNASE:planted", "CAGE:planted A +", "CAGE:planted A -", "CAGE:planted B +", "CAGE:planted B -")
STRAND_PAIRS = (0, 2, 1, 4, 3)
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class RegulatoryWorldSettings:
    """Size and strength of planted regulatory DNA.

    Parameters
    ----------
    blocks
        Blocks, each a sequence; one in eight is for validation and one in eight for the test.
    block_length
        Base pairs of a block, a multiple of 128 and at least 20,480, so that enhancers are more than 10 kb away.
    background, accessibility, expression
        Expected counts of a bin without elements, of an accessible element, and of a promoter with one activator and no enhancer.
    gain
        Share by which an enhancer raises a promoter.
    """

    blocks: Count = 256
    block_length: Count = 20_480
    background: Positive = 0.2
    accessibility: Positive = 20.0
    expression: Positive = 5.0
    gain: Positive = 2.0

    def __post_init__(self) -> None:
        check_settings(self)
        if self.block_length % BIN or self.block_length < 20_480 or self.blocks < 8:
            raise InputError(
                "planted regulatory DNA needs 8 blocks or more, of 20,480 bp or more and a multiple of 128. "
                f"Given: {self.blocks:,} of {self.block_length:,} bp"
            )


@dataclass(frozen=True)
class RegulatoryWorld:
    """Blocks of DNA and what was planted in them.

    Attributes
    ----------
    codes
        uint8 [block, base pair]: 0 to 3 are A, C, G, T.
    rates
        float32 [block, track, bin]: expected counts, which no model can predict better than.
    counts
        float32 [block, track, bin]: Poisson counts.
    folds
        ``train``, ``valid`` or ``test`` of each block.
    elements
        One row an element: ``block``, ``kind`` (promoter, A, B, decoy A, decoy B), ``position`` (middle, 0-based in the block),
        ``strand``, ``activators``.
    settings
        Settings.
    """

    codes: np.ndarray
    rates: np.ndarray
    counts: np.ndarray
    folds: np.ndarray
    elements: pd.DataFrame
    settings: RegulatoryWorldSettings

    def ceiling(self, fold: str = "test") -> np.ndarray:
        """Pearson of expected and noisy counts over bins and sequences of a fold, float64 [track]."""
        chosen = self.folds == fold
        rates, counts = (
            values[chosen].transpose(1, 0, 2).reshape(len(TRACKS), -1) for values in (self.rates, self.counts)
        )
        return np.array([np.corrcoef(rate, count)[0, 1] for rate, count in zip(rates, counts)])


def regulatory_world(settings: RegulatoryWorldSettings | None = None, seed: int = 0) -> RegulatoryWorld:
    """Make planted regulatory DNA.

    Parameters
    ----------
    settings
        Size and strength.
    seed
        Seed; the same seed gives the same world.
    """
    settings = settings or RegulatoryWorldSettings()
    random = random_generator(seed, "regulatory DNA", VERSION)
    length, bins = settings.block_length, settings.block_length // BIN
    codes = random.integers(0, 4, (settings.blocks, length), dtype=np.uint8)
    rates = np.full((settings.blocks, len(TRACKS), bins), settings.background, np.float64)
    rows = []
    for block in range(settings.blocks):
        found = _elements(random, length)
        if random.random() < 0.5:  # the other way round
            found = [
                (kind, length - 1 - place, "-" if strand == "+" else "+", copies)
                for kind, place, strand, copies in found
            ]
        rows += [(block, *element) for element in found]
        for kind, place, strand, copies in found:
            _write(codes[block], kind, place, strand, copies)
        _add_rates(rates[block], found, settings)
    counts = random.poisson(rates).astype(np.float32)
    folds = np.array(["train"] * settings.blocks, dtype="<U5")
    order = random.permutation(settings.blocks)
    held_out = settings.blocks // 8
    folds[order[:held_out]], folds[order[held_out : 2 * held_out]] = "valid", "test"
    elements = pd.DataFrame(rows, columns=["block", "kind", "position", "strand", "activators"])
    return RegulatoryWorld(codes, rates.astype(np.float32), counts, folds, elements, settings)


def _elements(random: np.random.Generator, length: int) -> list[tuple[str, int, str, int]]:
    """Promoters in the first 3.8 kb, enhancers and decoys in the last 5.5 kb of a block, each in a slot of its own."""
    found = []
    for slot in range(3):
        if random.random() < 0.8:
            place = 500 + 1150 * slot + int(random.integers(0, 700))
            found.append(("promoter", place, _strand(random), int(random.integers(1, 4))))
    for slot in range(5):
        place = length - 5600 + 1050 * slot + int(random.integers(0, 700))
        kind = random.choice(["A", "B", "decoy A", "decoy B", ""], p=[0.25, 0.25, 0.15, 0.15, 0.2])
        if kind:
            found.append((str(kind), place, _strand(random), 0))
    return found


def _strand(random: np.random.Generator) -> str:
    return "+" if random.random() < 0.5 else "-"


def element_text(kind: str, activators: int = 0) -> str:
    """Motifs of an element on its strand; ``.`` is a base pair that stays as it is.

    Parameters
    ----------
    kind
        ``promoter``, ``A``, ``B``, ``decoy A`` or ``decoy B``.
    activators
        Copies of the activator upstream of a promoter.
    """
    if kind == "promoter":
        return (ACTIVATOR + "......") * activators + "......" + PROMOTER
    first, second = PAIRS[kind[-1]]
    return first + "." * (DECOY_SPACING if kind.startswith("decoy") else SPACING) + second


def _write(codes: np.ndarray, kind: str, place: int, strand: str, activators: int) -> None:
    text = element_text(kind, activators)
    if strand == "-":
        text = text.translate(_COMPLEMENT)[::-1]
    start = place - len(text) // 2
    for offset, letter in enumerate(text):
        if letter != ".":
            codes[start + offset] = "ACGT".index(letter)


def _add_rates(
    rates: np.ndarray, elements: list[tuple[str, int, str, int]], settings: RegulatoryWorldSettings
) -> None:
    """Add the expected counts of the elements of a block to [track, bin]; neighbours of a bin get a quarter."""

    def add(track: int, place: int, value: float) -> None:
        middle = place // BIN
        for number, share in ((middle, 1.0), (middle - 1, 0.25), (middle + 1, 0.25)):
            if 0 <= number < rates.shape[1]:
                rates[track, number] += share * value

    enhancers = {cell: sum(kind == cell for kind, *_ in elements) for cell in PAIRS}
    for kind, place, strand, activators in elements:
        if kind == "promoter":
            add(0, place, settings.accessibility)
            for number, cell in enumerate(PAIRS):
                level = settings.expression * activators * (1 + settings.gain * enhancers[cell])
                add(1 + 2 * number + (strand == "-"), place, level)
        elif not kind.startswith("decoy"):
            add(0, place, settings.accessibility)


def write_regulatory_world(world: RegulatoryWorld, directory: str | Path) -> dict[str, Path]:
    """Write a world as the files that ``cistron sequence data`` reads: FASTA, BED with folds, bigWigs, targets table, elements.

    Parameters
    ----------
    world
        World.
    directory
        Folder.

    Returns
    -------
    dict
        ``genome``, ``folds``, ``targets``, ``elements``.
    """
    import pybigtools

    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    length = world.settings.block_length
    letters = np.array(list("ACGT"))
    with atomic_path(directory / "genome.fa") as partial, partial.open("w") as handle:
        for block, codes in enumerate(world.codes):
            handle.write(f">block{block}\n{''.join(letters[codes])}\n")
    with atomic_path(directory / "folds.bed") as partial:
        rows = (f"block{block}\t0\t{length}\t{fold}\n" for block, fold in enumerate(world.folds))
        partial.write_text("".join(rows))
    lengths = {f"block{block}": length for block in range(len(world.codes))}
    lines = ["identifier\tfile\tclip\tscale\tsum_stat\tstrand_pair\tdescription\n"]
    for track, (name, partner) in enumerate(zip(TRACKS, STRAND_PAIRS)):
        intervals = [
            (f"block{block}", place * BIN, place * BIN + BIN, float(world.counts[block, track, place]))
            for block in sorted(range(len(world.codes)), key=lambda block: f"block{block}")
            for place in range(length // BIN)
        ]
        path = directory / f"track{track}.bw"
        with atomic_path(path) as partial:
            pybigtools.open(str(partial), "w").write(dict(sorted(lengths.items())), iter(intervals))
        lines.append(f"planted{track}\t{path.name}\t1000\t1\tmean\t{partner}\t{name}\n")
    for name, text in (("targets.txt", "".join(lines)),):
        with atomic_path(directory / name) as partial:
            partial.write_text(text)
    with atomic_path(directory / "elements.tsv") as partial:
        world.elements.to_csv(partial, sep="\t", index=False)
    return {
        name: directory / file
        for name, file in (
            ("genome", "genome.fa"),
            ("folds", "folds.bed"),
            ("targets", "targets.txt"),
            ("elements", "elements.tsv"),
        )
    }
