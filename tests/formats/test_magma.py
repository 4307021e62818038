"""MAGMA's files: read, written, cut and compared without losing a correlation."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from cistron.errors import InputError
from cistron.formats import GeneCorrelations, read_genes_out, read_genes_raw, write_genes_out, write_genes_raw

OUT = (
    "GENE             CHR      START       STOP  NSNPS  NPARAM      N        ZSTAT            P\n"
    "ENSG00000141510    1  248906342  248917279     12       5  360000       1.2345      0.10849\n"
    "ENSG00000012048    X         10         20      1       1  360000      -0.5000      0.69146\n"
)
RAW = (
    "# VERSION = 110\n"
    "# COVAR = NSAMP MAC\n"
    "A1 1 100 200 5 3 1000 50.5 1.5\n"
    "B1 1 300 400 6 4 1000 60.5 -0.5 0.25\n"
    "C1 1 500 600 7 5 1000 70.5 0.75 0 0.5\n"
    "D1 2 100 200 8 6 1000 80.5 2.5\n"
    "E1 2 300 400 9 7 1000 90.5 0.1 -0.125\n"
)


def test_genes_out_by_hand(tmp_path):
    (tmp_path / "a.genes.out").write_text(OUT)
    table = read_genes_out(tmp_path / "a.genes.out")
    assert list(table["GENE"]) == ["ENSG00000141510", "ENSG00000012048"]
    assert list(table["CHR"]) == ["1", "X"]
    assert list(table["STOP"]) == [248917279, 20]
    assert list(table["ZSTAT"]) == [1.2345, -0.5]


def test_genes_out_round_trip_keeps_every_position(tmp_path):
    (tmp_path / "a.genes.out").write_text(OUT)
    table = read_genes_out(tmp_path / "a.genes.out")
    write_genes_out(table, tmp_path / "b.genes.out")
    pd.testing.assert_frame_equal(read_genes_out(tmp_path / "b.genes.out"), table)
    with pytest.raises(InputError, match="ZSTAT has missing values"):
        write_genes_out(table.assign(ZSTAT=np.nan), tmp_path / "c.genes.out")
    assert not (tmp_path / "c.genes.out").exists()


def test_forms_of_genes_out(tmp_path):
    chr_names = (
        OUT.replace("41510    1  ", "41510 chr1  ")
        .replace("    X   ", "   23   ")
        .replace("141510 ", "141510.18 ")
    )
    tabs = "\n".join("\t".join(line.split()) for line in OUT.splitlines())
    (tmp_path / "a.genes.out.gz").write_bytes(gzip.compress(OUT.encode()))
    (tmp_path / "b.genes.out").write_text("# a comment\n" + chr_names)
    (tmp_path / "c.genes.out").write_text(tabs)
    (tmp_path / "d.genes.out").write_text(OUT.replace("\n", "\r\n"))
    expected = None
    for name in ("a.genes.out.gz", "b.genes.out", "c.genes.out", "d.genes.out"):
        table = read_genes_out(tmp_path / name)
        expected = table if expected is None else expected
        pd.testing.assert_frame_equal(table, expected)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("# only\n", "holds no rows"),
        (OUT.splitlines()[0], "no rows below its header"),
        (OUT.replace("ZSTAT", "ZETA "), "column ZSTAT is absent"),
        (OUT[:-20], r"line 3: 8 fields, but the header has 9 .*the file is cut there"),
        (OUT.replace("1.2345", " abc  "), "ZSTAT of gene ENSG00000141510 is 'abc', not a number"),
        (OUT.replace("1.2345", "   inf"), "ZSTAT of gene ENSG00000141510 is infinite"),
        (OUT.replace("248906342", "     high"), "START of gene ENSG00000141510 is 'high'"),
        (
            OUT.replace("ENSG00000012048", "ENSG00000141510"),
            "1 genes occur more than once, for example ENSG00000141510",
        ),
        (OUT.replace("ENSG00000012048  ", "ENSG00000141510.2"), "1 genes occur more than once"),
    ],
)
def test_bad_genes_out(tmp_path, content, complaint):
    (tmp_path / "a.genes.out").write_text(content)
    with pytest.raises(InputError, match=complaint) as caught:
        read_genes_out(tmp_path / "a.genes.out")
    assert "a.genes.out" in str(caught.value)


@pytest.mark.parametrize("reader", [read_genes_out, read_genes_raw])
def test_files_that_cannot_be_read(tmp_path, reader):
    with pytest.raises(InputError, match="does not exist"):
        reader(tmp_path / "absent")
    whole = gzip.compress((OUT * 200).encode())
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for content in (whole[:-30], bytes(flipped), b"plain text"):
        (tmp_path / "a.gz").write_bytes(content)
        with pytest.raises(InputError):
            reader(tmp_path / "a.gz")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not valid UTF-16"):
        reader(tmp_path / "binary")
    with pytest.raises(InputError, match="is a folder"):
        reader(tmp_path)


def test_genes_out_as_other_programs_write_it(tmp_path):
    """A byte order mark, UTF-16, quotes and commas, small letters, and NA, which is not measured."""
    expected = read_genes_out(_written(tmp_path, OUT.encode()))
    commas = "\n".join(",".join(f'"{field}"' for field in line.split()) for line in OUT.splitlines())
    for content in (
        b"\xef\xbb\xbf" + OUT.encode(),
        OUT.encode("utf-16"),
        commas.encode(),
        OUT.replace("GENE", "gene").encode(),
    ):
        pd.testing.assert_frame_equal(read_genes_out(_written(tmp_path, content)), expected)
    assert read_genes_out(_written(tmp_path, OUT.replace("1.2345", "   NA ").encode()))[
        "ZSTAT"
    ].isna().tolist() == [True, False]
    raw = read_genes_raw(_written(tmp_path, b"\xef\xbb\xbf" + RAW.encode()))
    assert len(raw.genes) == len([line for line in RAW.splitlines() if not line.startswith("#")])


def _written(folder, content):
    (folder / "a.genes.out").write_bytes(content)
    return folder / "a.genes.out"


def test_genes_raw_by_hand(tmp_path):
    (tmp_path / "a.genes.raw").write_text(RAW)
    correlations = read_genes_raw(tmp_path / "a.genes.raw")
    assert list(correlations.genes["MAC"]) == [50.5, 60.5, 70.5, 80.5, 90.5]
    np.testing.assert_array_equal(
        correlations.matrix.toarray(),
        [
            [1, 0.25, 0, 0, 0],
            [0.25, 1, 0.5, 0, 0],
            [0, 0.5, 1, 0, 0],
            [0, 0, 0, 1, -0.125],
            [0, 0, 0, -0.125, 1],
        ],
    )
    rows, block = correlations.dense_blocks()["2"]
    assert list(rows) == [3, 4]
    np.testing.assert_array_equal(block, [[1, -0.125], [-0.125, 1]])


def test_a_subset_in_another_order_keeps_the_right_correlations(tmp_path):
    (tmp_path / "a.genes.raw").write_text(RAW)
    chosen = read_genes_raw(tmp_path / "a.genes.raw").select(["C1", "E1", "B1"])
    np.testing.assert_array_equal(chosen.matrix.toarray(), [[1, 0, 0.5], [0, 1, 0], [0.5, 0, 1]])
    assert list(chosen.genes["GENE"]) == ["C1", "E1", "B1"]
    with pytest.raises(InputError, match=r"1 genes are not in the \.genes\.raw file, for example Z1"):
        chosen.select(["C1", "Z1"])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("# VERSION = 110\n# COVAR = NSAMP MAC\n", "holds no genes"),
        (
            RAW.replace("A1 1 100 200 5 3 1000 50.5 1.5\n", ""),
            "line 3: 1 correlations but only 0 genes before it",
        ),
        (RAW.replace(" 50.5 1.5", ""), "line 3: 7 fields, expected at least 9"),
        (RAW.replace("0.25", "high"), "line 4: a correlation is not a number"),
        (RAW.replace("0.25", "1.25"), r"a correlation is 1.25, outside \[-1, 1\]"),
        (RAW.replace("0.25", "nan"), "a correlation is nan"),
        (RAW.replace("B1", "A1"), "1 genes occur more than once"),
        (
            RAW + "F1 1 700 800 9 7 1000 90.5 0.1 0.5 0.5\n",
            "line 8: genes of chromosome 1 do not stand together",
        ),
        (OUT, "expected two header lines"),
    ],
)
def test_bad_genes_raw(tmp_path, content, complaint):
    (tmp_path / "a.genes.raw").write_text(content)
    with pytest.raises(InputError, match=complaint):
        read_genes_raw(tmp_path / "a.genes.raw")


@st.composite
def correlations(draw):
    """Genes on one to three chromosomes with sparse correlations that never cross them."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    chromosomes = np.repeat(np.arange(1, len(sizes) + 1), sizes).astype(str)
    count = len(chromosomes)
    lower = np.tril(np.round(rng.uniform(-1, 1, (count, count)), 3), -1) * (rng.random((count, count)) < 0.5)
    lower *= chromosomes[:, None] == chromosomes[None, :]
    genes = pd.DataFrame(
        {
            "GENE": [f"GENE{number}" for number in range(count)],
            "CHR": chromosomes,
            "START": np.arange(1, count + 1) * 100_000.0,
            "STOP": np.arange(1, count + 1) * 100_000.0 + rng.integers(1, 90_000, count),
            "NSNPS": rng.integers(1, 99, count).astype(float),
            "NPARAM": rng.integers(1, 99, count).astype(float),
            "N": rng.integers(1, 500_000, count).astype(float),
            "MAC": np.round(rng.uniform(1, 999, count), 2),
            "ZSTAT": np.round(rng.normal(size=count), 6),
        }
    )
    return GeneCorrelations(genes, sparse.csr_array(lower + lower.T + np.eye(count)))


