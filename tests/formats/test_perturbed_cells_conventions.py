"""Real screens go in: names of controls, guides as labels, pairs, other names of genes, other kinds of files."""

import gzip
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from cistron.errors import InputError
from cistron.formats.perturbed_cells import assemble_cells, read_perturbed_cells
from cistron.formats.perturbed_cells_controls import looks_like_control

GENES = ["TP53", "HLA-A", "NT5E", "MYC"]


def _counts(cells, seed=0, genes=4):
    return np.random.default_rng(seed).poisson(5, size=(cells, genes)).astype(np.float32)


@pytest.mark.parametrize(
    "label",
    ["NT", "NTC", "NT1", "ntc_12", "non-targeting", "non-targeting_00017", "NonTargeting3", "ctrl", "Control", "safe-2",
     "safe_harbor_1", "safe-targeting", "INTERGENIC216151", "scramble", "scrambled_1", "AAVS1", "sgAAVS1-2", "NegCtrl0",
     "neg_ctrl_4", "non_targeting_sgRNA_4", "sgNT-1", "ROSA26", "lacZ", "neg", "WT",
     "SCR", "scr_2", "NONTARG", "no-target_3", "untreated", "empty_vector", "mCherry", "CTRL_INT", "p_INTERGENIC345439", "NTg4",
     "non-targeting_GACGTCCATCAGTGGTAAAC", "0Safe_safe_ACOC_211.1080", "ctrl+ctrl", "non-targeting_3|non-targeting_7",
     "NegCtrl10_NegCtrl0", "NegCtrl10_NegCtrl0__NegCtrl10_NegCtrl0",
     "wild-type", "DMSO", "eGFP_1", "Luciferase", "LUC_sg2", "NO_SITE_12", "ONE_INTERGENIC_SITE_3", "ONE_NON-GENE_SITE_1"],
)  # fmt: skip
def test_usual_names_of_controls_are_known(label):
    assert looks_like_control(label)


@pytest.mark.parametrize(
    "label",
    [
        "NT5E",
        "NTN1",
        "TP53",
        "negative",
        "SAFB",
        "CTRL2B",
        "SCRIB",
        "safeguard",
        "WTAP",
        "WT1",
        "NEGR1",
        "LUC7L",
        "NOS1",
        "UNTX",
        "ctrl+TP53",
        "TP53_ctrl",
        "",
    ],
)
def test_genes_are_no_controls(label):
    assert not looks_like_control(label)


def _assemble(labels, **options):
    return assemble_cells(_counts(len(labels)), GENES, labels, **options)


def test_controls_are_guessed_said_and_overruled():
    labels = ["NT1", "NT2", "AAVS1", "TP53", "TP53"]
    cells = _assemble(labels)
    assert cells.perturbation.tolist() == [-1, -1, -1, 0, 0]
    assert "3 cells taken as control by their labels: AAVS1, NT1, NT2" in cells.remarks[0]
    chosen = _assemble(labels, control="NT*")
    assert chosen.perturbation.tolist() == [-1, -1, -2, 0, 0]
    assert chosen.set_aside == {"looks like a control but was not chosen as one": 1}
    several = _assemble(labels, control=["NT1", "AAVS1"])
    assert several.perturbation.tolist() == [-1, -2, -1, 0, 0]
    with pytest.raises(InputError, match=r"'NTC\*' is absent.*look like controls: AAVS1, NT1, NT2"):
        _assemble(labels, control="NTC*")


def test_guides_are_read_by_the_stated_rule():
    labels = [
        "NTC_1",
        "NTC_2",
        "TP53_sg1",
        "TP53_sg2",
        "HLA-A-1",
        "HLA-A.2",
        "sgMYC_1",
        "MYC_+_95907328.23-P1P2",
        "HLA-A_ACGTACGTACGTACGTACGT",
    ]
    cells = _assemble(labels)
    assert cells.perturbation.tolist() == [-1, -1, 0, 0, 1, 1, 3, 3, 1]
    assert cells.guides.tolist() == labels
    assert any("labels name guides" in remark and "-> " in remark for remark in cells.remarks)


