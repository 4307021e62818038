"""Preparation of sources: the corrections against their definition, streamed against whole, bad input."""

import json
import warnings

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import PCA

from cistron.errors import IdentifierError, InputError
from cistron.formats import stored_matrix
from cistron.omics import read_matrix
from cistron.omics.correction import subtract_olfactory_bias, whiten_samples
from cistron.omics.pseudobulk import pseudobulk
from cistron.omics.settings_preparation import PreparationSettings
from cistron.omics.sources import prepare_depmap


def _effects(genes=200, lines=20, seed=0):
    generator = np.random.default_rng(seed)
    bias = generator.normal(size=(genes, 4)) @ generator.normal(size=(4, lines))
    return bias * 2 + generator.normal(size=(genes, lines)), [f"G{number}" for number in range(genes)]


def test_olfactory_correction_is_what_wainberg_et_al_do():
    values, genes = _effects()
    olfactory = genes[:40]
    pca = PCA(4).fit(values[:40])
    reconstruction = pca.inverse_transform(pca.transform(values))
    found = subtract_olfactory_bias(values, genes, olfactory)
    np.testing.assert_allclose(found, (values - reconstruction)[:, :-4], atol=1e-4)
    # What is left of the olfactory receptors is their noise.
    assert found[:40].std() < 0.5 * values[:40].std()


def test_too_few_olfactory_genes_or_missing_values_are_refused():
    values, genes = _effects()
    with pytest.raises(IdentifierError, match="4 of 4 olfactory genes are in the matrix"):
        subtract_olfactory_bias(values, genes, genes[:4])
    with pytest.raises(InputError, match="without missing values"):
        subtract_olfactory_bias(np.where(values > 3, np.nan, values), genes, genes[:40])
    with pytest.raises(InputError, match="Given: 5 columns"):
        subtract_olfactory_bias(values[:, :5], genes, genes[:40])


def test_whitened_samples_are_uncorrelated_and_the_intercept_follows():
    values, _ = _effects()
    white = whiten_samples(values)
    np.testing.assert_allclose(np.cov(white.values, rowvar=False), np.eye(20), atol=1e-3)
    factor = np.linalg.cholesky(np.linalg.inv(np.cov(values, rowvar=False)))
    np.testing.assert_allclose(white.intercept, np.ones(20) @ factor, rtol=1e-6)
    with pytest.raises(InputError, match="collinear"):
        whiten_samples(np.column_stack([values, values[:, 0]]))


def _cells(folder, seed=0, form="h5ad", dense=False):
    generator = np.random.default_rng(seed)
    counts = generator.poisson(0.6, size=(150, 30)).astype(np.float32)
    counts[7] = 0  # an empty cell
    observed = pd.DataFrame(
        {"cell_ontology_class": generator.choice(["B cell", "T cell", "rare"], 150, p=[0.6, 0.38, 0.02])},
        index=[f"c{number}" for number in range(150)],
    )
    observed.iloc[3, 0] = None
    data = anndata.AnnData(
        counts if dense else sparse.csr_matrix(counts),
        obs=observed,
        var=pd.DataFrame(
            {"ensembl": [f"ENSG{number:011d}.2" for number in range(30)]},
            index=[f"GENE{number}" for number in range(30)],
        ),
    )
    path = folder / f"cells.{form}"
    if form == "h5ad":
        data.write_h5ad(path)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # anndata tells of its next default
            data.write_zarr(path)
    return path, counts, observed["cell_ontology_class"]


@pytest.mark.parametrize(("form", "dense"), [("h5ad", False), ("h5ad", True), ("zarr", False)])
@pytest.mark.parametrize("per_cell", [None, 100.0])
def test_pseudobulk_in_blocks_equals_the_mean(tmp_path, monkeypatch, form, dense, per_cell):
    monkeypatch.setattr(stored_matrix, "VALUES_AT_ONCE", 100)
    path, counts, classes = _cells(tmp_path, form=form, dense=dense)
    found = pseudobulk(path, "cell_ontology_class", per_cell=per_cell)
    scaled = counts
    if per_cell:
        scaled = per_cell * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    expected = pd.DataFrame(scaled).groupby(classes.to_numpy()).mean().T
    np.testing.assert_allclose(found.values, expected, rtol=1e-5)
    assert list(found.classes.index) == list(expected.columns)
    assert found.classes.sum() == 149  # the cell without a class is in none


