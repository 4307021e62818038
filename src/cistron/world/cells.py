"""Planted cells: counts that follow from what genes are and what state a cell is in, with the ceiling known.

The logarithmic rate of gene g in cell c is ``b_g + L_g . s_c``. Mean ``b`` and loadings ``L`` have a part that is a function
of the gene's embedding and a part that is the gene's own, which no embedding tells. A perfect model knows the first part
for genes that were held out, and both for genes that were seen: these are the two ceilings.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from cistron.errors import InputError
from cistron.formats.anndata_files import write_anndata
from cistron.formats.gene_embedding import build_gene_embedding, write_gene_embedding
from cistron.methods import Count, NotNegative, Positive, Range, Share, check_settings
from cistron.runtime.files import atomic_directory
from cistron.runtime.seeds import random_generator

WORLD_VERSION = 1  # a change to what is planted raises this and is a line of the CHANGELOG


@dataclass(frozen=True)
class CellWorldSettings:
    """Size and noise of the planted cells.

    Attributes
    ----------
    genes, chromosomes
        Number of genes, dealt to that many chromosomes.
    cells, cell_types, donors
        Number of cells, and of the types and donors that they are dealt to.
    functions
        Latent functions of a gene that decide its mean and loadings.
    dimensions
        Columns of the gene embedding: the functions and nuisance, rotated.
    states
        Dimensions of a cell's state.
    counts_per_cell
        Mean library size.
    library_spread
        Standard deviation of its logarithm.
    own
        Share of the variance of means and loadings that is the gene's own.
    state_scale
        Standard deviation of the logarithmic rate over cells.
    mean_spread
        Standard deviation of the genes' logarithmic means.
    dispersion
        Of the negative binomial.
    families
        Share of genes in families of three, which share 70% of the variance of all that is theirs: held out one
        by one, a family leaks; held out whole, it does not.
    """

    genes: Count = 1200
    chromosomes: Count = 12
    cells: Count = 1600
    cell_types: Count = 8
    donors: Count = 8
    functions: Count = 8
    dimensions: Count = 32
    states: Count = 5
    counts_per_cell: Positive = 4000.0
    library_spread: NotNegative = 0.4
    own: Annotated[float, Range(0, 1, open_high=True)] = 0.4
    state_scale: NotNegative = 0.8
    mean_spread: NotNegative = 1.0
    dispersion: Positive = 0.2
    families: Share = 0.2

    def __post_init__(self) -> None:
        check_settings(self)
        if self.genes < 2 * self.chromosomes or self.cells < 2 * self.cell_types:
            raise InputError(
                "planted cells need 2 genes a chromosome and 2 cells a type at least. Given: "
                f"{self.genes} genes on {self.chromosomes} chromosomes, {self.cells} cells of {self.cell_types} types"
            )
        if self.dimensions < self.functions:
            raise InputError("dimensions must be at least functions")


@dataclass(frozen=True)
class CellWorld:
    """Planted cells and their truth.

    Attributes
    ----------
    cells
        AnnData: X int32 counts (sparse), ``obs`` cell_type, donor; ``var`` chromosome, start, family.
    embedding
        Gene embedding that tells the functions, all genes.
    logarithmic_rate
        True log rate up to a constant a cell, float32 [cell, gene]: the ceiling for seen genes.
    known_rate
        The part of it that the embedding tells: the ceiling for genes that were held out.
    settings, seed
        What made them.
    """

    cells: anndata.AnnData
    embedding: anndata.AnnData
    logarithmic_rate: np.ndarray
    known_rate: np.ndarray
    settings: CellWorldSettings
    seed: int


def _standardised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / values.std(axis=0)


def _with_families(values: np.ndarray, family: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Give the members of a family 70% of their variance in common."""
    shared = random.standard_normal((int(family.max()) + 1, values.shape[1]))
    _, place, size = np.unique(family, return_inverse=True, return_counts=True)
    together = (size[place] > 1)[:, None]
    return np.where(together, np.sqrt(0.7) * shared[family] + np.sqrt(0.3) * values, values)


