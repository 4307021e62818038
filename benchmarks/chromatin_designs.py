"""Designs by the default network on planted marks of a reserved seed, judged by the planted rules: what slack and more networks buy.

``python -m benchmarks chromatin_designs``. 3-fold in all cell types, and in one with the others held; 40 test genes a row. With three networks two are
optimised and one judges, with six four and two.
"""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.chromatin_planted import planted, true_share
from cistron.chromatin import ExpressionPredictor, NetworkSettings, load_chromatin_model, save_chromatin_model
from cistron.chromatin.design import design_epigenome, edited_blocks
from cistron.chromatin.settings import DesignSettings

SEED, DESIGNED, NETWORKS = 1000, 40, 6
KEPT = Path(tempfile.gettempdir()) / "cistron_benchmarks" / "chromatin_designs"  # the fitted networks
# networks, slack
ROWS = ((3, 0.1), (6, 0.1), (6, 0.3), (3, 0.0))


def main() -> None:
    """Print a row a setting."""
    torch.set_num_threads(1)
    world, store = planted(SEED)
    if not KEPT.exists():
        settings = dataclasses.replace(NetworkSettings(), members=NETWORKS)
        save_chromatin_model(ExpressionPredictor(settings, seed=SEED).fit(store), KEPT)
    whole = load_chromatin_model(KEPT)
    test = np.flatnonzero(np.isin(store.genes, whole.facts["genes"]["test"]))[:DESIGNED]
    print(
        f"{DESIGNED} test genes, 3-fold, {len(store.genes):,} genes x {len(store.cell_types)} cell types, seed {SEED}"
    )
    print(
        "wanted in        networks  slack   share: networks  judges   rules: median, mean, worst, genes at 80%    size   blocks"
    )
    for wish, cell_types in (("all cell types", ()), ("one, others held", (store.cell_types[1],))):
        for networks, slack in ROWS:
            model = dataclasses.replace(whole, networks=whole.networks[:networks])
            asked = DesignSettings(fold=3.0, slack=slack, cell_types=cell_types)
            design = design_epigenome(model, store, test, asked)
            true = true_share(world, design)
            print(
                f"{wish:16} {networks:8}  {slack:5.1f}  {design.share(design.achieved).mean():15.2f}  {design.share(design.judged).mean():6.2f}   "
                f"{np.median(true):13.2f}, {true.mean():.2f}, {true.min():5.2f}, {np.mean(true >= 0.8):6.0%}            {design.size.mean():8.1f} {edited_blocks(design).mean():8.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
