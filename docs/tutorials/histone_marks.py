"""From histone marks to expression and back, in Python, on planted marks whose rules are known (runs in seconds)."""

from pathlib import Path

import numpy as np
import torch

from cistron.chromatin import ExpressionPredictor, NetworkSettings, build_gene_tracks, predict_expression
from cistron.chromatin.design import design_epigenome
from cistron.chromatin.design_tables import edit_table
from cistron.chromatin.epigenesis import epigenesis
from cistron.chromatin.settings import DesignSettings, EpigenesisSettings, NetworkFit
from cistron.evaluation.expression import run_expression
from cistron.formats.prediction import write_prediction
from cistron.world.chromatin import ChromatinWorldSettings, chromatin_world, write_bigwigs

folder = Path("histone_marks")
torch.set_num_threads(1)  # networks this small are faster so

# 1. Data: a list of bigWigs, start sites and TPM, here of a planted world. With your own data, give your own three files.
world = chromatin_world(ChromatinWorldSettings(genes=330, cell_types=3), seed=1)
files = write_bigwigs(world, folder / "world")
store = build_gene_tracks(
    folder / "marks.zarr",
    tracks=files["tracks"],
    annotation=files["genes"],
    expression=files["expression"],
)
print(store.tracks.values.shape, store.marks, store.cell_types)

# 2. Fit on chromosomes 1 to 12, stop on 13 and 14; ridge and a network whose input belongs to other genes stand beside. The
#    defaults are meant for thousands of genes; these networks are small and fitted for seconds.
fit = NetworkFit(epochs=15, learning_rate=4e-3, warmup_steps=0, patience=None)
settings = NetworkSettings(channels=16, dilations=(1, 2), dropout=0.3, members=2, fit=fit)
network = ExpressionPredictor(settings, seed=0).fit(store)
ridge = ExpressionPredictor(method="ridge").fit(store)
control = ExpressionPredictor(settings, seed=0).fit(store, permuted=True)
paths = []
for model in (network, ridge, control):
    result = predict_expression(model, store)
    paths.append(folder / f"{result.uns['cistron']['name'].replace(', ', '_')}.h5ad")
    write_prediction(paths[-1], result)
scores = run_expression(paths, folder / "scores")
print("scored:", sorted(set(scores["embedding"])))

# 3. Ask the network: what does a peak of each mark do, and where? On the real marks of held-out genes.
test = np.flatnonzero(np.isin(store.genes, network.facts["genes"]["test"]))
found = epigenesis(network, store, test, EpigenesisSettings(background="ablated", genes=30))
table = found.table[found.table["read_in"] == "all"]
print(
    table.loc[
        table["effect"].abs().groupby(table["mark"]).idxmax(),
        ["mark", "start", "end", "effect", "low", "high"],
    ]
)
effect = table.set_index(["mark", "start"])["effect"]
assert effect["H3K4me3", 0] > 0 > effect["H3K27me3", 0]  # as planted

# 4. Design: the smallest edit that doubles the expression of a gene in all cell types, judged by a network kept out of it.
design = design_epigenome(network, store, test[:1], DesignSettings(fold=2.0))
print(
    f"share of the wanted change: {design.share(design.achieved)[0]:.0%}, by the judge {design.share(design.judged)[0]:.0%}"
)
print(edit_table(design, store, network.marks).sort_values("change", key=abs, ascending=False).head())
