"""Look-alikes of public files as they are downloaded today: what is read, from which part, and what is refused."""

import gzip
import zipfile

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

GENES = [f"ENSG{number:011d}" for number in range(1, 13)]
TISSUES = ["adipose tissue", "liver", "testis"]


def _prepare(run, source, path, *options):
    output = path.parent / f"{path.name}.out.h5ad"
    code, printed, errors = run("omics", "prepare", source, path, "-o", output, *options)
    assert code == 0, errors
    return anndata.read_h5ad(output).to_df(), printed


def _zipped(path):
    packed = path.with_name(f"{path.name}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    return packed


def _long(path, label="Tissue", measures=("nTPM",), labels=TISSUES, gene="Gene"):
    """HPA's long form: one row per gene and tissue."""
    generator = np.random.default_rng(0)
    rows = [(one, f"G{place}", tissue) for place, one in enumerate(GENES) for tissue in labels]
    frame = pd.DataFrame(rows, columns=[gene, "Gene name", label])
    for number, measure in enumerate(measures):
        frame[measure] = generator.gamma(0.5, 20, len(rows)).round(1) + number
    frame.to_csv(path, sep="\t", index=False)
    return frame


@pytest.mark.parametrize(
    ("name", "label", "measures", "gene"),
    [
        ("rna_tissue_consensus.tsv", "Tissue", ("nTPM",), "Gene"),
        ("rna_tissue_hpa.tsv", "Tissue", ("TPM", "pTPM", "nTPM"), "Gene"),
        ("rna_single_cell_type.tsv", "Cell type", ("nTPM",), "Gene"),
        ("rna_single_cell_type.tsv", "Cell type", ("nCPM",), "Gene"),
        ("rna_celline.tsv", "Cell line", ("TPM", "pTPM", "nTPM"), "Gene"),
        ("rna_immune_cell.tsv", "Immune cell", ("TPM", "pTPM", "nTPM"), "Gene"),
        ("rna_immune_cell_sample.tsv", "Sample ID", ("TPM", "pTPM", "nTPM"), "ENSG ID"),
    ],
)
def test_long_tables_of_hpa(tmp_path, run, name, label, measures, gene):
    frame = _long(tmp_path / name, label, measures, gene=gene)
    found, printed = _prepare(run, "hpa", _zipped(tmp_path / name))
    expected = np.log2(frame.pivot(index=gene, columns=label, values=measures[-1]) + 1)
    np.testing.assert_allclose(found.loc[expected.index, expected.columns], expected, atol=1e-4)
    assert f"HPA {measures[-1]} of 12 genes in 3 columns, named by {label}" in printed
    assert ("other measures left out: TPM, pTPM" in printed) == (len(measures) > 1)
    if len(measures) > 1:
        other, _ = _prepare(run, "hpa", tmp_path / name, "--layer", "TPM")
        assert not np.allclose(other.to_numpy(), found[other.columns].loc[other.index].to_numpy())


def test_long_tables_with_several_labels_gaps_and_repeats(tmp_path, run, fails):
    frame = _long(tmp_path / "rna_single_cell_type_tissue.tsv", "Cell type")
    frame.insert(2, "Cluster", "c-0")
    frame.insert(2, "Read count", 7)
    path = tmp_path / "rna_single_cell_type_tissue.tsv"
    frame.iloc[1:].to_csv(path, sep="\t", index=False)
    found, printed = _prepare(run, "hpa", path)
    assert sorted(found.columns)[0] == "c-0, adipose tissue"
    assert "1 values are missing" in printed
    assert np.isnan(found.loc[GENES[0], "c-0, adipose tissue"])
    pd.concat([frame, frame.iloc[:2]]).to_csv(path, sep="\t", index=False)
    assert "2 rows repeat a gene" in fails("omics", "prepare", "hpa", path, "-o", tmp_path / "o.h5ad")
    frame.drop(columns="nTPM").to_csv(path, sep="\t", index=False)
    assert "has no column of nTPM" in fails("omics", "prepare", "hpa", path, "-o", tmp_path / "o.h5ad")
    assert "no measure 'FPKM'" in fails(
        "omics", "prepare", "hpa", path, "--layer", "FPKM", "-o", tmp_path / "o.h5ad"
    )


@pytest.mark.parametrize("source", ["hpa-isoforms", "matrix"])
def test_long_tables_are_no_matrix_and_no_isoforms(tmp_path, fails, source):
    _long(tmp_path / "rna_tissue_hpa.tsv", measures=("TPM", "pTPM", "nTPM"))
    message = fails("omics", "prepare", source, tmp_path / "rna_tissue_hpa.tsv", "-o", tmp_path / "o.h5ad")
    assert "cistron omics prepare hpa" in message


def test_isoforms_in_a_zip(tmp_path, run):
    path = tmp_path / "transcript_rna_tissue.tsv"
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(generator.gamma(0.4, 10, (24, 4)), columns=[f"TPM.{t}.V1" for t in "abcd"])
    frame.insert(0, "enstid", [f"ENST{n:011d}" for n in range(24)])
    frame.insert(0, "ensgid", np.repeat(GENES, 2))
    frame.to_csv(path, sep="\t", index=False)
    found, printed = _prepare(run, "hpa-isoforms", _zipped(path))
    assert "24 transcripts summed to 12 genes" in printed
    assert found.loc[GENES[0], "TPM.a.V1"] == pytest.approx(
        np.log2(frame["TPM.a.V1"][:2].sum() + 1), rel=1e-4
    )


def _cells(layers=(), raw=False, x="log"):
    generator = np.random.default_rng(2)
    counts = generator.poisson(generator.gamma(0.5, 3, (30, 12))).astype(np.float32)
    counts[:, 0] += 1
    logs = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)
    obs = pd.DataFrame(
        {"cell_ontology_class": pd.Categorical(np.resize(["b cell", "t cell", "nan"], 30))},
        index=[f"c{n}" for n in range(30)],
    )
    var = pd.DataFrame(index=GENES)
    data = anndata.AnnData(sparse.csr_matrix(logs if x == "log" else counts), obs=obs, var=var)
    for name in layers:
        data.layers[name] = sparse.csr_matrix(counts)
    if raw:
        data.raw = anndata.AnnData(sparse.csr_matrix(counts), obs=obs, var=var)
    return counts, data


