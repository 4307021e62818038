"""The Python on the pages of the formats and of the data sets runs as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest

from .test_magma import OUT, RAW

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (
    "formats/cells.md",
    "formats/gene_embedding.md",
    "formats/tracks.md",
    "formats/epigenesis.md",
    "formats/designed_epigenome.md",
    "formats/prediction.md",
    "formats/scores.md",
    "formats/variant_scores.md",
    "formats/magma.md",
    "guide/datasets.md",
)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_run(page, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)
    assert blocks
    monkeypatch.chdir(tmp_path)
    genes = OUT.replace("ENSG00000141510", "A1             ").replace("ENSG00000012048", "B1             ")
    (tmp_path / "SHBG.genes.out").write_text(genes)
    (tmp_path / "SHBG.genes.raw").write_text(RAW)
    # The data set of the example comes from a folder: nothing is downloaded here.
    (tmp_path / "hgnc_complete_set.txt").write_text("symbol\tensembl_gene_id\n")
    monkeypatch.setenv("CISTRON_MIRROR", str(tmp_path))
    monkeypatch.setenv("CISTRON_OFFLINE", "1")
    monkeypatch.setenv("CISTRON_CACHE", str(tmp_path / "cache"))
    names = {"values": np.eye(3), "genes": ["TP53", "BRCA1", "BRCA2"]}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
