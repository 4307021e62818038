"""Designed epigenomes: constraints hold, the target is reached or said not to be, penalties do what they say."""

import dataclasses

import numpy as np
import pytest
import torch

from cistron.chromatin.design import design_epigenome, edited_blocks
from cistron.chromatin.design_descent import DesignDescent
from cistron.chromatin.design_penalties import edit_size, profile_distance, shrink, total_variation
from cistron.chromatin.design_pruning import prune_edits
from cistron.chromatin.design_tables import edit_table, mean_edit, member_table, outcome_table, shortfall
from cistron.chromatin.estimator import ExpressionPredictor
from cistron.chromatin.settings import DesignSettings
from cistron.chromatin.training import QUANTILES
from cistron.errors import InputError

EASY = DesignSettings(fold=2.0)


@pytest.fixture(scope="module")
def genes(store, fitted):
    return np.flatnonzero(np.isin(store.genes, fitted.facts["genes"]["test"]))[:3]


@pytest.fixture(scope="module")
def easy(store, fitted, genes):
    return design_epigenome(fitted, store, genes, EASY)


def test_the_target_is_reached_within_the_training_range(store, fitted, easy):
    assert shortfall(easy, store) is None
    assert (easy.share(easy.achieved) >= 0.9 - 1e-3).all()
    assert np.isfinite(easy.judged).all()
    np.testing.assert_allclose(easy.wanted, np.log1p(2 * np.expm1(easy.start)), rtol=1e-3, atol=2e-3)
    limit = fitted.summary["quantiles"][QUANTILES.index(0.995)][None, None, :, None]
    assert (easy.designed >= 0).all()
    assert (easy.designed <= np.maximum(easy.original, limit) + 1e-5).all()


def test_the_predictions_of_a_design_are_those_of_its_marks(fitted, easy):
    networks = dataclasses.replace(fitted, networks=fitted.networks[:-1])
    found = networks.predict_each(easy.designed, easy.measured).mean(axis=0)
    np.testing.assert_allclose(found, easy.achieved, atol=1e-4)


def test_the_edit_is_smaller_than_that_of_plain_descent(store, fitted, genes, easy):
    plain = design_epigenome(fitted, store, genes, dataclasses.replace(DesignSettings.paper(), fold=2.0))
    assert (plain.share(plain.achieved) >= 0.9 - 1e-3).all()
    assert np.isnan(plain.judged).all()
    assert (easy.size < plain.size).all()
    assert (edited_blocks(easy) < edited_blocks(plain) / 2).all()


def test_masks_are_kept(store, fitted, genes):
    settings = dataclasses.replace(
        EASY,
        marks=("H3K27ac", "H3K4me3"),
        region=(-2000, 3000),
        cell_types=(store.cell_types[1],),
        tolerance=0.1,
    )
    found = design_epigenome(fitted, store, genes, settings)
    edit = found.designed != found.original
    assert edit.any()
    cells, marks, bins = (np.flatnonzero(edit.any(axis=axes)) for axes in ((0, 2, 3), (0, 1, 3), (0, 1, 2)))
    assert cells.tolist() == [1]
    assert set(np.array(fitted.marks)[marks]) <= {"H3K27ac", "H3K4me3"}
    place = store.positions()[bins]
    assert place.min() >= -2000
    assert place.max() < 3000
    assert (outcome_table(found, store)["role"] == ["held", "target", "held", "held"] * 3).all()


def test_held_cell_types_move_less_where_they_are_held(store, fitted, genes):
    wanted = {
        "cell_types": (store.cell_types[0],),
        "edit_cell_types": tuple(store.cell_types),
        "prune": False,
    }
    drift = []
    for hold in (0.0, 5.0):
        found = design_epigenome(fitted, store, genes, dataclasses.replace(EASY, hold=hold, **wanted))
        drift.append(np.abs(found.achieved - found.start)[:, 1:].mean())
    assert drift[1] < drift[0]


def test_unmeasured_tracks_are_not_edited(store, easy):
    assert not store.tracks.measured.all()
    edit = np.abs(easy.designed - easy.original).sum(axis=(0, 3))
    assert (edit[~store.tracks.measured] == 0).all()


def test_a_target_that_no_constraint_allows_says_how_far_it_got(store, fitted, genes):
    settings = dataclasses.replace(EASY, fold=1000.0, region=(9000, 10_000), marks=("H3K9me3",), steps=30)
    found = design_epigenome(fitted, store, genes, settings)
    message = shortfall(found, store)
    assert "the constraints do not allow the target for 3 of 3 genes" in message
    assert "wanted at least 90%" in message


