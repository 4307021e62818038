"""The gene-embedding format: what goes in comes out, and what is broken is named in one line."""

import gzip
import json
import warnings

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from cistron.errors import IdentifierError, InputError
from cistron.formats import (
    build_gene_embedding,
    check_gene_embedding,
    combine_gene_embeddings,
    embedding_information,
    export_gene_embedding,
    read_gene_embedding,
    write_gene_embedding,
)

GENES = ["ENSG00000141510", "ENSG00000012048", "ENSG00000139618"]
VALUES = np.array([[1.0, 2.0], [3.0, -4.0], [0.5, 0.25]], dtype=np.float32)
FORMS = ["parquet", "tsv", "csv", "tsv.gz", "csv.gz", "txt", "vec"]


def make(values=VALUES, genes=GENES, **options):
    """A small valid embedding."""
    return build_gene_embedding(
        values, genes, **{"name": "toy", "method": "pca", "evidence": "expression", **options}
    )


@st.composite
def embeddings(draw):
    """Valid embeddings only: unique ids, finite float32, no row of zeros."""
    genes = draw(
        st.lists(st.from_regex(r"[A-Z][A-Z0-9]{1,8}", fullmatch=True), min_size=1, max_size=8, unique=True)
    )
    # Ids that a table reader takes for missing values or truth values are not gene names.
    genes = [f"G{gene}" for gene in genes]
    dimensions = draw(st.integers(1, 4))
    numbers = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
    values = draw(hnp.arrays(np.float32, (len(genes), dimensions), elements=numbers))
    values[~values.any(axis=1), 0] = 1.0
    return make(values, genes)


@given(embedding=embeddings())
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("form", ["h5ad", *FORMS])
def test_round_trip(tmp_path_factory, form, embedding):
    path = tmp_path_factory.mktemp("round") / f"toy.{form}"
    export_gene_embedding(embedding, path)
    back = read_gene_embedding(path)
    assert list(back.obs_names) == list(embedding.obs_names)
    assert back.X.dtype == np.float32
    np.testing.assert_array_equal(back.X, embedding.X)


def test_h5ad_keeps_the_header_the_parameters_and_the_deviations(tmp_path):
    source = tmp_path / "matrix.tsv"
    source.write_text("x\n")
    embedding = make(
        genome_build="GRCh38",
        evidence=["dna", "expression"],
        licence="CC BY 4.0",
        seed=7,
        parameters={"dimensions": 2, "scale": True},
        sources=[source],
        standard_deviation=np.abs(VALUES),
    )
    write_gene_embedding(embedding, tmp_path / "toy.h5ad")
    back = read_gene_embedding(tmp_path / "toy.h5ad")
    header = back.uns["cistron"]
    assert {key: header[key] for key in ("name", "method", "genome_build", "evidence", "licence")} == {
        "name": "toy",
        "method": "pca",
        "genome_build": "GRCh38",
        "evidence": "dna+expression",
        "licence": "CC BY 4.0",
    }
    assert header["identifier_namespace"] == "ensembl"
    assert int(header["seed"]) == 7
    assert json.loads(header["parameters"]) == {"dimensions": 2, "scale": True}
    assert list(header["sources"]["file"]) == [source.name]
    assert len(header["sources"]["sha256"][0]) == 64
    np.testing.assert_array_equal(back.layers["std"], np.abs(VALUES))
    assert embedding_information(back)["genes"] == 3


