"""Packed arrays come back within half a step; what is missing stays missing."""

import base64
import gzip
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cistron.report.blocks import Block, pack_indices, pack_json, pack_numbers, pack_similarity


def unpacked(block: Block) -> np.ndarray:
    """Read a block as the page's script does, written again from the format's words."""
    content = gzip.decompress(base64.b64decode(block.data))
    kind = {"int8": "<i1", "int16": "<i2", "uint32": "<u4"}[block.kind]
    width = np.dtype(kind).itemsize
    planes = np.frombuffer(content, dtype=np.uint8).reshape(width, -1)
    return planes.T.copy().view(kind)[:, 0]


@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(1, 9)),
        elements=st.floats(-300, 300) | st.just(np.nan),
    )
)
def test_numbers_come_back_within_half_a_step(values):
    whole = unpacked(pack_numbers("z", values, 0.01))
    missing = np.isnan(values).ravel()
    assert np.array_equal(whole == -32768, missing)
    assert np.abs(whole[~missing] * 0.01 - values.ravel()[~missing]).max(initial=0) <= 0.005 + 1e-9


def test_numbers_beyond_the_range_are_clipped_not_wrapped():
    assert unpacked(pack_numbers("z", np.array([1e9, -1e9]), 0.01)).tolist() == [32767, -32767]


def test_indices_and_similarities():
    assert unpacked(pack_indices("n", np.array([[0, 70_000], [3, 0xFFFFFFFF]]))).tolist() == [
        0,
        70_000,
        3,
        0xFFFFFFFF,
    ]
    assert unpacked(pack_similarity("s", np.array([1.0, -0.456, np.nan, 0.0]))).tolist() == [
        100,
        -46,
        -128,
        0,
    ]


def test_text_survives_and_the_same_input_gives_the_same_block():
    value = {"gene": ["</script>", "é", 'a"b']}
    block = pack_json("genes", value)
    assert json.loads(gzip.decompress(base64.b64decode(block.data))) == value
    assert block == pack_json("genes", value)
    assert "<" not in block.data
