"""Who a gene is: namespaces, cleaning, mapping without silent loss."""

import gzip

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.errors import IdentifierError, InputError
from cistron.genes import GeneMap, guess_namespace, match_genes, normalise_identifiers, read_gene_map
from cistron.genes.identity import require_little_loss

TABLE = pd.DataFrame(
    {
        "ensembl": ["ENSG00000000001", "ENSG00000000002", "ENSG00000000003", "ENSG00000000004", ""],
        "symbol": ["AAA1", "BBB1", "CCC1", "CCC1", "DDD1"],
        "entrez": ["1", "2", "3", "", "5"],
    }
)


@pytest.mark.parametrize(
    ("genes", "namespace"),
    [
        (["ENSG00000141510", "ENSMUSG00000059552.14", "ENSG00000182378.15_PAR_Y"], "ensembl"),
        (["TP53", "HLA-A", "C1orf112", "AC012345.1", "Trp53"], "symbol"),
        (["7157", "672", "10.0"], "entrez"),
        (["AT1G01010!", "7157?"], "other"),
        ([], "other"),
        (["TP53"] * 9 + ["?"], "symbol"),
        (["TP53"] * 8 + ["?"] * 2, "other"),
    ],
)
def test_namespaces_are_guessed_from_the_form(genes, namespace):
    assert guess_namespace(genes) == namespace


def test_the_guess_looks_at_the_whole_list():
    assert guess_namespace(["TP53"] * 5000 + ["?"] * 5000, sample=100) == "other"


def test_versions_and_floats_are_removed():
    assert normalise_identifiers(["ENSG00000141510.18", " ENSG00000182378.15_PAR_Y "], "ensembl") == [
        "ENSG00000141510",
        "ENSG00000182378_PAR_Y",
    ]
    assert normalise_identifiers(["7157.0", "672"], "entrez") == ["7157", "672"]
    assert normalise_identifiers(["AC012345.1"], "symbol") == ["AC012345.1"]  # part of the name


@given(st.lists(st.from_regex(r"ENSG\d{11}(\.\d{1,2})?(_PAR_Y)?", fullmatch=True), max_size=5))
def test_cleaning_twice_is_cleaning_once(genes):
    once = normalise_identifiers(genes, "ensembl")
    assert normalise_identifiers(once, "ensembl") == once


def test_a_poor_match_is_explained():
    assert str(match_genes(["A1", "B1"], ["B1"], "one", "two")) == "1 genes shared (2 and 1)"
    with pytest.raises(
        IdentifierError,
        match=r"one: 0 of 2 genes match two \(1 genes\): the ids of one look like gene symbols, those of two like Ensembl ids",
    ):
        match_genes(["A1", "B1"], ["ENSG00000141510"], "one", "two")
    with pytest.raises(
        IdentifierError, match="at least 2 are needed; check that both are of the same species"
    ):
        match_genes(["A1", "B1"], ["B1"], "one", "two", minimum=2)


def test_ambiguous_identifiers_are_not_guessed():
    gene_map = GeneMap(TABLE)
    assert gene_map.lookup("symbol", "ensembl") == {"AAA1": "ENSG00000000001", "BBB1": "ENSG00000000002"}
    assert gene_map.lookup("ensembl", "symbol")["ENSG00000000004"] == "CCC1"
    mapped, counts = gene_map.map(["AAA1", "CCC1", "DDD1", "?"], "symbol", "ensembl")
    assert mapped == ["ENSG00000000001", None, None, None]
    assert counts == {"given": 4, "mapped": 1, "unknown": 3, "collided": 0}


def test_older_names_help_but_never_win():
    gene_map = GeneMap(TABLE, {"OLD1": "AAA1", "BBB1": "AAA1", "CCC1": "AAA1", "GONE": "NOSUCH"})
    mapped, counts = gene_map.map(["OLD1", "AAA1", "BBB1", "CCC1", "GONE"], "symbol", "entrez")
    # AAA1 is the current name; BBB1 is a gene of its own; CCC1 names two genes, so it is not an old AAA1 either.
    assert mapped == [None, "1", "2", "3", None]
    assert counts["collided"] == 1
    mapped, _ = gene_map.map(["CCC1"], "symbol", "ensembl")
    assert mapped == [None]


@given(st.lists(st.sampled_from(["AAA1", "BBB1", "CCC1", "DDD1", "OLD1", "?"]), max_size=12))
@settings(max_examples=100, deadline=None)
def test_counts_add_up_and_targets_are_unique(genes):
    mapped, counts = GeneMap(TABLE, {"OLD1": "AAA1"}).map(genes, "symbol", "entrez")
    assert len(mapped) == len(genes) == counts["given"]
    assert counts["given"] == counts["mapped"] + counts["unknown"] + counts["collided"]
    kept = [gene for gene in mapped if gene is not None]
    assert len(set(kept)) == len(kept) == counts["mapped"]


def test_a_table_without_the_namespace():
    with pytest.raises(InputError, match="the gene table has no Entrez ids"):
        GeneMap(TABLE.assign(entrez="")).lookup("symbol", "entrez")


