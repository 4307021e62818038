"""A small transformer on small planted worlds, reserved seeds, beside the bilinear model and the generator's ceiling."""

from dataclasses import replace

import numpy as np

from benchmarks.cells_worlds import correlations, show
from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
from cistron.cells.settings import TransformerSettings
from cistron.runtime import set_progress
from cistron.world.cells import CellWorldSettings, cell_world

SEEDS = (1000, 1001, 1002)
WORLD = CellWorldSettings(genes=300, chromosomes=6, cells=400, cell_types=4, donors=4, counts_per_cell=3000.0)
SMALL = TransformerSettings(
    dimension=32,
    depth=1,
    heads=2,
    context=64,
    targets=64,
    fit=replace(TransformerSettings().fit, epochs=8, learning_rate=5e-3),
)
ROWS = (
    ("bilinear", "bilinear", None, False),
    ("transformer", "transformer", SMALL, False),
    ("transformer, permuted", "transformer", SMALL, True),
)


def one_world(seed: int) -> dict[str, np.ndarray]:
    """Correlations [unseen or seen genes, kind] in unseen cells, by row."""
    world = cell_world(WORLD, seed=seed)
    cells = read_cells(world.cells)
    split = split_both(cells, SplitSettings(), genes=world.cells.var, seed=seed)
    rows = np.flatnonzero(cells.observations.index.isin(split.cells.test))
    found = {}
    for label, method, settings, permuted in ROWS:
        features = read_features([world.embedding], cells.genes, split.genes, permute=permuted, seed=seed)
        model = CellExpression(settings, method=method, seed=seed).fit(cells, features, split)
        blocks = list(model.predict(cells.keep_cells(rows)))
        predicted, observed = (np.vstack([block[index] for block in blocks]) for index in (1, 2))
        parts = np.array(split.genes.part_of(model.genes))
        masks = [parts == part for part in ("test", "train")]
        found[label] = np.array([correlations(predicted[:, mask], observed[:, mask]) for mask in masks])
        order = [cells.genes.index(gene) for gene in model.genes]
        ceilings = []
        for mask, rate in zip(masks, (world.known_rate, world.logarithmic_rate)):
            share = np.exp(rate[rows][:, order])
            expected = np.log1p(1e4 * share / share[:, parts == "train"].sum(axis=1, keepdims=True))
            ceilings.append(correlations(expected[:, mask], observed[:, mask]))
    found["generator's ceiling"] = np.array(ceilings)
    return found


def main() -> None:
    """Print what :mod:`benchmarks.cells_worlds` prints."""
    set_progress(False)
    show([one_world(seed) for seed in SEEDS])
