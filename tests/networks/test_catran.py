"""CaTran: the collapsed forward pass against the layers one by one, both presets, the embedding."""

import numpy as np
import pytest
import torch
from torch import nn

from cistron.errors import InputError
from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks import NetworkInference
from cistron.networks.catran import Catran
from cistron.networks.catran_batches import CatranBatches
from cistron.networks.catran_inference import CatranLoss
from cistron.networks.settings import CatranSettings


def layer_by_layer(model, expression, genes):
    """The published order of layers, with every tensor [cell, gene, channel] formed."""

    def norm(x, parameters):
        flat = x.reshape(-1, x.shape[-1])
        return nn.functional.batch_norm(flat, None, None, parameters[0], parameters[1], True).reshape(x.shape)

    embedding = model.embedding[genes]
    attention = model.attention(genes)
    joined = torch.cat(
        [embedding.expand(len(expression), -1, -1), expression[:, :, None]], dim=2
    )  # (B, G, D + 1)
    value = model.value(norm(model.join(joined), model.join_norm))
    attended = torch.einsum("ts,bsd->btd", attention, value)
    block = norm(model.block(norm(attended, model.block_norm)), model.activation_norm)
    return model.output(model.hidden(nn.functional.silu(block)))[:, :, 0]


@pytest.mark.parametrize("separate", [True, False])
@pytest.mark.parametrize("cells", [7, 64])
def test_the_collapsed_pass_equals_the_layers_in_output_and_gradient(separate, cells):
    torch.manual_seed(0)
    model = Catran(12, 6, separate=separate, mask_self=separate, spread=0.4).double()
    for norm in (model.join_norm, model.block_norm, model.activation_norm):
        for parameter in norm:
            nn.init.normal_(parameter, 0.5, 0.3)
    genes = torch.tensor([0, 2, 3, 5, 7, 8, 11])
    expression = torch.rand(cells, 7, dtype=torch.float64) * 3
    target = torch.rand(cells, 7, dtype=torch.float64)
    results = []
    for forward in (lambda: model(expression, genes)[0], lambda: layer_by_layer(model, expression, genes)):
        model.zero_grad()
        predicted = forward()
        ((predicted - target) ** 2).mean().backward()
        results.append(
            (predicted.detach(), [p.grad.clone() for p in model.parameters() if p.grad is not None])
        )
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-8, atol=1e-10)
    assert len(results[0][1]) == len(results[1][1])
    for ours, oracle in zip(results[0][1], results[1][1]):
        torch.testing.assert_close(ours, oracle, rtol=1e-6, atol=1e-9)


def test_the_published_model_has_about_nine_thousand_weights_and_forty_a_gene():
    def count(genes):
        return sum(parameter.numel() for parameter in Catran(genes, separate=False).parameters())

    assert count(101) - count(100) == 40
    assert count(0) == 8521


def test_attention_is_directed_only_with_separate_layers():
    torch.manual_seed(0)
    shared = Catran(8, separate=False, mask_self=False, spread=0.5)
    logits = shared.attention_logits()
    torch.testing.assert_close(logits, logits.T)
    mended = Catran(8, spread=0.5)
    assert not torch.allclose(mended.attention(), mended.attention().T)
    assert mended.attention().diagonal().abs().max() == 0
    torch.testing.assert_close(mended.attention().sum(dim=1), torch.ones(8))


def test_hidden_genes_keep_their_values_but_not_their_places():
    values = torch.arange(60, dtype=torch.float32).reshape(10, 6)
    for shuffle, axis in (("cells", 0), ("genes", 1)):
        settings = CatranSettings(steps=3, batch_cells=10, hidden_share=0.5, shuffle=shuffle)
        batches = CatranBatches(values, np.full(10, -1), settings, seed=0)
        assert len(batches) == 3
        for shown, true, hidden, _, _ in batches:
            assert hidden.sum() == 3
            torch.testing.assert_close(shown[:, ~hidden], true[:, ~hidden])
            assert not torch.equal(shown[:, hidden], true[:, hidden])
            torch.testing.assert_close(
                shown[:, hidden].sort(dim=axis).values, true[:, hidden].sort(dim=axis).values
            )
    first, second = (next(iter(batches))[0] for _ in range(2))
    assert torch.equal(first, second)


def test_the_published_schedule_is_epochs_of_whole_passes():
    batches = CatranBatches(torch.zeros(5000, 4), np.full(5000, -1), CatranSettings.paper(), 0)
    assert len(batches) == 25 * 3


def test_printed_importance_by_hand():
    settings = CatranSettings.paper()
    loss = CatranLoss(settings, 2)
    errors = torch.tensor([[1.0, 2.0], [1.0, 2.0], [3.0, 1.0]])
    attention = torch.tensor([[0.5, 0.5], [0.5, 0.5]])
    penalty = loss._printed(errors, attention, torch.tensor([-1, -1, 0]))
    importance = 1 / (1 + np.exp(-(np.array([1 / 3, 2 / 1]) - 1)))
    assert float(penalty) == pytest.approx(float((0.5 * (0.5 - importance) ** 2).mean()), abs=1e-6)


