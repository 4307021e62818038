"""From an omics matrix to a report, in Python, on the planted world (runs in seconds)."""

from pathlib import Path

import numpy as np

from cistron.evaluation.gwas import GwasSettings, run_gwas
from cistron.evaluation.recovery import recovered_correlations
from cistron.formats import read_gene_embedding, write_gene_embedding
from cistron.omics import OmicsEmbedder, PcaSettings, read_matrix
from cistron.report import build_report
from cistron.world import WorldSettings, write_world

folder = Path("first_embedding")

# 1. Data: a matrix of genes x samples in TPM, GWAS z-scores of seven traits, and the linkage of the genes.
#    With your own data, these are your files.
world = write_world(folder / "world", WorldSettings(genes=1500), seed=1)

# 2. An embedding: 12 principal components. `remarks` say what was done to the matrix.
embedder = OmicsEmbedder(PcaSettings(dimensions=12))
embedding = embedder.embed(read_matrix(world["matrix:tissues"]), name="tissues", licence="CC0-1.0")
print("\n".join(embedder.remarks))
write_gene_embedding(embedding, folder / "tissues.h5ad")

# 3. Only in a planted world: how much of what the genes do is in it? This matrix sees 8 of the 12 functions.
found = recovered_correlations(embedding, read_gene_embedding(world["truth"]))
print("canonical correlations with the planted functions:", np.round(found, 2))
assert (found > 0.7).sum() == 8

# 4. The task: predict z-scores of genes on chromosomes that were left out, with and without the embedding.
scores = run_gwas(
    [folder / "tissues.h5ad", world["truth"]],
    world["traits"],
    folder / "gwas",
    GwasSettings(model="ridge"),
    covariance=world["covariance"],
    genes=world["genes"],
)
medians = scores.query("metric == 'delta_r2' and stratum == 'all genes' and target == 'median of 7 traits'")
print(medians[["embedding", "value", "low", "high", "control_value"]].to_string(index=False))
assert medians.set_index("embedding").loc["tissues", "low"] > 0

# 5. The report: one file that opens without a network.
print("report:", build_report([folder / "gwas"], folder / "report.html"))
