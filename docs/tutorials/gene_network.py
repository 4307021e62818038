"""From perturbed cells to a scored gene network, in Python, on a planted network (runs in seconds)."""

from pathlib import Path

from cistron.evaluation.edges import evaluate_edges
from cistron.evaluation.edges.rows import EdgeEvaluationSettings
from cistron.evaluation.edges.run import write_edge_evaluation
from cistron.formats.edges import read_edges, write_edges
from cistron.formats.perturbed_cells import read_perturbed_cells, split_cells
from cistron.networks import NetworkInference
from cistron.networks.quality import perturbation_quality, quality_summary
from cistron.report import build_report
from cistron.runtime import RunRecord
from cistron.world.networks import NetworkWorldSettings, network_world, write_network_world

folder = Path("gene_network")

# 1. Data: raw counts with the perturbed gene of each cell, here with a planted network. With your own data, give the
#    path of your .h5ad, the column of obs that names the perturbed gene and the label of the control cells.
settings = NetworkWorldSettings(genes=40, control_cells=1000, cells_per_knockout=50)
world = write_network_world(network_world(settings, seed=1), folder / "world")
cells = read_perturbed_cells(
    world["cells"], perturbation="perturbation", control="non-targeting", guide="guide"
)

# 2. Look before you infer: cells per perturbation, knock-downs seen.
quality = perturbation_quality(cells)
print("\n".join(quality_summary(quality, cells)))

# 3. Two networks, from the cells that the evaluation does not score on.
training = cells.select(split_cells(cells)[0])
networks = []
for method in ("default", "mean-shift"):
    edges = NetworkInference(method=method, seed=0).fit(training).edges(None, cells_used="training")
    write_edges(edges, folder / f"{method}.tsv")
    networks.append(edges)
print(networks[0].table.head(5).to_string(index=False))

# 4. Scores: against the held-out cells and, only in a planted world, against the truth. A random network joins in.
record = RunRecord("evaluate edges", {}, [folder / "default.tsv", world["cells"]], seed=0)
result = evaluate_edges(
    networks,
    cells=cells,
    truth=read_edges(world["truth"], name="planted network"),
    settings=EdgeEvaluationSettings(edges=100),
    run_id=record.run_id,
)
write_edge_evaluation(result, networks, record, folder / "scores")
auprc = result.scores.query("metric == 'auprc'").set_index("embedding")
print(auprc[["value", "low", "high", "control_value"]].to_string())
assert auprc.loc["default", "value"] > auprc.loc["mean-shift", "value"] > auprc.loc["random", "value"]

# 5. The report: one file that opens without a network.
print("report:", build_report([folder / "scores"], folder / "report.html"))
