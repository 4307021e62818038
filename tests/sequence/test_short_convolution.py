"""The tiled convolution is the plain one."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from cistron.sequence.short_convolution import convolve_tiles, transform_weights, transforms
from cistron.sequence.tower import Convolution


def test_one_channel_by_hand():
    collect, weights, spread = (matrix.numpy() for matrix in transforms())
    random = np.random.default_rng(0)
    data, kernel = random.normal(size=8), random.normal(size=5)
    found = collect @ ((weights @ kernel) * (spread @ data))
    expected = [sum(kernel[k] * data[i + k] for k in range(5)) for i in range(4)]
    assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("channels", [1, 7, 96])
def test_equals_the_plain_convolution(channels):
    torch.manual_seed(channels)
    weight, bias = torch.randn(11, channels, 5) / (5 * channels) ** 0.5, torch.randn(11)
    x = torch.randn(132, channels)
    exact = functional.conv1d(x.T[None].double(), weight.double(), bias.double())[0].T
    found = convolve_tiles(x, transform_weights(weight), bias)
    assert (found - exact).abs().max() < 1e-5 * exact.abs().max()


def test_weights_that_change_are_seen():
    torch.manual_seed(0)
    layer = Convolution(6, 8, 5)
    torch.nn.init.normal_(layer.weight)
    x = torch.randn(2, 128, 6)
    for factor in (1.0, -2.0):
        with torch.no_grad():
            layer.weight.mul_(factor)
            tiled = layer(x, (2, 2))
        plain = layer(x, (2, 2))  # with gradients: not tiled
        assert plain.requires_grad
        assert (tiled - plain).abs().max() < 1e-5 * plain.abs().max()
