from pathlib import Path

import numpy as np
import pytest

from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
from cistron.world.cells import CellWorld, CellWorldSettings, cell_world, write_cell_world

SMALL = CellWorldSettings(genes=300, chromosomes=6, cells=400, cell_types=4, donors=4, counts_per_cell=3000.0)


@pytest.fixture(scope="session")
def world() -> CellWorld:
    """A small planted world, seed 3 (development)."""
    return cell_world(SMALL, seed=3)


@pytest.fixture
def files(world, tmp_path) -> dict[str, Path]:
    """The world as files."""
    return write_cell_world(world, tmp_path / "world")


@pytest.fixture(scope="session")
def fitted(world):
    """Cells, split, features and a fitted bilinear model."""
    cells = read_cells(world.cells)
    split = split_both(cells, SplitSettings(), genes=world.cells.var, seed=0)
    features = read_features([world.embedding], cells.genes, split.genes)
    return cells, split, features, CellExpression().fit(cells, features, split, cell_type="cell_type")


@pytest.fixture(scope="session")
def predicted():
    """``predicted(model, cells)``: predictions and observations [cell, gene of the model]."""

    def _predicted(model, cells) -> tuple[np.ndarray, np.ndarray]:
        blocks = list(model.predict(cells))
        return np.vstack([block[1] for block in blocks]), np.vstack([block[2] for block in blocks])

    return _predicted


@pytest.fixture(scope="session")
def within():
    """Mean correlation across the genes of a cell."""

    def _within(first: np.ndarray, second: np.ndarray) -> float:
        varied = np.ptp(first, axis=1) > 1e-5
        pairs = zip(first[varied], second[varied])
        return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs])) if varied.any() else np.nan

    return _within
