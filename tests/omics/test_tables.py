"""Tables as counting tools, spreadsheets and portals write them: nothing beside the samples is taken for one."""

import gzip
import warnings

import numpy as np
import pandas as pd
import pytest

from cistron.errors import IdentifierError, InputError
from cistron.omics import OmicsMatrix, read_matrix
from cistron.omics.preprocessing import prepare_matrix

GENES = [f"ENSG{number:011d}" for number in range(1, 31)]
SYMBOLS = [f"GENE{number}A" for number in range(1, 31)]
VALUES = np.random.default_rng(0).poisson(80, (30, 5)).astype(float)
SAMPLES = ["liver", "lung", "heart", "brain", "skin"]
FRAME = pd.DataFrame(VALUES, index=pd.Index(GENES, name="Geneid"), columns=SAMPLES)


def feature_counts(path):
    table = FRAME.copy()
    for place, (name, value) in enumerate(
        [("Chr", "1;1"), ("Start", 100), ("End", 900), ("Strand", "+"), ("Length", 801)]
    ):
        table.insert(place, name, value)
    path.write_text(
        '# Program:featureCounts v2.0.6; Command:"featureCounts" "-a" "g.gtf"\n' + table.to_csv(sep="\t")
    )


def htseq(path):
    tail = pd.DataFrame(
        9e5, index=["__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned"], columns=SAMPLES
    )
    pd.concat([FRAME, tail]).rename_axis("gene").to_csv(path, sep="\t")


def star(path):
    head = pd.DataFrame(
        7e6, index=["N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"], columns=SAMPLES
    )
    pd.concat([head, FRAME]).rename_axis("gene").to_csv(path, sep="\t")


def salmon(path):
    table = FRAME.copy()
    table.insert(0, "Length", 1200)
    table.insert(1, "EffectiveLength", 1012.5)
    table.to_csv(path, sep="\t")


def cbioportal(path):
    table = FRAME.set_axis(pd.Index(SYMBOLS, name="Hugo_Symbol"), axis=0)
    table.insert(0, "Entrez_Gene_Id", range(100, 130))
    table.to_csv(path, sep="\t")


def biomart(path):
    table = FRAME.copy()
    for place, (name, value) in enumerate(
        [
            ("Gene name", SYMBOLS),
            ("Chromosome/scaffold name", 7),
            ("Gene start (bp)", 1),
            ("Gene end (bp)", 2),
            ("Strand", -1),
        ]
    ):
        table.insert(place, name, value)
    table.to_csv(path)


def totals(path):
    pd.concat([FRAME, FRAME.sum().to_frame("Total").T]).rename_axis("gene").to_csv(path)


