"""Arrays of .npz files: no memory is taken for what is not stored."""

import io
import struct
import zipfile

import numpy as np
import pytest

from cistron.errors import InputError
from cistron.formats.npz import read_npz


def claiming(shape, dtype="<f4", data=b"\0" * 400, packing=zipfile.ZIP_STORED):
    """An .npz whose array says that it has a shape, whatever is stored."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        archive.writestr("values.npy", member)
    return out.getvalue()


def test_round_trip(tmp_path):
    arrays = {
        "a": np.arange(12.0).reshape(3, 4),
        "names": np.array(["x", "yy"]),
        "empty": np.empty((0, 3)),
        "one": np.array(3),
    }
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", **arrays)
        found = read_npz(tmp_path / "a.npz")
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
    np.savez_compressed(tmp_path / "z.npz", zeros=np.zeros(5_000_000, np.float32))
    assert read_npz(tmp_path / "z.npz")["zeros"].shape == (5_000_000,)


@pytest.mark.parametrize(
    "content",
    [
        claiming((100_000, 100_000)),
        claiming((100_000, 100_000), packing=zipfile.ZIP_DEFLATED),
        claiming((99,)),
        claiming((101,)),
        claiming((-1,)),
        claiming(("x",)),
        claiming((10,), "|O"),
        claiming((100,))[:-30],
        claiming((100,))[:60],
        b"",
        b"PK\x03\x04",
    ],
    ids=lambda content: f"{len(content)} bytes",
)
def test_what_claims_more_or_is_damaged_is_refused_at_once(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz"):
        read_npz(tmp_path / "a.npz")


def test_a_member_that_lies_about_its_size_is_refused(tmp_path):
    whole = claiming((10_000_000_000,))
    size = struct.pack("<I", 528)
    assert size in whole
    (tmp_path / "a.npz").write_bytes(whole.replace(size, struct.pack("<I", 0xFFFFFFF0)))
    with pytest.raises(InputError, match=r"a\.npz"):
        read_npz(tmp_path / "a.npz")
