"""Cells with two perturbed genes: a design with two sources, by hand and on planted networks."""

import dataclasses

import numpy as np
import pytest

from cistron.errors import InputError
from cistron.evaluation.edges.truth import average_precision
from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks import METHODS
from cistron.networks.combined import infer_default
from cistron.networks.double_perturbations import perturbation_groups, resolve_pairs
from cistron.networks.effects import KnockOutEffects
from cistron.networks.fold_changes import screen_effects
from cistron.networks.settings import DefaultSettings
from cistron.world.networks import CONTROL, NetworkWorldSettings, network_world

GENES = ["A", "B", "C", "D"]


def _effects(sources, shift, error):
    shift = np.array(shift, dtype=float)
    return KnockOutEffects(
        np.array(sources), shift, np.full(shift.shape, error), np.ones(4), np.full(len(sources), 10.0)
    )


def test_what_a_pair_says_of_each_gene_by_hand():
    # A alone, B alone, A+B, and B+C, where C was never alone
    shift = [[-1, 0.2, 0, 0], [0, -1, 0, 0.5], [-1, -0.8, 0, 0.5], [0, -1, -1, 0.9]]
    found = resolve_pairs(_effects([0, 1, 4, 5], shift, 0.1), np.array([[0, 1], [1, 2]]), 4)
    assert found.sources.tolist() == [0, 1, 2]
    # A by itself with variance 0.01, and A+B less B with 0.02: effects agree, so that the weights are 1/3 and 2/3
    np.testing.assert_allclose(found.shift[0], [-1, 0.2, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found.error[0], np.sqrt(1 / (1 / 0.01 + 1 / 0.02)))
    np.testing.assert_allclose(found.shift[2], [0, 0, -1, 0.4], atol=1e-12)
    np.testing.assert_allclose(found.error[2], np.sqrt(0.02))
    assert found.cells.tolist() == [15, 15, 5]


def test_a_pair_that_departs_from_the_sum_counts_less():
    shift = [[-1, 0, 0.0, 0], [0, -1, 0.0, 0], [-1, -1, 3.0, 0]]  # together they raise C
    found = resolve_pairs(_effects([0, 1, 4], shift, 0.1), np.array([[0, 1]]), 4)
    assert abs(found.shift[0, 2]) < 0.03  # a mean by the errors alone would be 1
    assert found.error[0, 2] > 0.09
    np.testing.assert_allclose(found.error[0, 3], np.sqrt(1 / (1 / 0.01 + 1 / 0.02)))


def _cells(labels, **given):
    values = np.random.default_rng(0).poisson(5.0, (len(labels), 4))
    return assemble_cells(values, GENES, labels, **given)


def test_pairs_are_numbered_kept_on_selection_and_said():
    cells = _cells(["ctrl", "ctrl", "A", "A", "A+B", "B_A", "C+D", "A+B+C"])
    assert cells.perturbation.tolist() == [-1, -1, 0, 0, -2, -2, -2, -2]
    assert cells.pairs.tolist() == [[-1, -1]] * 4 + [[0, 1], [0, 1], [-1, -1], [-1, -1]]
    assert cells.set_aside == {
        "several genes perturbed at once": 1,
        "two genes perturbed at once, neither of them alone in other cells": 1,
    }
    assert any("2 cells have two perturbed genes; the default method takes" in one for one in cells.remarks)
    groups, pairs = perturbation_groups(cells.select(np.arange(1, 6)))
    assert groups.tolist() == [-1, 0, 0, 4, 4]
    assert pairs.tolist() == [[0, 1]]
    assert _cells(["ctrl", "ctrl", "A", "A"]).pairs is None
    with pytest.raises(InputError, match="2 labels join two genes, and no gene was perturbed alone"):
        _cells(["ctrl", "ctrl", "A+B", "A+B", "C+D"])


def test_pairs_in_a_batch_without_control_cells_are_left_out():
    cells = _cells(["ctrl", "ctrl", "A", "A", "A+B", "A+B"], batches=list("xxxxxy"))
    assert cells.pairs[:, 0].tolist() == [-1, -1, -1, -1, 0, -1]


@pytest.fixture(scope="module")
def world():
    settings = NetworkWorldSettings(
        genes=40,
        control_cells=600,
        cells_per_knockout=15,
        counts_per_gene=3,
        double_knockouts=100,
        cells_per_double=15,
    )
    world = network_world(settings, seed=2)
    cells = assemble_cells(
        world.cells.X, list(world.cells.var_names), world.cells.obs["perturbation"].tolist(), control=CONTROL
    )
    number = {gene: place for place, gene in enumerate(cells.genes)}
    true = np.zeros((40, 40), dtype=bool)
    true[world.truth["source"].map(number), world.truth["target"].map(number)] = True
    return cells, true


def test_planted_pairs_sharpen_effects_and_networks(world):
    cells, true = world
    assert (cells.pairs[:, 0] >= 0).sum() == 1500
    single = dataclasses.replace(cells, pairs=None)
    before, after = screen_effects(single), screen_effects(cells)
    assert after.sources.tolist() == before.sources.tolist()
    assert np.median(after.error / before.error) < 0.75
    off = ~np.eye(40, dtype=bool)
    scores = [
        average_precision(infer_default(one, DefaultSettings(resamples=0), 0).weight[off], true[off])
        for one in (single, cells)
    ]
    assert scores[1] > scores[0] + 0.05
    shifts = [
        METHODS["mean-shift"](one, METHODS["mean-shift"].settings(), 0).weight for one in (single, cells)
    ]
    np.testing.assert_array_equal(*shifts)  # sets them aside, as the remark says


def test_resamples_draw_cells_of_pairs_too(world):
    cells, _ = world
    few = infer_default(cells, DefaultSettings(resamples=4), 0)
    alone = infer_default(dataclasses.replace(cells, pairs=None), DefaultSettings(resamples=4), 0)
    likely = few.probability >= 0.5
    assert few.stability[likely].mean() > 0.6
    assert likely.sum() > (alone.probability >= 0.5).sum()
