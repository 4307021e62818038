"""Shape and fit of the default network by the number of genes, chosen on a development seed by genes that neither fitted nor stopped.

``python -m benchmarks chromatin_choice_by_size``. Chromosomes 1-10 are fitted on, 11-12 stop the fit, 13-14 choose; 15-22 are never looked at. All tracks
measured, 6 cell types; two fits each. Then the same candidates on chromosomes 15-22 of the reserved seed 1000, fitted on 1-12.
"""

import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.chromatin_methods import correlations
from cistron.chromatin import BuildSettings, ExpressionPredictor, NetworkSettings, build_gene_tracks
from cistron.chromatin.estimator import read_marks
from cistron.world.chromatin import ChromatinWorldSettings, chromatin_world, write_binned

DEFAULT = NetworkSettings(members=2)
CANDIDATES = {
    "default (4 filters, 32 units, 3 layers, dropout .1, 500 bp)": {},
    "8 filters, 64 units": {"channels": 8, "hidden": 64},
    "2 filters, 16 units": {"channels": 2, "hidden": 16},
    "4 layers": {"layers": 4},
    "dropout .2": {"dropout": 0.2},
    "200-bp positions": {"coarse": 2, "kernel": 9},
    "1-kb positions": {"coarse": 10, "kernel": 3},
    "80 epochs": {"fit": dataclasses.replace(DEFAULT.fit, epochs=80, patience=16)},
}
SIZES = (275, 1100, 4400)
LARGE = ("default", "8 filters, 64 units", "80 epochs")  # tried on thousands of genes, where a fit takes long
PARTS = {
    "nested": ((10, 12), (12, 14)),
    "reserved": ((12, 14), (14, 22)),
}  # stop the fit, score: chromosomes above, to


def main() -> None:
    """Print a table for each number of genes: choose on the development seed, then score on the reserved one."""
    torch.set_num_threads(1)
    for size in SIZES:
        for kind in PARTS:
            table(size, kind)


def table(size: int, kind: str, names: tuple[str, ...] = ()) -> None:
    """Print the scores of the candidates (those named, or all that are tried at this size) on one number of genes."""
    seed = 1000 if kind == "reserved" else 1
    world = chromatin_world(ChromatinWorldSettings(genes=size, missing=0.0), seed=seed)
    number = world.genes["chromosome"].str.removeprefix("chr").astype(int)
    stop, score = (number.gt(low) & number.le(high) for low, high in PARTS[kind])
    part = np.where(
        stop,
        "validation",
        np.where(score, "test", np.where(number <= 10 + 2 * (kind == "reserved"), "train", "unused")),
    )
    print(
        f"{size:,} genes, seed {seed}, {kind}: {int(score.sum()):,} genes score; across genes / within a gene, mean of 2 fits (their distance)"
    )
    with tempfile.TemporaryDirectory() as folder:
        files = write_binned(world, Path(folder) / "world")
        split = Path(folder) / "split.tsv"
        world.genes[["gene"]].assign(split=part).to_csv(split, sep="\t", index=False)
        store = build_gene_tracks(
            Path(folder) / "marks.zarr",
            binned=files["marks"],
            annotation=files["genes"],
            expression=files["expression"],
            split=split,
            settings=BuildSettings(transform="logged"),
        )
        test = np.flatnonzero(score)
        for name, changes in CANDIDATES.items():
            if (names or size > 2000) and not name.startswith(names or LARGE):
                continue
            begun = time.process_time()
            model = ExpressionPredictor(dataclasses.replace(DEFAULT, **changes), seed=seed).fit(store)  # type: ignore[arg-type]
            seconds = (time.process_time() - begun) / DEFAULT.members
            found = np.array(
                [
                    correlations(one, world.expression[test])
                    for one in model.predict_each(*read_marks(model, store, test))
                ]
            )
            apart = np.abs(found[0] - found[1])
            print(
                f"  {name:60} {found[:, 0].mean():.3f} ({apart[0]:.3f}) / {found[:, 1].mean():.3f} ({apart[1]:.3f})   {seconds:6.1f} CPU s a fit",
                flush=True,
            )


if __name__ == "__main__":
    main()
