"""Replicates become one track, and what a blacklist touches is empty, in the direction of transcription."""

import numpy as np
import pandas as pd
import pybigtools
import pytest

from cistron.chromatin.build import build_gene_tracks
from cistron.chromatin.build_tracks import blacklisted_bins, mean_of_replicates
from cistron.chromatin.settings import BuildSettings
from cistron.errors import InputError


@pytest.fixture
def files(tmp_path):
    """Two replicates of one mark (signal 1 and 3 everywhere) and two genes at 5,000, one on each strand."""
    for name, value in (("a", 1.0), ("b", 3.0)):
        pybigtools.open(str(tmp_path / f"{name}.bw"), "w").write(
            {"chr1": 20_000}, iter([("chr1", 0, 20_000, value)])
        )
    (tmp_path / "tracks.tsv").write_text(
        "cell_type\tmark\tpath\nliver\tH3K4me3\ta.bw\nliver\tH3K4me3\tb.bw\n"
    )
    (tmp_path / "genes.tsv").write_text(
        "gene\tchromosome\tposition\tstrand\nplus\tchr1\t5000\t+\nminus\tchr1\t5000\t-\n"
    )
    (tmp_path / "black.bed").write_text("1\t4150\t4201\n")
    return tmp_path


def _build(files, **changes):
    given = {"tracks": files / "tracks.tsv", "annotation": files / "genes.tsv"} | changes
    settings = BuildSettings(window=2000, **given.pop("settings", {}))
    return build_gene_tracks(files / "m.zarr", settings=settings, **given)


def test_replicates_are_averaged_and_a_blacklist_empties_bins(files):
    with pytest.raises(InputError, match=r"listed 2 times .* \(--replicates mean\)"):
        _build(files)
    store = _build(files, settings={"replicates": "mean"}, blacklist=files / "black.bed")
    values = store.tracks.values.take(np.arange(2))[:, 0, 0]
    plus, minus = values[store.genes.index("plus")], values[store.genes.index("minus")]
    # windows are 4,000 to 6,000 and, because the site's base comes first, 4,001 to 6,001
    assert np.flatnonzero(plus == 0).tolist() == [1, 2]
    assert np.flatnonzero(minus == 0).tolist() == [18]
    np.testing.assert_allclose(values[values > 0], np.log1p(2.0), rtol=1e-6)
    assert store.origin["source"].tolist() == ["a.bw + b.bw"]
    assert len(store.origin["sha256"][0].split()) == 2
    assert store.tracks.header["chromosomes"] == {"chr1": 20_000}


def test_the_mean_of_replicates_is_that_of_their_signal_and_of_what_is_known():
    first, second = np.log1p(np.array([[1.0, np.nan]])), np.log1p(np.array([[3.0, 5.0]]))
    np.testing.assert_allclose(
        mean_of_replicates([first, second], "log1p-mean"), np.log1p([[2.0, 5.0]]), rtol=1e-6
    )
    found = mean_of_replicates([np.array([[1.0]]), np.array([[3.0]])], "mean-log1p")
    np.testing.assert_allclose(found, [[2.0]])
    assert np.isnan(mean_of_replicates([np.array([[np.nan]]), np.array([[np.nan]])], "none")).all()


def test_bad_replicates_and_blacklists_are_told(files):
    (files / "b.bw").write_bytes((files / "a.bw").read_bytes())
    with pytest.raises(InputError, match="hold the same bytes"):
        _build(files, settings={"replicates": "mean"})
    (files / "tracks.tsv").write_text("cell_type\tmark\tpath\nliver\tH3K4me3\ta.bw\nliver\tH3K4me3\ta.bw\n")
    with pytest.raises(InputError, match=r"a\.bw is listed twice"):
        _build(files, settings={"replicates": "mean"})
    windows = pd.DataFrame({"chromosome": ["chr1"], "start": [0], "end": [1000], "strand": ["+"]})
    (files / "black.bed").write_text("chr7\t0\t100\n")
    with pytest.raises(InputError, match="shares no chromosome with the genes"):
        blacklisted_bins(windows["chromosome"], (np.zeros((1, 10)), np.ones((1, 10))), files / "black.bed")
    with pytest.raises(InputError, match="--blacklist is for bigWigs"):
        build_gene_tracks(files / "n.zarr", binned=files / "x.npz", blacklist=files / "black.bed")
