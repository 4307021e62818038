"""Published topologies with planted cells, Sachs' signalling proteins, and TAP-seq: all fast methods in one table."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.networks_worlds import planted_cells
from cistron.evaluation.edges.interventions import edge_effects, held_out_cells, permutation_null, significant
from cistron.evaluation.edges.truth import Judged, average_precision, average_precision_interval, judge
from cistron.formats.edges import Edges
from cistron.formats.perturbed_cells import PerturbedCells, assemble_cells, read_perturbed_cells, split_cells
from cistron.networks.estimator import NetworkInference
from cistron.networks.settings import DefaultSettings, TreesSettings
from cistron.world.topologies import connected_part, read_topology

DATA = (
    Path(os.environ.get("CISTRON_TEST_DATA", Path(__file__).parents[1] / "../shared/data")).resolve()
    / "networks"
)
NAMES = (
    "default",
    "mean-shift",
    "wasserstein",
    "direct",
    "catran",
    "trees",
    "correlation",
    "partial-correlation",
    "random",
)
TOPOLOGIES = {
    "SERGIO DS1 (100)": "sergio/De-noised_100G_9T_300cPerT_4_DS1/Interaction_cID_4.txt",
    "E. coli part (100)": "bacterial_yeast_networks/ecoli_transcriptional_network_regulonDB_6_7.tsv",
    "yeast part (100)": "bacterial_yeast_networks/yeast_transcriptional_network_Balaji2006.tsv",
}


def infer(name: str, cells: PerturbedCells) -> Edges:
    """All edges of one method with small settings where resampling would only cost time."""
    settings = {"default": DefaultSettings(resamples=0), "trees": TreesSettings(rounds=40)}.get(name)
    return NetworkInference(settings, method=name).infer(cells, None)


def topologies() -> None:
    """AUPRC on cells planted on published topologies, seed 1000."""
    print(
        "AUPRC on published topologies with planted cells (1 UMI a gene, 30 cells per knock-out, seed 1000; 95% bootstrap over targets)"
    )
    for title, path in TOPOLOGIES.items():
        random = np.random.default_rng(1000)
        topology = connected_part(read_topology(DATA / path, random), 100, random)
        cells, true = planted_cells(1000, topology=topology)
        source, target = np.nonzero(true)
        truth = Edges(
            pd.DataFrame(
                {
                    "source": np.array(cells.genes)[source],
                    "target": np.array(cells.genes)[target],
                    "weight": 1.0,
                }
            ),
            "truth",
        )
        table_of(title, cells, truth)


def table_of(title: str, cells: PerturbedCells, truth: Edges, names: tuple[str, ...] = NAMES) -> None:
    """Print one line a method."""
    print(
        f"\n{title}: {cells.values.shape[0]:,} cells, {len(cells.perturbed)} perturbed genes, {len(truth)} true edges"
    )
    for name in names:
        judged = judge(infer(name, cells), truth, cells.genes)
        value, low, high = average_precision_interval(judged)
        print(
            f"  {name:20} {value:.3f} [{low:.3f}, {high:.3f}]  (random order {judged.base_rate:.3f})",
            flush=True,
        )


def edge_interval(judged: Judged, resamples: int = 1000) -> tuple[float, float]:
    """95% bootstrap over the true edges; false pairs stay."""
    score, true = judged.score[judged.allowed], judged.true[judged.allowed]
    edges, random = np.flatnonzero(true), np.random.default_rng(0)
    found = []
    for _ in range(resamples):
        weight = np.ones(len(true))
        weight[edges] = np.bincount(random.integers(0, len(edges), len(edges)), minlength=len(edges))
        found.append(average_precision(score, true, weight))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def sachs() -> None:
    """AUPRC on the consensus network of 20 edges; inhibitors change activity, not abundance."""
    folder = DATA / "sachs_2005"
    parts, labels = [], []
    for name in ("observational", "1", "3", "4", "6", "8"):
        table = pd.read_csv(folder / (f"utigsp_iv_{name}.txt.gz"))
        genes = [str(column).lower() for column in table.columns]
        parts.append(table.to_numpy())
        labels += ["control" if name == "observational" else genes[int(name)]] * len(table)
    lines = (folder / "sachs.2005.ground.truth.graph.txt").read_text().splitlines()
    pairs = [line.split(". ")[1].split(" --> ") for line in lines if "-->" in line]
    rename = {"plc": "plcg"}
    truth = Edges(
        pd.DataFrame(
            [[rename.get(a.strip(), a.strip()) for a in pair] for pair in pairs], columns=["source", "target"]
        ).assign(weight=1.0),
        "consensus",
    )
    cells = assemble_cells(
        np.vstack(parts), genes, labels, control="control", scale="continuous", name="Sachs"
    )
    print(f"\nSachs 2005: {cells.values.shape[0]:,} cells; AUPRC [95% bootstrap over the {len(truth)} edges]")
    for name in NAMES:
        judged = judge(infer(name, cells), truth, cells.genes)
        score, true = judged.score[judged.allowed], judged.true[judged.allowed]
        low, high = edge_interval(judged)
        print(f"  {name:20} {average_precision(score, true):.3f} [{low:.3f}, {high:.3f}]", flush=True)


def tap_seq() -> None:
    """Mean Wasserstein distance on held-out cells less its control-against-control null; not a target."""
    folder = DATA / "tapseq_schraivogel_k562"
    cells = read_perturbed_cells(folder / "derived_causalbench_format.npz")
    train, test = split_cells(cells)
    held_out, training = held_out_cells(cells, test), cells.select(train)
    reference = json.loads((folder / "causalbench_evaluator_reference.json").read_text())
    print(
        "\nTAP-seq, 10 perturbed genes x 71 others, strongest 50 edges from perturbed genes, held-out 20% of the cells"
    )
    print(
        "  network              mean W  null W  W less null [95% bootstrap]   significant of 50, after BH   reference W"
    )
    known = {"mean-shift (paper)": "mean_difference_train_top50"}
    rows = [(name, "default") for name in NAMES] + [("mean-shift", "paper")]
    for name, preset in rows:
        from cistron.networks.methods import METHODS

        settings = METHODS.settings(name, preset)
        if name == "default":
            settings = DefaultSettings(resamples=0)
        edges = NetworkInference(settings, method=name).infer(training, None)
        pairs = [pair for pair in edges.pairs() if pair[0] in held_out.rows][:50]
        effects = edge_effects(pairs, held_out)
        distance = effects["wasserstein"].to_numpy()
        null = permutation_null(effects, held_out)
        draws = np.random.default_rng(0).integers(0, len(distance), (1000, len(distance)))
        low, high = np.percentile((distance - null)[draws].mean(axis=1), [2.5, 97.5])
        p_values = effects["p_value"].to_numpy()
        label = name if preset == "default" else f"{name} ({preset})"
        given = known.get(label)
        expected = f"{reference[given]['wasserstein_distance']['mean']:.4f}" if given else ""
        print(
            f"  {label:20} {distance.mean():.4f}  {null.mean():.4f}  {(distance - null).mean():+.4f} [{low:+.4f}, {high:+.4f}]"
            f"   {int(significant(p_values).sum()):3d}, {int(significant(p_values, adjust=True).sum()):3d}   {expected}",
            flush=True,
        )
    everything = edge_effects([(a, b) for a in held_out.parents for b in cells.genes if a != b], held_out)
    print(
        f"  all 710 edges: mean W {everything['wasserstein'].mean():.4f} (reference .0540), null {permutation_null(everything, held_out).mean():.4f}"
    )


def main() -> None:
    """Print the three tables."""
    topologies()
    sachs()
    tap_seq()
