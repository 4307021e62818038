"""Joint species in a planted world: does training on mouse genes help human genes never seen, and only where it can?

One world of gene functions: a third of each family of orthologs is human, two thirds are mouse; human and mouse cells are different cells
of the same types. Correlation across unseen human genes within a type, mean over types.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
from cistron.cells.species import join_species
from cistron.runtime import set_progress
from cistron.world.cells import CellWorldSettings, cell_world

WORLD = CellWorldSettings(genes=300, cells=2000, cell_types=25, families=1.0, dimensions=32)
SEEDS = (1000, 1001, 1002)
ROWS = (
    "human alone",
    "human and mouse",
    "mouse embedding permuted",
    "orthologs not held out together",
    "ceiling",
)


def species(seed: int, settings: CellWorldSettings = WORLD):  # type: ignore[no-untyped-def]
    """Joined types x genes, the embedding, and expression that its functions tell at best, by type."""
    world = cell_world(settings, seed=seed)
    var, obs = world.cells.var, world.cells.obs
    member = var.groupby("family").cumcount() if "family" in var else pd.Series(0, var.index)
    human = (member == 0).to_numpy()
    half = np.arange(world.cells.n_obs) % 2 == 0
    parts = [
        read_cells(world.cells[rows][:, genes].copy(), name=name)
        for rows, genes, name in ((half, human, "human"), (~half, ~human, "mouse"))
    ]
    first = var.index[human]
    of_family = dict(zip(var.loc[first, "family"], first))
    pairs = pd.DataFrame(
        [
            (of_family[family], gene)
            for gene, family in var.loc[~human, "family"].items()
            if family in of_family
        ],
        columns=["first", "second"],
    )
    joined, _ = join_species(parts, ("human", "mouse"), "cell_type", pairs)
    known = pd.DataFrame(world.known_rate, columns=var.index).groupby(obs["cell_type"].to_numpy()).mean()
    return joined, world.embedding, known


def scores(seed: int, settings: CellWorldSettings = WORLD) -> dict[str, float]:
    """Correlation of each row of the table on unseen human genes."""
    joined, embedding, known = species(seed, settings)
    cells = read_cells(joined)
    rules = SplitSettings(genes="group", cells="none", test_genes=0.25, validation_genes=0.0)
    split = split_both(cells, rules, genes=cells.variables, seed=seed)
    human = set(cells.variables.index[cells.variables["species"] == "human"])
    tested = sorted(human & split.genes.test)
    random = np.random.default_rng(seed)
    mixed = embedding.copy()
    mouse = [number for number, gene in enumerate(mixed.obs_names) if gene not in human]
    mixed.X[mouse] = mixed.X[random.permutation(mouse)]
    leaking = type(split)(
        type(split.genes)(
            split.genes.train | (split.genes.test - human), split.genes.validation, frozenset(tested), "leak"
        ),
        split.cells,
    )
    alone = cells.only([gene for gene in cells.genes if gene in human])
    found = {}
    for name, given, source, held in (
        (ROWS[0], alone, embedding, split),
        (ROWS[1], cells, embedding, split),
        (ROWS[2], cells, mixed, split),
        (ROWS[3], cells, embedding, leaking),
    ):
        features = read_features([source], given.genes, held.genes, seed=seed)
        model = CellExpression(method="bilinear", seed=seed).fit(given, features, held, cell_type="cell_type")
        blocks = list(model.predict(given))
        predicted, observed = (np.vstack([block[place] for block in blocks]) for place in (1, 2))
        places = [model.genes.index(gene) for gene in tested]
        found[name] = _within(predicted[:, places], observed[:, places])
        if name == ROWS[0]:
            best = known.loc[given.observations.index, tested].to_numpy()
            found["ceiling"] = _within(best, observed[:, places])
    return found


def _within(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(first, second)]))


def main() -> None:
    """Print mean and standard deviation over the seeds."""
    set_progress(False)
    for genes in (300, 900):
        table = pd.DataFrame([scores(seed, replace(WORLD, genes=genes)) for seed in SEEDS])
        print(
            f"{genes // 3} human and {genes - genes // 3} mouse genes, 25 shared types, {len(SEEDS)} worlds: unseen human genes within a type"
        )
        for row in ROWS:
            print(f"  {row:34} {table[row].mean():.3f} ({table[row].std():.3f})", flush=True)