@pytest.mark.parametrize(
    "label",
    ["TP53g2", "TP53sg1", "TP53_P1P2", "9993_TP53_P1P2_ENSG00000141510", "p_sgTP53_2", "TP53_pDS255", "HUMAN_TP53_1", "TP53 sg1",
     "HGLibA_00012_TP53", "CRISPRi_TP53_1", "TP53_KO", "TP53#1", "TP53(1)", "TP53:2", "gTP53", "TP53_i1"],
)  # fmt: skip
def test_names_of_guides_of_usual_libraries_are_read(label):
    assert _assemble(["NT", "NT", label, label]).perturbation.tolist() == [-1, -1, 0, 0]


@pytest.mark.parametrize(
    "label", ["GTP53", "TP53G2", "TP53-AS1", "TP53_UNKNOWN", "SGTP53", "TP53BP1", "TP53-DT"]
)
def test_genes_that_are_not_measured_are_not_taken_for_guides(label):
    # GATM is a gene and no guide of ATM
    cells = _assemble(["NT", "NT", "MYC", "MYC", label])
    assert cells.perturbation.tolist() == [-1, -1, 3, 3, -2]
    assert cells.set_aside == {"perturbed gene is not measured": 1}


@pytest.mark.parametrize("joint", ["&", " & ", "/", "-", ":", "."])
def test_pairs_are_recognised_by_other_joints(joint):
    labels = [f"ctrl{joint}ctrl", "ctrl", f"HLA-A{joint}ctrl", f"ctrl{joint}HLA-A", f"TP53{joint}HLA-A"]
    cells = _assemble(labels)
    assert cells.perturbation.tolist() == [-1, -1, 1, 1, -2]
    assert cells.set_aside == {}
    assert cells.pairs[4].tolist() == sorted([cells.genes.index("TP53"), cells.genes.index("HLA-A")])


def test_control_cells_that_a_guide_table_names_are_counted_once():
    table = {"NT_1": "non-targeting", "chr1:5-25": "TP53"}
    cells = _assemble(["NT_1", "NT_1", "chr1:5-25", "chr1:5-25"], guide_table=table)
    assert cells.perturbation.tolist() == [-1, -1, 0, 0]
    assert cells.remarks[0].startswith("2 cells taken as control by their labels: NT_1, non-targeting")


def test_pairs_are_recognised():
    labels = ["ctrl", "ctrl+ctrl", "TP53+ctrl", "ctrl_TP53", "TP53_MYC", "TP53;MYC", "TP53|NegCtrl0", "TP53+TP53",
              "TP53_sg1|TP53_sg2", "TP53+UNKNOWN"]  # fmt: skip
    cells = _assemble(labels)
    assert cells.perturbation.tolist() == [-1, -1, 0, 0, -2, -2, 0, 0, 0, -2]
    assert np.flatnonzero(cells.pairs[:, 0] >= 0).tolist() == [4, 5]
    assert cells.set_aside["several genes perturbed at once"] == 1


def test_few_cells_are_said():
    assert any(
        "1 of 1 perturbations have fewer than 20 cells (fewest 2)" in r
        for r in _assemble(["NT", "TP53", "TP53"]).remarks
    )


def test_batches_without_control_cells_are_set_aside():
    labels = ["NT", "NT", "TP53", "TP53", "TP53"]
    cells = _assemble(labels, batches=["a", "b", "a", "b", "c"])
    assert cells.batch.tolist() == [0, 1, 0, 1, 2]
    assert cells.perturbation.tolist() == [-1, -1, 0, 0, -2]
    assert cells.set_aside == {"batch without control cells": 1}


def _data(labels=("NT", "NT", "TP53", "TP53"), x=None, var=None, **columns):
    return anndata.AnnData(
        sparse.csr_matrix(_counts(len(labels)) if x is None else x),
        obs=pd.DataFrame(
            {"perturbation": list(labels), **columns}, index=[f"c{i}" for i in range(len(labels))]
        ),
        var=pd.DataFrame(index=GENES) if var is None else var,
    )


