"""The energy distance by hand, and its p-values without and with an effect."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks.energy_distance import distances, energy_distances, principal_components


def _cells(moved=0.0, seed=0):
    random = np.random.default_rng(seed)
    labels = np.repeat(["ctrl", *(f"G{i}" for i in range(12))], [120, *[25] * 12])
    values = random.normal(0, 1, (len(labels), 12))
    values[labels == "G0", 4:] += moved
    return assemble_cells(values, [f"G{i}" for i in range(12)], labels, control="ctrl", scale="continuous")


def test_it_is_what_the_formula_says():
    cells = _cells(0.7)
    energy, p_values = energy_distances(cells)
    points = cells.values.toarray().astype(float)
    x, y = points[cells.perturbation == 0], points[cells.control]
    oracle = 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()
    assert energy[0] == pytest.approx(oracle, rel=1e-5)
    assert p_values[0] == pytest.approx(1 / 200)
    assert energy.argmax() == 0


def test_without_an_effect_p_values_are_flat():
    p_values = np.concatenate([energy_distances(_cells(seed=seed), permutations=99)[1] for seed in range(4)])
    assert 0.3 < p_values.mean() < 0.7
    assert (p_values < 0.05).mean() < 0.2


def test_components_keep_distances_of_what_varies():
    random = np.random.default_rng(0)
    from scipy import sparse

    low = random.normal(size=(60, 3)) @ random.normal(size=(3, 40))
    points = principal_components(sparse.csr_matrix(low), 5, 0)
    np.testing.assert_allclose(distances(points), cdist(low, low), atol=1e-6)
