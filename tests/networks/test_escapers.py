"""Cells that escaped their perturbation: found where counts tell them, left alone elsewhere."""

import numpy as np
import pytest

from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks.escapers import cell_weights, chance_of_effect
from cistron.networks.fold_changes import fold_changes


def screen(escaping=0.3, depth=15.0, seed=0):
    """Thirty perturbed genes at 15%, a share of whose cells escaped; each lowers its neighbour to 60%."""
    random = np.random.default_rng(seed)
    names = [f"G{number}" for number in range(40)]
    target = np.concatenate([np.full(600, -1), np.repeat(np.arange(30), 40)])
    escaped = (random.random(len(target)) < escaping) & (target >= 0)
    mean = np.tile(random.lognormal(np.log(depth), 0.3, 40), (len(target), 1))
    works = np.flatnonzero((target >= 0) & ~escaped)
    mean[works, target[works]] *= 0.15
    mean[works, target[works] + 1] *= 0.6
    counts = random.poisson(random.gamma(5, mean / 5))
    labels = [names[gene] if gene >= 0 else "ctrl" for gene in target]
    return assemble_cells(counts, names, labels, control="ctrl"), escaped


def test_escapers_are_found_and_counted():
    cells, escaped = screen()
    chance, share = chance_of_effect(cells)
    assert share == pytest.approx(0.3, abs=0.06)
    perturbed = cells.perturbation >= 0
    assert chance[perturbed & escaped].mean() < 0.2
    assert chance[perturbed & ~escaped].mean() > 0.9
    assert (chance[~perturbed] == 1).all()


def test_weights_bring_effects_back_to_their_size():
    cells, _ = screen()
    plain, weighed = fold_changes(cells), fold_changes(cells, cell_weights(cells))
    rows = np.arange(30)
    effect = [found.shift[rows, rows + 1].mean() for found in (plain, weighed)]
    assert effect[0] > -0.42  # diluted by 30% escapers
    assert effect[1] == pytest.approx(np.log(0.6), abs=0.06)
    others = np.ones((30, 40), dtype=bool)
    others[rows, rows] = others[rows, rows + 1] = False
    assert 0.85 < weighed.z[others].std() < 1.15


def test_cells_are_not_weighed_where_few_escaped_or_counts_say_nothing():
    assert cell_weights(screen(escaping=0.02)[0]) is None
    assert cell_weights(screen(depth=0.4)[0]) is None
    assert cell_weights(screen()[0]) is not None