def test_scanpy_works_on_it_unchanged():
    scanpy = pytest.importorskip("scanpy")
    rng = np.random.default_rng(0)
    embedding = make(rng.normal(size=(40, 5)), [f"GENE{number}" for number in range(40)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scanpy.pp.pca(embedding, n_comps=2)
    assert embedding.obsm["X_pca"].shape == (40, 2)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"values": VALUES[:2]}, r"one row a gene\. Given: shape \(2, 2\) for 3 genes"),
        ({"values": VALUES.ravel()}, "must be"),
        ({"values": np.array([["a", "b"]] * 3)}, "values are not numbers"),
        (
            {"values": np.where(VALUES == 3.0, np.nan, VALUES)},
            "1 genes have NaN or infinite values, for example ENSG00000012048",
        ),
        (
            {"values": VALUES * np.array([[1], [0], [1]])},
            "1 genes are rows of zeros, for example ENSG00000012048",
        ),
        ({"genes": ["A1", "A1", "B1"]}, "1 gene ids occur more than once, for example A1"),
        ({"dimension_names": ["d", "d"]}, "1 dimension names occur more than once, for example d"),
        ({"evidence": "rumour"}, "evidence 'rumour' is not made of"),
        ({"evidence": "expression+rumour"}, "is not made of"),
        ({"identifier_namespace": "refseq"}, "'refseq' is not one of ensembl"),
        ({"values": np.empty((0, 2)), "genes": []}, "it is empty: 0 genes x 2 dimensions"),
        ({"standard_deviation": -np.abs(VALUES)}, "negative or missing"),
    ],
)
def test_what_breaks_a_rule_cannot_be_built(options, complaint):
    with pytest.raises(InputError, match=complaint):
        make(**options)


def test_the_checker_names_every_problem():
    assert check_gene_embedding(make()) == []
    bare = anndata.AnnData(VALUES.astype(np.float64), obs=pd.DataFrame(index=GENES))
    assert len(check_gene_embedding(bare)) == 2  # no header, not float32
    dense = make()
    sparse_form = anndata.AnnData(sparse.csr_matrix(VALUES), obs=dense.obs, var=dense.var, uns=dense.uns)
    assert check_gene_embedding(sparse_form) == ["X is sparse; an embedding is dense float32"]
    for version, complaint in ((99, "is newer than 1; update cistron"), ("first", "is not a number")):
        odd = make()
        odd.uns["cistron"]["schema_version"] = version
        assert complaint in check_gene_embedding(odd)[0]


def test_the_embedding_does_not_change_with_the_array_it_was_made_from():
    values = VALUES.copy()
    embedding = make(values)
    values[:] = 0
    np.testing.assert_array_equal(embedding.X, VALUES)


def test_word2vec_text_tells_when_it_is_not_whole(tmp_path):
    path = tmp_path / "toy.txt"
    path.write_text("3 2\nTP53 1 2\nBRCA1 3 4\n")
    with pytest.raises(
        InputError, match=r"says 3 genes x 2 dimensions, the file has 2 x 2; it may be truncated"
    ):
        read_gene_embedding(path)
    for text in (
        "TP53 1 2\nBRCA1 3 4\n",
        "7157 0.1257 -0.1321\n672 0.6404 0.1049\n",
    ):  # no gene is lost in silence
        path.write_text(text)
        assert read_gene_embedding(path).n_obs == 2
    path.with_suffix(".vec").write_text("TP53 1 2\nBRCA1 3 4\n")
    with pytest.raises(InputError, match="the first line of word2vec text is 'GENES DIMENSIONS'"):
        read_gene_embedding(path.with_suffix(".vec"))
    path.write_text("2 2\nTP53 1 2 \nBRCA1 3 4 \n")  # as word2vec writes it
    np.testing.assert_array_equal(read_gene_embedding(path).X, [[1, 2], [3, 4]])


