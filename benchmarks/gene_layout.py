"""The map of all genes: how many of the ten nearest genes stay near, beside two principal components, and what it takes.

Planted functions of 3,000 genes; with real data at hand, principal components of the consensus expression of the Human Protein Atlas.
Neighbours are by cosine of standardised dimensions, as the page of a gene shows them; of 1,000 genes.
"""

import time

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from benchmarks.real_matrices import DATA
from cistron.evaluation.neighbours import nearest_neighbours
from cistron.omics import OmicsEmbedder, PcaSettings, read_matrix
from cistron.runtime import limit_threads
from cistron.study.gene_layout import gene_layout
from cistron.world import plant_genes

_HPA = "omics/hpa_consensus/hpa_consensus_tissue_plus_celllines_nx.parquet"


def kept(values: np.ndarray, places: np.ndarray, number: int = 10) -> float:
    """Share of the nearest genes that are among the nearest on the map."""
    near = nearest_neighbours(values, pd.RangeIndex(len(values)), "", number)
    near = near["neighbour"].to_numpy().reshape(len(values), -1)
    shares = []
    for row in np.random.default_rng(0).permutation(len(values))[:1000]:
        away = ((places - places[row]) ** 2).sum(axis=1)
        away[row] = np.inf
        shares.append(len(set(np.argpartition(away, number)[:number]) & set(near[row])) / number)
    return float(np.mean(shares))


def main() -> None:
    """Print one line a matrix."""
    matrices = {"planted functions": plant_genes().functions}
    if (DATA / _HPA).exists():
        embedding = OmicsEmbedder(PcaSettings(), seed=0).embed(
            read_matrix(DATA / _HPA), name="hpa", licence="CC-BY-SA-3.0"
        )
        matrices["Human Protein Atlas"] = np.asarray(embedding.X)
    for name, values in matrices.items():
        started = time.process_time()
        with limit_threads(1):
            places = gene_layout(values)
        spent = time.process_time() - started
        plane = PCA(2).fit_transform((values - values.mean(0)) / values.std(0))
        print(
            f"{name}: {len(values):,} genes x {values.shape[1]} dimensions, {spent:.1f} CPU s, nearest genes kept {kept(values, places):.3f}; "
            f"two principal components {kept(values, plane):.3f}"
        )
