"""Each setting of the planted worlds does what its description says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from cistron.methods import SettingError
from cistron.world.cells import CellWorldSettings, cell_world
from cistron.world.chromatin import ChromatinWorldSettings, chromatin_world
from cistron.world.genes import WorldSettings, plant_genes
from cistron.world.network_simulators import SimulatorSettings, simulate_screen
from cistron.world.networks import CONTROL, NetworkWorldSettings, network_world

CELLS = CellWorldSettings(genes=120, chromosomes=4, cells=300, functions=4, dimensions=8)
# Nothing varies between cells but the sampling.
STILL = replace(CELLS, state_scale=0.0, library_spread=0.0)
KINDS = ("planted", "simulated")


def dispersion_of(counts):
    """Moment estimate of the dispersion of counts [cell, gene] with one mean a gene."""
    mean = counts.mean(axis=0)
    return (counts.var(axis=0) - mean).sum() / (mean**2).sum()


def dense(matrix):
    return np.asarray(matrix.todense(), dtype=float)


def cell_counts(settings):
    return dense(cell_world(settings, seed=1).cells.X)


def screen(generator, **given):
    """Counts [cell, gene], labels, genes and truth of a small network world of either generator."""
    given = {"genes": 40, "control_cells": 200, "perturbed_fraction": 0.5, **given}
    if generator == "planted":
        world = network_world(NetworkWorldSettings(**given), seed=1)
        cells, truth = world.cells, world.truth
        return (
            dense(cells.X),
            cells.obs["perturbation"].to_numpy().astype(str),
            list(cells.var_names),
            truth,
        )
    simulated = simulate_screen(SimulatorSettings(**given), seed=1)
    return dense(simulated.counts), np.array(simulated.labels), list(simulated.genes), simulated.truth


def left_of_targets(found):
    """Expression of the perturbed genes in their cells, as a share of that in control cells."""
    counts, labels, genes, _ = found
    control = counts[labels == CONTROL].mean(axis=0)
    hit = [(counts[labels == gene, number].sum(), (labels == gene).sum() * control[number])
           for number, gene in enumerate(genes) if gene in labels]  # fmt: skip
    observed, expected = np.sum(hit, axis=0)
    return observed / expected


def test_cells_library_spread():
    spreads = [
        np.log(cell_counts(replace(CELLS, library_spread=value)).sum(axis=1)).std() for value in (0.0, 1.0)
    ]
    assert spreads[0] < 0.15
    assert spreads[1] == pytest.approx(1.0, abs=0.15)


def test_cells_state_scale_and_states():
    rates = [
        cell_world(replace(CELLS, states=states, state_scale=scale), seed=1).logarithmic_rate
        for states, scale in ((3, 0.5), (3, 1.0), (2, 1.0))
    ]
    moving = [rate - rate.mean(axis=0) for rate in rates]
    assert [np.linalg.matrix_rank(one, tol=1e-3) for one in moving] == [3, 3, 2]
    assert moving[1].std() == pytest.approx(2 * moving[0].std(), rel=1e-5)


def test_cells_mean_spread():
    means = [
        cell_world(replace(STILL, mean_spread=value), seed=1).logarithmic_rate.mean(axis=0)
        for value in (1.0, 2.5)
    ]
    assert means[1].std() == pytest.approx(2.5 * means[0].std(), rel=1e-5)
    assert means[0].std() == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("dispersion", [0.05, 0.5])
def test_cells_dispersion(dispersion):
    assert dispersion_of(cell_counts(replace(STILL, dispersion=dispersion))) == pytest.approx(
        dispersion, rel=0.2
    )


@pytest.mark.parametrize("families", [0.0, 0.5])
def test_cells_families(families):
    sizes = cell_world(replace(CELLS, families=families), seed=1).cells.var["family"].value_counts()
    assert set(sizes) <= {1, 3}
    assert sizes[sizes == 3].sum() / sizes.sum() == pytest.approx(families)


@pytest.mark.parametrize("deviation", [0.0, 0.8])
def test_marks_gene_deviation(deviation):
    world = chromatin_world(ChromatinWorldSettings(genes=110, cell_types=2, gene_deviation=deviation), seed=1)
    assert world.base.std() == pytest.approx(deviation, rel=0.2)


@pytest.mark.parametrize(("share", "correlation"), [(0.0, 0.0), (1.0, 0.7)])
def test_genes_paralogues(share, correlation):
    """A paralogue takes half its variance from the gene before it."""
    functions = plant_genes(WorldSettings(genes=600, chromosomes=2, paralogues=share), seed=1).functions
    found = np.corrcoef(functions[:-1].ravel(), functions[1:].ravel())[0, 1]
    assert found == pytest.approx(correlation, abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_network_regulators_and_repressors(kind):
    for regulators, repressors in ((1.0, 0.0), (3.0, 1.0)):
        truth = screen(kind, regulators_per_gene=regulators, repressors=repressors, control_cells=5)[3]
        assert len(truth) / 40 == pytest.approx(regulators, rel=0.3)
        assert set(truth["sign"]) == {-1 if repressors else 1}


@pytest.mark.parametrize("kind", KINDS)
def test_network_feedback_closes_loops(kind):
    """Genes that reach each other form one strongly connected part; without feedback each gene is its own."""
    parts = []
    for feedback in (0.0, 0.5):
        _, _, genes, truth = screen(kind, feedback=feedback, shape="flat", control_cells=5)
        number = {gene: place for place, gene in enumerate(genes)}
        places = truth["source"].map(number), truth["target"].map(number)
        graph = csr_array((np.ones(len(truth)), places), shape=(len(genes), len(genes)))
        parts.append(connected_components(graph, connection="strong")[0])
    assert parts[0] == 40
    assert parts[1] < 30


@pytest.mark.parametrize("kind", KINDS)
def test_network_escaping(kind):
    assert left_of_targets(screen(kind, escaping=0.0)) < 0.5
    assert left_of_targets(screen(kind, escaping=1.0)) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("kind", KINDS)
def test_network_library_spread(kind):
    spread = [
        np.log(screen(kind, library_spread=value, counts_per_gene=5.0)[0].sum(axis=1)).std()
        for value in (0.0, 1.0)
    ]
    assert spread[0] < 0.5 < 0.8 < spread[1]


@pytest.mark.parametrize("kind", KINDS)
def test_network_dispersion(kind):
    found = []
    for value in (0.01, 1.0):
        counts, labels, _, _ = screen(
            kind, dispersion=value, library_spread=0.0, noise=0.0, counts_per_gene=20.0
        )
        found.append(dispersion_of(counts[labels == CONTROL]))
    assert found[0] < 0.4
    assert found[1] - found[0] == pytest.approx(1.0, rel=0.4)


def test_network_knock_down_and_guides():
    weak, strong = (screen("planted", knock_down=value, escaping=0.0) for value in (0.3, 0.9))
    assert left_of_targets(weak) == pytest.approx(0.7, abs=0.15)
    assert left_of_targets(strong) < 0.3
    settings = NetworkWorldSettings(genes=10, control_cells=12, cells_per_knockout=12, guides=4)
    table = network_world(settings, seed=1).cells.obs
    assert (table.groupby("perturbation", observed=True)["guide"].nunique() == 4).all()


def test_network_hidden_scale_moves_genes_together():
    shared = []
    for value in (0.0, 0.8):
        counts, labels, _, _ = screen(
            "planted", hidden_scale=value, library_spread=0.0, counts_per_gene=20.0, regulators_per_gene=0.2
        )
        values = np.linalg.eigvalsh(np.corrcoef(np.log1p(counts[labels == CONTROL]).T))
        shared.append(values[-2:].sum() / values.sum())
    assert shared[0] < 0.25 < 0.4 < shared[1]


def test_simulator_cells_each():
    _, labels, _, _ = screen("simulated", cells_each=7)
    names, counts = np.unique(labels[labels != CONTROL], return_counts=True)
    assert len(names) == 20
    assert set(counts) == {7}


def test_simulator_cell_states_differ_in_their_master_regulators():
    """Masters are genes without a regulator; the more states, the more they differ from cell to cell."""
    spread = []
    for states in (1, 4):
        counts, labels, genes, truth = screen(
            "simulated", kind="sergio", cell_states=states, library_spread=0.0, dispersion=0.01, noise=0.01,
            counts_per_gene=50.0,
        )  # fmt: skip
        masters = ~np.isin(genes, truth["target"])
        spread.append(dispersion_of(counts[labels == CONTROL][:, masters]))
    assert spread[0] < 0.05 < 0.1 < spread[1]


@pytest.mark.parametrize("settings", [CellWorldSettings, SimulatorSettings, NetworkWorldSettings])
def test_a_dispersion_of_zero_is_refused(settings):
    with pytest.raises(SettingError, match="dispersion must be positive"):
        settings(dispersion=0.0)