def test_tables_agree_with_the_arrays(store, fitted, easy):
    outcome, edits = outcome_table(easy, store), edit_table(easy, store, fitted.marks)
    assert len(outcome) == 12
    assert len(edits) == edited_blocks(easy).sum()
    np.testing.assert_allclose(edits["after"] - edits["before"], edits["change"], atol=1e-6)
    mean = mean_edit(easy, store, fitted.marks)
    change = (easy.designed - easy.original).mean(axis=(0, 1, 3))
    np.testing.assert_allclose(mean.groupby("mark", sort=False)["change"].mean(), change, atol=1e-6)


def test_edits_have_places_in_the_genome_and_quantiles_among_real_kilobases(store, fitted, easy):
    edits = edit_table(easy, store, fitted.marks)
    row = edits.iloc[-1]
    gene, mark = store.genes.index(row["gene"]), store.marks.index(row["mark"])
    window = store.tracks.sequences.iloc[gene]
    middle = (window["start"] + window["end"]) // 2
    if window["strand"] == "-":
        assert (row["genome_start"], row["genome_end"]) == (middle - row["end"], middle - row["start"])
    else:
        assert (row["genome_start"], row["genome_end"]) == (middle + row["start"], middle + row["end"])
    # 264 genes are all drawn
    values = store.tracks.values.take(np.arange(len(store.genes)))[:, store.tracks.measured[:, mark], mark]
    real = values.reshape(-1, 10).mean(axis=1)
    assert row["quantile"] == pytest.approx((real <= row["after"]).mean(), abs=1e-3)


def test_every_network_says_what_it_predicts(store, fitted, easy):
    table = member_table(easy, store)
    assert table["role"].tolist()[:2] == ["optimised", "judge"]
    each = fitted.predict_each(easy.designed, easy.measured)  # [network, gene, cell type]
    row = table[(table["member"] == 2) & (table["cell_type"] == store.cell_types[1])]["after"]
    np.testing.assert_allclose(row, each[1, :, 1], atol=1e-4)
    before = fitted.predict_each(easy.original, easy.measured)
    np.testing.assert_allclose(
        table["before"].to_numpy().reshape(3, 4, 2), np.moveaxis(before, 0, -1), atol=1e-4
    )


def test_slack_is_reached_beyond_the_tolerance_and_costs_an_edit(store, fitted, genes, easy):
    bare = design_epigenome(fitted, store, genes, dataclasses.replace(EASY, slack=0.0))
    assert (easy.share(easy.achieved) >= 1.0 - 1e-3).all()
    assert (bare.share(bare.achieved) < 0.97).all()
    assert bare.size.sum() < easy.size.sum()


def test_a_gene_that_reaches_the_tolerance_only_is_pruned_at_what_it_reaches():
    problem = object.__new__(DesignDescent)
    problem.settings = DesignSettings(tolerance=0.9, slack=0.1)
    problem.original, problem.start = torch.zeros(3, 1, 1, 1), torch.zeros(3, 1)
    problem.target, problem.wanted = torch.ones(1), torch.ones(3, 1)
    problem.goal = torch.full((3,), 1.0)
    problem.predict = lambda values: values.sum(dim=(2, 3))
    problem.settle(torch.tensor([0.95, 1.2, 0.5])[:, None, None, None])
    assert problem.goal.tolist() == pytest.approx([0.9499, 1.0, 1.0])


def test_lowering_expression_works_too(store, fitted, genes):
    found = design_epigenome(fitted, store, genes, dataclasses.replace(EASY, fold=0.6))
    assert (found.achieved[:, found.target].mean(axis=1) < found.start.mean(axis=1)).all()
    assert shortfall(found, store) is None


def test_without_a_judge_all_networks_are_optimised(store, fitted, genes, easy):
    found = design_epigenome(
        fitted, store, genes[:1], dataclasses.replace(EASY, judge=False, steps=3, prune=False)
    )
    assert np.isnan(found.judged).all()
    every = fitted.predict_each(found.designed, found.measured).mean(axis=0)
    np.testing.assert_allclose(every, found.achieved, atol=1e-4)
    assert np.isfinite(easy.judged).all()


def test_the_dearer_an_edit_the_smaller_it_is(store, fitted, genes):
    cheap, dear = (
        design_epigenome(
            fitted, store, genes[:1], dataclasses.replace(EASY, price=price, steps=4, prune=False)
        )
        for price in (1e-6, 1e3)
    )
    assert [found.price.item() for found in (cheap, dear)] == pytest.approx([1e-6, 1e3])
    assert cheap.size.sum() > dear.size.sum() == 0


