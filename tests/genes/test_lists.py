"""Lists of genes, and names that a spreadsheet has changed."""

import gzip

import numpy as np
import pytest

from cistron.errors import InputError
from cistron.genes.lists import read_gene_list
from cistron.genes.spreadsheets import spreadsheet_damage


@pytest.mark.parametrize(
    "text",
    [
        "TP53\nMYC\n",
        "\ufeffgene\nTP53\r\nMYC\r\n",
        "Gene name,x\nTP53,1\nMYC,2\nTP53,3\n",
        "# two\n\n'TP53'\tx\n  MYC y\n",
    ],
)
def test_lists_of_every_form(tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    assert read_gene_list(tmp_path / "a.txt") == ["TP53", "MYC"]
    (tmp_path / "b").write_bytes(gzip.compress(text.encode()))
    assert read_gene_list(tmp_path / "b") == ["TP53", "MYC"]


def test_names_that_look_like_no_names_stay(tmp_path):
    (tmp_path / "a.txt").write_text("NA\nnan\n1e5\n1-Mar\nSTRG.1\n")
    assert read_gene_list(tmp_path / "a.txt") == ["NA", "nan", "1e5", "1-Mar", "STRG.1"]


DAMAGE = {
    "nothing": b"",
    "blank": b"\n\n",
    "header": b"gene\n",
    "random": np.random.default_rng(0).bytes(500),
    "cut": gzip.compress(b"TP53\n" * 1000)[:30],
    "h5ad": b"\x89HDF\r\n\x1a\n" + bytes(50),
    "latin-1": b"G\xe9ne\n",
    "nul": b"TP\x0053\n",
    "long": b"A" * 1_000_000,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_one_line(tmp_path, kind):
    (tmp_path / "a.txt").write_bytes(DAMAGE[kind])
    with pytest.raises(InputError, match=r"gene list a\.txt") as caught:
        read_gene_list(tmp_path / "a.txt")
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "name",
    [
        "1-Mar",
        "Mar-01",
        "2-Sep",
        "01-Dec",
        "2001-03-01",
        "01-Mrz",
        "1-sept.",
        "1-mars",
        "3月1日",
        "3/1/2001",
        "44256",
        "2.31E+13",
        "5e4",
        "1-Sep-20",
    ],
)
def test_names_that_a_spreadsheet_makes(name):
    assert (
        f"1 of 3 names of genes look changed by a spreadsheet into dates or numbers ({name})"
        in spreadsheet_damage(["TP53", name, "MYC"])
    )


def test_names_of_genes_are_no_damage():
    genes = [
        "MARCHF1",
        "SEPTIN2",
        "DEC1",
        "OCT4",
        "MAR1",
        "NOV",
        "2310009E13Rik",
        "7SK",
        "C1orf112",
        "YAL001C",
        "HLA-A",
        "1-8U",
    ]
    assert spreadsheet_damage(genes) == ""
    assert spreadsheet_damage(["44256", "7157", "51193"]) == ""  # Entrez ids
    assert spreadsheet_damage(["TP53", "NA"]) == "1 genes are named 'NA', which may be a missing name"
