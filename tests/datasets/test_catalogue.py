"""The catalogue: every record is complete, and the documentation shows what it says."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cistron.datasets import DataSet, RemoteFile, catalogue, find_data_set
from cistron.datasets.catalogue import CATALOGUE, as_markdown, data_set_size, size_text
from cistron.errors import InputError
from cistron.runtime import sha256_of

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


def test_names_are_unique():
    assert len(catalogue()) == len(CATALOGUE)


@pytest.mark.parametrize("data_set", CATALOGUE, ids=lambda data_set: data_set.name)
def test_a_record_tells_what_a_user_must_know(data_set: DataSet):
    assert data_set.title == data_set.title.strip()
    assert not data_set.title.endswith(".")
    assert data_set.licence.url.startswith("https://")
    assert data_set.homepage.startswith("https://")
    assert re.search(r"doi:10\.\d{4,}/\S+|https?://", data_set.citation), data_set.citation
    if data_set.licence.commercial is None:
        assert (
            "stated" in data_set.licence.name
            or "citation" in data_set.licence.name
            or "agreement" in data_set.licence.name
        )
    for file in data_set.files:
        if data_set.genome_build is not None:
            assert not re.search(r"hg19|GRCh37", file.name) or data_set.genome_build == "GRCh37"
            assert not re.search(r"hg38|GRCh38", file.name) or data_set.genome_build == "GRCh38"
        # A checksum of a moving target would fail some day for no fault of the user.
        if file.checksum is not None and "raw.githubusercontent.com" in file.url:
            assert re.search(r"/[0-9a-f]{40}/", file.url), "hashes of files in git need the commit in the url"
        assert file.size is None or file.about in (None, file.size)


def test_no_url_is_said_to_be_tried_unless_it_was():
    # Nothing in this release was fetched when the catalogue was written; whoever tries one changes both.
    assert {data_set.url_status for data_set in CATALOGUE} <= {"quoted", "unconfirmed"}


def test_the_documentation_shows_the_catalogue():
    page = (GUIDE / "datasets.md").read_text()
    table = page.split("<!-- catalogue: begin -->")[1].split("<!-- catalogue: end -->")[0].strip()
    assert table == as_markdown(), "run 'cistron data list --markdown' and paste it between the marks"


def test_the_guide_names_the_real_fields():
    page = (GUIDE / "adding_a_data_set.md").read_text()
    for field in [*dataclasses.fields(DataSet), *dataclasses.fields(RemoteFile)]:
        assert f"`{field.name}`" in page, field.name


def test_non_commercial_is_told_in_every_form(run):
    assert find_data_set("corum").licence.commercial is False
    assert "no commercial use" in next(line for line in as_markdown().splitlines() if "`corum`" in line)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [("hgnc_complet", "hgnc_complete_set"), ("Gencode_v44", "gencode_v44"), ("ukb", "pan_ukb_manifest")],
)
def test_an_unknown_name_gets_the_nearest(wrong, hint):
    with pytest.raises(InputError, match=f"unknown data set '{wrong}'; did you mean .*{hint}"):
        find_data_set(wrong)


def test_a_name_like_nothing_gets_the_list():
    with pytest.raises(InputError, match=r"unknown data set 'qqqqqqqqqq'; 'cistron data list' shows all"):
        find_data_set("qqqqqqqqqq")


GOOD = dataclasses.asdict(find_data_set("chip_atlas"))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "Not Good"}, "not lower-case"),
        ({"pattern": None}, "no files, no pattern and no access"),
        ({"pattern": "https://example.org/"}, "has no {file}"),
        ({"genome_build": "hg38"}, "'hg38' is not one of GRCh37"),
        ({"files": (RemoteFile("a", "https://b/a"), RemoteFile("a", "https://c/a"))}, "names a file twice"),
        ({"used_by": ()}, "lacks used_by"),
    ],
)
def test_a_wrong_record_cannot_be_built(changes, complaint):
    with pytest.raises(InputError, match=complaint):
        dataclasses.replace(find_data_set("chip_atlas"), **changes)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "../a"},
        {"name": ".hidden"},
        {"name": "a/b"},
        {"url": "ftp://example.org/a"},
        {"url": "file:///etc/passwd"},
        {"checksum": "sha256:xyz"},
        {"checksum": "md5:" + "0" * 64},
        {"checksum": "0" * 64},
        {"size": 0},
        {"size": -1},
    ],
)
def test_a_wrong_file_cannot_be_built(fields):
    with pytest.raises(InputError):
        RemoteFile(**{"name": "a.bin", "url": "https://example.org/a.bin", **fields})


def test_select_by_name_pattern_and_scheme():
    roadmap = find_data_set("roadmap_histone_signal")
    assert len(roadmap.select()) == 45
    assert {file.name.split("-")[0] for file in roadmap.select("E003-*")} == {"E003"}
    (other,) = roadmap.select("E017-H3K4me3.pval.signal.bigwig")
    assert other.url.endswith("/pval/E017-H3K4me3.pval.signal.bigwig")
    with pytest.raises(InputError, match=r"has no file 'E9\*'; it has: E003-H3K4me1"):
        roadmap.select("E9*")
    with pytest.raises(InputError, match="not a plain name"):
        roadmap.select("../../secret")


@given(st.integers(min_value=1, max_value=10**13))
def test_sizes_read_back_within_their_rounding(size):
    number, unit = size_text(size).split()
    factor = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}[unit]
    assert float(number) * factor == pytest.approx(size, rel=0.051)


def test_sizes_by_example():
    assert size_text(None) == "?"
    assert size_text(983_659_424) == "984 MB"
    assert size_text(1_600_000_000, exact=False) == "~1.6 GB"
    assert data_set_size(find_data_set("borzoi_folds")) == "1.3 MB"
    assert data_set_size(find_data_set("pan_ukb_manifest")) == "?"


# Files of the real data that are verbatim copies of what the catalogue names.
COPIES = {
    ("gut_scp1884_sample", "scp1884.h5ad"): "cells/single_cell_human/bmfm_scp1884_1020x18708.h5ad",
    ("borzoi_folds", "sequences_human.bed.gz"): "sequence/borzoi/sequences_human.bed.gz",
    ("borzoi_folds", "sequences_mouse.bed.gz"): "sequence/borzoi/sequences_mouse.bed.gz",
    ("borzoi_folds", "targets_human.txt.gz"): "sequence/borzoi/targets_human.txt.gz",
    ("borzoi_folds", "targets_mouse.txt.gz"): "sequence/borzoi/targets_mouse.txt.gz",
    ("saturation_mpra", "elements.tsv.gz"): "sequence/kircherlab_satMutMPRA/elements.tsv.gz",
    ("tapseq_k562", "gRNA_counts.h5ad"): "networks/tapseq_schraivogel_k562/gRNA_counts.h5ad",
    ("sachs_2005", "sachs.2005.continuous.txt"): "networks/sachs_2005/sachs.2005.continuous.txt",
    (
        "sachs_2005",
        "sachs.2005.ground.truth.graph.txt",
    ): "networks/sachs_2005/sachs.2005.ground.truth.graph.txt",
    ("olfactory_genes", "olfactory_genes.txt"): "omics/coessentiality/olfactory_genes.txt",
    **{
        ("macarthur_gene_lists", file.name): f"omics/gene_sets/macarthur_{file.name}"
        for file in find_data_set("macarthur_gene_lists").files
    },
}


def test_every_sha256_of_the_catalogue_is_that_of_a_copy(test_data):
    with_hash = {
        (data_set.name, file.name): file
        for data_set in CATALOGUE
        for file in data_set.files
        if file.checked_by == "sha256"
    }
    assert set(with_hash) == set(COPIES)
    for key, file in with_hash.items():
        copy = test_data / COPIES[key]
        assert copy.stat().st_size == file.size, key
        assert f"sha256:{sha256_of(copy)}" == file.checksum, key
