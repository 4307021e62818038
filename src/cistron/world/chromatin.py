"""Planted histone marks with known rules: which mark, where and with which sign sets the expression of a gene.

Fixed before the methods: a change of parameters or code here raises ``VERSION`` and is a CHANGELOG line.
Development seeds are below 1000; figures are quoted on seeds from 1000 on, which no method was tuned on.

The expression of gene g in cell type c is

    y = softplus(base_g + sum_r strength_r a_r(W_gc) (1 - specific_r mean_c a_r(W_gc)) + noise),
    a_r(W) = tanh(mean of mark r in its window / scale_r),

with W = log1p of the signal in bins of 100 bp. A *specific* rule is an enhancer that counts the less the more cell types
use it, which cannot be seen from one cell type alone. Marks also stand where no rule looks (flanks, decoys), and follow
how active a gene is, so that being correlated with expression and setting it are two things.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.methods import Count, NotNegative, Range, check_settings
from cistron.runtime.files import atomic_directory
from cistron.runtime.seeds import random_generator

VERSION = 1
BUILD = "planted"
MARKS = ("H3K36me3", "H3K27me3", "H3K27ac", "H3K4me1", "H3K4me3", "H3K9me3")
BINS, BIN_SIZE = 200, 100
SPACING = 25_000  # base pairs between start sites of neighbours, more than a window


@dataclass(frozen=True)
class Rule:
    """What one mark does in one place.

    Attributes
    ----------
    mark
        Name of the mark.
    start, end
        Window in base pairs from the start site, in the direction of transcription, half-open.
    strength
        Largest change of log1p expression before the softplus; negative where the mark lowers expression.
    scale
        Mean of log1p signal in the window at which the effect saturates.
    specific
        Whether the effect fades with the share of cell types that have it.
    """

    mark: str
    start: int
    end: int
    strength: float
    scale: float
    specific: bool = False

    @property
    def bins(self) -> slice:
        """Bins of the window."""
        middle = BINS * BIN_SIZE // 2
        return slice((self.start + middle) // BIN_SIZE, (self.end + middle) // BIN_SIZE)


RULES = (
    Rule("H3K4me3", -500, 500, 1.2, 1.5),
    Rule("H3K27ac", -500, 500, 1.2, 1.5),
    Rule("H3K36me3", 4000, 9000, 1.5, 1.0),
    Rule("H3K27me3", -1500, 1500, -1.5, 1.0),
    Rule("H3K9me3", 1000, 6000, -1.2, 1.0),
    Rule("H3K4me1", -500, 500, -0.8, 1.5),
    Rule("H3K27ac", -7000, -6000, 2.0, 1.5, specific=True),
)
# Where peaks stand: mark, centre, width (bp), how often at mean activity (log-odds), how much activity changes that.
_SITES = (
    ("H3K4me3", 0, 1400, 0.5, 1.5),
    ("H3K27ac", 0, 1200, 0.0, 1.5),
    ("H3K4me1", 0, 1000, -1.0, -0.7),
    ("H3K4me1", -2200, 1400, -0.3, 0.8),
    ("H3K4me1", 2200, 1400, -0.3, 0.8),
    ("H3K36me3", 6500, 5000, -0.3, 1.2),
    ("H3K27me3", 0, 3600, -1.0, -1.2),
    ("H3K9me3", 3500, 5000, -1.5, -0.8),
)
_ENHANCER = ("H3K27ac", -6500, 1200)


@dataclass(frozen=True)
class ChromatinWorldSettings:
    """Size and noise of the planted marks.

    Attributes
    ----------
    genes, cell_types, chromosomes
        How many; genes are dealt to the chromosomes in turn.
    missing
        Share of tracks (cell type x mark) that were not measured; no mark and no cell type is without any.
    gene_deviation
        Standard deviation of what a gene has of its own, in all cell types alike.
    noise
        Standard deviation of what no mark explains, gene by cell type.
    """

    genes: Count = 2200
    cell_types: Count = 6
    chromosomes: Count = 22
    missing: Annotated[float, Range(0, 1, open_high=True)] = 0.06
    gene_deviation: NotNegative = 0.4
    noise: NotNegative = 0.25

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class ChromatinWorld:
    """Planted marks and the expression that they set.

    Attributes
    ----------
    values
        log1p signal, float32 [gene, cell type, mark, bin], in the direction of transcription.
    measured
        bool [cell type, mark].
    expression
        log1p TPM, float32 [gene, cell type].
    base
        What each gene has of its own, float64 [gene].
    genes
        ``gene``, ``chromosome``, ``position`` (0-based start site), ``strand``.
    cell_types
        Their names.
    settings, seed
        What made them.
    """

    values: np.ndarray
    measured: np.ndarray
    expression: np.ndarray
    base: np.ndarray
    genes: pd.DataFrame
    cell_types: tuple[str, ...]
    settings: ChromatinWorldSettings
    seed: int

    def true_expression(self, values: np.ndarray, genes: np.ndarray) -> np.ndarray:
        """Give the expression that the rules set for other marks of some genes, without noise.

        Parameters
        ----------
        values
            log1p signal, float [gene, cell type, mark, bin].
        genes
            Numbers of the genes, int [gene].

        Returns
        -------
        ndarray
            log1p TPM, float64 [gene, cell type].
        """
        return softplus(self.base[genes, None] + rule_effects(values))


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), without overflow."""
    return np.logaddexp(0.0, x)