def test_small_classes_are_left_out(tmp_path):
    path, _, _ = _cells(tmp_path)
    found = pseudobulk(path, "cell_ontology_class", minimum_cells=20)
    assert list(found.classes.index) == ["B cell", "T cell"]
    with pytest.raises(InputError, match="has 1000 cells or more"):
        pseudobulk(path, "cell_ontology_class", minimum_cells=1000)


def test_cells_on_the_command_line(tmp_path, run):
    path, _, _ = _cells(tmp_path)
    (tmp_path / "universe.txt").write_text("".join(f"ENSG{number:011d}\n" for number in range(12)))
    code, printed, errors = run(
        "omics", "prepare", "tabula-sapiens", path, "-o", tmp_path / "ts.h5ad", "--genes-in", "ensembl",
        "--universe", tmp_path / "universe.txt",
    )  # fmt: skip
    assert code == 0, errors
    assert "18 of 30 genes outside the universe left out" in printed
    matrix = read_matrix(tmp_path / "ts.h5ad")
    assert matrix.shape == (12, 3)
    assert matrix.namespace == "ensembl"
    written = anndata.read_h5ad(tmp_path / "ts.h5ad")
    assert written.var["cells"].sum() == 149
    assert "log2(x + 1)" in json.loads(written.uns["cistron_matrix"]["steps"])


def test_depmap_on_the_command_line(tmp_path, run):
    values, _ = _effects()
    named = [f"OR{n}A1 ({n + 1})" if n < 40 else f"GENE{n} ({n + 1})" for n in range(200)]
    frame = pd.DataFrame(values.T, index=[f"ACH-{n:06d}" for n in range(20)], columns=named)
    frame.iloc[0, 50] = np.nan
    frame.to_csv(tmp_path / "effect.csv")
    (tmp_path / "olfactory.txt").write_text("".join(f"OR{n}A1\n" for n in range(40)))
    base = ["omics", "prepare", "depmap", tmp_path / "effect.csv", "--olfactory", tmp_path / "olfactory.txt"]
    code, printed, errors = run(*base, "-o", tmp_path / "depmap.h5ad")
    assert code == 0, errors
    assert "PCA(4) of olfactory receptors subtracted, last 4 cell lines left out" in printed
    assert "1 missing entries" in printed
    found = anndata.read_h5ad(tmp_path / "depmap.h5ad")
    assert found.shape == (200, 16)
    assert found.obs_names[50] == "GENE50"
    assert np.asarray(found.X).std() == pytest.approx(1, rel=1e-3)
    code, printed, errors = run(*base, "--components", 1, "--drop-last", 0, "-o", tmp_path / "one.h5ad")
    assert code == 0, errors
    assert "PCA(1) of olfactory receptors subtracted, last 0 cell lines left out" in printed
    one = np.asarray(anndata.read_h5ad(tmp_path / "one.h5ad").X)
    assert one.shape == (200, 20)
    # what is left of olfactory genes: rank falls by one for each component
    assert np.linalg.matrix_rank(one[:40], tol=1e-3) == 19
    assert np.linalg.matrix_rank(np.asarray(found.X)[:40], tol=1e-3) <= 16
    code, _, errors = run(*base, "--whiten", "--identifier", "entrez", "-o", tmp_path / "white.h5ad")
    assert code == 2  # the list names symbols, the matrix now Entrez ids
    assert "same kind of ids" in errors
    code, _, errors = run(*base, "--whiten", "-o", tmp_path / "white.h5ad")
    assert code == 0, errors
    white = anndata.read_h5ad(tmp_path / "white.h5ad")
    np.testing.assert_allclose(np.cov(np.asarray(white.X), rowvar=False), np.eye(16), atol=1e-2)
    assert not np.allclose(white.var["intercept"], 1)


def test_a_gap_of_depmap_is_filled_with_the_mean_of_its_gene(tmp_path):
    """The other genes of the cell line lie elsewhere, so their mean would show."""
    frame = pd.DataFrame(
        [[np.nan, 0.5, 0.1], [-3.0, 0.2, 0.3], [-2.0, 0.4, 0.6]],
        index=["ACH-000001", "ACH-000002", "ACH-000003"],
        columns=["A (1)", "B (2)", "C (3)"],
    )
    frame.to_csv(tmp_path / "effect.csv", index_label="")
    found = prepare_depmap(tmp_path / "effect.csv", PreparationSettings())
    filled = frame.fillna({"A (1)": -2.5}).to_numpy().T
    np.testing.assert_allclose(np.vstack(list(found.blocks)), filled / filled.std(), rtol=1e-5)


