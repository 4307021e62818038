"""Planted cells on reserved seeds: how near each method comes to the generator's ceiling, and that controls are 0."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
from cistron.runtime import set_progress
from cistron.world.cells import CellWorld, cell_world

SEEDS = (1000, 1001, 1002, 1003, 1004)
ROWS: Sequence[tuple[str, str, str]] = (
    ("bilinear", "bilinear", "embedding"),
    ("ridge", "ridge", "embedding"),
    ("bilinear, one-hot", "bilinear", "one-hot"),
    ("nearest type", "nearest-type", "one-hot"),
    ("size factor", "size-factor", "one-hot"),
    ("bilinear, permuted", "bilinear", "permuted"),
)


def correlations(predicted: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Across genes within cells, across cells within genes, and doubly centred over all entries."""

    def mean(first: np.ndarray, second: np.ndarray) -> float:
        if not np.isfinite(first).all():
            return np.nan
        first = first - first.mean(axis=1, keepdims=True)
        second = second - second.mean(axis=1, keepdims=True)
        norm = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
        kept = norm > 1e-6
        return float(((first * second).sum(axis=1)[kept] / norm[kept]).mean()) if kept.any() else np.nan

    def centred(values: np.ndarray) -> np.ndarray:
        return values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()

    pooled = mean(centred(predicted).reshape(1, -1), centred(observed).reshape(1, -1))
    return np.array([mean(predicted, observed), mean(predicted.T, observed.T), pooled])


def one_world(
    world: CellWorld, seed: int, table: Sequence[tuple[str, str, str]] = ROWS
) -> dict[str, np.ndarray]:
    """Correlations [unseen or seen genes, kind] in unseen cells, by row."""
    cells = read_cells(world.cells)
    split = split_both(cells, SplitSettings(), genes=world.cells.var, seed=seed)
    rows = np.flatnonzero(cells.observations.index.isin(split.cells.test))
    held_out = cells.keep_cells(rows)
    found: dict[str, np.ndarray] = {}
    for label, method, kind in table:
        sources: list[Any] = ["one-hot"] if kind == "one-hot" else [world.embedding]
        features = read_features(sources, cells.genes, split.genes, permute=kind == "permuted", seed=seed)
        model = CellExpression(method=method, seed=seed).fit(cells, features, split, cell_type="cell_type")
        blocks = list(model.predict(held_out))
        predicted, observed = (np.vstack([block[index] for block in blocks]) for index in (1, 2))
        genes = np.array(split.genes.part_of(model.genes))
        found[label] = np.array(
            [
                correlations(predicted[:, genes == part], observed[:, genes == part])
                for part in ("test", "train")
            ]
        )
    genes = np.array(split.genes.part_of(cells.genes))
    counts = world.cells.X[rows].toarray().astype(float)
    observed = np.log1p(1e4 * counts / counts[:, genes == "train"].sum(axis=1, keepdims=True))
    ceilings = []
    for part, rate in (("test", world.known_rate), ("train", world.logarithmic_rate)):
        share = np.exp(rate[rows])
        expected = np.log1p(1e4 * share / share[:, genes == "train"].sum(axis=1, keepdims=True))
        ceilings.append(correlations(expected[:, genes == part], observed[:, genes == part]))
    found["generator's ceiling"] = np.array(ceilings)
    return found


def show(results: Sequence[dict[str, np.ndarray]]) -> None:
    """Mean and standard deviation over seeds, one line a row."""
    for index, part in enumerate(("unseen genes, unseen cells", "seen genes, unseen cells")):
        print(
            f"\n{part}: across genes | across cells | doubly centred; mean (standard deviation) of {len(results)} seeds"
        )
        for label in [
            "generator's ceiling",
            *(name for name in results[0] if not name.startswith("generator")),
        ]:
            values = np.array([result[label][index] for result in results])
            texts = [
                "undefined" if not np.isfinite(column).any() else f"{column.mean():.3f} ({column.std():.3f})"
                for column in values.T
            ]
            print(f"  {label:24} " + " | ".join(texts), flush=True)


def main() -> None:
    """Print the closed forms over all seeds."""
    set_progress(False)
    show([one_world(cell_world(seed=seed), seed) for seed in SEEDS])
