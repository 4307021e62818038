"""What slack buys a design: shares of the wanted change by networks, judges and the planted rules, and the size of the edit."""

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.chromatin_planted import true_share
from cistron.chromatin import BuildSettings, ExpressionPredictor, NetworkSettings, build_gene_tracks
from cistron.chromatin.design import design_epigenome, edited_blocks
from cistron.chromatin.settings import DesignSettings, NetworkFit
from cistron.world.chromatin import ChromatinWorldSettings, chromatin_world, write_binned

SEED, GENES, DESIGNED = 5, 400, 12


def main() -> None:
    """Print one table."""
    world = chromatin_world(ChromatinWorldSettings(genes=GENES, cell_types=4), seed=SEED)
    with tempfile.TemporaryDirectory() as folder:
        files = write_binned(world, Path(folder) / "world")
        store = build_gene_tracks(
            Path(folder) / "marks.zarr",
            binned=files["marks"],
            annotation=files["genes"],
            expression=files["expression"],
            settings=BuildSettings(transform="logged", genome_build="planted"),
        )
        fit = NetworkFit(epochs=12, learning_rate=5e-3, warmup_steps=0, patience=None)
        shape = NetworkSettings(
            channels=8, kernel=5, dilations=(1, 2), coarse=5, halve=False, members=4, fit=fit
        )
        model = ExpressionPredictor(shape, seed=0).fit(store)
        test = np.flatnonzero(np.isin(store.genes, model.facts["genes"]["test"]))[:DESIGNED]
        print(f"{DESIGNED} test genes of {GENES}, 3-fold in cell_type_1, seed {SEED}; 4 networks, one judges")
        print("slack  networks  judge  true rules: median, worst, genes at 80%   size  blocks")
        for slack in (0.0, 0.1):
            asked = DesignSettings(fold=3.0, slack=slack, cell_types=("cell_type_1",))
            design = design_epigenome(model, store, test, asked)
            true = true_share(world, design)
            print(
                f"{slack:5.1f}  {design.share(design.achieved).mean():8.2f}  {design.share(design.judged).mean():5.2f}  "
                f"{np.median(true):.2f}, {true.min():.2f}, {(true >= 0.8).sum()} of {len(true)}                      "
                f"{design.size.mean():6.1f}  {edited_blocks(design).mean():6.1f}"
            )


if __name__ == "__main__":
    main()
