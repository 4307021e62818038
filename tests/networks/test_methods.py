"""The list of methods: each runs, each finds planted edges as well as it should, none leaks."""

import dataclasses

import numpy as np
import pytest

from cistron.errors import InputError
from cistron.evaluation.edges.truth import average_precision
from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks import METHODS, CausalBenchModel, NetworkInference
from cistron.networks.combined import gather_evidence
from cistron.networks.settings import DefaultSettings
from cistron.world.networks import CONTROL, NetworkWorldSettings, network_world


def planted(seed=1, **settings):
    chosen = {"genes": 40, "control_cells": 800, "cells_per_knockout": 60, "counts_per_gene": 6, **settings}
    world = network_world(NetworkWorldSettings(**chosen), seed=seed)
    labels = world.cells.obs["perturbation"].tolist()
    cells = assemble_cells(world.cells.X, list(world.cells.var_names), labels, control=CONTROL)
    number = {gene: position for position, gene in enumerate(cells.genes)}
    true = np.zeros((len(number),) * 2, dtype=int)
    true[world.truth["source"].map(number), world.truth["target"].map(number)] = world.truth["sign"]
    return cells, true


@pytest.fixture(scope="module")
def world():
    return planted()


def precision(weight, true):
    pairs = ~np.eye(len(true), dtype=bool)
    return average_precision(np.nan_to_num(weight[pairs], nan=-np.inf), true[pairs] != 0)


FLOORS = {
    "default": 0.6,
    "mean-shift": 0.4,
    "wasserstein": 0.35,
    "direct": 0.45,
    "correlation": 0.08,
    "partial-correlation": 0.065,
    "trees": 0.06,
}


@pytest.mark.parametrize("name", FLOORS)
def test_each_method_finds_planted_edges_above_chance(world, name):
    cells, true = world
    settings = DefaultSettings(resamples=0) if name == "default" else None
    network = NetworkInference(settings, method=name).fit(cells).network
    chance = (true != 0).mean()
    assert precision(network.weight, true) > max(FLOORS[name], 1.3 * chance)
    assert np.isnan(np.diag(network.weight)).all()


def test_random_finds_nothing_and_default_beats_the_baselines(world):
    cells, true = world
    scores = {
        name: precision(METHODS[name](cells, METHODS[name].settings(), 0).weight, true)
        for name in ("mean-shift", "direct", "random")
    }
    ours = METHODS["default"](cells, DefaultSettings(resamples=0), 0)
    assert scores["random"] < 0.1
    assert precision(ours.weight, true) > max(scores.values()) + 0.05


def test_shuffled_labels_leave_nothing(world):
    """The negative control: perturbation labels of other cells, co-variation left out."""
    cells, true = world
    random = np.random.default_rng(0)
    mixed = dataclasses.replace(cells, perturbation=random.permutation(cells.perturbation))
    settings = DefaultSettings(resamples=0, co_variation=False)
    assert precision(METHODS["default"](mixed, settings, 0).weight, true) < 2.5 * (true != 0).mean()


def test_signs_and_probabilities_of_the_default_method_mean_what_they_say(world):
    cells, true = world
    network = METHODS["default"](cells, DefaultSettings(resamples=0), 0)
    top = network.strongest(int((true != 0).sum()))
    found = true[top] != 0
    assert (network.sign[top] == true[top])[found].mean() > 0.9
    sure = network.probability > 0.8
    assert (true[sure] != 0).mean() > 0.7
    assert network.direct[np.isfinite(network.weight)].max() <= 1


def _chain(bystanders):
    """A chain A -> B -> C with strong knock-downs, and perturbed bystanders that do nothing."""
    random = np.random.default_rng(0)
    names = [f"N{number}" for number in range(bystanders)]
    labels = np.repeat(["ctrl", "A", "B", "C", *names], [3000] * 4 + [100] * bystanders)
    size = len(labels)
    a = random.normal(0, 0.5, size) - 2 * (labels == "A")
    b = a + random.normal(0, 0.5, size) - 2 * (labels == "B")
    c = b + random.normal(0, 0.5, size) - 2 * (labels == "C")
    others = [random.normal(0, 0.5, size) - 2 * (labels == name) for name in names]
    return assemble_cells(
        np.column_stack([a, b, c, *others]),
        ["A", "B", "C", *names],
        labels,
        control="ctrl",
        scale="continuous",
    )


def test_direct_edges_rank_above_their_shortcuts():
    """The effect of A on C is real and must not be called direct."""
    cells = _chain(bystanders=20)
    network = METHODS["default"](cells, DefaultSettings(resamples=0), 0)
    weight = network.weight[:3, :3]
    true = np.array([weight[0, 1], weight[1, 2]])
    assert true.min() > np.nanmax(np.where(np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]]), np.nan, weight))
    assert network.direct[0, 2] < 0.2 < network.direct[0, 1]
    assert network.sign[0, 1] == network.sign[1, 2] == 1
    shift = METHODS["mean-shift"](cells, METHODS["mean-shift"].settings(), 0)
    assert shift.weight[0, 2] > 20  # the total effect alone cannot tell


