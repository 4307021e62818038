"""Convolution of width 5 with 8 products for 4 outputs instead of 20 (Toom and Cook; Winograd).

A tile of 8 inputs d gives 4 outputs y_i = sum_k g_k d_{i+k} as y = A' [(G g) * (B' d)], where the product is one
number a row: four outputs cost 8 multiplications of channel matrices. The matrices come from evaluating polynomials
at 0, 1, -1, 2, -2, 1/2, -1/2 and infinity; in float32 the result differs from the plain sum by about 1e-6 of its scale.
For inference on a CPU, where matrix products are what time goes into.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

WIDTH, OUTPUTS = 5, 4
_TILE = WIDTH + OUTPUTS - 1
_POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)


def _evaluate(degree: int) -> np.ndarray:
    """Values of the monomials up to ``degree`` - 1 at the points and at infinity, [8, degree]."""
    finite = [[point**power for power in range(degree)] for point in _POINTS]
    return np.array([*finite, [0.0] * (degree - 1) + [1.0]])


@lru_cache(maxsize=1)
def transforms() -> tuple[Tensor, Tensor, Tensor]:
    """Give A' [4, 8], G [8, 5] and B' [8, 8], float64; rows of G have length 1, which balances rounding."""
    weights = _evaluate(WIDTH)
    length = np.linalg.norm(weights, axis=1, keepdims=True)
    inputs = np.linalg.inv(_evaluate(_TILE)).T
    matrices = (_evaluate(OUTPUTS).T, weights / length, inputs * length)
    return tuple(torch.from_numpy(np.ascontiguousarray(matrix)) for matrix in matrices)  # type: ignore[return-value]


def transform_weights(weight: Tensor) -> Tensor:
    """Turn weights [out, in, 5] into G g, float32 [8, in, out]."""
    _, evaluate, _ = transforms()
    return torch.einsum("pk,oik->pio", evaluate.to(weight), weight).contiguous()


def convolve_tiles(x: Tensor, transformed: Tensor, bias: Tensor, factor: float = 1.0) -> Tensor:
    """Convolve without padding.

    Parameters
    ----------
    x
        float32 [n + 4, in], contiguous; n a multiple of 4.
    transformed
        Of :func:`transform_weights`, [8, in, out].
    bias
        [out].
    factor
        What the convolution is multiplied by before the bias is added; it costs nothing here.

    Returns
    -------
    Tensor
        float32 [n, out].
    """
    collect, _, spread = (matrix.float() for matrix in transforms())
    channels, outputs = transformed.shape[1:]
    tiles = (x.shape[0] - WIDTH + 1) // OUTPUTS
    overlapping = x.as_strided((_TILE, tiles, channels), (channels, OUTPUTS * channels, 1))
    spread_tiles = spread @ overlapping.reshape(_TILE, -1)  # [8, tiles x in]
    products = torch.bmm(spread_tiles.view(_TILE, tiles, channels), transformed)  # [8, tiles, out]
    collected = ((collect * factor) @ products.view(_TILE, -1)).view(OUTPUTS, tiles, outputs)
    result = x.new_empty(tiles, OUTPUTS, outputs)
    torch.add(collected.transpose(0, 1), bias, out=result)
    return result.view(-1, outputs)