@pytest.mark.parametrize("suffix", [".gct", ".gct.gz"])
def test_gtex_is_streamed(tmp_path, run, monkeypatch, suffix):
    monkeypatch.setattr("cistron.omics.gtex._ROWS", 7)
    generator = np.random.default_rng(0)
    tpm = np.round(generator.gamma(1.0, 20, size=(30, 6)), 3)
    genes = [f"ENSG{number:011d}.{number}" for number in range(29)] + ["ENSG00000000003.3_PAR_Y"]
    table = pd.DataFrame(tpm, columns=[f"GTEX-{n}" for n in range(6)])
    table.insert(0, "Description", genes)
    table.insert(0, "Name", genes)
    import gzip

    text = f"#1.2\n30\t6\n{table.to_csv(sep=chr(9), index=False)}"
    path = tmp_path / f"gtex{suffix}"
    path.write_bytes(gzip.compress(text.encode()) if suffix.endswith("gz") else text.encode())
    code, _, errors = run(
        "omics", "prepare", "gtex", path, "--matrix.centre-genes", "-o", tmp_path / "gtex.h5ad"
    )
    assert code == 0, errors
    logarithm = np.log10(tpm + 1)
    centred = logarithm - logarithm.mean(axis=1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean())
    found = anndata.read_h5ad(tmp_path / "gtex.h5ad")
    rows = [genes[n].split(".")[0] for n in range(29)]
    np.testing.assert_allclose(found[rows].to_df(), expected[:29], atol=1e-4)
    path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2])
    code, _, errors = run("omics", "prepare", "gtex", path, "-o", tmp_path / "half.h5ad")
    assert (code, (tmp_path / "half.h5ad").exists()) == (2, False) or suffix == ".gct"


GCT = "#1.2\n3\t3\nName\tDescription\ts0\ts1\ts2\nENSG00000000001.1\tA\t1.5\t2\t3\nENSG00000000002.1\tB\t4\t{}\t1\nENSG00000000003.1\tC\t1\t5\t2\n"


@pytest.mark.parametrize("value", ["inf", "-1", "1e308", "abc"])
def test_one_bad_value_of_gtex_is_named(tmp_path, fails, value):
    (tmp_path / "bad.gct").write_text(GCT.format(value))
    message = fails("omics", "prepare", "gtex", tmp_path / "bad.gct", "-o", tmp_path / "o.h5ad")
    assert "line 5" in message
    assert "s1 of ENSG00000000002.1" in message
    assert not (tmp_path / "o.h5ad").exists()


@pytest.mark.parametrize("value", ["", "NaN"])
def test_a_missing_value_of_gtex_is_of_its_gene_only(tmp_path, run, value):
    (tmp_path / "a.gct").write_text(GCT.format(value))
    assert run("omics", "prepare", "gtex", tmp_path / "a.gct", "-o", tmp_path / "o.h5ad")[0] == 0
    found = np.asarray(anndata.read_h5ad(tmp_path / "o.h5ad").X)
    assert np.isnan(found).sum() == 1
    assert np.isnan(found[1, 1])


def test_a_cut_gct_is_told_by_its_second_line(tmp_path, fails):
    (tmp_path / "a.gct").write_text("".join(GCT.format(2).splitlines(keepends=True)[:-1]))
    message = fails("omics", "prepare", "gtex", tmp_path / "a.gct", "-o", tmp_path / "o.h5ad")
    assert "says 3 genes and holds 2" in message


@pytest.mark.parametrize("value", ["inf", "-2", "abc"])
def test_one_bad_value_of_isoforms_or_depmap_is_named(tmp_path, fails, value):
    rows = "".join(f"ENSG{n:011d}\tENST{n}\t1\t2\n" for n in range(9))
    (tmp_path / "i.tsv").write_text(f"gene\ttranscript\ta\tb\n{rows}ENSG00000000099\tENST99\t{value}\t1\n")
    message = fails("omics", "prepare", "hpa-isoforms", tmp_path / "i.tsv", "-o", tmp_path / "o.h5ad")
    assert "a of ENSG00000000099 is" in message
    if value != "-2":  # an effect may be negative
        rows = "".join(f"ACH-{n},0.1,0.2\n" for n in range(9))
        (tmp_path / "d.csv").write_text(f",A (1),B (2)\n{rows}ACH-99,{value},1\n")
        message = fails("omics", "prepare", "depmap", tmp_path / "d.csv", "-o", tmp_path / "o.h5ad")
        assert "A (1) of ACH-99 is" in message


