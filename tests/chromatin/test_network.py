"""The network: equivariance, masks, what the late merge cannot do, the linear path."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.chromatin.layers import CellTypeRows
from cistron.chromatin.linear_path import fit_linear
from cistron.chromatin.network import ExpressionNetwork
from cistron.chromatin.peers import make_network
from cistron.chromatin.settings import NetworkSettings
from cistron.chromatin.settings_peers import ChromoformerSettings, DeepChromeSettings
from cistron.chromatin.training import expression_loss
from cistron.errors import InputError

CONVOLUTIONAL = {"form": "convolutional", "channels": 8}
SHAPES = {
    "dense": NetworkSettings(coarse=2, linear_bins=5),
    "dense max": NetworkSettings(pooling="max", hidden=8, layers=2),
    "dense none": NetworkSettings(merge="none", layers=1),
    "interleaved": NetworkSettings(**CONVOLUTIONAL, coarse=2, halve=True, linear_bins=5),
    "late": NetworkSettings(**CONVOLUTIONAL, merge="late", linear_bins=5),
    "paper": NetworkSettings.paper(),
    "max": NetworkSettings(**CONVOLUTIONAL, pooling="max", head="average", linear_bins=0, coarse=1),
    "late max": NetworkSettings(**CONVOLUTIONAL, merge="late", pooling="max", norm="none"),
    "none": NetworkSettings(**CONVOLUTIONAL, merge="none", linear_bins=5),
    "deepchrome": DeepChromeSettings(filters=8, filter_bins=5, pool=4, hidden=(12, 8), mark_dropout=0.0),
    "chromoformer": ChromoformerSettings(
        resolutions=(5, 10), width=8, heads=4, blocks=2, feed_forward=8, hidden=8
    ),
}


def network(name: str) -> ExpressionNetwork:
    """A network of random weights in double precision, where rounding cannot hide or feign a difference."""
    torch.manual_seed(0)
    made = make_network(3, 60, SHAPES[name]).eval().double()
    with torch.no_grad():
        for tensor in (*made.parameters(), *(made.linear.buffers() if made.linear is not None else ())):
            tensor.add_(0.05 * torch.randn_like(tensor))
    return made


def marks(genes=2, cell_types=5, seed=0):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(genes, cell_types, 3, 60, generator=random, dtype=torch.float64) * 3
    measured = torch.rand(genes, cell_types, 3, generator=random) > 0.2
    measured[:, :, 0] = True
    return values, measured


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), cell_types=st.integers(1, 7))
def test_permuting_cell_types_permutes_the_output(name, seed, cell_types):
    model, (values, measured) = network(name), marks(2, cell_types, seed)
    order = torch.randperm(cell_types, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        plain, moved = model(values, measured), model(values[:, order], measured[:, order])
    assert (moved - plain[:, order]).abs().max() < 1e-6


@pytest.mark.parametrize("name", SHAPES)
def test_single_precision_keeps_it_to_rounding(name):
    model, (values, measured) = network(name).float(), marks(3, 6)
    order = torch.randperm(6)
    with torch.no_grad():
        plain, moved = model(values.float(), measured), model(values.float()[:, order], measured[:, order])
    assert (moved - plain[:, order]).abs().max() < 5e-6 * plain.abs().max()


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), absent=st.integers(1, 4))
def test_absent_cell_types_change_nothing(name, seed, absent):
    """Whatever stands where there is no cell type or no mark, even NaN, is not seen."""
    model, (values, measured) = network(name), marks(2, 3, seed)
    padding = torch.full((2, absent, 3, 60), torch.nan, dtype=torch.float64)
    padded = torch.cat([values, padding], dim=1)
    mask = torch.cat([measured, torch.zeros(2, absent, 3, dtype=torch.bool)], dim=1)
    junk = torch.where(measured[..., None], values, torch.nan)
    with torch.no_grad():
        plain = model(values, measured)
        wide = model(padded, mask)
        assert torch.equal(model(junk, measured), plain)
    assert (wide[:, :3] - plain).abs().max() < 1e-6
    assert (wide[:, 3:] == 0).all()


@pytest.mark.parametrize("name", ["dense", "interleaved", "deepchrome", "chromoformer"])
def test_a_missing_mark_is_not_a_mark_of_zero(name):
    model, (values, measured) = network(name), marks()
    values[:, 0, 1] = 0
    seen, masked = measured.clone(), measured.clone()
    seen[:, 0, 1], masked[:, 0, 1] = True, False
    with torch.no_grad():
        assert (model(values, seen) - model(values, masked)).abs().max() > 1e-3


def test_a_late_merge_cannot_change_the_order_of_cell_types_and_interleaving_can():
    values, measured = marks()
    other = values.clone()
    other[:, 2:] += torch.rand_like(other[:, 2:])
    moved = {}
    for name in ("dense", "interleaved", "paper"):
        model = network(name)
        with torch.no_grad():
            first, second = model(values, measured), model(other, measured)
        moved[name] = float(((second[:, 0] - second[:, 1]) - (first[:, 0] - first[:, 1])).abs().max())
        assert (second[:, 0] - first[:, 0]).abs().max() > 1e-4  # the level does move
    assert moved["paper"] < 1e-5
    assert min(moved["interleaved"], moved["dense"]) > 1e-3


@pytest.mark.parametrize("name", ["dense none", "none", "deepchrome", "chromoformer"])
def test_cell_types_alone_do_not_see_each_other(name):
    values, measured = marks()
    other = values.clone()
    other[:, 1:] = 0
    model = network(name)
    model.linear = None  # it sees what cell types share
    with torch.no_grad():
        assert (model(values, measured)[:, 0] - model(other, measured)[:, 0]).abs().max() < 1e-6


@pytest.mark.parametrize("kind", ["mean", "max"])
def test_folding_cell_types_into_rows_pools_as_by_hand(kind):
    present = torch.tensor([[True, False, True], [False, True, False]])
    values = torch.tensor([[[1.0], [9.0], [5.0]], [[9.0], [-2.0], [9.0]]])
    rows = CellTypeRows.of(present)
    pooled = rows.pool(rows.fold(values), kind)
    assert pooled.tolist() == [[3.0 if kind == "mean" else 5.0], [-2.0]]
    assert rows.tile(pooled).squeeze(1).tolist() == [float(pooled[0]), float(pooled[0]), -2.0]
    assert rows.unfold(rows.fold(values).squeeze(1), -9).tolist() == [[1, -9, 5], [-9, -2, -9]]


def test_the_linear_path_is_the_closed_form():
    random = np.random.default_rng(0)
    features = random.normal(size=(300, 4, 6))
    known = np.ones((4, 6), bool)
    mean = features.mean(axis=1, keepdims=True)
    weights = random.normal(size=(2, 6))
    expression = (features - mean) @ weights[0] + mean @ weights[1] + 2.0
    found = fit_linear(features, known[None], expression)
    np.testing.assert_allclose(found.difference / found.scale, weights[0], atol=0.02)
    np.testing.assert_allclose(found.level / found.scale, weights[1], atol=0.02)
    np.testing.assert_allclose(found.predict(features, known), expression, atol=0.05)


def test_the_loss_is_the_mean_squared_error_over_what_was_measured():
    expression = torch.tensor([[1.0, 2.0, float("nan")], [0.0, float("nan"), float("nan")]])

    def zero(values, measured):
        return torch.zeros(2, 3)

    found = expression_loss(zero, (None, None, expression))
    assert float(found["loss"]) == pytest.approx((1 + 4 + 0) / 3)
    assert float(found["level"]) == pytest.approx(2 * 1.5**2 / 3)
    assert float(found["difference"]) == pytest.approx(2 * 0.5**2 / 3)
    halved = expression_loss(zero, (None, None, expression), 0.5)
    assert float(halved["loss"]) == pytest.approx(float(found["difference"] + found["level"] / 2))


def test_gradients_reach_every_weight():
    for name in SHAPES:
        model, (values, measured) = network(name).train(), marks()
        model(values, measured).square().sum().backward()
        still = [
            key for key, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()
        ]
        assert not still, (name, still)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kernel": 10}, "kernel must be odd"),
        ({"dilations": ()}, "one a block"),
        ({"channels": 0}, "channels must be 1"),
        ({"dropout": 2.0}, "between 0 and 1"),
        ({"merge": "late"}, "give form convolutional as well"),
        ({"linear_bins": -1}, "linear_bins must be 0 or more"),
    ],
)
def test_impossible_settings_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        NetworkSettings(**changes)
