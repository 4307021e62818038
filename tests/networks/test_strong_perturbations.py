"""CausalBench's filter: the statistic against SciPy, and what is kept."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cistron.errors import InputError
from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks.strong_perturbations import (
    StrengthSettings,
    anderson_darling,
    anderson_darling_scale,
    strong_perturbations,
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=4, max_size=30), st.lists(st.integers(0, 5), min_size=4, max_size=30)
)
def test_the_statistic_is_scipys_with_ties(control, perturbed):
    if len(set(control + perturbed)) == 1:
        assert anderson_darling(np.array(control), np.array(perturbed), 1.0) == 0
        return
    ours = anderson_darling(
        np.array(control), np.array(perturbed), anderson_darling_scale(len(control), len(perturbed))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy caps p-values and says so; its future arguments too
        oracle = stats.anderson_ksamp([control, perturbed])
    assert ours == pytest.approx(oracle.statistic, rel=1e-6, abs=1e-8)


def _cells():
    random = np.random.default_rng(0)
    labels = np.repeat(["ctrl", "G0", "G1", "G2"], [300, 40, 40, 20])
    counts = random.poisson(10, (400, 80)).astype(float)
    for gene in (0, 2):  # both move 70 genes, half up and half down, but G2 has too few cells
        rows = labels == f"G{gene}"
        counts[rows, 10:45] = random.poisson(18, (rows.sum(), 35))
        counts[rows, 45:] = random.poisson(3, (rows.sum(), 35))
        counts[rows, gene] = random.poisson(2, rows.sum())
    counts[labels == "G1", 1] = random.poisson(2, 40)  # falls, but changes nothing
    escaped = np.flatnonzero(labels == "G0")[:5]
    counts[escaped, 0] = 40
    return assemble_cells(counts, [f"G{i}" for i in range(80)], labels, control="ctrl"), escaped


def test_only_strong_perturbations_and_fallen_cells_are_kept():
    cells, escaped = _cells()
    kept = strong_perturbations(cells)
    assert kept.perturbed.tolist() == [0]
    assert (kept.perturbation[escaped] == -2).all()
    assert (kept.perturbation == 0).sum() >= 30
    assert len(kept.control) == 300
    assert "1 of 3 perturbations are strong" in kept.remarks[-1]


def test_nothing_strong_is_said():
    cells, _ = _cells()
    with pytest.raises(InputError, match="none of 3 perturbations is strong"):
        strong_perturbations(cells, StrengthSettings(changed_genes=79))
    with pytest.raises(InputError, match="level must be one of"):
        strong_perturbations(cells, StrengthSettings(level=0.2))


def test_the_knock_down_the_percentile_and_the_control_cells_are_as_set():
    cells, _ = _cells()
    with pytest.raises(InputError, match="90% knock-down"):
        strong_perturbations(cells, StrengthSettings(knock_down=0.9))  # G0 falls by 80% in 35 of 40 cells
    dense = cells.values.toarray()
    total = dense.sum(axis=1)
    logged = np.log1p(dense[:, 0] / total * np.median(total))
    for percentile in (0, 10, 50):
        kept = strong_perturbations(cells, StrengthSettings(percentile=percentile))
        limit = np.percentile(logged[cells.control], percentile)
        expected = (cells.perturbation == 0) & (logged <= limit + 1e-6)
        assert (kept.perturbation == 0).sum() == expected.sum()
    with pytest.raises(InputError, match="none of 3"):
        strong_perturbations(cells, StrengthSettings(most_control=4))  # too few to tell any gene apart