def test_co_variation_agrees_with_an_edge_whose_sign_the_perturbation_implies():
    """A activates B, and B represses C, which is turned around: co-variation confirms both signs."""
    cells = _chain(bystanders=3)
    values = cells.values.toarray()
    values[:, 2] *= -1
    turned = dataclasses.replace(cells, values=type(cells.values)(values))
    settings = DefaultSettings(direction="knock-down", resamples=0)
    agreement = gather_evidence(turned, settings)[0].pairs()["agreement"]
    assert agreement[0, 1] > 0.5
    assert agreement[1, 2] > 0.5
    # read as an activation screen, the same cells contradict co-variation
    activation = gather_evidence(turned, dataclasses.replace(settings, direction="activation"))[0].pairs()[
        "agreement"
    ]
    np.testing.assert_allclose(activation[:2, 1:3], -agreement[:2, 1:3])


def test_few_perturbations_or_unseen_knock_downs_leave_direct_effects_out():
    few = METHODS["default"](_chain(bystanders=5), DefaultSettings(resamples=0), 0)
    assert few.direct is None
    assert few.details == {"perturbations": "knock-down", "direct_effects": False}
    assert few.weight[0, 1] > 0
    cells = _chain(bystanders=20)
    values = cells.values.toarray()
    for gene in cells.perturbed:  # inhibitors: targets move, the perturbed protein itself does not
        values[cells.perturbation == gene, gene] += 2
    inhibited = dataclasses.replace(cells, values=type(cells.values)(values))
    activity = METHODS["default"](inhibited, DefaultSettings(resamples=0), 0)
    assert activity.details == {"perturbations": "activity", "direct_effects": False}
    assert activity.weight[0, 1] > 0
    assert activity.sign[0, 1] == 1


def test_an_activation_screen_is_the_mirror_of_a_knock_down_screen():
    """All values negated: every perturbed gene rises, the network and its signs stay."""
    cells = _chain(bystanders=20)
    mirrored = dataclasses.replace(cells, values=-cells.values)
    first, second = (METHODS["default"](part, DefaultSettings(resamples=0), 0) for part in (cells, mirrored))
    assert second.details == {"perturbations": "activation", "direct_effects": True}
    np.testing.assert_allclose(second.weight, first.weight, rtol=1e-3, atol=1e-3)
    assert (second.sign == first.sign).all()
    for name in ("mean-shift", "direct", "wasserstein"):
        first, second = (METHODS[name](part, METHODS[name].settings(), 0) for part in (cells, mirrored))
        np.testing.assert_allclose(second.weight, first.weight, rtol=1e-3, atol=1e-3)
        assert second.sign[0, 1] == second.sign[1, 2] == first.sign[0, 1] == 1


@pytest.mark.parametrize("name", ["default", "mean-shift", "wasserstein", "direct", "partial-correlation"])
def test_the_order_of_genes_and_cells_does_not_matter(name):
    cells, _ = planted(genes=15, control_cells=200, cells_per_knockout=20)
    random = np.random.default_rng(1)
    genes, rows = random.permutation(15), random.permutation(len(cells.perturbation))
    place = np.argsort(genes)
    moved = dataclasses.replace(
        cells,
        values=cells.values[rows][:, genes],
        genes=tuple(cells.genes[gene] for gene in genes),
        perturbation=np.where(cells.perturbation[rows] >= 0, place[cells.perturbation[rows]], -1),
    )
    settings = DefaultSettings(resamples=0) if name == "default" else METHODS[name].settings()
    first = METHODS[name](cells, settings, 0).weight
    second = METHODS[name](moved, settings, 0).weight
    np.testing.assert_allclose(second, first[np.ix_(genes, genes)], rtol=2e-2, atol=2e-2)


def test_the_same_seed_gives_the_same_edges(world):
    cells, _ = world
    for name in ("default", "random", "trees"):
        settings = DefaultSettings(resamples=2) if name == "default" else None
        first, second = (NetworkInference(settings, method=name, seed=5).infer(cells, 50) for _ in range(2))
        assert first.table.equals(second.table)
    assert first.pairs() != NetworkInference(method="random", seed=6).infer(cells, 50).pairs()


def test_stability_tells_sure_edges_from_lucky_ones(world):
    cells, true = world
    network = METHODS["default"](cells, DefaultSettings(resamples=4), 0)
    stable = network.stability == 1
    assert (true[stable] != 0).mean() > 0.6
    assert network.stability[true == 0].mean() < 0.1
    assert set(np.unique(network.stability)) == {0, 0.25, 0.5, 0.75, 1}


