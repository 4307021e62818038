"""The positional basis and the relative shift, against independent code."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gamma

from cistron.sequence.attention import RelativeAttention, positional_basis, relative_shift


def _basis_by_hand(length: int, features: int) -> np.ndarray:
    """The formulas written as loops over features, with SciPy's gamma density."""
    kinds = features // 6
    distance = np.abs(np.arange(-length + 1, length)).astype(float)
    columns = []
    for number in range(kinds):
        half_life = 2 ** (3 + (math.log2(length) - 3) * number / (kinds - 1))
        columns.append(2 ** (-distance / half_life))
    columns += [(2**number - 1 > distance).astype(float) for number in range(1, kinds + 1)]
    deviation = length / (2 * kinds)
    for mean in np.linspace(length / kinds, length, kinds):
        density = gamma.pdf(distance, a=(mean / deviation) ** 2, scale=deviation**2 / mean) + 1e-8
        columns.append(density / density.max())
    half = np.stack(columns, axis=1)
    sign = np.sign(np.arange(-length + 1, length))[:, None]
    return np.concatenate([half, sign * half], axis=1)


@pytest.mark.parametrize(("length", "features"), [(1536, 192), (96, 48), (384, 192), (640, 48)])
def test_basis_equals_the_formulas(length, features):
    assert np.abs(positional_basis(length, features).numpy() - _basis_by_hand(length, features)).max() < 1e-5


def test_gamma_equals_the_official_table(test_data):
    official = np.load(test_data / "sequence/goldens/tf_gamma_half_1536x32.npy")
    basis = positional_basis(1536, 192).numpy()[1535:]
    assert np.abs(basis[:, 64:96] - official).max() < 0.005
    assert np.abs(basis[1:, 160:192] - official[1:]).max() < 0.005
    assert (basis[0, 96:] == 0).all()  # the sign of no distance


@given(rows=st.integers(1, 6), length=st.integers(1, 9))
def test_shift_is_an_index(rows, length):
    logits = torch.arange(rows * (length + rows - 1.0)).reshape(rows, -1)
    shifted = relative_shift(logits, length)
    assert shifted.shape == (rows, length)
    for row in range(rows):
        for column in range(length):
            assert shifted[row, column] == logits[row, rows - 1 - row + column]


@pytest.mark.parametrize("length", [5, 300])
def test_attention_equals_the_definition(length):
    """One head, one query at a time, as the equations stand in the documentation; 300 is more than one block."""
    torch.manual_seed(0)
    heads, key_size, value_size, channels = 2, 3, 6, 12
    layer = RelativeAttention(channels, heads, key_size, value_size).double().eval()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randn(1, length, channels, dtype=torch.float64)
    basis = positional_basis(length, value_size).double()
    with torch.no_grad():
        query, key = x[0] @ layer.query.weight.T, x[0] @ layer.key.weight.T
        value, position = x[0] @ layer.value.weight.T, basis @ layer.position.weight.T
        rows = []
        for i in range(length):
            merged = []
            for head in range(heads):
                part, wide = (
                    slice(head * key_size, (head + 1) * key_size),
                    slice(head * value_size, (head + 1) * value_size),
                )
                q = query[i, part] * key_size**-0.5
                content = (q + layer.content_bias[head, 0]) @ key[:, part].T
                by_distance = (q + layer.position_bias[head, 0]) @ position[:, part].T
                relative = torch.stack([by_distance[length - 1 - i + j] for j in range(length)])
                merged.append(torch.softmax(content + relative, 0) @ value[:, wide])
            rows.append(layer.output(torch.cat(merged)))
        expected = torch.stack(rows)[None]
        in_blocks = layer(x)
        maps: list[torch.Tensor] = []
        by_maps = layer(x, maps)
    fused = layer(x)  # with gradients
    torch.testing.assert_close(in_blocks, expected)
    torch.testing.assert_close(fused, expected)
    torch.testing.assert_close(by_maps, expected, rtol=1e-4, atol=1e-5)  # maps are float32