def test_loss():
    counts = {"given": 100, "mapped": 95, "unknown": 4, "collided": 1}
    assert "95 of 100 genes mapped, 5 lost (5.0%: 4 unknown, 1 collided)" in require_little_loss(
        counts, "x", False
    )
    counts = {"given": 100, "mapped": 94, "unknown": 6, "collided": 0}
    with pytest.raises(IdentifierError, match="add --allow-loss"):
        require_little_loss(counts, "x", False)
    assert require_little_loss(counts, "x", True)
    with pytest.raises(IdentifierError, match="check --from"):
        require_little_loss({"given": 3, "mapped": 0, "unknown": 3, "collided": 0}, "x", True)


HGNC = (
    "symbol\talias_symbol\tprev_symbol\tentrez_id\tensembl_gene_id\n"
    'TP53\t"p53|LFS1"\t\t7157\tENSG00000141510\n'
    "SEPTIN1\tSHARED\tSEPT1\t1731\tENSG00000180096\n"
    "BRCA1\tSHARED|TP53\t\t672\tENSG00000012048\n"
)


@pytest.mark.parametrize("packed", [False, True])
def test_the_complete_set_of_hgnc(tmp_path, packed):
    path = tmp_path / ("hgnc.txt.gz" if packed else "hgnc.txt")
    path.write_bytes(gzip.compress(HGNC.encode()) if packed else HGNC.encode())
    gene_map = read_gene_map(path)
    mapping = gene_map.lookup("symbol", "ensembl")
    assert mapping["p53"] == mapping["LFS1"] == mapping["TP53"] == "ENSG00000141510"
    assert mapping["SEPT1"] == "ENSG00000180096"
    assert "SHARED" not in mapping


def test_other_gene_tables(tmp_path):
    (tmp_path / "a.csv").write_text(
        "ENSG00000141510,TP53,18,100,protein_coding\nENSG00000012048,BRCA1,3,90,x\n"
    )
    assert read_gene_map(tmp_path / "a.csv").lookup("symbol", "ensembl")["TP53"] == "ENSG00000141510"
    frame = pd.DataFrame(
        {"Ensembl_ID": ["ENSG00000141510.18", "ENSG00000182378.15_PAR_Y"], "Gene name": ["TP53", "PLCXD1"]}
    )
    frame.to_parquet(tmp_path / "a.parquet")
    assert read_gene_map(tmp_path / "a.parquet").lookup("ensembl", "symbol") == {
        "ENSG00000141510": "TP53",
        "ENSG00000182378_PAR_Y": "PLCXD1",
    }
    (tmp_path / "a.gtf").write_text(
        'chr17\tH\tgene\t1\t9\t.\t-\t.\tgene_id "ENSG00000141510.18"; gene_name "TP53"; gene_type "protein_coding";\n'
    )
    assert read_gene_map(tmp_path / "a.gtf").lookup("ensembl", "symbol") == {"ENSG00000141510": "TP53"}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("empty.tsv", b"", "is empty"),
        ("one.tsv", b"symbol\tlength\nTP53\t5\n", "hold fewer than two of Ensembl id, symbol and Entrez id"),
        ("plain.tsv.gz", b"symbol\n", "no rows below its header"),
        ("cut.tsv.gz", gzip.compress(HGNC.encode() * 50)[:-20], "cannot be read"),
        ("binary.tsv", b"\xff\xfe\x00", "not valid UTF-16"),
        ("text.parquet", b"symbol", "cannot be read"),
        ("short.gtf", b"chr1\tH\tgene\n", "9 tab-separated fields. Given: 3"),
        ("none.gtf", b"# nothing\n", "has no gene rows"),
    ],
)
def test_bad_gene_tables(tmp_path, name, content, complaint):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=complaint):
        read_gene_map(tmp_path / name)


def test_a_damaged_gzip_is_an_input_error(tmp_path):
    packed = bytearray(gzip.compress(HGNC.encode() * 200))
    for position in range(12, len(packed), 7):
        damaged = bytearray(packed)
        damaged[position] ^= 0xFF
        (tmp_path / "a.tsv.gz").write_bytes(bytes(damaged))
        with pytest.raises(InputError):
            read_gene_map(tmp_path / "a.tsv.gz")


def test_a_real_gene_list(test_data):
    gene_map = read_gene_map(test_data / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz")
    assert len(gene_map.table) == 78894
    mapped, _ = gene_map.map(["TP53", "BRCA1"], "symbol", "ensembl")
    assert mapped == ["ENSG00000141510", "ENSG00000012048"]


def test_two_tables_are_joined_by_what_they_share(tmp_path):
    (tmp_path / "a.csv").write_text("ensembl,symbol\nENSG00000000001,TP53\nENSG00000000002,MYC\n")
    (tmp_path / "b.tsv").write_text("hgnc_symbol\tentrez\nTP53\t7157\nMYC\t4609\n")
    joined = read_gene_map(tmp_path / "a.csv").joined_with(read_gene_map(tmp_path / "b.tsv"))
    assert joined.lookup("ensembl", "entrez") == {"ENSG00000000001": "7157", "ENSG00000000002": "4609"}


def test_the_old_place_of_the_reader_still_gives_it():
    import cistron.genes.identity as identity

    assert identity.read_gene_map is read_gene_map
    with pytest.raises(AttributeError):
        _ = identity.nothing