@pytest.mark.parametrize("name", ["total_variation", "distance"])
def test_penalties_of_unevenness_and_distance_pull_by_their_gradient(store, fitted, genes, name):
    from cistron.chromatin.design_descent import DesignDescent
    from cistron.chromatin.estimator import read_marks

    values, measured = read_marks(fitted, store, genes[:1])
    weights = {"total_variation": 0.0, "distance": 0.0, name: 2.0}
    edit = torch.as_tensor(np.random.default_rng(0).random(values.shape, np.float32))
    every = np.ones(values.shape[1], dtype=bool)
    descent = DesignDescent(
        fitted,
        list(fitted.networks),
        values,
        measured,
        every,
        np.ones(values.shape, dtype=bool),
        store.tracks.bin_size,
        dataclasses.replace(EASY, **weights),
    )
    free, priced = (descent._gradient(edit, torch.tensor([price]))[0] for price in (0.0, 3.0))
    moving = edit.clone().requires_grad_()
    if name == "distance":
        marks = descent.original + moving
        away = profile_distance(marks, descent.mean, descent.precision) - descent.typical
        away.clamp(min=0).sum().backward()
    else:
        total_variation(moving, descent.block).sum().backward()
    assert moving.grad.abs().max() > 0
    torch.testing.assert_close(priced - free, 6.0 * moving.grad, rtol=1e-3, atol=1e-4)


def test_the_sparse_group_step_by_hand():
    edit = torch.tensor([[[[3.0, -1.0, 0.2, 0.1]]]])
    found = shrink(edit, torch.tensor([0.5]), torch.tensor([0.0]), 2)
    torch.testing.assert_close(found, torch.tensor([[[[2.5, -0.5, 0.0, 0.0]]]]))
    found = shrink(edit, torch.tensor([0.0]), torch.tensor([1.0]), 2)
    norm = (10 / 2) ** 0.5
    torch.testing.assert_close(found[0, 0, 0, :2], edit[0, 0, 0, :2] * (1 - 1 / norm))
    assert (found[0, 0, 0, 2:] == 0).all()
    odd = shrink(torch.ones(1, 1, 1, 5), torch.tensor([0.1]), torch.tensor([0.1]), 2)
    assert odd.shape[-1] == 5


def test_sizes_and_distances_by_hand():
    edit = torch.tensor([[[[1.0, -2.0, 0.0, 3.0]]]])
    assert float(edit_size(edit, 2)) == 3.0
    assert float(total_variation(edit, 2)) == (3 + 2 + 3) / 2
    values = torch.tensor([[[[1.0, 3.0, 5.0, 7.0]]]])
    found = profile_distance(values, torch.tensor([1.0, 6.0]), torch.eye(2) * 4)
    assert float(found) == 4 * 1.0**2 / 2


def test_pruning_keeps_what_is_needed_and_no_more():
    edit = torch.tensor([[[[1.0, 0.0, 3.0, 0.0, 2.0, 0.0]]]])

    def reached(edits, gene):
        return edits[:, 0, 0, 2] + edits[:, 0, 0, 4] >= 3

    assert prune_edits(edit, reached, 2).flatten().tolist() == [0, 0, 3, 0, 0, 0]
    assert prune_edits(edit, lambda edits, gene: edits.sum(dim=(1, 2, 3)) > 99, 2).equal(edit)


def test_held_cell_types_may_move_by_what_moved_them_and_a_little_more():
    problem = object.__new__(DesignDescent)
    problem.original, problem.start = torch.zeros(2, 2, 1, 3), torch.zeros(2, 2)
    problem.target = torch.tensor([1.0, 0.0])
    problem.predict = lambda values: values.sum(dim=(2, 3))
    edit = torch.zeros(2, 2, 1, 3)
    edit[:, 0] = 5.0  # the target cell type may move by any amount
    edit[1, 1, 0, 0] = -2.0
    problem.allow_drift(edit)
    assert 0 < problem.allowed[0] < 0.01  # nothing moved, which must not count as too much
    assert 2 < problem.allowed[1] < 2.2


def test_bad_questions_are_told(store, fitted, genes):
    for changes, words in (
        ({"marks": ("H3K79me2",)}, "there is no mark 'H3K79me2'"),
        ({"cell_types": ("liver",)}, "there is no cell type 'liver'"),
        ({"region": (20_000, 30_000)}, "nothing may be edited"),
    ):
        with pytest.raises(InputError, match=words):
            design_epigenome(fitted, store, genes, dataclasses.replace(EASY, **changes))
    for changes, words in (
        ({"fold": 0}, "fold must be positive"),
        ({"quantile": 2}, "quantile must lie"),
        ({"l1": -1}, "l1 must be 0 or more"),
        ({"region": (5, 5)}, "begin before it ends"),
    ):
        with pytest.raises(InputError, match=words):
            DesignSettings(**changes)
    ridge = ExpressionPredictor(method="ridge").fit(store)
    with pytest.raises(InputError, match="design needs a network; this model is of method ridge"):
        design_epigenome(ridge, store, genes)
