"""The transformer: its parts against textbook forms, its predictions against leaks, its training against the planted truth."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from cistron.cells import CellExpression, read_cells, read_features
from cistron.cells.attention import Attention, exact_attention, orthogonal_features, performer_attention
from cistron.cells.expression_heads import Bins, count_loss, expected_expression, fit_bins, parameters_of
from cistron.cells.settings import ATTENTIONS, HEADS, TransformerSettings
from cistron.cells.transformer import ExpressionTransformer
from cistron.cells.transformer_fit import HiddenGeneBatches
from cistron.errors import InputError

SMALL = TransformerSettings(
    dimension=16,
    depth=1,
    heads=2,
    latents=8,
    context=24,
    targets=40,
    batch_cells=16,
    steps_per_epoch=3,
    fit=replace(TransformerSettings().fit, epochs=1, warmup_steps=0),
)


def heads_of(seed, sources=12, targets=5):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(2, 3, length, 8, generator=generator) for length in (targets, sources, sources)]


def test_exact_attention_is_softmax_and_ignores_absent_sources():
    query, key, value = heads_of(0)
    present = torch.ones(2, 12, dtype=torch.bool)
    present[1, 7:] = False
    logits = torch.einsum("bhtc,bhsc->bhts", query, key) / 8**0.5
    logits = logits.masked_fill(~present[:, None, None, :], -torch.inf)
    expected = torch.softmax(logits, dim=-1) @ value
    torch.testing.assert_close(exact_attention(query, key, value, present), expected)


@pytest.mark.parametrize("masked", [False, True])
def test_performer_attention_approaches_exact_with_many_features(masked):
    query, key, value = (tensor * 0.6 for tensor in heads_of(1))
    present = torch.ones(2, 12, dtype=torch.bool)
    if masked:
        present[0, 4:] = False
    expected = exact_attention(query, key, value, present)
    error = []
    for features in (32, 4096):
        directions = orthogonal_features(features, 8, torch.Generator().manual_seed(0))
        error.append((performer_attention(query, key, value, present, directions) - expected).abs().mean())
    assert error[1] < 0.02
    assert error[1] < error[0] / 3


def test_padded_places_change_nothing():
    torch.manual_seed(0)
    tokens, sources = torch.randn(2, 4, 16), torch.randn(2, 6, 16)
    longer = torch.cat([sources, torch.full((2, 3, 16), 9.0)], dim=1)
    present = torch.tensor([[True] * 6 + [False] * 3] * 2)
    for performer in (False, True):
        layer = Attention(16, 2, performer)
        torch.testing.assert_close(
            layer(tokens, longer, present), layer(tokens, sources), atol=1e-5, rtol=1e-4
        )


def test_likelihoods_are_those_of_scipy():
    counts = torch.arange(6.0).repeat(2, 1)
    raw = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(3))
    base, library = torch.full((1, 6), -7.0), torch.tensor([2000.0, 5000.0])
    mean = np.exp(-7.0 + raw[..., 0].numpy()) * library.numpy()[:, None]
    shape = np.log1p(np.exp(raw[..., 1].numpy() + 1.5)) + 1e-2
    negative = stats.nbinom(shape, shape / (shape + mean)).logpmf(counts.numpy())
    expected = {"poisson": stats.poisson(mean).logpmf(counts.numpy()), "negative-binomial": negative}
    extra = 1 / (1 + np.exp(-(raw[..., 2].numpy() - 4)))
    expected["zero-inflated"] = np.log(extra * (counts.numpy() == 0) + (1 - extra) * np.exp(negative))
    for head, values in expected.items():
        assert float(count_loss(head, raw, base, library, counts)) == pytest.approx(-values.mean(), rel=1e-4)


@pytest.mark.parametrize("head", ["poisson", "negative-binomial", "zero-inflated"])
def test_expected_expression_is_the_sum_over_counts(head):
    raw = torch.tensor([[[0.0, 0.3, 2.0], [2.0, 0.5, 3.0], [4.0, 1.0, 1.0], [6.5, 2.0, 0.0]]])
    base, library = torch.full((1, 4), -7.0), torch.tensor([1500.0])
    mean = np.exp(-7.0 + raw[0, :, 0].numpy()) * 1500
    shape = np.log1p(np.exp(raw[0, :, 1].numpy() + 1.5)) + 1e-2
    counts = np.arange(20_000)[:, None]
    chance = (
        stats.poisson(mean).pmf(counts)
        if head == "poisson"
        else stats.nbinom(shape, shape / (shape + mean)).pmf(counts)
    )
    expected = (chance * np.log1p(1e4 / 1500 * counts)).sum(axis=0)
    if head == "zero-inflated":
        expected = expected * (1 - 1 / (1 + np.exp(-(raw[0, :, 2].numpy() - 4))))
    found = expected_expression(head, raw, base, library, 1e4)[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=0.06)


def test_classes_halve_what_is_above_zero_and_empty_ones_weigh_nothing():
    values = torch.cat(
        [torch.zeros(1000), torch.rand(1024, generator=torch.Generator().manual_seed(0)) + 0.1]
    )
    bins = fit_bins(values, 5, weighted=True)
    counts = torch.bincount(bins.classes(values), minlength=5)
    assert counts.tolist() == pytest.approx([1000, 512, 256, 128, 128], abs=2)
    assert torch.isfinite(bins.weights).all()
    same = fit_bins(torch.tensor([0.0, 1.0, 1.0, 1.0]), 8, weighted=True)
    assert torch.isfinite(same.weights).all()
    even = Bins(bins.edges, bins.values, torch.tensor([1.0, 2.0, 4.0, 8.0, 8.0]))
    frequency = torch.tensor([0.5, 0.25, 0.125, 0.0625, 0.0625])
    raw = (frequency * even.weights).log()[None, None]  # what weighted cross-entropy converges to
    assert float(even.expected(raw)) == pytest.approx(float(frequency @ even.values), rel=1e-5)


def test_a_fifth_of_the_genes_is_hidden_where_no_number_is_said(fitted):
    cells = fitted[0]
    genes = len(cells.genes)
    share = np.full(genes, 1 / genes)
    for targets, hidden in ((0, genes // 5), (7, 7), (genes, genes // 2)):
        batches = HiddenGeneBatches(cells, np.arange(100), share, replace(SMALL, targets=targets), 0)
        batch = next(iter(batches(0)))
        assert len(batch["hidden"]) == hidden
        assert not batch["visible"][batch["hidden"]].any()


def test_each_of_several_processes_reads_cells_of_its_own(fitted, monkeypatch):
    cells = fitted[0]
    monkeypatch.setattr("cistron.cells.transformer_fit.CHUNK", 8)
    monkeypatch.setattr("cistron.cells.transformer_fit.BUFFER", 4)
    share = np.full(len(cells.genes), 1 / len(cells.genes))
    settings = replace(SMALL, batch_cells=16, steps_per_epoch=9)
    batches = HiddenGeneBatches(cells, np.arange(192), share, settings, 0)
    assert batches.can_be_divided(3)
    assert not batches.can_be_divided(7)
    read, original = [], batches._read
    monkeypatch.setattr(batches, "_read", lambda rows: read.append(rows) or original(rows))
    seen = []
    for rank in range(3):
        read.clear()
        assert len(list(batches(2).for_rank(rank, 3))) == 3  # nine steps among three
        seen.append(set(np.concatenate(read).tolist()))
    assert sum(map(len, seen)) == len(set.union(*seen))
    hidden = [next(iter(batches(2).for_rank(rank, 2)))["hidden"] for rank in (0, 1)]
    assert not torch.equal(*hidden)
    few = HiddenGeneBatches(cells, np.arange(40), share, settings, 0)  # too few: dealt batch by batch
    whole, parts = list(few(0)), [list(few(0).for_rank(rank, 2)) for rank in (0, 1)]
    assert [len(part) for part in parts] == [4, 4]
    assert (parts[1][0]["counts"] == whole[1]["counts"]).all()


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("head", HEADS)
def test_every_attention_and_head_fits_predicts_and_is_saved(fitted, predicted, tmp_path, attention, head):
    cells, split, features, _ = fitted
    settings = replace(SMALL, attention=attention, head=head)
    model = CellExpression(settings, method="transformer").fit(cells, features, split)
    few = cells.keep_cells(np.arange(20))
    values, _ = predicted(model, few)
    assert np.isfinite(values).all()
    model.save(tmp_path / "model")
    again, _ = predicted(CellExpression.load(tmp_path / "model"), few)
    np.testing.assert_allclose(again, values, atol=1e-5)


def test_a_value_takes_no_part_in_its_own_prediction_and_batches_do_not_matter(fitted, world, predicted):
    cells, split, features, _ = fitted
    model = CellExpression(SMALL, method="transformer").fit(cells, features, split)
    few = np.arange(40)
    before, _ = predicted(model, cells.keep_cells(few))
    place = {gene: number for number, gene in enumerate(cells.genes)}
    for gene in (0, 50, len(model.training) + 3):
        data = world.cells.copy()
        values = data.X.toarray()
        values[:, place[model.genes[gene]]] = 300
        data.X = values
        after, _ = predicted(model, read_cells(data).keep_cells(few))
        np.testing.assert_allclose(after[:, gene], before[:, gene], atol=1e-5)
    model.predictor.cells_at_once, model.predictor.genes_at_once = 7, 11
    after, _ = predicted(model, cells.keep_cells(few))
    np.testing.assert_allclose(after, before, atol=1e-4)


def test_training_teaches_and_unseen_genes_follow_their_features(fitted, predicted, within):
    cells, split, features, _ = fitted
    settings = replace(
        SMALL, steps_per_epoch=40, batch_cells=32, fit=replace(SMALL.fit, epochs=4, learning_rate=5e-3)
    )
    model = CellExpression(settings, method="transformer", seed=1).fit(cells, features, split)
    start = CellExpression(SMALL, method="transformer", seed=1).fit(cells, features, split)
    rows = np.flatnonzero(np.array(split.cells.part_of(cells.observations.index)) == "test")
    genes = np.array(split.genes.part_of(model.genes))
    found = {}
    for name, one in (("trained", model), ("start", start)):
        values, observed = predicted(one, cells.keep_cells(rows))
        for part in ("train", "test"):
            found[name, part] = within(values[:, genes == part], observed[:, genes == part])
    assert found["trained", "test"] > 0.3
    assert found["trained", "train"] > found["start", "train"] > 0.4


def test_one_hot_alone_is_undefined_for_unseen_genes(fitted, predicted):
    cells, split, _, _ = fitted
    features = read_features(["one-hot"], cells.genes, split.genes)
    model = CellExpression(SMALL, method="transformer").fit(cells, features, split)
    values, _ = predicted(model, cells.keep_cells(np.arange(5)))
    training = len(model.training)
    assert np.isfinite(values[:, :training]).all()
    assert np.isnan(values[:, training:]).all()


def test_published_configuration_has_the_published_shape():
    paper = TransformerSettings.paper()
    network = ExpressionTransformer(3072, 0, 0, paper)
    assert (paper.attention, paper.head, paper.bins) == ("performer", "bins", 8)
    assert network.project.weight.shape == (320, 3072)
    assert len(network.layers) == 4
    assert network.layers[0].attention.directions.shape[1] == 32
    assert network.output.weight.shape == (8, 320)
    assert paper.fit.epochs * paper.steps_per_epoch // paper.fit.accumulate == 40_000
    assert parameters_of("zero-inflated", 8) == 3


def test_a_cell_is_read_from_the_same_visible_genes_zeros_included_and_from_all_for_its_factors(fitted):
    cells, split, features, _ = fitted
    model = CellExpression(SMALL, method="transformer").fit(cells, features, split).fitted.predictor.model
    genes = model.training_genes
    visible = torch.ones(genes, dtype=torch.bool)
    visible[::3] = False
    expression = torch.zeros(4, genes)
    numbers, values, _ = model.context(expression, visible)
    assert numbers.shape == (4, SMALL.context)
    assert (numbers == numbers[0]).all()
    assert visible[numbers].all()
    assert (values == 0).all()
    order = model.information.masked_fill(~visible, -torch.inf).argsort(descending=True)
    assert set(numbers[0].tolist()) == set(order[: SMALL.context].tolist())
    hidden = expression.clone()
    hidden[:, ~visible] = 7.0
    torch.testing.assert_close(model.factors(hidden, visible), model.factors(expression, visible))
    last = expression.clone()
    last[:, order[SMALL.context]] = 5.0  # outside of the context, but not of the factors
    assert not torch.allclose(model.factors(last, visible), model.factors(expression, visible))


def test_without_the_bilinear_start_there_are_no_factors(fitted, predicted):
    cells, split, features, _ = fitted
    settings = replace(SMALL, low_rank=False, context_genes="prominent")
    model = CellExpression(settings, method="transformer").fit(cells, features, split)
    network = model.fitted.predictor.model
    expression = torch.zeros(1, network.training_genes)
    expression[0, 7] = 3.0
    numbers, _, present = network.context(expression, torch.ones(network.training_genes, dtype=torch.bool))
    assert (int(numbers[0, 0]), int(present.sum())) == (7, 1)  # the only gene that is expressed
    assert network.factors(torch.zeros(1, network.training_genes), torch.ones(network.training_genes)) is None
    assert np.isfinite(predicted(model, cells.keep_cells(np.arange(5)))[0]).all()


def test_heads_of_counts_refuse_other_values_and_settings_are_checked(fitted, world):
    _, split, features, _ = fitted
    data = world.cells.copy()
    data.X = np.log1p(data.X.toarray())
    cells = read_cells(data, scale="log-normalised")
    with pytest.raises(InputError, match="distribution of counts"):
        CellExpression(SMALL, method="transformer").fit(cells, features, split)
    model = CellExpression(replace(SMALL, head="bins"), method="transformer").fit(cells, features, split)
    assert np.isfinite(next(model.predict(cells))[1]).all()
    data.X = (data.X > 0).astype(np.float32)
    with pytest.raises(InputError, match="need as many different values"):
        CellExpression(replace(SMALL, head="bins"), method="transformer").fit(
            read_cells(data, scale="log-normalised"), features, split
        )
    for wrong in ({"attention": "linear"}, {"head": "gauss"}, {"dimension": 15}):
        with pytest.raises(InputError):
            replace(SMALL, **wrong)
