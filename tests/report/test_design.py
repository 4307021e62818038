"""The page of a designed epigenome: what falls short is red, places are genomic, every network speaks."""

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.formats.browser_files import read_chromosome_lengths, write_browser_files
from cistron.formats.designed_epigenome import (
    EDIT_COLUMNS,
    MEMBER_COLUMNS,
    OUTCOME_COLUMNS,
    PLACE_COLUMNS,
    read_designed_epigenome,
    write_designed_epigenome,
)
from cistron.report.design import design_report, design_sections, tracks_drawing
from cistron.runtime import RunRecord, record_path


@pytest.fixture
def design(tmp_path):
    """Two genes, the second on the minus strand; one mark rises by 2 in the bin behind each start site."""
    before = np.zeros((2, 1, 2, 20), np.float32)
    before[:, 0, 0, 0] = 1.0
    after = before.copy()
    after[:, 0, 1, 10] = 2.0
    rows = [("G<1>", "K562", "target", 1.0, 2.0, 1.9, 1.2, 0.9, 0.2, 0.2, 1)]
    rows += [("G2", "K562", "target", 1.0, 2.0, 1.9, 1.95, 0.9, 0.95, 0.2, 1)]
    edits = [
        ("G<1>", "K562", "H3K27ac", 0, 1000, 0.2, 0.0, 0.2, "chr1", 51_000, 52_000, 0.93),
        ("G2", "K562", "H3K27ac", 0, 1000, 0.2, 0.0, 0.2, "chr1", 150_000, 151_000, 0.93),
    ]
    members = [(gene, "K562", n, role, 1.0, 1.9) for gene in ("G<1>", "G2") for n, role in ((1, "optimised"), (2, "judge"))]  # fmt: skip
    path = tmp_path / "d.zarr"
    write_designed_epigenome(
        path,
        after,
        before,
        np.ones((1, 2), bool),
        sequences=pd.DataFrame(
            {
                "name": ["G<1>", "G2"],
                "chromosome": "chr1",
                "start": [50_000, 150_000],
                "end": [52_000, 152_000],
                "strand": ["+", "-"],
            }
        ),
        cell_types=["K562"],
        marks=["H3K4me3", "H3K27ac"],
        bin_size=100,
        outcome=pd.DataFrame(rows, columns=list(OUTCOME_COLUMNS)),
        edits=pd.DataFrame(edits, columns=[*EDIT_COLUMNS, *PLACE_COLUMNS]),
        members=pd.DataFrame(members, columns=list(MEMBER_COLUMNS)),
        name="d",
        genome_build="GRCh38",
        parameters={},
    )
    RunRecord("chromatin design", {"region": [-500, 700], "tolerance": 0.9}, [], 0).write(record_path(path))
    return path


def test_the_page_shows_shortfalls_in_red_and_says_them(design, tmp_path):
    page = design_report(design, tmp_path / "d.html").read_text()
    assert page.count(">0.20 short<") == 2  # in the overview and with the gene
    assert page.count('class="number short"') == 2
    assert "see less than 80% of the wanted change for 1 of 2 genes (G&lt;1&gt;)" in page
    assert "chr1:51,001-52,000" in page
    assert "network 2 (judge)" in page
    assert "1.00 → 1.90" in page
    assert "0.930" in page


def test_only_what_was_edited_is_drawn_over_and_the_region_is_shaded(design):
    found = read_designed_epigenome(design)
    drawing = tracks_drawing(found, 0, "G<1>", (-500, 700))
    unedited, edited = drawing.figure.axes
    line = edited.patches[-1].get_data().values
    assert line[10] == 2.0
    assert np.isnan(np.delete(line, 10)).all()
    assert np.isnan(unedited.patches[-1].get_data().values).all()
    shaded = edited.patches[0].get_bbox()
    assert (shaded.x0, shaded.x1) == (-0.5, 0.7)
    assert "TSS" in edited.get_xlabel()


def test_without_judges_and_networks_the_page_says_so(design):
    found = read_designed_epigenome(design)
    found.outcome[["judged", "judged_share"]] = np.nan
    sections = design_sections(found, {"region": [-500, 700]})
    assert "No network was kept out" in sections[0].warnings[0]


def test_a_design_without_its_record_is_told(design, tmp_path):
    record_path(design).unlink()
    with pytest.raises(InputError, match="stands beside d"):
        design_report(design, tmp_path / "d.html")


def test_browser_files_are_in_the_direction_of_the_genome(design, tmp_path):
    import pybigtools

    with pytest.raises(InputError, match="--chromosome-lengths"):
        write_browser_files(design, tmp_path / "b")
    with pytest.raises(InputError, match="lies behind the end of chr1"):
        write_browser_files(design, tmp_path / "b", {"chr1": 150_000})
    written = write_browser_files(design, tmp_path / "b", {"chr1": 200_000})
    assert len(written) == 8
    changes = pybigtools.open(str(tmp_path / "b" / "K562" / "change" / "H3K27ac.bw"))
    high = [record[:2] for record in changes.records("chr1") if record[2] == 2.0]
    # the bin behind the start site: on the minus strand it ends where the other half of the window begins
    assert high == [(51_000, 51_100), (150_900, 151_000)]
    lines = [line.split("\t") for line in (tmp_path / "b" / "edits.bed").read_text().splitlines()[1:]]
    assert lines[0][:3] == ["chr1", "51000", "52000"]
    assert lines[0][3:5] == ["G<1>:K562:H3K27ac:+0.20", "1000"]
    assert {len(line) for line in lines} == {9}
    assert (tmp_path / "b" / "windows.bed").read_text().splitlines()[2] == "chr1\t150000\t152000\tG2\t0\t-"


def test_lengths_of_chromosomes_are_read_from_two_columns(tmp_path):
    path = tmp_path / "hg38.chrom.sizes"
    path.write_text("chr1\t248956422\nchrM\t16569\n")
    assert read_chromosome_lengths(path) == {"chr1": 248_956_422, "chrM": 16_569}
    path.write_text("chr1 long\n")
    with pytest.raises(InputError, match="line 1: expected the name of a chromosome and its length"):
        read_chromosome_lengths(path)
