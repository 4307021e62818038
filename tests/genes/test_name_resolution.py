"""Names to identifiers: each kind of finding and of loss by a hand-made table."""

import pytest

from cistron.errors import IdentifierError, InputError
from cistron.genes.name_resolution import NameMap, read_name_map

HGNC = (
    "ensembl_gene_id\tsymbol\tprev_symbol\talias_symbol\n"
    "ENSG00000000001\tMARCHF1\tMARCH1|OLD1\tRNF171\n"
    "ENSG00000000002\tVAMP7\t\tSYBL1\n"
    "ENSG00000000003\tTWICE\t\t\n"
    "ENSG00000000004\tTWICE\t\t\n"
    "ENSG00000000005\tNEW\tFORMER\t\n"
)
OLDER = "gene_id\tgene_name\nENSG00000000006\tRP11-34P13.7\nENSG00000000003\tTWICE\nENSG00000000009\tNEW\n"


@pytest.fixture
def tables(tmp_path):
    paths = tmp_path / "hgnc.tsv", tmp_path / "older.tsv"
    for path, text in zip(paths, (HGNC, OLDER)):
        path.write_text(text)
    return paths


def test_names_are_found_by_kind_and_losses_are_counted_by_kind(tables):
    names = NameMap.of_tables(tables, "symbol", "ensembl")
    given = {
        "MARCHF1": "ENSG00000000001",
        "MARCH1": None,  # the same gene as MARCHF1, which is its current name
        "SYBL1": None,  # an alias goes behind the current name even where it comes first
        "VAMP7": "ENSG00000000002",
        "VAMP7-1": None,
        "FORMER": "ENSG00000000005",
        "RP11-34P13.7": "ENSG00000000006",
        "7SK_ENSG00000000007": "ENSG00000000007",
        "TWICE": None,
        "1-Mar": None,
        "RP11-1A1.2": None,
        "AC000003.2": None,
        "NOBODY": None,
    }
    found = names.resolve(list(given))
    assert dict(zip(given, found.identifiers)) == given
    assert found.found == {
        "current name": 2,
        "previous name or alias": 1,
        "older.tsv": 1,
        "the Ensembl id in the name": 1,
    }
    assert {kind.split()[1]: number for kind, number in found.lost.items()} == {
        "in": 2, "copies": 1, "several": 1, "dates": 1, "names": 2, "unknown": 1,
    }  # fmt: skip
    with pytest.raises(
        IdentifierError, match=r"8 lost \(61.5%\).*2 are names of clones \(RP11-1A1.2\).*add a further"
    ):
        found.require_little_loss("cells", allow_loss=False)
    assert "1 by older.tsv" in found.require_little_loss("cells", allow_loss=True)


def test_the_first_table_goes_before_the_second(tables):
    assert NameMap.of_tables(tables, "symbol", "ensembl").names["NEW"] == "ENSG00000000005"
    assert NameMap.of_tables(tables[::-1], "symbol", "ensembl").names["NEW"] == "ENSG00000000009"


def test_nothing_found_is_an_error_even_where_loss_is_allowed(tables):
    names = NameMap.of_tables(tables, "symbol", "ensembl")
    with pytest.raises(IdentifierError, match="check the species"):
        names.resolve(["Xkr4", "Sox17"]).require_little_loss("mouse", allow_loss=True)


def test_a_stored_map_is_the_map(tables, tmp_path):
    names = NameMap.of_tables(tables, "symbol", "ensembl")
    names.write(tmp_path / "map.tsv.gz")
    assert read_name_map(tmp_path / "map.tsv.gz") == names
    (tmp_path / "cut.tsv.gz").write_bytes((tmp_path / "map.tsv.gz").read_bytes()[:40])
    with pytest.raises(InputError, match="truncated"):
        read_name_map(tmp_path / "cut.tsv.gz")
    with pytest.raises(InputError, match="truncated"):
        read_name_map(tables[0])