def rule_effects(values: np.ndarray, rules: tuple[Rule, ...] = RULES) -> np.ndarray:
    """Sum what the rules do, before the softplus: float64 [gene, cell type] of float [gene, cell type, mark, bin]."""
    total = np.zeros(values.shape[:2])
    for rule in rules:
        signal = values[:, :, MARKS.index(rule.mark), rule.bins].mean(axis=-1, dtype=np.float64)
        active = np.tanh(signal / rule.scale)
        fading = 1.0 - active.mean(axis=1, keepdims=True) if rule.specific else 1.0
        total += rule.strength * active * fading
    return total


def chromatin_world(settings: ChromatinWorldSettings | None = None, *, seed: int = 0) -> ChromatinWorld:
    """Plant marks and expression.

    Parameters
    ----------
    settings
        Size and noise.
    seed
        Below 1000 for development, from 1000 on for figures.

    Raises
    ------
    InputError
        If there is not a gene for each chromosome.
    """
    settings = settings or ChromatinWorldSettings()
    if settings.genes < settings.chromosomes or settings.cell_types < 1:
        raise InputError(
            f"planted marks need a gene for each of {settings.chromosomes} chromosomes and a cell type. "
            f"Given: {settings.genes} genes, {settings.cell_types} cell types"
        )
    random = random_generator(seed, "chromatin world", VERSION)
    signal = _signal(settings, random)
    values = np.log1p(signal, out=signal)
    base = 1.5 + random.normal(0, settings.gene_deviation, settings.genes)
    noise = random.normal(0, settings.noise, values.shape[:2])
    expression = softplus(base[:, None] + rule_effects(values) + noise).astype(np.float32)
    number = np.arange(settings.genes)
    genes = pd.DataFrame(
        {
            "gene": [f"PLANTED{n:05d}" for n in number],
            "chromosome": [f"chr{n % settings.chromosomes + 1}" for n in number],
            "position": SPACING // 2 + SPACING * (number // settings.chromosomes),
            "strand": np.where(random.random(settings.genes) < 0.5, "+", "-"),
        }
    )
    names = tuple(f"cell_type_{n + 1}" for n in range(settings.cell_types))
    measured = _measured(settings, random)
    return ChromatinWorld(values, measured, expression, base, genes, names, settings, seed)


def _signal(settings: ChromatinWorldSettings, random: np.random.Generator) -> np.ndarray:
    """Signal before the logarithm, float32 [gene, cell type, mark, bin]."""
    shape = (settings.genes, settings.cell_types)
    signal = random.gamma(1.0, 0.25, (*shape, len(MARKS), BINS)).astype(np.float32)
    activity = np.sqrt(0.6) * random.normal(size=(shape[0], 1)) + np.sqrt(0.4) * random.normal(size=shape)
    for mark, centre, width, odds, slope in _SITES:
        present = random.random(shape) < 1 / (1 + np.exp(-(odds + slope * activity)))
        _add_peaks(signal, mark, centre, width, present, random)
    # an enhancer is used in a share of the cell types that is the gene's own, from hardly any to all
    usage = random.beta(0.8, 0.8, (shape[0], 1)) * (random.random((shape[0], 1)) < 0.75)
    _add_peaks(signal, *_ENHANCER, random.random(shape) < usage, random)
    for mark in MARKS:  # decoys, anywhere, in some of the cell types
        decoy = random.uniform(-9500, 9500, (shape[0], 1))
        present = random.random(shape) < random.beta(0.8, 0.8, (shape[0], 1))
        _add_peaks(signal, mark, decoy, 1200, present, random)
    return signal