def _cells():
    random = np.random.default_rng(0)
    labels = np.repeat(["ctrl", "G0", "G1", "G2"], [200, 80, 80, 80])
    counts = random.poisson(20, (440, 8))
    counts[labels == "G0", 0] = random.poisson(1, 80)
    counts[labels == "G0", 3] = random.poisson(2, 80)
    counts[labels == "G1", 1] = random.poisson(1, 80)
    counts[labels == "G2", 2] = random.poisson(1, 80)
    return assemble_cells(counts, [f"G{i}" for i in range(8)], labels, control="ctrl")


def test_the_mended_model_attends_to_what_a_knock_out_moves_and_gives_an_embedding():
    inference = NetworkInference(CatranSettings(steps=200), method="catran", seed=1).fit(_cells())
    weight = inference.network.weight
    assert np.nanargmax(weight[0]) == 3
    assert weight[0, 3] > 1.1 * np.nanmedian(weight[0])
    np.testing.assert_allclose(np.nanmean(weight, axis=1), 1, rtol=1e-5)  # relative to the source's mean
    embedding = inference.embed()
    assert embedding.shape == (8, 40)
    assert embedding.uns["cistron"]["evidence"] == "expression+perturbation"


def test_the_paper_preset_runs_and_repeats_itself():
    settings = CatranSettings.paper()
    first, second = (
        NetworkInference(settings, method="catran", seed=2).infer(_cells(), 10) for _ in range(2)
    )
    assert first.table.equals(second.table)
    assert len(first) == 10


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="shuffle must be"):
        CatranSettings(shuffle="rows")
    with pytest.raises(InputError, match="hidden_share"):
        CatranSettings(hidden_share=1.0)


def test_a_batch_has_some_of_the_genes_and_knows_where_the_perturbed_one_stands():
    values = torch.arange(80, dtype=torch.float32).reshape(10, 8)
    perturbation = np.array([3] * 10)
    settings = CatranSettings(steps=20, batch_cells=5, batch_genes=4)
    places = []
    for shown, true, hidden, position, genes in CatranBatches(values, perturbation, settings, seed=0):
        assert shown.shape == true.shape == (5, 4)
        assert len(hidden) == len(genes) == len(set(genes.tolist())) == 4
        assert (true[0] % 8 == genes).all()
        assert (position >= 0).all() == (3 in genes.tolist())
        places += [int(genes[position[0]])] * int(position[0] >= 0)
    assert set(places) == {3}
    assert 4 <= len(places) <= 16  # of 20 batches about half hold gene 3


def _losses(**settings):
    """Parts of the loss of two genes, the second hidden, in three cells of which the last has the first perturbed."""
    true = torch.tensor([[1.0, 2.0], [1.0, 2.0], [3.0, 1.0]])
    predicted = true + torch.tensor([[0.2, 1.0], [0.2, 1.0], [0.8, 0.5]])
    attention = torch.tensor([[0.0, 0.5], [0.5, 0.0]])
    batch = (predicted, true, torch.tensor([False, True]), torch.tensor([-1, -1, 0]), torch.arange(2))
    loss = CatranLoss(CatranSettings(**settings), 2)
    return {key: float(value) for key, value in loss(lambda *_: (predicted, attention), batch).items()}


def test_the_loss_weighs_hidden_genes_and_the_interventional_term_as_set():
    hidden, visible = (0.5 + 0.5 + 0.125) / 3, (0.02 + 0.02 + 0.32) / 3  # halves of squares
    plain = _losses(hidden_weight=0.25, intervention_weight=0.0)
    assert plain["loss"] == pytest.approx(0.25 * hidden + 0.75 * visible, abs=1e-6)
    assert plain["interventional"] == 0
    weighed = _losses(hidden_weight=0.25, intervention_weight=4.0, relative_scores=False)
    assert weighed["interventional"] > 0
    assert weighed["loss"] == pytest.approx(plain["loss"] + 4 * weighed["interventional"], abs=1e-6)


def test_the_ratio_of_errors_is_turned_around_as_set():
    """Errors of the first gene are 0.32 in its perturbed cell and 0.02 elsewhere; 0.125 and 0.5 of the second."""

    def by_hand(ratios):
        importance = 1 / (1 + np.exp(-(np.array(ratios) - 1)))
        return float((0.5 * (np.array([0.0, 0.5]) - importance) ** 2).mean())

    printed = _losses(relative_scores=False, inverted_ratio=False)["interventional"]
    turned = _losses(relative_scores=False, inverted_ratio=True)["interventional"]
    assert printed == pytest.approx(by_hand([0.02 / 0.32, 0.5 / 0.125]), abs=1e-5)
    assert turned == pytest.approx(by_hand([0.32 / 0.02, 0.125 / 0.5]), abs=1e-5)


def test_relative_scores_are_divided_by_the_mean_of_their_source():
    few = {"steps": 2, "batch_cells": 32, "dimension": 4}
    means = [
        np.nanmean(
            NetworkInference({**few, "relative_scores": relative}, method="catran")
            .fit(_cells())
            .network.weight,
            axis=1,
        )
        for relative in (True, False)
    ]
    np.testing.assert_allclose(means[0], 1, rtol=1e-5)
    assert np.nanmax(means[1]) < 0.3  # plain attention: one over seven genes
    # with one target left both sides are 1, whatever the errors
    assert _losses(relative_scores=True)["interventional"] != _losses(relative_scores=False)["interventional"]