@given(correlations())
@settings(max_examples=40, deadline=None)
def test_genes_raw_round_trip(tmp_path_factory, original):
    path = tmp_path_factory.mktemp("raw") / "a.genes.raw"
    write_genes_raw(original, path)
    back = read_genes_raw(path)
    pd.testing.assert_frame_equal(back.genes, original.genes)
    np.testing.assert_allclose(back.matrix.toarray(), original.matrix.toarray(), atol=1e-12)
    order = np.random.default_rng(0).permutation(len(back.genes))
    chosen = back.select(list(back.genes["GENE"].iloc[order]))
    np.testing.assert_allclose(
        chosen.matrix.toarray(), original.matrix.toarray()[np.ix_(order, order)], atol=1e-12
    )


def magma_rows(count=120, seed=0):
    """Rows of two chromosomes as MAGMA writes them: correlations with all genes within 5 Mb before."""
    rng = np.random.default_rng(seed)
    rows = ["# VERSION = 110", "# COVAR = NSAMP MAC"]
    for chromosome in "12":
        start = np.cumsum(rng.integers(50_000, 900_000, count))
        stop = start + rng.integers(1_000, 300_000, count)
        for gene in range(count):
            number = next(
                (n for n in range(gene + 1) if n == gene or start[gene] - stop[gene - n - 1] >= 5_000_000), 0
            )
            numbers = " ".join(f"{value:.3f}" for value in rng.uniform(-0.1, 0.1, number))
            rows.append(
                f"G{chromosome}_{gene} {chromosome} {start[gene]} {stop[gene]} 5 3 1000 50 1.5 {numbers}".strip()
            )
    return rows