def _plant_genes(
    settings: CellWorldSettings, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give embedding [gene, dimension], known and own parts of mean and loadings [gene, 1 + state], family [gene]."""
    genes, width = settings.genes, 1 + settings.states
    in_families = int(settings.families * genes) // 3 * 3
    family = np.r_[
        np.repeat(np.arange(in_families // 3), 3), np.arange(genes - in_families) + in_families // 3
    ]
    family = family[random.permutation(genes)]
    latent = _with_families(random.standard_normal((genes, settings.dimensions)), family, random)
    functions = latent[:, : settings.functions]
    rotation = np.linalg.qr(random.standard_normal((settings.dimensions, settings.dimensions)))[0]
    linear = random.standard_normal((settings.functions, width))
    curved = random.standard_normal((settings.functions, width))
    known = _standardised(functions @ linear) + 0.5 * _standardised(np.tanh(functions @ curved))
    own = _with_families(random.standard_normal((genes, width)), family, random)
    known = np.sqrt(1 - settings.own) * _standardised(known)
    return latent @ rotation, known, np.sqrt(settings.own) * _standardised(own), family


def _plant_states(
    settings: CellWorldSettings, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give state [cell, state] of unit variance, type [cell] and donor [cell]."""
    cell_type = random.permutation(np.arange(settings.cells) % settings.cell_types)
    donor = random.permutation(np.arange(settings.cells) % settings.donors)
    centres = random.standard_normal((settings.cell_types, settings.states))
    shifts = random.normal(0, 0.25, (settings.donors, settings.states))
    within = random.normal(0, 0.5, (settings.cells, settings.states))
    return _standardised(centres[cell_type] + shifts[donor] + within), cell_type, donor


def cell_world(settings: CellWorldSettings | None = None, *, seed: int = 0) -> CellWorld:
    """Plant genes and cells and draw counts.

    Parameters
    ----------
    settings
        Size and noise.
    seed
        Below 1000 for development, from 1000 on for figures.
    """
    settings = settings or CellWorldSettings()
    random = random_generator(seed, "cell world", WORLD_VERSION)
    features, known, own, family = _plant_genes(settings, random)
    state, cell_type, donor = _plant_states(settings, random)
    scale = np.r_[settings.mean_spread, np.full(settings.states, settings.state_scale / settings.states**0.5)]
    weights = np.column_stack([np.ones(settings.cells), state])  # (cells, 1 + states)
    known_rate = weights @ (known * scale).T
    rate = weights @ ((known + own) * scale).T
    share = np.exp(rate)
    share /= share.sum(axis=1, keepdims=True)
    library = settings.counts_per_cell * np.exp(
        random.normal(0, settings.library_spread, (settings.cells, 1))
    )
    shape = 1 / settings.dispersion
    counts = random.poisson(random.gamma(shape, library * share / shape))
    numbers = random.permutation(settings.genes)
    genes = [f"ENSG{800_000_000 + number:011d}" for number in numbers]
    chromosome = np.sort(random.integers(1, settings.chromosomes + 1, settings.genes))
    table = pd.DataFrame(
        {
            "chromosome": chromosome.astype(str),
            "start": np.arange(settings.genes) * 100_000,
            "family": [f"family{number:04d}" for number in family],
        },
        index=pd.Index(genes, name="gene"),
    )
    observations = pd.DataFrame(
        {
            "cell_type": pd.Categorical([f"type {number}" for number in cell_type]),
            "donor": pd.Categorical([f"donor {number}" for number in donor]),
        },
        index=pd.Index([f"cell{number:06d}" for number in range(settings.cells)], name="cell"),
    )
    cells = anndata.AnnData(sparse.csr_matrix(counts.astype(np.int32)), obs=observations, var=table)
    embedding = build_gene_embedding(
        features,
        genes,
        name="planted functions",
        method="planted",
        evidence="dna",
        licence="CC0-1.0",
        seed=seed,
        parameters={"world_version": WORLD_VERSION},
    )
    return CellWorld(cells, embedding, rate.astype(np.float32), known_rate.astype(np.float32), settings, seed)


def write_cell_world(world: CellWorld, directory: str | Path) -> dict[str, Path]:
    """Write ``cells.h5ad`` and ``embedding.h5ad`` into ``directory``, whole or not at all, and give their paths."""
    with atomic_directory(directory) as partial:
        write_anndata(world.cells, partial / "cells.h5ad")
        write_gene_embedding(world.embedding, partial / "embedding.h5ad")
    return {name: Path(directory) / f"{name}.h5ad" for name in ("cells", "embedding")}
