"""Planted omics matrices: each sees part of what the genes do."""

from dataclasses import dataclass

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.runtime.seeds import random_generator
from cistron.world.genes import GENERATOR_VERSION, PlantedGenes


@dataclass(frozen=True)
class PlantedAssay:
    """What an assay measures.

    Attributes
    ----------
    samples
        Number of samples (columns).
    sees
        First and one past the last of the functions that it sees; an empty range sees none.
    noise
        Standard deviation of the noise in log2 units; the functions that are seen together have about 1.
    missing
        Share of genes that it does not measure.
    """

    samples: int
    sees: tuple[int, int]
    noise: float = 1.0
    missing: float = 0.05


ASSAYS = {
    "tissues": PlantedAssay(samples=60, sees=(0, 8)),
    "cell_lines": PlantedAssay(samples=40, sees=(4, 12), noise=1.5),
    "noise": PlantedAssay(samples=40, sees=(0, 0)),
}


def plant_omics(genes: PlantedGenes, assay: str = "tissues") -> anndata.AnnData:
    """Plant an expression matrix in TPM.

    log2(TPM + 1) of a gene in a sample is its level, plus its functions times what the sample asks of them,
    plus noise.

    Parameters
    ----------
    genes
        The planted genes.
    assay
        Name of an assay of :data:`ASSAYS`.

    Returns
    -------
    AnnData
        ``obs`` = genes, ``var`` = samples, ``X`` float32 TPM [gene, sample];
        ``varm["demands"]`` [sample, function] is what the samples ask of the functions.

    Raises
    ------
    InputError
        If the assay is unknown.
    """
    if assay not in ASSAYS:
        raise InputError(f"the planted world has no assay {assay!r}; it has {', '.join(ASSAYS)}")
    settings = ASSAYS[assay]
    generator = random_generator(genes.seed, "world", "omics", assay, GENERATOR_VERSION)
    demands = np.zeros((settings.samples, genes.functions.shape[1]))
    first, last = settings.sees
    seen = max(0, min(last, demands.shape[1]) - first)
    if seen:
        demands[:, first : first + seen] = generator.standard_normal((settings.samples, seen)) / np.sqrt(seen)
    depth = generator.normal(0.0, 0.2, settings.samples)
    logarithm = genes.table["level"].to_numpy()[:, None] + depth + genes.functions @ demands.T
    logarithm = logarithm + settings.noise * generator.standard_normal(logarithm.shape)
    expression = np.exp2(np.maximum(logarithm, 0.0)) - 1.0
    kept = np.sort(generator.permutation(len(expression))[round(settings.missing * len(expression)) :])
    matrix = anndata.AnnData(
        X=expression[kept].astype(np.float32),
        obs=pd.DataFrame(index=pd.Index(genes.table["gene"].to_numpy()[kept], name="gene")),
        var=pd.DataFrame(index=pd.Index([f"{assay}_{number + 1}" for number in range(settings.samples)])),
    )
    matrix.varm["demands"] = demands
    return matrix