def test_unperturbed_sources_are_scored_by_co_variation_only():
    cells, _ = planted(perturbed_fraction=0.5)
    unperturbed = np.setdiff1d(np.arange(40), cells.perturbed)
    shift = METHODS["mean-shift"](cells, METHODS["mean-shift"].settings(), 0)
    assert np.isnan(shift.weight[unperturbed]).all()
    ours = METHODS["default"](cells, DefaultSettings(resamples=0), 0)
    assert np.isfinite(ours.weight[unperturbed]).sum() == len(unperturbed) * 39
    assert NetworkInference(method="mean-shift").infer(cells, None).table["source"].nunique() == 20


def test_unperturbed_pairs_do_not_crowd_out_perturbed_ones_among_many_genes():
    cells, true = planted(genes=250, perturbed_fraction=0.1, control_cells=400, cells_per_knockout=30)
    network = METHODS["default"](cells, DefaultSettings(resamples=0), 0)
    unperturbed = np.setdiff1d(np.arange(250), cells.perturbed)
    stated = np.nansum(network.probability[unperturbed]) / (len(unperturbed) * 249)
    assert stated < 3 * (true[unperturbed] != 0).mean()
    source, _ = network.strongest(20)
    assert np.isin(source, cells.perturbed).mean() > 0.5


def test_causalbench_calls_are_answered_with_pairs(world):
    cells, _ = world
    from cistron.formats.expression_scale import log_normalise

    matrix = log_normalise(cells.values, "counts").toarray()
    names = np.array([*cells.genes, "non-targeting"])[cells.perturbation].tolist()
    for method in ("default", "mean-shift"):
        pairs = CausalBenchModel(method, edges=30)(matrix, names, list(cells.genes), None, 0)
        assert len(pairs) == len(set(pairs)) == 30
        assert all(
            source in cells.genes and target in cells.genes and source != target for source, target in pairs
        )
    control = [name == "non-targeting" for name in names]
    observed = CausalBenchModel(edges=30)(
        matrix[control], ["non-targeting"] * sum(control), list(cells.genes), None, 0
    )
    assert len(observed) == 30


def test_causalbenchs_runner_finds_a_class_that_derives_from_its_own(world):
    """Its runner takes the class of a file that has AbstractInferenceModel among its direct bases, and calls it bare."""

    class AbstractInferenceModel:
        def __call__(self, expression_matrix, interventions, gene_names, training_regime, seed=0):
            raise AssertionError("the subclass must answer")

    class Model(CausalBenchModel, AbstractInferenceModel):
        pass

    assert AbstractInferenceModel in Model.__bases__
    cells, _ = world
    half = np.isin(cells.perturbation, cells.perturbed[:20]) | (cells.perturbation == -1)
    names = np.array([*cells.genes, "non-targeting"])[cells.perturbation[half]].tolist()
    pairs = Model()(
        cells.values[half].log1p().toarray(), names, list(cells.genes), "partial_interventional", 1
    )
    assert {source for source, _ in pairs} <= set(names)  # others would raise KeyError in its evaluator


def test_unknown_names_are_listed():
    with pytest.raises(InputError, match="no network method 'genie'; methods are default, catran"):
        METHODS.find("genie")
    with pytest.raises(InputError, match="has no settings 'paper'; it has default"):
        METHODS.settings("wasserstein", "paper")
    with pytest.raises(InputError, match="takes MeanShiftSettings"):
        NetworkInference(DefaultSettings(), method="mean-shift")
    with pytest.raises(InputError, match="no network was inferred"):
        NetworkInference().edges()


def test_the_time_left_is_told(monkeypatch, capsys):
    monkeypatch.setattr("cistron.runtime.progress._enabled", True)
    monkeypatch.setattr("cistron.runtime.progress._SECONDS_BETWEEN_LINES", -1.0)
    cells, _ = planted(genes=15, control_cells=200, cells_per_knockout=20)
    METHODS["default"](cells, DefaultSettings(resamples=2), 0)
    said = capsys.readouterr().err
    for done in (1, 2, 3):
        assert f"network: {done} of 3 passes over the cells" in said
    assert "left" in said


def test_a_sign_is_read_from_the_shift_and_from_co_variation():
    """A shift that says little is outvoted by strong co-variation, one that says much is not."""
    cells, _ = planted()
    first = gather_evidence(cells, DefaultSettings(resamples=0))[0]
    shift = np.zeros(first.effects.shift.shape)
    error, partial = np.ones(shift.shape), np.full((40, 40), 0.01)
    shift[0, 1], shift[0, 2], shift[0, 3] = -0.5, -5, 0
    partial[first.effects.sources[0], 1:4] = [-0.4, -0.1, 0.4]
    evidence = dataclasses.replace(
        first,
        effects=dataclasses.replace(first.effects, shift=shift, error=error),
        direct=dataclasses.replace(first.direct, effect=np.zeros(shift.shape)),
        partial=partial,
    )
    # A falls, so a target that falls is activated
    assert evidence.regulation()[0, 1:4].tolist() == [-1, 1, 1]
    alone = dataclasses.replace(evidence, partial=np.zeros((40, 40)))
    assert alone.regulation()[0, 1:4].tolist() == [1, 1, 0]
