"""Tracks of a store around start sites: numbers by hand, and a flag for each thing that goes wrong with files."""

import numpy as np
import pandas as pd
import pytest

from cistron.chromatin.build import build_gene_tracks
from cistron.chromatin.settings import BuildSettings
from cistron.chromatin.track_quality import track_quality, track_quality_files
from cistron.report import build_report

GENES = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Five cell types with a peak at the start site whose height is that of expression; four of them have a fault in mark B."""
    folder = tmp_path_factory.mktemp("quality")
    generator = np.random.default_rng(0)
    level = generator.uniform(0.5, 3, GENES)
    values = np.full((GENES, 5, 2, 80), 0.1, np.float32)
    values[..., 36:44] += level[:, None, None, None] + generator.normal(0, 0.1, (GENES, 5, 2, 1))
    values[:, 1, 1] = 0  # empty
    values[:, 2, 1] *= 20  # another scale
    values[:, 3, 1] = values[:, 4, 1]  # one file twice
    values[:, 0, 1] = values[::-1, 0, 1]  # genes in another order, as of another assembly
    names = [f"G{number}" for number in range(GENES)]
    np.savez(
        folder / "m.npz",
        values=values,
        genes=names,
        cell_types=["c0", "c1", "c2", "c3", "c4"],
        marks=["A", "B"],
    )
    expression = pd.DataFrame({f"c{cell}": np.expm1(level) for cell in range(5)}, index=names)
    expression.to_csv(folder / "e.tsv", sep="\t", index_label="gene")
    return build_gene_tracks(
        folder / "m.zarr",
        binned=folder / "m.npz",
        expression=folder / "e.tsv",
        settings=BuildSettings(transform="logged"),
    )


def test_each_fault_of_a_file_is_flagged_and_nothing_else(made):
    found = track_quality(made).tracks.set_index(["mark", "cell_type"])
    assert (found.loc["A", "flags"] == "").all()
    flags = found.loc["B", "flags"]
    assert flags["c1"] == "no signal at all"
    assert "another scale?" in flags["c2"]
    assert flags["c3"].startswith("the same as in c4")
    assert flags["c4"].startswith("the same as in c3")
    assert "unlike this mark in other cell types" in flags["c0"]
    row = found.loc[("A", "c0")]
    values = made.tracks.values.take(np.arange(GENES))[:, 0, 0]
    near, edges = values[:, 30:50].mean(), np.concatenate([values[:, :20], values[:, -20:]], axis=1).mean()
    assert row["enrichment"] == pytest.approx(near / edges, rel=1e-5)
    promoter = values[:, 30:50].mean(axis=1)
    assert row["expression"] == pytest.approx(np.corrcoef(promoter, made.expression[:, 0])[0, 1], abs=1e-5)
    assert row["mean"] == pytest.approx(values.mean(), rel=1e-5)


def test_profile_and_heat_map_are_means(made):
    found = track_quality(made)
    profile = found.profiles.query("mark == 'A' and cell_type == 'c4'")
    values = made.tracks.values.take(np.arange(GENES))
    np.testing.assert_allclose(profile["mean"], values[:, 4, 0].mean(axis=0), rtol=1e-5)
    assert profile["position"].iloc[[0, -1]].tolist() == [-3950, 3950]
    top = found.heat.query("mark == 'A' and group == 0")
    order = np.argsort(-made.expression.mean(axis=1), kind="stable")
    first = np.array_split(order, 25)[0]
    line = values[first][:, :, 0].mean(axis=(0, 1))
    parts = np.split(line, np.linspace(0, 80, 51).round().astype(int)[1:-1])
    np.testing.assert_allclose(top["mean"], [part.mean() for part in parts], rtol=1e-4)
    assert top["position"].iloc[-1] == pytest.approx(4000, abs=100)


def test_the_page_names_the_flagged_tracks(made, tmp_path):
    track_quality_files(made.path, tmp_path / "q")
    page = build_report([tmp_path / "q"], tmp_path / "q" / "report.html").read_text()
    assert "4 of 10 tracks" not in page
    assert "5 of 10 tracks are flagged" in page
    assert "B of c1: no signal at all<" in page
    assert (tmp_path / "q" / "figures" / "track_quality_heat.png").exists()
