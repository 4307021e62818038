"""One embedding of two assays, and what it knows about gene sets, in Python, on the planted world (runs in seconds)."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cistron.evaluation.genesets import GeneSets, GeneSetSettings, evaluate_gene_sets
from cistron.evaluation.recovery import recovered_correlations
from cistron.formats import read_gene_embedding, write_gene_embedding
from cistron.omics import OmicsEmbedder, VdtfSettings, read_matrix
from cistron.runtime import limit_threads
from cistron.training import FitSettings
from cistron.world import WorldSettings, plant_genes, write_world

folder = Path("several_assays")

# 1. Two matrices. Tissues see functions 1 to 8 of 12, cell lines 5 to 12; each lacks some genes.
planted = WorldSettings(genes=1500)
world = write_world(folder / "world", planted, seed=1)
matrices = [read_matrix(world["matrix:tissues"]), read_matrix(world["matrix:cell_lines"])]

# 2. One model of both. The record and the checkpoint are kept: run it again after an interrupt and it goes on.
settings = replace(
    VdtfSettings(),
    gene_dimension=16,
    sample_dimension=16,
    width=32,
    fit=FitSettings(epochs=15, learning_rate=1.5e-3, patience=None),
)
embedder = OmicsEmbedder(settings, seed=1)
with limit_threads(1):  # a model this small is slower on several
    embedding = embedder.embed(*matrices, name="both assays", directory=folder / "fit")
print("\n".join(embedder.remarks))
write_gene_embedding(embedding, folder / "both.h5ad")

# 3. Every gene of either assay has a place.
assert set(embedding.obs_names) == set(matrices[0].genes) | set(matrices[1].genes)

# 4. All twelve functions are found, which no single assay could do.
found = recovered_correlations(embedding, read_gene_embedding(world["truth"]))
print("canonical correlations with the planted functions:", np.round(found, 2))
assert (found > 0.5).sum() == 12

# 5. Gene sets: the genes that do most of one thing. Is membership predictable on chromosomes left out?
genes = plant_genes(planted, seed=1)
names = genes.table["gene"].to_numpy()
sets = {
    f"most of function {number + 1}": frozenset(names[np.argsort(genes.functions[:, number])[-60:]])
    for number in range(12)
}
places = genes.table.set_index("gene")["chromosome"]
result = evaluate_gene_sets(
    [embedding], GeneSets("functions", sets, "ensembl"), places, GeneSetSettings(controls=20, draws=20)
)
medians = result.scores.query("target == 'median of 12 sets' and embedding == 'both assays'").set_index(
    "metric"
)
print(medians[["value", "low", "high", "null_value", "control_value"]])
assert medians.loc["auroc", "value"] > 0.75
assert medians.loc["gain_auroc", "low"] > 0  # more than where genes lie
assert abs(medians.loc["auroc", "control_value"] - 0.5) < 0.05
