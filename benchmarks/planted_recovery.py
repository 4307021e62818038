"""How much of the planted functions each method recovers: canonical correlations on reserved seeds.

The planted world is fixed (``cistron.world``, generator version 1); methods were developed on seed 0 and 3, the
figures are of seeds 101 and 102. The assay ``tissues`` sees functions 1 to 8 of 12, ``cell_lines`` 5 to 12.
"""

import time
from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import torch

from cistron.evaluation.recovery import canonical_correlations
from cistron.formats import combine_gene_embeddings
from cistron.omics import (
    AutoencoderSettings,
    OmicsEmbedder,
    OmicsMatrix,
    PcaSettings,
    VdtfSettings,
    join_matrices,
)
from cistron.runtime import set_progress
from cistron.training import FitSettings
from cistron.world import plant_genes, plant_omics

SEEDS = (101, 102)
VDTF = VdtfSettings(
    gene_dimension=12, sample_dimension=16, width=32,
    fit=FitSettings(epochs=30, learning_rate=1.5e-3, patience=15, schedule="cosine"),
)  # fmt: skip
AUTOENCODER = AutoencoderSettings(dimensions=12)


def _matrix(data: anndata.AnnData, name: str) -> OmicsMatrix:
    return OmicsMatrix.from_frame(pd.DataFrame(np.asarray(data.X), data.obs_names, data.var_names), name)


def embeddings(seed: int) -> dict[str, anndata.AnnData]:
    """Every method on one world."""
    genes = plant_genes(seed=seed)
    tissues, lines = (_matrix(plant_omics(genes, assay), assay) for assay in ("tissues", "cell_lines"))
    joined = _matrix(join_matrices([tissues, lines], minimum_share=0.3), "joined")

    def embed(settings: object, *matrices: OmicsMatrix) -> anndata.AnnData:
        return OmicsEmbedder(settings, seed=1).embed(*matrices)

    small = replace(VDTF, gene_dimension=8)
    made = {
        "tissues, pca 12": embed(PcaSettings(dimensions=12), tissues),
        "tissues, autoencoder 12": embed(AUTOENCODER, tissues),
        "tissues, vdtf 12": embed(VDTF, tissues),
        "tissues, vdtf 12, kl 0": embed(replace(VDTF, kl_weight=0.0), tissues),
        "tissues, vdtf 12, no bilinear, random start": embed(
            replace(VDTF, bilinear=False, start="random", start_deviation=0.5), tissues
        ),
        "joined, pca 16": embed(PcaSettings(dimensions=16), joined),
        "both, vdtf 16": embed(replace(VDTF, gene_dimension=16), tissues, lines),
        "both, vdtf 16, no adversary": embed(
            replace(VDTF, gene_dimension=16, adversary_weight=0.0), tissues, lines
        ),
        "vdtf 8 + vdtf 8 concatenated": combine_gene_embeddings(
            [embed(small, tissues), embed(small, lines)], join="outer", name="both"
        ),
    }
    random = made["tissues, pca 12"].copy()
    random.X = np.random.default_rng(seed).normal(size=random.shape).astype(np.float32)
    return {**made, "random 12": random}


def main() -> None:
    """Print the mean canonical correlation of each method, each seed, and CPU seconds in all."""
    torch.set_num_threads(1)
    set_progress(False)
    started = time.process_time()
    found: dict[str, list[float]] = {}
    for seed in SEEDS:
        genes = plant_genes(seed=seed)
        truth = pd.DataFrame(genes.functions, index=genes.table["gene"])
        for name, embedding in embeddings(seed).items():
            # one assay sees eight functions, both see twelve
            seen = 8 if name.startswith(("tissues", "random")) else 12
            values = canonical_correlations(
                np.asarray(embedding.X), truth.loc[embedding.obs_names].to_numpy()[:, :seen]
            )
            found.setdefault(name, []).append(float(values[:seen].mean()))
    print(f"{'method':48s} mean canonical correlation with the functions seen, seeds {SEEDS}")
    for name, values in found.items():
        print(f"{name:48s} {np.mean(values):.3f}   {' '.join(f'{value:.3f}' for value in values)}")
    print(f"{time.process_time() - started:.0f} CPU s")
