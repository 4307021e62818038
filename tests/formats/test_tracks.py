"""The tracks format: round trip, checker, export to bigWig."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pybigtools
import pytest

from cistron.errors import InputError
from cistron.formats.tracks import check_tracks, create_tracks, open_tracks, write_bigwigs


def _create(path, starts=(0, 40), bins=4, **changes):
    sequences = pd.DataFrame(
        {
            "name": [f"s{number}" for number in range(len(starts))],
            "chromosome": "chr1",
            "start": list(starts),
            "end": [start + 10 * bins for start in starts],
            "strand": ".",
        }
    )
    settings = {
        "name": "toy",
        "method": "hand",
        "sequences": sequences,
        "tracks": pd.DataFrame({"name": ["DNASE", "CAGE/x"]}),
        "bins": bins,
        "bin_size": 10,
        "genome_build": "toy",
        "chromosomes": {"chr1": 75},
    }
    return create_tracks(path, **(settings | changes))


def test_round_trip(tmp_path):
    values = np.arange(2 * 1 * 2 * 4, dtype=np.float32).reshape(2, 1, 2, 4)
    _create(tmp_path / "t.zarr").values[:] = values
    store = open_tracks(tmp_path / "t.zarr")
    assert (np.asarray(store.values[:]) == values).all()
    assert store.sequences["end"].tolist() == [40, 80]
    assert store.tracks["name"].tolist() == ["DNASE", "CAGE/x"]
    assert store.bin_size == 10
    assert store.header["genome_build"] == "toy"
    assert check_tracks(tmp_path / "t.zarr") == []


def test_what_was_not_written_is_found(tmp_path):
    store = _create(tmp_path / "t.zarr")
    store.values[0] = 1
    assert check_tracks(tmp_path / "t.zarr") == ["sequence s1 has missing values in tracks that are measured"]
    masked = _create(tmp_path / "u.zarr", measured=np.array([[True, False]]))
    masked.values[:, :, 0] = 1  # the other track was not measured and stays empty
    assert check_tracks(tmp_path / "u.zarr") == []


def test_bigwig_averages_where_windows_overlap(tmp_path):
    store = _create(tmp_path / "t.zarr", starts=(-10, 15))
    store.values[0, 0, 1] = [9, 1, 2, 3]  # -10..0, 0..10, 10..20, 20..30
    store.values[1, 0, 1] = [5, 6, 7, 8]  # 15..25, 25..35, 35..45, 45..55
    (path,) = write_bigwigs(store, tmp_path / "bw", [1])
    assert path.name == "CAGE_x.bw"
    handle = pybigtools.open(str(path))
    assert handle.chroms() == {"chr1": 75}
    records = [(start, end, round(value, 6)) for start, end, value in handle.records("chr1")]
    assert records == [
        (0, 10, 1),
        (10, 15, 2),
        (15, 20, 3.5),
        (20, 25, 4),
        (25, 30, 4.5),
        (30, 35, 6),
        (35, 45, 7),
        (45, 55, 8),
    ]


def test_bigwig_stops_at_the_end_of_the_chromosome(tmp_path):
    store = _create(tmp_path / "t.zarr", starts=(40,))
    store.values[:] = 1
    paths = write_bigwigs(store, tmp_path / "bw")
    assert len(paths) == 2
    assert list(pybigtools.open(str(paths[0])).records("chr1"))[-1][:2] == (70, 75)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bins": 5}, "must span 5 bins"),
        ({"tracks": pd.DataFrame({"name": ["a", "a"]})}, "unique names"),
        ({"measured": np.ones((2, 2), bool)}, r"measured must be \[cell type, track\]"),
        ({"tracks": pd.DataFrame({"name": []})}, "empty"),
    ],
)
def test_contradictions(tmp_path, changes, words):
    bins = {"bins": 4} | changes
    if "bins" in changes:
        sequences = pd.DataFrame({"name": ["s"], "chromosome": "chr1", "start": 0, "end": 40, "strand": "."})
        bins["sequences"] = sequences
    with pytest.raises(InputError, match=words):
        _create(tmp_path / "t.zarr", **bins)


def test_what_is_no_store(fails, tmp_path):
    assert "does not exist" in fails("sequence", "bigwig", tmp_path / "none", "-o", tmp_path / "bw")
    (tmp_path / "folder").mkdir()
    assert "not a tracks store" in fails("sequence", "bigwig", tmp_path / "folder", "-o", tmp_path / "bw")
    _create(tmp_path / "t.zarr", chromosomes={})
    assert "no length for chromosome" in fails(
        "sequence", "bigwig", tmp_path / "t.zarr", "-o", tmp_path / "bw"
    )


def test_an_older_store_that_lost_its_mask_is_refused(tmp_path):
    """A store written before stores knew their files: zarr reads the lost part as zeros."""
    store = Path(__file__).parents[1] / "goldens" / "artefacts" / "marks.zarr"
    shutil.copytree(store, tmp_path / "marks.zarr")
    shutil.rmtree(tmp_path / "marks.zarr" / "measured" / "c")
    with pytest.raises(InputError, match="marks no track as measured"):
        open_tracks(tmp_path / "marks.zarr")