LAYOUTS = {
    "featureCounts": (feature_counts, ("Start", "End", "Length", "Chr", "Strand")),
    "htseq-count": (htseq, ("__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned")),
    "STAR": (star, ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous")),
    "Salmon": (salmon, ("Length", "EffectiveLength")),
    "cBioPortal": (cbioportal, ("Entrez_Gene_Id",)),
    "BioMart": (
        biomart,
        ("Gene name", "Chromosome/scaffold name", "Gene start (bp)", "Gene end (bp)", "Strand"),
    ),
    "totals": (totals, ("Total",)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["text", "parquet"])
def test_what_is_no_gene_or_sample_is_set_aside_by_name(tmp_path, layout, form):
    write, names = LAYOUTS[layout]
    write(tmp_path / "m.tsv")
    path = tmp_path / "m.tsv"
    if form == "parquet":
        frame = pd.read_csv(path, sep=None, engine="python", comment="#", index_col=0)
        path = tmp_path / "m.parquet"
        frame.to_parquet(path)
    matrix = read_matrix(path)
    assert matrix.samples == SAMPLES
    assert matrix.genes == (SYMBOLS if layout == "cBioPortal" else GENES)
    np.testing.assert_allclose(matrix.dense(), VALUES)
    said = "; ".join(matrix.remarks)
    assert all(name in said for name in names), said


def test_samples_that_are_called_like_annotation_stay(tmp_path):
    for columns in (["start", "b", "c", "d", "e"], ["Total_RNA", "input", "TPM_1", "ambiguous", "x"]):
        FRAME.set_axis(columns, axis=1).to_csv(tmp_path / "m.csv")
        assert read_matrix(tmp_path / "m.csv").samples == columns


@pytest.mark.parametrize(
    "columns",
    [
        ["Length", "EffectiveLength", "TPM", "NumReads"],
        ["length", "eff_length", "est_counts", "tpm"],
        ["TPM", "pTPM", "nTPM"],
    ],
)
def test_measures_of_one_sample_are_refused(tmp_path, columns):
    FRAME.iloc[:, : len(columns)].set_axis(columns, axis=1).to_csv(tmp_path / "quant.sf.tsv", sep="\t")
    with pytest.raises(InputError, match="are measures of one sample"):
        read_matrix(tmp_path / "quant.sf.tsv")


@pytest.mark.parametrize(
    ("genes", "samples"),
    [
        (SYMBOLS, [f"ACH-{n:06d}" for n in range(40)]),
        (SYMBOLS, [f"TCGA-AA-{n:04d}-01A" for n in range(40)]),
        (SYMBOLS, [f"GSM{n:07d}" for n in range(40)]),
        (SYMBOLS, [f"SRR{n:07d}" for n in range(40)]),
        ([f"{s}|{n}" for n, s in enumerate(SYMBOLS, 1)], [f"A{n}" for n in range(40)]),
        ([f"{e}_{s}" for e, s in zip(GENES, SYMBOLS)], [f"A{n}" for n in range(40)]),
        (GENES, [f"A{n}" for n in range(40)]),
    ],
)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_genes_in_columns_are_told_also_where_samples_are_more(tmp_path, genes, samples, form):
    frame = pd.DataFrame(np.random.default_rng(0).gamma(1, 40, (40, 30)), index=samples, columns=genes)
    path = tmp_path / f"m.{form}"
    frame.to_csv(path) if form == "csv" else frame.to_parquet(path)
    matrix = read_matrix(path)
    assert matrix.genes == genes
    np.testing.assert_allclose(matrix.dense(), frame.T, rtol=1e-6)
    assert any("was transposed" in remark for remark in matrix.remarks)


@pytest.mark.parametrize("form", ["csv", "parquet", "h5ad", "h5ad transposed"])
def test_duplicates(tmp_path, form):
    import anndata

    frame = FRAME.set_axis([*GENES[:25], *GENES[3:8]], axis=0)
    frame.iloc[26, 1] = np.nan
    frame.iloc[[4, 26], 2] = np.nan
    path = tmp_path / f"m.{form.split()[0]}"
    if form == "csv":
        frame.to_csv(path)
    elif form == "parquet":
        frame.to_parquet(path)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of doubled names, which are the point
            data = anndata.AnnData(
                frame.to_numpy(), obs=pd.DataFrame(index=frame.index), var=pd.DataFrame(index=frame.columns)
            )
            (data.T if "transposed" in form else data).write_h5ad(path)
    with pytest.raises(
        IdentifierError,
        match=r"5 genes occur more than once, for example ENSG00000000004; .*--duplicates sum",
    ):
        read_matrix(path)
    grouped = frame.groupby(level=0, sort=False)
    for how, expected in (("sum", grouped.sum(min_count=1)), ("mean", grouped.mean())):
        matrix = read_matrix(path, duplicates=how)
        assert matrix.genes == list(expected.index)
        np.testing.assert_allclose(matrix.dense(), expected, rtol=1e-6)
        for window, block in matrix.blocks(rows=4):
            np.testing.assert_allclose(block, expected.iloc[window], rtol=1e-6)
    matrix = read_matrix(path, duplicates="first")
    np.testing.assert_allclose(matrix.dense(), frame[~frame.index.duplicated()], rtol=1e-6)
    assert any(
        "5 genes occur more than once, for example ENSG00000000004: the first row of each kept" in r
        for r in matrix.remarks
    )


def test_the_advice_for_duplicates_works(run, fails, tmp_path):
    FRAME.set_axis([*GENES[:29], GENES[0]], axis=0).to_csv(tmp_path / "m.tsv", sep="\t")
    for command in (("omics", "prepare", "matrix"), ("omics", "embed")):
        assert "--duplicates sum" in fails(*command, tmp_path / "m.tsv", "-o", tmp_path / "o.h5ad")
        more = ("--dimensions", "2") if "embed" in command else ()
        code, printed, errors = run(
            *command, tmp_path / "m.tsv", "--duplicates", "mean", *more, "-o", tmp_path / f"{command[1]}.h5ad"
        )
        assert code == 0, errors
        assert "29 genes" in printed
        assert "1 genes occur more than once" in printed


def gct(path, version, frame=FRAME, declared=None):
    rows = len(frame) if declared is None else declared
    if version == "1.2":
        table = frame.copy()
        table.insert(0, "Description", SYMBOLS)
        text = f"#1.2\n{rows}\t{frame.shape[1]}\n" + table.rename_axis("Name").to_csv(sep="\t")
    elif version == "1.2 with id":
        table = frame.rename_axis("Name").reset_index()
        table.insert(1, "Description", SYMBOLS)
        text = f"#1.2\n{rows}\t{frame.shape[1]}\n" + table.rename_axis("id").to_csv(sep="\t")
    else:
        table = frame.copy()
        table.insert(0, "pr_gene_id", range(len(frame)))
        table.insert(1, "pr_gene_symbol", SYMBOLS)
        lines = table.rename_axis("id").to_csv(sep="\t").splitlines()
        meta = ["cell_line\tna\tna\t" + "\t".join("ABCDE"), "dose\tna\tna\t" + "\t".join("12345")]
        text = f"#1.3\n{rows}\t{frame.shape[1]}\t2\t2\n" + "\n".join([lines[0], *meta, *lines[1:]]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


@pytest.mark.parametrize("version", ["1.2", "1.2 with id", "1.3"])
@pytest.mark.parametrize("name", ["m.gct", "m.gct.gz"])
def test_gct(run, tmp_path, version, name):
    gct(tmp_path / name, version)
    matrix = read_matrix(tmp_path / name)
    assert (matrix.genes, matrix.samples) == (GENES, SAMPLES)
    np.testing.assert_allclose(matrix.dense(), VALUES)
    assert run("omics", "prepare", "gtex", tmp_path / name, "-o", tmp_path / "o.h5ad")[0] == 0
    assert read_matrix(tmp_path / "o.h5ad").genes == GENES


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_damaged_gct_is_refused(fails, tmp_path, version):
    path = tmp_path / "m.gct"
    gct(path, version, declared=40)
    for source in ("matrix", "gtex"):
        assert "says 40 genes and holds 30" in fails(
            "omics", "prepare", source, path, "-o", tmp_path / "o.h5ad"
        )
    gct(path, version)
    whole = path.read_text()
    for content, words in (
        (whole.replace(f"#{version}", "#2.0"), "is not a .gct"),
        (whole.replace("30\t5", "30\tfive", 1), "line 2"),
        (whole.replace("30\t5", "30\t4", 1), "line 3"),
        (whole[:-40], "fields" if version == "1.2" else ""),
        (whole.replace("GENE7A\t", "GENE7A\thigh", 1), "not a number"),
    ):
        path.write_text(content)
        for source in ("matrix", "gtex"):
            assert words in fails("omics", "prepare", source, path, "-o", tmp_path / "o.h5ad")
    assert not (tmp_path / "o.h5ad").exists()


def test_one_negative_among_counts_is_refused_and_signed_values_are_not(fails):
    counts = FRAME.copy()
    counts.iloc[7, 2] = -1
    with pytest.raises(InputError, match="heart of gene ENSG00000000008 is -1"):
        prepare_matrix(OmicsMatrix.from_frame(counts))
    signed = (FRAME - 80) * 20
    assert not prepare_matrix(OmicsMatrix.from_frame(signed)).logarithm
    assert prepare_matrix(OmicsMatrix.from_frame(FRAME)).logarithm


@pytest.mark.parametrize("index", ["named", "unnamed text", "gene column", "symbol column", "first column"])
def test_the_names_of_rows_of_parquet(tmp_path, index):
    frame = FRAME.copy()
    if index == "unnamed text":
        frame = frame.rename_axis(None)
    elif index == "gene column":
        frame = frame.reset_index(names="gene_id")
        frame.insert(2, "x", "text")
    elif index == "symbol column":
        frame = frame.reset_index(drop=True).assign(gene_name=SYMBOLS)
    elif index == "first column":
        frame = frame.reset_index(names="what").set_index(pd.Index(range(5, 35)))
    frame.to_parquet(tmp_path / "m.parquet", row_group_size=7)
    matrix = read_matrix(tmp_path / "m.parquet")
    assert matrix.genes == (SYMBOLS if index == "symbol column" else GENES)
    assert matrix.samples == SAMPLES
    np.testing.assert_allclose(matrix.dense(), VALUES)


def test_large_parquet_goes_through_a_file_and_is_the_same(tmp_path, monkeypatch):
    from cistron.omics import parquet_values

    FRAME.to_parquet(tmp_path / "m.parquet", row_group_size=11)
    monkeypatch.setattr(parquet_values, "_IN_MEMORY", 10)
    monkeypatch.setattr(parquet_values, "_CELLS_AT_ONCE", 61)
    matrix = read_matrix(tmp_path / "m.parquet")
    for window, block in matrix.blocks(rows=8):
        np.testing.assert_allclose(block, VALUES[window])
        block[:] = 0  # a copy: what is read again is whole
    np.testing.assert_allclose(matrix.dense(), VALUES)