def test_ensembl_ids_with_symbols_in_a_column_and_the_reverse(tmp_path):
    ids = [f"ENSG{number:011d}" for number in range(4)]
    data = _data(var=pd.DataFrame({"length": [1, 2, 3, 4], "gene_name": GENES}, index=ids))
    data.write_h5ad(tmp_path / "a.h5ad")
    cells = read_perturbed_cells(tmp_path / "a.h5ad")
    assert (cells.genes[0], cells.perturbed.tolist()) == (ids[0], [0])
    assert "1 perturbed genes are named as in column 'gene_name'" in cells.remarks[0]
    named = read_perturbed_cells(tmp_path / "a.h5ad", gene_column="gene_name")
    assert (named.genes, named.perturbed.tolist()) == (tuple(GENES), [0])
    other = _data(labels=("NT", "NT", ids[0], ids[0]), var=pd.DataFrame({"gene_ids": ids}, index=GENES))
    other.write_h5ad(tmp_path / "b.h5ad")
    assert read_perturbed_cells(tmp_path / "b.h5ad").perturbed.tolist() == [0]
    by_id = read_perturbed_cells(tmp_path / "b.h5ad", gene_column="gene_ids")
    assert by_id.genes == tuple(ids)
    other.var["gene_ids"] += ".17"
    other.write_h5ad(tmp_path / "c.h5ad")
    assert read_perturbed_cells(tmp_path / "c.h5ad").perturbed.tolist() == [0]
    by_version = read_perturbed_cells(tmp_path / "c.h5ad", gene_column="gene_ids")
    assert by_version.genes == tuple(ids)
    assert not any("are named as in" in remark for remark in by_version.remarks)
    with pytest.raises(InputError, match="var has no column 'symbol'; it has gene_ids"):
        read_perturbed_cells(tmp_path / "b.h5ad", gene_column="symbol")


def test_symbols_that_two_genes_share_stay_ids(tmp_path):
    ids = [f"ENSG{number:011d}" for number in range(4)]
    _data(var=pd.DataFrame({"name": ["TP53", "X", "X", ""]}, index=ids)).write_h5ad(tmp_path / "a.h5ad")
    assert read_perturbed_cells(tmp_path / "a.h5ad", gene_column="name").genes == ("TP53", *ids[1:])


def test_raw_is_used_where_x_holds_no_counts(tmp_path):
    data = _data()
    full = data.copy()
    data = data[:, :3].copy()
    data.raw = full
    data.X = data.X.log1p()
    data.write_h5ad(tmp_path / "a.h5ad")
    cells = read_perturbed_cells(tmp_path / "a.h5ad")
    np.testing.assert_array_equal(cells.values.toarray(), full.X.toarray())
    assert "those of .raw are used" in cells.remarks[0]
    assert len(read_perturbed_cells(tmp_path / "a.h5ad", layer="raw").genes) == 4
    logged = read_perturbed_cells(tmp_path / "a.h5ad", scale="log-normalised")
    np.testing.assert_array_equal(logged.values.toarray(), data.X.toarray())
    data.layers["counts"] = np.ones((4, 3))  # dense
    data.write_h5ad(tmp_path / "b.h5ad")
    assert read_perturbed_cells(tmp_path / "b.h5ad").values.toarray().tolist() == np.ones((4, 3)).tolist()


def test_pieces_give_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("cistron.formats.stored_matrix.VALUES_AT_ONCE", 9)
    labels = ("NT",) * 4 + ("TP53",) * 4
    x = _counts(8)
    for form in (sparse.csr_matrix, sparse.csc_matrix, np.array):
        data = _data(labels)
        data.X = form(x)
        data.write_h5ad(tmp_path / "a.h5ad")
        np.testing.assert_array_equal(read_perturbed_cells(tmp_path / "a.h5ad").values.toarray(), x)