def test_genes_in_columns_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text(",TP53,BRCA1,EGFR,MYC\nd0,0.1,0.2,0.3,0.4\nd1,0.5,0.1,0.2,0.9\n")
    with pytest.raises(InputError, match=r"genes in columns \(TP53.*transpose"):
        read_gene_embedding(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text(",ENSG00000000001,ENSG00000000002\nx,0.1,0.2\ny,0.5,0.1\nz,1,2\n")
    with pytest.raises(InputError, match="transpose"):
        read_gene_embedding(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text(",LIVER,HEART,LUNG\nG1,0.1,0.2,1\nG7,0.5,0.1,2\nTP53,1,2,3\n")
    assert read_gene_embedding(tmp_path / "a.csv").n_obs == 3


def test_a_table_of_entrez_ids(tmp_path):
    (tmp_path / "toy.tsv").write_text("gene\tPC1\n7157\t1.5\n672\t2.5\n")
    embedding = read_gene_embedding(tmp_path / "toy.tsv")
    assert list(embedding.obs_names) == ["7157", "672"]
    assert embedding.uns["cistron"]["identifier_namespace"] == "entrez"


def test_evidence_is_given_or_unknown_and_that_is_said(tmp_path, aloud, remarks):
    (tmp_path / "toy.tsv").write_text("gene\tPC1\tPC2\nTP53\t1.5\t1\nBRCA1\t2.5\t2\n")
    assert read_gene_embedding(tmp_path / "toy.tsv").uns["cistron"]["evidence"] == "unknown"
    assert "toy.tsv does not say what it was made from: its evidence is unknown" in remarks()
    assert (
        "its evidence is unknown"
        in aloud("embedding", "convert", tmp_path / "toy.tsv", tmp_path / "a.h5ad")[2]
    )
    code, printed, errors = aloud("embedding", "check", tmp_path / "a.h5ad")
    assert code == 0
    assert "evidence: unknown" in printed
    assert "a.h5ad does not say what it was made from" in errors
    code, _, errors = aloud(
        "embedding", "convert", tmp_path / "a.h5ad", tmp_path / "b.h5ad", "--evidence", "protein"
    )
    assert code == 0
    assert errors == ""
    assert read_gene_embedding(tmp_path / "b.h5ad").uns["cistron"]["evidence"] == "protein"
    # what earlier versions took for expression is unknown
    old = anndata.read_h5ad(tmp_path / "a.h5ad")
    old.uns["cistron"]["evidence"] = "expression"
    old.uns["cistron"]["parameters"] = '{"evidence_assumed": true}'
    old.write_h5ad(tmp_path / "old.h5ad")
    assert read_gene_embedding(tmp_path / "old.h5ad").uns["cistron"]["evidence"] == "unknown"


def test_parquet_with_ids_in_the_index_or_the_first_column(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.Index(["TP53", "BRCA1"], name="gene"))
    frame.to_parquet(tmp_path / "index.parquet")
    frame.reset_index().to_parquet(tmp_path / "column.parquet")
    for name in ("index", "column"):
        assert list(read_gene_embedding(tmp_path / f"{name}.parquet").obs_names) == ["TP53", "BRCA1"]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("empty.tsv", b"", "is empty"),
        ("empty.h5ad", b"", "not a readable .h5ad"),
        ("empty.parquet", b"", "cannot be read as a table"),
        ("header.tsv", b"gene\ta\n", "no rows below its header"),
        ("ids.tsv", b"gene\nTP53\n", "has one column only"),
        ("strings.tsv", b"gene\ta\nTP53\thigh\n", "1 columns are not numbers, for example 'a'"),
        ("doubled.csv", b"gene,a\nTP53,1\nTP53,2\n", "1 gene ids occur more than once, for example TP53"),
        ("missing.csv", b"gene,a\nTP53,\n", "NaN or infinite"),
        ("nameless.csv", b"gene,a\n,1\nTP53,2\n", "line 2: no name in the first column"),
        ("binary.tsv", b"\xff\xfe\x00\x01", "no rows"),
        ("plain.tsv.gz", b"gene\ta\n", "no rows below its header"),
        ("text.parquet", b"gene\ta\n", "cannot be read as a table"),
        ("text.h5ad", b"gene\ta\n", "not a readable .h5ad"),
        ("file.docx", b"x", "embeddings are read from"),
        ("none", b"x", "embeddings are read from"),
    ],
)
def test_bad_files(tmp_path, fails, name, content, complaint):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=complaint.replace(".", r"\.")):
        read_gene_embedding(tmp_path / name)
    fails("embedding", "convert", tmp_path / name, tmp_path / "out.h5ad", "--evidence", "expression")
    assert not (tmp_path / "out.h5ad").exists()


def test_a_parquet_without_columns(tmp_path):
    pd.DataFrame(index=range(3)).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="x 0 dimensions"):
        read_gene_embedding(tmp_path / "a.parquet")