def test_a_removed_row_of_genes_raw_is_noticed(tmp_path):
    rows = magma_rows()
    path = tmp_path / "a.genes.raw"
    path.write_text("\n".join(rows) + "\n")
    assert len(read_genes_raw(path).genes) == 240
    noticed = 0
    for row in range(2, 242, 5):
        path.write_text("\n".join(rows[:row] + rows[row + 1 :]) + "\n")
        try:
            read_genes_raw(path)
        except InputError as error:
            noticed += "removed" in str(error)
    # nothing is wrong where no later gene reaches back over the row
    assert noticed >= 46
    path.write_text(
        "\n".join(row for row in rows if row.split()[0] not in {f"G1_{n}" for n in range(50, 60)}) + "\n"
    )
    with pytest.raises(
        InputError, match=r"line 5\d: gene G1_60 has \d+ correlations, which reach back to G1_4\d"
    ):
        read_genes_raw(path)


def test_genes_raw_cannot_hold_everything(tmp_path):
    (tmp_path / "a.genes.raw").write_text(RAW)
    whole = read_genes_raw(tmp_path / "a.genes.raw")
    with pytest.raises(InputError, match="needs the genes of each chromosome together"):
        write_genes_raw(whole.select(["A1", "D1", "B1"]), tmp_path / "b.genes.raw")
    crossing = GeneCorrelations(whole.genes, sparse.csr_array(np.full((5, 5), 0.1) + 0.9 * np.eye(5)))
    with pytest.raises(InputError, match="correlations between chromosomes"):
        write_genes_raw(crossing, tmp_path / "b.genes.raw")
    with pytest.raises(InputError, match="must be square over the genes"):
        GeneCorrelations(whole.genes, sparse.eye_array(4).tocsr())
    assert not (tmp_path / "b.genes.raw").exists()


def test_real_files(test_data):
    folder = test_data / "gwas/magma_files_public"
    raw = read_genes_raw(folder / "ieu-a-1041.genes.raw.gz")
    out = read_genes_out(folder / "ieu-a-1041.genes.out")
    assert len(raw.genes) == 10508
    assert set(raw.genes["GENE"]) == set(out["GENE"])
    merged = raw.genes.merge(out, on="GENE", suffixes=("_raw", "_out"))
    # The raw file holds the z-score before MAGMA's final adjustment; both are of the same genes and SNPs.
    assert (merged["NSNPS_raw"] == merged["NSNPS_out"]).all()
    assert np.corrcoef(merged["ZSTAT_raw"], merged["ZSTAT_out"])[0, 1] > 0.99
    assert abs(raw.matrix - raw.matrix.T).max() == 0
    other_raw = read_genes_raw(folder / "ieu-a-7.genes.raw.gz")
    other_out = read_genes_out(folder / "ieu-a-7.genes.out")
    assert (len(other_raw.genes), len(other_out)) == (11081, 18087)  # two runs: must not be paired


def test_the_report_s_own_traits(test_data):
    table = read_genes_out(test_data / "gwas/seed_project_magma/SHBG.genes.out")
    assert len(table) == 17973
    assert set(table["CHR"]) == {str(number) for number in range(1, 23)}