def test_isoforms_are_summed(tmp_path, run):
    frame = pd.DataFrame(
        {
            "ensgid": ["ENSG00000000001.1", "ENSG00000000001.1", "ENSG00000000002.4"],
            "enstid": ["ENST1", "ENST2", "ENST3"],
            "liver.V1": [1.0, 2.0, 7.0],
            "heart.V2": [0.0, 0.0, 15.0],
        }
    )
    frame.to_csv(tmp_path / "isoforms.tsv", sep="\t", index=False)
    code, _, errors = run(
        "omics", "prepare", "hpa-isoforms", tmp_path / "isoforms.tsv", "-o", tmp_path / "i.h5ad"
    )
    assert code == 0, errors
    found = anndata.read_h5ad(tmp_path / "i.h5ad").to_df()
    np.testing.assert_allclose(found.loc["ENSG00000000001"], [2.0, 0.0])
    np.testing.assert_allclose(found.loc["ENSG00000000002"], [3.0, 4.0])


def test_anybodys_matrix(tmp_path, run):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        generator.gamma(1, 50, size=(40, 5)), index=[f"ENSG{number:011d}" for number in range(40)]
    )
    frame.columns = [f"s{n}" for n in range(5)]
    frame.to_csv(tmp_path / "m.csv")
    code, printed, errors = run("omics", "prepare", "matrix", tmp_path / "m.csv", "-o", tmp_path / "m.h5ad")
    assert code == 0, errors
    assert "log2(x + 1) taken" in printed
    values = np.asarray(anndata.read_h5ad(tmp_path / "m.h5ad").X)
    expected = np.log2(frame.to_numpy() + 1)
    np.testing.assert_allclose(values, (expected - expected.mean(axis=0)) / expected.std(axis=0), atol=1e-4)


def test_bad_input_is_one_line(tmp_path, fails):
    path, _, _ = _cells(tmp_path)
    out = tmp_path / "out.h5ad"
    assert "no column 'tissue'" in fails(
        "omics", "prepare", "tabula-sapiens", path, "-o", out, "--group", "tissue"
    )
    path.write_bytes(path.read_bytes()[:1000])
    assert "may be truncated" in fails("omics", "prepare", "tabula-sapiens", path, "-o", out)
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    assert "SYMBOL (ENTREZ)" in fails("omics", "prepare", "depmap", tmp_path / "x.csv", "-o", out)
    assert "not a .gct" in fails("omics", "prepare", "gtex", tmp_path / "x.csv", "-o", out)
    assert "expected a column of genes" in fails(
        "omics", "prepare", "hpa-isoforms", tmp_path / "x.csv", "-o", out
    )
    assert "does not exist" in fails("omics", "prepare", "gtex", tmp_path / "absent.gct", "-o", out)
    negative = anndata.AnnData(
        sparse.csr_matrix(-np.eye(4)),
        obs=pd.DataFrame({"cell_ontology_class": ["a", "a", "b", "b"]}, index=list("wxyz")),
    )
    negative.write_h5ad(tmp_path / "n.h5ad")
    message = fails("omics", "prepare", "tabula-sapiens", tmp_path / "n.h5ad", "-o", out)
    assert "negative values" in message
    assert not out.exists()


@pytest.mark.real_data
def test_the_olfactory_list_is_read(test_data):
    from cistron.omics.prepared import listed_genes

    genes = listed_genes(test_data / "omics/coessentiality/olfactory_genes.txt")
    assert len(set(genes)) in (418, 419)
    assert sum(gene.startswith("OR") for gene in genes) > 300


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_bad_value_of_cells_is_refused(tmp_path, fails, value):
    counts = np.random.default_rng(0).poisson(3, (12, 6)).astype(np.float32)
    counts[3, 2] = value
    data = anndata.AnnData(
        sparse.csr_matrix(counts), obs=pd.DataFrame({"c": list("ab" * 6)}, index=[f"c{n}" for n in range(12)])
    )
    data.write_h5ad(tmp_path / "c.h5ad")
    assert "NaN or infinite" in fails(
        "omics", "prepare", "tabula-sapiens", tmp_path / "c.h5ad", "--group", "c", "-o", tmp_path / "o.h5ad"
    )