def test_absent_and_folder(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_gene_embedding(tmp_path / "a.h5ad")
    for name in ("folder.tsv", "folder.h5ad", "folder.parquet", "folder.txt"):
        (tmp_path / name).mkdir()
        with pytest.raises(InputError):
            read_gene_embedding(tmp_path / name)


@pytest.mark.parametrize("form", ["h5ad", "parquet", "tsv.gz"])
def test_a_file_cut_or_damaged_anywhere_is_an_input_error_or_still_right(tmp_path, form):
    rng = np.random.default_rng(1)
    whole = make(rng.normal(size=(60, 4)), [f"GENE{number}" for number in range(60)])
    path = tmp_path / f"toy.{form}"
    export_gene_embedding(whole, path)
    content = path.read_bytes()
    damaged = [content[: int(share * len(content))] for share in (0.1, 0.5, 0.9, 0.999)]
    # The HDF5 library itself can hang or crash on a wrong byte; there only cuts are tried.
    for _ in range(0 if form == "h5ad" else 100):
        position = int(rng.integers(len(content)))
        damaged.append(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
    messages = []
    for piece in damaged:
        path.write_bytes(piece)
        try:
            read_gene_embedding(path)
        except InputError as error:  # any other exception fails the test
            messages.append(str(error))
    assert len(messages) >= 4  # at the very least the truncated ones
    assert not [message for message in messages if "\n" in message]


def test_an_anndata_without_header_says_how_to_add_one(tmp_path, fails, run):
    path = tmp_path / "plain.h5ad"
    anndata.AnnData(VALUES, obs=pd.DataFrame(index=GENES)).write_h5ad(path)
    with pytest.raises(
        InputError,
        match=r"without the gene-embedding header; make one of a matrix with 'cistron omics embed'",
    ):
        read_gene_embedding(path)
    assert "1 of 1 embeddings are not valid" in fails("embedding", "check", path)
    assert "say what it was made from with --evidence" in fails(
        "embedding", "convert", path, tmp_path / "out.h5ad"
    )
    code, output, _ = run(
        "embedding", "convert", path, tmp_path / "out.h5ad", "--evidence", "protein", "--name", "x"
    )
    assert code == 0
    assert "3 genes x 2 dimensions" in output
    assert read_gene_embedding(tmp_path / "out.h5ad").uns["cistron"]["evidence"] == "protein"
    code, output, _ = run("embedding", "check", tmp_path / "out.h5ad")
    assert code == 0
    assert "evidence: protein" in output


@pytest.mark.filterwarnings("ignore:.*names are not unique:UserWarning")
def test_an_anndata_with_doubled_genes_is_one_line(tmp_path, fails):
    path = tmp_path / "doubled.h5ad"
    anndata.AnnData(VALUES, obs=pd.DataFrame(index=["A1", "A1", "B1"])).write_h5ad(path)
    line = fails("embedding", "convert", path, tmp_path / "out.h5ad", "--evidence", "protein")
    assert "1 gene ids occur more than once, for example A1" in line


def test_an_anndata_with_something_else_under_our_name(tmp_path, fails):
    embedding = anndata.AnnData(VALUES, obs=pd.DataFrame(index=GENES), uns={"cistron": "a bird"})
    embedding.write_h5ad(tmp_path / "odd.h5ad")
    assert "not valid" in fails("embedding", "check", tmp_path / "odd.h5ad")


def test_writing_checks_before_it_writes(tmp_path):
    broken = make()
    broken.X[0, 0] = np.nan
    for name in ("toy.h5ad", "toy.tsv"):
        with pytest.raises(InputError, match="NaN"):
            export_gene_embedding(broken, tmp_path / name)
    with pytest.raises(InputError, match=r"is written as \.h5ad"):
        write_gene_embedding(make(), tmp_path / "toy.tsv")
    for name in ("toy.xlsx", "toy", "toy.txt.gz"):
        with pytest.raises(InputError, match="cannot export"):
            export_gene_embedding(make(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_survives_a_failed_export(tmp_path):
    path = tmp_path / "toy.tsv"
    export_gene_embedding(make(), path)
    before = path.read_bytes()
    broken = make()
    broken.X[0, 0] = np.nan
    with pytest.raises(InputError):
        export_gene_embedding(broken, path)
    assert path.read_bytes() == before


def test_gz_is_gzip(tmp_path):
    export_gene_embedding(make(), tmp_path / "toy.tsv.gz")
    assert gzip.decompress((tmp_path / "toy.tsv.gz").read_bytes()).startswith(b"gene\td0\td1\n")


def test_combine_by_hand():
    first = make(np.array([[1.0], [3.0], [5.0]]), ["A1", "B1", "C1"], name="one", licence="CC0")
    second = make(np.array([[10.0], [20.0]]), ["C1", "B1"], name="two", evidence="protein", licence="MIT")
    inner = combine_gene_embeddings([first, second], scale=False)
    assert list(inner.obs_names) == ["B1", "C1"]
    assert list(inner.var_names) == ["one:d0", "two:d0"]
    np.testing.assert_allclose(inner.X, [[-1, 5], [1, -5]])
    outer = combine_gene_embeddings([first, second], join="outer", scale=False)
    np.testing.assert_allclose(outer["A1"].X, [[-2, 0]])  # the block that lacks A1 gives its mean
    assert list(outer.obs["blocks"]) == [1, 2, 2]
    header = outer.uns["cistron"]
    assert header["evidence"] == "expression+protein"
    assert header["licence"] == "CC0; MIT"


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_scaled_blocks_have_the_same_variance_whatever_their_size(seed):
    rng = np.random.default_rng(seed)
    genes = [f"GENE{number}" for number in range(30)]
    blocks = [
        make(rng.normal(size=(30, width)) * rng.uniform(0.1, 100), genes, name=f"n{width}")
        for width in (1, 7)
    ]
    combined = combine_gene_embeddings(blocks)
    variances = np.asarray(combined.X, dtype=np.float64).var(axis=0)
    assert variances[:1].sum() == pytest.approx(1.0, rel=1e-4)
    assert variances[1:].sum() == pytest.approx(1.0, rel=1e-4)


def test_combine_refuses():
    symbols = make(genes=["TP53", "BRCA1", "BRCA2"])
    with pytest.raises(InputError, match=r"at least 2 embeddings\. Given: 1"):
        combine_gene_embeddings([symbols])
    with pytest.raises(IdentifierError, match=r"different gene identifiers \(ensembl, symbol\)"):
        combine_gene_embeddings([symbols, make()])
    with pytest.raises(IdentifierError, match="share no gene"):
        combine_gene_embeddings([symbols, make(genes=["A1", "B1", "C1"])])
    with pytest.raises(InputError, match=r"different genome builds \(GRCh37, GRCh38\)"):
        combine_gene_embeddings([make(genome_build="GRCh37"), make(genome_build="GRCh38")])
    with pytest.raises(InputError, match="must be inner or outer"):
        combine_gene_embeddings([symbols, symbols], join="left")
    with pytest.raises(InputError, match="embedding 2 of 2 breaks the gene-embedding format"):
        combine_gene_embeddings([symbols, anndata.AnnData(VALUES)])


def test_combine_the_same_name_twice_and_from_the_command_line(tmp_path, run, fails):
    write_gene_embedding(make(), tmp_path / "a.h5ad")
    code, output, _ = run(
        "embedding", "combine", tmp_path / "a.h5ad", tmp_path / "a.h5ad", "-o", tmp_path / "b.h5ad"
    )
    assert code == 0
    assert "3 genes x 4 dimensions" in output
    assert list(read_gene_embedding(tmp_path / "b.h5ad").var_names) == [
        "toy:d0",
        "toy:d1",
        "toy.2:d0",
        "toy.2:d1",
    ]
    (tmp_path / "file").write_text("x")
    line = fails(
        "embedding", "combine", tmp_path / "a.h5ad", tmp_path / "a.h5ad", "-o", tmp_path / "file" / "b.h5ad"
    )
    assert "cannot write" in line


def test_the_report_s_own_embedding(test_data):
    embedding = read_gene_embedding(test_data / "gwas/seed_project_magma/rna_PCs_d4_0.95Variance.tsv")
    assert embedding.shape == (18831, 4)
    assert embedding.uns["cistron"]["identifier_namespace"] == "ensembl"
    assert embedding.uns["cistron"]["name"] == "rna_PCs_d4_0.95Variance"