def _add_peaks(
    signal: np.ndarray,
    mark: str,
    centre: float | np.ndarray,
    width: float,
    present: np.ndarray,
    random: np.random.Generator,
) -> None:
    """Add a flat peak with sloping shoulders, its place and width jittered by gene and cell type."""
    shape = present.shape
    place = centre + random.normal(0, 120, shape)
    half = 0.5 * width * np.exp(random.normal(0, 0.15, shape))
    height = random.gamma(3.0, 7.0, shape) * present
    bins = (np.arange(BINS) - BINS / 2 + 0.5) * BIN_SIZE
    distance = np.abs(bins - place[:, :, None])
    profile = np.clip((half[:, :, None] - distance) / 300 + 0.5, 0, 1)
    signal[:, :, MARKS.index(mark)] += (height[:, :, None] * profile).astype(np.float32)


def _measured(settings: ChromatinWorldSettings, random: np.random.Generator) -> np.ndarray:
    """Choose the tracks that exist; each cell type lacks one mark at most, each mark stays in half of the cell types."""
    measured = np.ones((settings.cell_types, len(MARKS)), bool)
    wanted = round(settings.missing * measured.size)
    for cell_type in random.permutation(settings.cell_types)[:wanted]:
        mark = int(random.integers(len(MARKS)))
        if (~measured[:, mark]).sum() + 1 <= settings.cell_types // 2:
            measured[cell_type, mark] = False
    return measured


def write_binned(world: ChromatinWorld, directory: str | Path) -> dict[str, Path]:
    """Write ``marks.npz`` (already binned), ``genes.tsv`` and ``expression.tsv`` (TPM), whole or not at all."""
    with atomic_directory(directory) as partial:
        np.savez(
            partial / "marks.npz",
            values=world.values,
            genes=world.genes["gene"].to_numpy(str),
            cell_types=np.array(world.cell_types),
            marks=np.array(MARKS),
            measured=world.measured,
        )
        _write_tables(world, partial)
    return {
        name.split(".")[0]: Path(directory) / name for name in ("marks.npz", "genes.tsv", "expression.tsv")
    }


def _write_tables(world: ChromatinWorld, directory: Path) -> None:
    world.genes.to_csv(directory / "genes.tsv", sep="\t", index=False)
    tpm = pd.DataFrame(np.expm1(world.expression), index=world.genes["gene"], columns=world.cell_types)
    tpm.to_csv(directory / "expression.tsv", sep="\t", float_format="%.5g")


def write_bigwigs(world: ChromatinWorld, directory: str | Path) -> dict[str, Path]:
    """Write one bigWig a measured track, ``tracks.tsv``, ``genes.tsv`` and ``expression.tsv``, as a user has them.

    Signal is written before the logarithm, in genome orientation; base pairs away from genes are not covered.
    """
    import pybigtools

    chromosomes: Mapping[str, int] = {
        str(name): int(part["position"].max()) + SPACING // 2
        for name, part in sorted(world.genes.groupby("chromosome"), key=lambda item: str(item[0]))
    }
    order = world.genes.sort_values(["chromosome", "position"]).index
    rows = []
    with atomic_directory(directory) as partial:
        for c, m in np.argwhere(world.measured):
            name = f"{world.cell_types[c]}.{MARKS[m]}.bw"
            intervals = (
                (str(gene.chromosome), start, start + BIN_SIZE, value)
                for gene in world.genes.loc[order].itertuples()
                for start, value in _genomic(world, gene, c, m)
            )
            pybigtools.open(str(partial / name), "w").write(dict(chromosomes), intervals)
            rows.append(
                {"cell_type": world.cell_types[c], "mark": MARKS[m], "path": name, "kind": "measured"}
            )
        pd.DataFrame(rows).to_csv(partial / "tracks.tsv", sep="\t", index=False)
        _write_tables(world, partial)
    return {
        name.split(".")[0]: Path(directory) / name for name in ("tracks.tsv", "genes.tsv", "expression.tsv")
    }


def _genomic(world: ChromatinWorld, gene: Any, cell_type: int, mark: int) -> Iterator[tuple[int, float]]:
    """Bins of one gene from left to right: their starts and signal."""
    signal = np.expm1(world.values[gene.Index, cell_type, mark])
    if gene.strand == "-":
        signal = signal[::-1]
    left = window_start(gene.position, gene.strand, BINS * BIN_SIZE)
    return zip((left + BIN_SIZE * np.arange(BINS)).tolist(), signal.tolist())


def window_start(position: int, strand: str, length: int) -> int:
    """Left end of a window whose second half begins at the start site, in the direction of transcription.

    Parameters
    ----------
    position
        Start site, 0-based.
    strand
        ``+`` or ``-``.
    length
        Base pairs of the window, even.
    """
    return position - length // 2 + (1 if strand == "-" else 0)