def test_logarithms_are_not_summed_as_counts(tmp_path, fails, run):
    values = np.log1p(np.random.default_rng(0).poisson(3, (12, 6))).astype(np.float32)
    data = anndata.AnnData(
        sparse.csr_matrix(values), obs=pd.DataFrame({"c": list("ab" * 6)}, index=[f"c{n}" for n in range(12)])
    )
    data.write_h5ad(tmp_path / "c.h5ad")
    arguments = (
        "omics",
        "prepare",
        "tabula-sapiens",
        tmp_path / "c.h5ad",
        "--group",
        "c",
        "-o",
        tmp_path / "o.h5ad",
    )
    assert "which look like logarithms" in fails(*arguments)
    assert run(*arguments, "--per-cell", "0")[0] == 0


def test_depmap_of_2025_is_named_by_model(tmp_path, run):
    effects = np.random.default_rng(0).normal(0, 0.3, (8, 5)).astype(np.float32)
    table = pd.DataFrame(effects, columns=[f"G{n} ({n})" for n in range(1, 6)])
    table.iloc[:, 3] = np.nan
    table.iloc[0, 1] = np.nan
    table.insert(0, "SequencingID", "CDS-1")
    table.insert(1, "ModelID", [f"ACH-{n // 2:06d}" for n in range(8)])
    table.insert(2, "IsDefaultEntryForModel", ["Yes", "No"] * 4)
    table.to_csv(tmp_path / "e.csv")
    code, printed, errors = run("omics", "prepare", "depmap", tmp_path / "e.csv", "-o", tmp_path / "o.h5ad")
    assert code == 0, errors
    assert read_matrix(tmp_path / "o.h5ad").samples == [f"ACH-{n:06d}" for n in range(4)]
    assert "4 rows that are not the default entry of their model left out" in printed
    assert "1 genes without any value left out: G4" in printed
    assert "1 missing entries filled with the gene's mean" in printed


@pytest.mark.parametrize("how", ["sum", "mean", "first", "error"])
def test_duplicates_of_sources(tmp_path, run, fails, how):
    genes = [f"ENSG{n:011d}.1" for n in range(1, 9)] + ["ENSG00000000003.2"]
    values = np.random.default_rng(0).gamma(1, 40, (9, 4)).round(2)
    text = "#1.2\n9\t4\nName\tDescription\ta\tb\tc\td\n"
    text += "".join(f"{gene}\tx\t" + "\t".join(map(str, row)) + "\n" for gene, row in zip(genes, values))
    (tmp_path / "a.gct").write_text(text)
    arguments = (
        "omics",
        "prepare",
        "gtex",
        tmp_path / "a.gct",
        "--duplicates",
        how,
        "-o",
        tmp_path / "o.h5ad",
    )
    if how == "error":
        assert "1 genes occur more than once, for example ENSG00000000003" in fails(*arguments)
        return
    assert run(*arguments)[0] == 0
    merged = values[:8].copy()
    merged[2] = {"sum": values[2] + values[8], "mean": (values[2] + values[8]) / 2, "first": values[2]}[how]
    logs = np.log10(merged + 1)
    found = read_matrix(tmp_path / "o.h5ad").dense()
    np.testing.assert_allclose(found / found.std(), logs / logs.std(), rtol=1e-3)


def test_tables_of_tissues_in_rows_are_no_isoforms(tmp_path, fails):
    rows = [(f"ENSG{n:011d}", "X", t, 1.0, 2.0, 3.0) for n in range(1, 5) for t in ("liver", "lung")]
    pd.DataFrame(rows, columns=["Gene", "Gene name", "Tissue", "TPM", "pTPM", "nTPM"]).to_csv(
        tmp_path / "t.tsv", sep="\t", index=False
    )
    for source in ("hpa-isoforms", "matrix"):
        assert "are measures of one sample, or of one tissue per row" in fails(
            "omics", "prepare", source, tmp_path / "t.tsv", "-o", tmp_path / "o.h5ad"
        )