@pytest.mark.parametrize(
    ("layers", "raw", "x", "said"),
    [
        (("raw_counts", "decontXcounts"), False, "log", "layers['raw_counts']"),  # figshare, version 1
        ((), True, "log", "those of .raw"),  # CELLxGENE
        ((), False, "counts", ""),
        (("counts",), False, "log", ""),
    ],
)
def test_tabula_sapiens_is_summed_from_its_counts(tmp_path, run, layers, raw, x, said):
    counts, data = _cells(layers, raw, x)
    data.write_h5ad(tmp_path / "ts.h5ad")
    found, printed = _prepare(run, "tabula-sapiens", tmp_path / "ts.h5ad")
    assert list(found.columns) == ["b cell", "t cell"]  # a label that was absent is no class
    own = counts[::3] / counts[::3].sum(axis=1, keepdims=True) * 1e4
    np.testing.assert_allclose(found.loc[GENES, "b cell"], np.log2(own.mean(axis=0) + 1), atol=1e-3)
    assert said in printed
    assert ("X holds no counts" in printed) == bool(said)


def test_tabula_sapiens_without_counts_is_refused(tmp_path, fails):
    _cells()[1].write_h5ad(tmp_path / "ts.h5ad")
    message = fails("omics", "prepare", "tabula-sapiens", tmp_path / "ts.h5ad", "-o", tmp_path / "o.h5ad")
    assert "look like logarithms" in message


def _depmap(values, old=True):
    models = [f"ACH-{number:06d}" for number in range(1, len(values) + 1)]
    frame = pd.DataFrame(values, index=models, columns=[f"G{n} ({n})" for n in range(1, values.shape[1] + 1)])
    if old:
        return frame
    frame.insert(0, "SequencingID", [f"CDS-{n:06x}" for n in range(len(values))])
    frame.insert(1, "ModelID", models)
    frame.insert(2, "IsDefaultEntryForModel", ["Yes"] * (len(values) - 2) + ["No"] * 2)
    frame.insert(3, "ModelConditionID", [f"MC-{n:06d}-x" for n in range(len(values))])
    frame.insert(4, "IsDefaultEntryForMC", "Yes")
    return frame.reset_index(drop=True)