def test_zarr_and_mudata(tmp_path):
    data = _data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr speaks of its next format
        data.write_zarr(tmp_path / "a.zarr")
        assert read_perturbed_cells(tmp_path / "a.zarr").perturbed.tolist() == [0]
    labels = data.obs[["perturbation"]].copy()
    data.obs = data.obs.drop(columns="perturbation")
    with h5py.File(tmp_path / "a.h5mu", "w") as file:
        anndata.io.write_elem(file, "mod/rna", data)
        anndata.io.write_elem(file, "mod/guides", data)
        anndata.io.write_elem(file, "obs", labels)
    cells = read_perturbed_cells(tmp_path / "a.h5mu")
    assert cells.perturbed.tolist() == [0]
    assert "modality 'rna'" in cells.remarks[0]


def _ten_x(path):
    counts = sparse.csc_matrix(_counts(4, genes=5).T)
    with h5py.File(path, "w") as file:
        matrix = file.create_group("matrix")
        for key in ("data", "indices", "indptr"):
            matrix[key] = getattr(counts, key)
        matrix["shape"] = np.array(counts.shape)
        matrix["barcodes"] = np.array([f"AC{i}-1" for i in range(4)], dtype="S")
        matrix["features/id"] = np.array(["E1", "E2", "E3", "E4", "guide1"], dtype="S")
        matrix["features/name"] = np.array([*GENES, "guide1"], dtype="S")
        matrix["features/feature_type"] = np.array(
            ["Gene Expression"] * 4 + ["CRISPR Guide Capture"], dtype="S"
        )
    return counts


def test_10x_with_a_table_of_calls_and_a_guide_table(tmp_path):
    counts = _ten_x(tmp_path / "a.h5")
    calls = tmp_path / "protospacer_calls_per_cell.csv"
    calls.write_text(
        "cell_barcode,num_features,feature_call,num_umis\nAC0-1,1,g7,5\nAC1-1,1,g7,9\nAC2-1,2,g1|g2,4|5\nAC3-1,1,g1,3\n"
    )
    table = tmp_path / "guides.tsv.gz"
    table.write_bytes(gzip.compress(b"\xef\xbb\xbfguide\ttarget_gene\ng1\tTP53\ng2\tTP53\ng7\t\n"))
    cells = read_perturbed_cells(tmp_path / "a.h5", calls=calls, guide_table=table)
    np.testing.assert_array_equal(cells.values.toarray(), counts.T[:, :4].toarray())
    assert cells.perturbation.tolist() == [-1, -1, 0, 0]
    assert any("features left out: 1 of type" in remark for remark in cells.remarks)
    assert any("4 of 4 cells have a call" in remark for remark in cells.remarks)
    calls.write_text(calls.read_text().replace("-1", ""))
    again = read_perturbed_cells(tmp_path / "a.h5", calls=calls, guide_table=table)
    assert again.perturbation.tolist() == [-1, -1, 0, 0]
    assert any("names compared without their '-1'; 0 called cells" in remark for remark in again.remarks)
    with pytest.raises(InputError, match="give --calls TABLE"):
        read_perturbed_cells(tmp_path / "a.h5")
    calls.write_text("cell,guide\nXX,g1\n")
    with pytest.raises(InputError, match="none of 1 cells"):
        read_perturbed_cells(tmp_path / "a.h5", calls=calls)
    table.write_bytes(gzip.compress(b"guide\tgene\ng1\tTP53\ng1\tMYC\n"))
    with pytest.raises(InputError, match="guide g1 has two genes"):
        read_perturbed_cells(tmp_path / "a.h5", calls=calls, guide_table=table)


def test_observational_cells_need_no_labels(tmp_path):
    data = _data()
    data.obs = data.obs[[]]
    data.write_h5ad(tmp_path / "a.h5ad")
    cells = read_perturbed_cells(tmp_path / "a.h5ad", observational=True)
    assert (cells.perturbation == -1).all()


def test_broken_files_are_one_line(tmp_path):
    for name in ("a.h5ad", "a.h5", "a.h5mu"):
        (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n" + b"0" * 50)
        with pytest.raises(InputError, match="not a readable"):
            read_perturbed_cells(tmp_path / name)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match=r"read from .h5ad, .zarr"):
        read_perturbed_cells(tmp_path / "a.txt")
