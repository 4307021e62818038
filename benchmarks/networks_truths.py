"""TAP-seq in K562 against ChIP-Atlas and TRRUST: what each method finds of known targets beyond chance.

GATA1, MYC and ZFPM2 are perturbed through their enhancers, ten genes at their promoters; 72 genes are measured. Truth are the
known targets of a source among these. The interval is a bootstrap over target genes; the share of true pairs is what a random
order gets.
"""

import lzma

import numpy as np
import pandas as pd

from benchmarks.networks_real import DATA, infer
from cistron.errors import InputError
from cistron.evaluation.edges.truth import average_precision_interval, judge
from cistron.formats.edges import Edges
from cistron.formats.perturbed_cells import PerturbedCells, assemble_cells

NAMES = ("default", "mean-shift", "wasserstein", "direct", "partial-correlation", "trees", "random")


def tap_seq_cells() -> PerturbedCells:
    """Counts with enhancer guides as perturbations of their gene; HS2 moves several globins and is set aside."""
    with np.load(DATA / "tapseq_schraivogel_k562" / "derived_causalbench_format.npz") as stored:
        labels = [str(label).removeprefix("ENH:") for label in stored["target_raw"]]
        return assemble_cells(
            stored["counts"].astype(np.float32),
            [str(gene) for gene in stored["gene_symbols"]],
            labels,
            control="non-targeting",
            excluded=("HS2",),
            name="TAP-seq",
        )


def truths(genes: tuple[str, ...]) -> dict[str, Edges]:
    """Known edges among the measured genes."""
    with lzma.open(DATA / "human_networks" / "chipatlas_K562.csv.xz") as file:
        chip = pd.read_csv(file)
    trrust = pd.read_csv(DATA / "human_networks" / "trrust_rawdata.human.tsv", sep="\t")
    trrust = trrust.rename(columns={"Gene1": "source", "Gene2": "target"})
    strong = chip[chip["weight"] >= chip.groupby("source")["weight"].transform(lambda x: x.quantile(0.75))]
    found = {}
    for name, table in {
        "ChIP-Atlas": chip,
        "ChIP-Atlas, strongest quarter": strong,
        "TRRUST": trrust,
    }.items():
        kept = table[table["source"].isin(genes) & table["target"].isin(genes)]
        kept = kept[kept["source"] != kept["target"]].drop_duplicates(["source", "target"])
        if len(kept):
            found[name] = Edges(kept[["source", "target"]].assign(weight=1.0).reset_index(drop=True), name)
    return found


def main() -> None:
    """Print a table for each truth, perturbed and other sources apart."""
    cells = tap_seq_cells()
    perturbed = {cells.genes[gene] for gene in cells.perturbed}
    networks = {name: infer(name, cells) for name in NAMES}
    sure = networks["default"].table
    sure = sure[(sure["probability"] >= 0.5) & sure["source"].isin(perturbed)]
    print(
        f"{cells.values.shape[0]:,} cells x {len(cells.genes)} genes; perturbed: {', '.join(sorted(perturbed))}"
    )
    print(
        f"default: {len(sure)} edges of perturbed genes with P >= 0.5; by source: {sure['source'].value_counts().to_dict()}"
    )
    for title, truth in truths(cells.genes).items():
        known = set(truth.table["source"])
        for kind, sources in (("perturbed", known & perturbed), ("not perturbed", known - perturbed)):
            if not sources:
                print(f"\n{title}, {kind} sources: none among the measured genes")
                continue
            print(
                f"\n{title}, {kind} sources {', '.join(sorted(sources))}: AUPRC [95%], true of the 20 strongest pairs"
            )
            for name, network in networks.items():
                try:
                    judged = judge(network, truth, cells.genes, sorted(sources))
                except InputError:
                    continue
                if not judged.listed[judged.allowed].any():
                    continue
                value, low, high = average_precision_interval(judged)
                score, true = judged.score[judged.allowed], judged.true[judged.allowed]
                top = true[np.argsort(-score, kind="stable")[:20]]
                print(
                    f"  {name:20} {value:.3f} [{low:.3f}, {high:.3f}] of {judged.base_rate:.3f} by chance;"
                    f" {int(top.sum())} of {len(top)} ({len(top) * true.mean():.1f} by chance), {int(true.sum())} true of {len(true)}",
                    flush=True,
                )
