"""Expression of genes and cells that no model saw, in Python, on planted cells (runs in seconds)."""

from pathlib import Path

from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
from cistron.cells.predicting import write_predictions
from cistron.evaluation.expression import ExpressionSettings, run_expression
from cistron.report import build_report
from cistron.world.cells import CellWorldSettings, cell_world, write_cell_world

folder = Path("unseen_genes")

# 1. Data: raw counts (.h5ad, .zarr or an AnnData) and a gene embedding. With your own data, give their paths; genes that are
#    named in another way are mapped with gene_map=TABLE, namespace="ensembl".
world = cell_world(CellWorldSettings(genes=300, chromosomes=6, cells=400, cell_types=4), seed=1)
files = write_cell_world(world, folder / "world")
cells = read_cells(files["cells"])
print(f"{cells.shape[0]:,} cells x {cells.shape[1]:,} genes of {cells.scale}")

# 2. Split both axes: whole chromosomes of genes, cells at random. Nothing that is held out is ever fitted on.
split = split_both(cells, SplitSettings(genes="chromosome", cells="random"), genes=cells.variables, seed=0)
print("genes", split.genes.how, "| cells", split.cells.how)

# 3. A model, a baseline, and the model with the embedding given to the wrong genes.
paths = []
for name, method, permuted in (
    ("bilinear", "bilinear", False),
    ("ridge", "ridge", False),
    ("permuted", "bilinear", True),
):
    features = read_features([files["embedding"]], cells.genes, split.genes, permute=permuted)
    model = CellExpression(method=method).fit(cells, features, split, cell_type="cell_type")
    model.save(folder / name)
    paths.append(folder / f"{name}.h5ad")
    write_predictions(CellExpression.load(folder / name), cells, paths[-1], name=name)

# 4. Scores in four quadrants: seen and unseen genes, seen and unseen cells.
scores = run_expression(paths, folder / "scores", ExpressionSettings(draws=100, permutations=2, halvings=0))
unseen = scores[
    (scores["stratum"] == "unseen genes, unseen cells")
    & (scores["metric"] == "pearson_across_genes")
    & (scores["target"] == "cells")
].set_index("embedding")
print(unseen[["value", "low", "high"]].to_string())
assert unseen.loc["bilinear", "value"] > 0.3
assert abs(unseen.loc["permuted", "value"]) < 0.25

# 5. What the model learned of each gene is itself a gene embedding, and the scores are a report.
print(CellExpression.load(folder / "bilinear").embed())
print("report:", build_report([folder / "scores"], folder / "report.html"))
