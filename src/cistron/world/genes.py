"""The planted genes: where they lie, what they do, how their neighbours' statistics correlate."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from scipy import sparse

from cistron.errors import InputError
from cistron.methods import Count, Range, Share, check_settings
from cistron.runtime.seeds import random_generator

GENERATOR_VERSION = 1  # a change to what is planted raises this and is a line of the CHANGELOG
GENOME_BUILD = "planted"


@dataclass(frozen=True)
class WorldSettings:
    """Size and shape of the planted world.

    Attributes
    ----------
    genes
        Number of genes.
    chromosomes
        Number of chromosomes, named 1, 2, ...; their sizes fall as those of human autosomes do.
    functions
        Number of latent functions.
    paralogues
        Share of genes whose functions are half those of the gene before them on the chromosome.
    correlation
        Correlation of the statistics of adjacent genes 50 kb apart; it falls exponentially with distance.
    """

    genes: Count = 3000
    chromosomes: Annotated[int, Range(2)] = 22
    functions: Count = 12
    paralogues: Share = 0.1
    correlation: Annotated[float, Range(0, 1, open_high=True)] = 0.6

    def __post_init__(self) -> None:
        check_settings(self)
        if self.genes < 10 * self.chromosomes:
            raise InputError(
                "a planted world needs at least 2 chromosomes and 10 genes on each. "
                f"Given: {self.genes} genes on {self.chromosomes} chromosomes"
            )


@dataclass(frozen=True)
class PlantedGenes:
    """Genes with the truth about them.

    Attributes
    ----------
    table
        Columns ``gene`` (Ensembl-like id), ``symbol``, ``entrez``, ``chromosome``, ``start``, ``end`` (0-based,
        half-open), ``strand``, ``level`` (mean log2 expression); sorted by chromosome and start.
    functions
        What each gene does, float64 [gene, function], columns of mean 0 and variance 1.
    correlations
        Correlation of the statistics of genes, sparse float64 [gene, gene], block-diagonal by chromosome,
        positive definite.
    settings, seed
        What it was made with.
    """

    table: pd.DataFrame
    functions: np.ndarray
    correlations: sparse.csr_array
    settings: WorldSettings
    seed: int


def plant_genes(settings: WorldSettings | None = None, seed: int = 0) -> PlantedGenes:
    """Plant genes on chromosomes with latent functions and linkage.

    Parameters
    ----------
    settings
        Size and shape of the world.
    seed
        Seed of the world.

    Returns
    -------
    PlantedGenes
        The genes with the truth about them.
    """
    settings = settings or WorldSettings()
    generator = random_generator(seed, "world", "genes", GENERATOR_VERSION)
    share = np.linspace(5.0, 1.0, settings.chromosomes)
    sizes = np.maximum(8, np.floor(share / share.sum() * settings.genes)).astype(int)
    sizes[0] += settings.genes - sizes.sum()
    parts = []
    for number, size in enumerate(sizes, 1):
        gaps = generator.gamma(2.0, 25_000.0, size)
        lengths = np.round(generator.lognormal(10.0, 0.8, size)).astype(np.int64) + 500
        start = 100_000 + np.cumsum(np.round(gaps).astype(np.int64) + np.r_[0, lengths[:-1]])
        strand = np.where(generator.random(size) < 0.5, "+", "-")
        parts.append(
            pd.DataFrame(
                {"chromosome": str(number), "start": start, "end": start + lengths, "strand": strand}
            )
        )
    table = pd.concat(parts, ignore_index=True)
    # Identifiers follow a random order, so that no number tells where a gene lies.
    numbers = generator.permutation(len(table)) + 1
    table.insert(0, "gene", [f"ENSG{900_000_000 + number:011d}" for number in numbers])
    table.insert(1, "symbol", [f"CIS{number}" for number in numbers])
    table.insert(2, "entrez", [str(900_000_000 + number) for number in numbers])
    functions = generator.standard_normal((len(table), settings.functions))
    first = np.r_[True, table["chromosome"].to_numpy()[1:] != table["chromosome"].to_numpy()[:-1]]
    for row in np.flatnonzero((generator.random(len(table)) < settings.paralogues) & ~first):
        functions[row] = np.sqrt(0.5) * (functions[row - 1] + functions[row])
    functions = (functions - functions.mean(axis=0)) / functions.std(axis=0)
    table["level"] = np.clip(generator.normal(3.0, 1.5, len(table)), 0.0, 9.0)
    return PlantedGenes(table, functions, linkage_of(table, settings.correlation), settings, seed)


def linkage_of(table: pd.DataFrame, correlation: float) -> sparse.csr_array:
    """Correlation exp(-distance / scale) between gene middles, positive definite on a line (Ornstein-Uhlenbeck).

    Parameters
    ----------
    table
        Columns ``chromosome``, ``start``, ``end``; genes of a chromosome together.
    correlation
        That of genes 50 kb apart.

    Returns
    -------
    csr_array
        float64 [gene, gene].
    """
    middle = (table["start"] + table["end"]).to_numpy() / 2
    blocks = []
    for rows in table.groupby("chromosome", sort=False).indices.values():
        if correlation == 0:
            blocks.append(sparse.eye_array(len(rows)))
            continue
        scale = -50_000.0 / np.log(correlation)
        block = np.exp(-np.abs(middle[rows][:, None] - middle[rows][None, :]) / scale)
        block[block < 0.01] = 0.0  # as MAGMA does, correlations that are as good as none are not kept
        blocks.append(sparse.csr_array(block))
    return sparse.csr_array(sparse.block_diag(blocks))
