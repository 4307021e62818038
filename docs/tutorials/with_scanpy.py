"""Gene embeddings and scanpy: vectors into varm and back, components of genes, a module score of cells (runs in seconds)."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # figures go to files

import anndata
import numpy as np
import scanpy as sc

from cistron.formats import embedding_from_varm, embedding_to_varm, read_gene_embedding
from cistron.world.cells import CellWorldSettings, cell_world, write_cell_world

folder = Path("with_scanpy")

# 1. Data: cells x genes and a gene embedding. With your own, these are your .h5ad and what cistron wrote.
world = cell_world(CellWorldSettings(genes=300, chromosomes=6, cells=200, cell_types=4), seed=1)
files = write_cell_world(world, folder / "world")
cells = anndata.read_h5ad(files["cells"])
embedding = read_gene_embedding(files["embedding"])

# 2. Into the analysis: one row per gene of the cells; genes without a vector are NaN.
key = embedding_to_varm(embedding, cells, "X_gene")
print(f"varm[{key!r}]:", cells.varm[key].shape)

# 3. An embedding is itself an AnnData with genes as observations: scanpy's functions and plots work on it as they are
#    (neighbors, umap and leiden as well).
genes = embedding.copy()
genes.obs["mean expression"] = np.asarray(cells[:, genes.obs_names].X.mean(axis=0)).ravel()
sc.pp.pca(genes, n_comps=5, random_state=0)
axes = sc.pl.pca(genes, color="mean expression", show=False)
axes.figure.savefig(folder / "genes.png", dpi=100)

# 4. The genes most like one gene as a module, and its score in each cell.
seed = int(genes.obs["mean expression"].argmax())
near = genes.obs_names[np.argsort(-np.corrcoef(genes.X)[seed])[:10]]
sc.pp.normalize_total(cells)
sc.pp.log1p(cells)
sc.tl.score_genes(cells, list(near), score_name="module", random_state=0)
axes = sc.pl.violin(cells, "module", groupby="cell_type", show=False)
axes.figure.savefig(folder / "module.png", dpi=100)
print(cells.obs.groupby("cell_type", observed=True)["module"].mean().round(3).to_string())

# 5. Back: loadings of principal components (or anybody's vectors in varm) become an embedding that every task scores.
sc.pp.pca(cells, n_comps=10, random_state=0)
loadings = embedding_from_varm(cells, "PCs", evidence="expression", name="loadings")
print(loadings.uns["cistron"]["name"], loadings.shape)
assert loadings.shape == (300, 10)
assert (folder / "genes.png").stat().st_size > 5_000
assert list(cells.varm[key][:, 0]) == list(embedding.to_df().reindex(cells.var_names).iloc[:, 0])