@pytest.mark.parametrize("old", [True, False])
def test_depmap_expression(tmp_path, run, fails, old):
    values = np.log2(np.random.default_rng(3).gamma(0.5, 30, (9, 6)) + 1)
    path = tmp_path / "OmicsExpressionTPMLogp1HumanProteinCodingGenes.csv"
    _depmap(values, old).to_csv(path)
    found, printed = _prepare(run, "depmap", path)
    assert found.shape == (6, 9 if old else 7)
    assert found.columns[0] == "ACH-000001"
    assert "DepMap expression, log2(TPM + 1)" in printed
    assert "olfactory" not in printed
    kept = values[: 9 if old else 7]
    np.testing.assert_allclose(found.loc["G2"], kept[:, 1] / kept.std(), rtol=1e-4)
    (tmp_path / "genes.txt").write_text("G1\nG2\nG3\n")
    message = fails(
        "omics", "prepare", "depmap", path, "--olfactory", tmp_path / "genes.txt", "-o", tmp_path / "o.h5ad"
    )
    assert "it is expression" in message


def test_depmap_effects_with_named_rows(tmp_path, run):
    _depmap(np.random.default_rng(4).normal(0, 0.3, (8, 5))).rename_axis("ModelID").to_csv(
        tmp_path / "CRISPRGeneEffect.csv"
    )
    found, printed = _prepare(run, "depmap", tmp_path / "CRISPRGeneEffect.csv")
    assert found.shape == (5, 8)
    assert "DepMap gene effects" in printed


SAMPLES = [f"GTEX-{donor}-0226-SM-5N9E{n}" for n, donor in enumerate(["1117F", "111CU", "111FC", "111VG"])]


@pytest.mark.parametrize("form", ["v8", "v8 with ids", "v10", "v10 parquet"])
def test_gtex_of_every_release(tmp_path, run, form):
    tpm = np.random.default_rng(5).gamma(0.4, 40, (12, 4)).round(3)
    frame = pd.DataFrame(tpm, columns=SAMPLES)
    frame.insert(0, "Description", [f"G{n}" for n in range(12)])
    frame.insert(0, "Name", [f"{gene}.{n}" for n, gene in enumerate(GENES)])
    if form == "v8 with ids":
        frame.insert(0, "id", range(12))
    if form.endswith("parquet"):
        path = tmp_path / "GTEx_Analysis_v10_RNASeQCv2.4.2_gene_tpm.parquet"
        frame.to_parquet(path)
    else:
        path = tmp_path / "gene_tpm.gct.gz"
        path.write_bytes(gzip.compress(f"#1.2\n12\t4\n{frame.to_csv(sep=chr(9), index=False)}".encode()))
    found, printed = _prepare(run, "gtex", path)
    logged = np.log10(tpm + 1)
    np.testing.assert_allclose(found.loc[GENES, SAMPLES], logged / logged.std(), rtol=1e-4)  # the level stays
    assert "genes not centred" in printed
    centred, _ = _prepare(run, "gtex", path, "--matrix.centre-genes", "--overwrite")
    assert centred.mean(axis=1).abs().max() < 1e-5


def test_a_zip_of_several_files_or_a_cut_one_is_refused(tmp_path, fails):
    _long(tmp_path / "a.tsv")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.write(tmp_path / "a.tsv", "a.tsv")
        archive.write(tmp_path / "a.tsv", "b.tsv")
    assert "a zip archive of several files" in fails(
        "omics", "prepare", "hpa", tmp_path / "two.zip", "-o", tmp_path / "o.h5ad"
    )
    whole = _zipped(tmp_path / "a.tsv").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert "cut.zip is a zip archive that cannot be read" in fails(
        "omics", "prepare", "hpa", tmp_path / "cut.zip", "-o", tmp_path / "o.h5ad"
    )
