"""Totals that a change of composition does not move."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse, stats

from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks import METHODS
from cistron.networks.effects import effects_of
from cistron.networks.normalisation import (
    changed_genes,
    composition,
    dominant_genes,
    normalise,
    weighted_median,
)
from cistron.networks.quality import composition_remarks
from cistron.networks.settings import DefaultSettings


def panel(seed=0, rise=1.4, share=0.44, raised=1, own=0.2, genes=40):
    """Perturbing A multiplies it by ``own`` and the first ``raised`` of the others by ``rise``; H holds ``share`` of the counts."""
    random = np.random.default_rng(seed)
    names = ["A", "H", "B", "C", *(f"X{number}" for number in range(genes - 4))]
    mean = random.lognormal(2.0, 0.8, len(names))
    mean[1] = (mean.sum() - mean[1]) * share / (1 - share)
    counts, labels = [], []
    for label, number in (("ctrl", 1500), ("A", 400), ("B", 400), ("C", 400)):
        expected = np.tile(mean, (number, 1))
        if label != "ctrl":
            expected[:, names.index(label)] *= own
        if label == "A":
            expected[:, 1 : 1 + raised] *= rise
        expected *= random.lognormal(0, 0.3, (number, 1))
        counts.append(random.poisson(random.gamma(5, expected / 5)))
        labels += [label] * number
    return assemble_cells(np.vstack(counts), names, labels, control="ctrl")


@pytest.mark.parametrize("share", [0.44, 0.15])  # left out of the total, and only corrected by the ratios
def test_one_gene_that_rises_does_not_make_others_fall(share):
    cells = panel(share=share, rise=1.4 if share > 0.2 else 3.0)
    z = effects_of(cells).z
    assert z[0, 1] > 10
    assert np.median(z[0, 4:]) == pytest.approx(0, abs=0.8)
    assert (np.abs(z[0, 4:]) > 3).sum() <= 1
    plain = dataclasses.replace(cells, values=log_normalise(cells.values, "counts"), scale="continuous")
    assert np.median(effects_of(plain).z[0, 4:]) < -2  # what plain totals do


def test_no_false_edges_by_composition():
    """Plain totals give 6 to 10 false edges of A in each of the six panels; by chance a few genes are far off (z = 3.9)."""
    false = 0
    for seed in range(6):
        network = METHODS["default"](panel(seed), DefaultSettings(resamples=0), 0)
        likely = np.argwhere(np.nan_to_num(network.probability[:1]) >= 0.5)[:, 1]
        assert 1 in likely
        false += len(likely) - 1
    assert false <= 3


@pytest.mark.parametrize(
    ("given", "left_out"),
    [({"own": 200.0, "share": 0.02, "rise": 1.0}, [0]), ({"share": 0.18, "rise": 2.0, "genes": 9}, [1])],
)
def test_a_gene_that_a_perturbation_brings_up_is_left_out_of_the_totals(given, left_out):
    """An activated gene that fills the cells, and a target in a panel with too few genes for a median of ratios."""
    false = 0
    for seed in range(3):
        cells = panel(seed, **given)
        found = composition(cells.values, cells.perturbation)
        assert not set(left_out) & set(found.dominant.tolist())
        assert set(left_out) <= set(found.left_out[0].tolist())
        assert np.median(effects_of(cells).z[0, 4:]) == pytest.approx(0, abs=1)
        probability = METHODS["default"](cells, DefaultSettings(resamples=0), 0).probability
        false += (np.nan_to_num(probability[[0, 2, 3]])[:, 4:] >= 0.5).sum()
    assert false <= 2
    assert changed_genes(cells)["A"] == [cells.genes[gene] for gene in found.left_out[0]]
    assert "change genes by a large share of the counts (A: " in composition_remarks(cells)[-1]


def test_values_divided_by_the_total_of_more_genes_are_compared_as_they_are():
    """A gene of a selection that rises does not push the rest of the selection down."""
    random = np.random.default_rng(0)
    mean = random.lognormal(1, 0.5, 200)
    mean[1] = 0.18 * mean[:30].sum()
    labels = np.repeat(["ctrl", "G5"], [800, 400])
    expected = np.tile(mean, (1200, 1)) * random.lognormal(0, 0.3, (1200, 1))
    expected[labels == "G5", 1] *= 2
    whole = log_normalise(sparse.csr_matrix(random.poisson(expected).astype(np.float32)), "counts")
    cells = assemble_cells(
        whole[:, :30], [f"G{n}" for n in range(30)], labels, control="ctrl", scale="log-normalised"
    )
    z = effects_of(cells).z[0]
    assert z[1] > 10
    assert np.median(np.delete(z, [1, 5])) == pytest.approx(0, abs=0.8)
    assert changed_genes(cells) == {}


def test_log_normalised_values_are_corrected_alike():
    cells = panel()
    values = log_normalise(cells.values, "counts")
    z = effects_of(dataclasses.replace(cells, values=values, scale="log-normalised")).z
    assert np.median(z[0, 4:]) == pytest.approx(0, abs=0.8)


def test_nothing_is_corrected_where_nothing_changes():
    cells = panel(rise=1.0, share=0.1)
    found = composition(cells.values, cells.perturbation)
    assert not len(found.dominant)
    np.testing.assert_allclose(found.correction, 1, atol=0.03)
    assert (
        stats.pearsonr(
            normalise(cells).data[:5000], log_normalise(cells.values, "counts").data[:5000]
        ).statistic
        > 0.999
    )
    few = composition(sparse.csr_matrix(np.ones((6, 3))), np.array([-1, -1, -1, 0, 0, 0]))
    assert few.correction.tolist() == [1.0]


def test_size_factors_are_totals_over_the_median_of_cells_that_have_counts():
    counts = np.zeros((7, 8))
    counts[[0, 1, 2], [0, 1, 2]] = 1  # totals 1, 1, 1, 3, 0, 0, 0: the median is 1
    counts[3, 3:6] = 1
    labels = ["ctrl"] * 4 + ["G7"] * 3
    cells = assemble_cells(counts, [f"G{n}" for n in range(8)], labels, control="ctrl")
    expected = np.log1p(counts / np.array([1, 1, 1, 3, 1, 1, 1])[:, None])
    np.testing.assert_allclose(normalise(cells).toarray(), expected, rtol=1e-6)


def test_a_dominant_gene_is_named():
    assert dominant_genes(panel()).keys() == {"H"}
    assert dominant_genes(panel())["H"] == pytest.approx(0.44, abs=0.02)
    assert dominant_genes(panel(share=0.1)) == {}
    assert composition_remarks(panel())[0].startswith("H holds 44% of the counts")


def test_weighted_median_by_hand():
    assert weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0])) == 2
    assert weighted_median(np.array([3.0, 1.0, 2.0]), np.array([5.0, 1.0, 1.0])) == 3
