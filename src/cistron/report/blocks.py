"""Arrays inside a page: quantised to integers, split into byte planes, gzip, base64.

A browser unpacks a block with ``DecompressionStream`` (``assets/genes.js``); there is no other file to load.
"""

import base64
import gzip
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

MISSING = np.int16(-32768)


@dataclass(frozen=True)
class Block:
    """One packed array or text.

    Attributes
    ----------
    name
        What scripts look it up by.
    kind
        ``int8``, ``int16``, ``uint32`` (byte planes, little end first) or ``json``.
    step
        Value of one integer step; 1 for indices.
    data
        Base64 of the gzip stream.
    """

    name: str
    kind: str
    step: float
    data: str


def pack_numbers(name: str, values: np.ndarray, step: float) -> Block:
    """Pack numbers in int16 steps; NaN is -32768, larger values are clipped to the range.

    Parameters
    ----------
    name
        Name of the block.
    values
        Numbers of any shape, read back in C order.
    step
        Resolution; half of it is the largest error.
    """
    scaled = np.clip(np.round(np.nan_to_num(np.asarray(values, np.float64) / step)), -32767, 32767)
    whole = np.where(np.isfinite(values), scaled, MISSING).astype("<i2")
    return Block(name, "int16", step, _packed(whole))


def pack_similarity(name: str, values: np.ndarray) -> Block:
    """Pack similarities in [-1, 1] in int8 steps of 0.01; NaN is -128."""
    scaled = np.clip(np.round(np.nan_to_num(values) * 100), -100, 100)
    return Block(name, "int8", 0.01, _packed(np.where(np.isfinite(values), scaled, -128).astype("i1")))


def pack_indices(name: str, values: np.ndarray) -> Block:
    """Pack indices as uint32; the planes of high bytes, all zero, cost next to nothing."""
    return Block(name, "uint32", 1.0, _packed(np.asarray(values).astype("<u4")))


def pack_json(name: str, value: Any) -> Block:
    """Pack a value as JSON text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Block(name, "json", 1.0, _encoded(text.encode()))


def _packed(whole: np.ndarray) -> str:
    planes = np.ascontiguousarray(whole).reshape(-1).view(np.uint8).reshape(-1, whole.dtype.itemsize).T
    return _encoded(np.ascontiguousarray(planes).tobytes())


def _encoded(content: bytes) -> str:
    # mtime 0: the same scores give the same page
    return base64.b64encode(gzip.compress(content, compresslevel=6, mtime=0)).decode()
