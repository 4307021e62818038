"""Perturbed cells: labels, scales, and what is set aside."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from cistron.errors import IdentifierError, InputError
from cistron.formats.expression_scale import duplicated_rows, log_normalise, size_factors
from cistron.formats.perturbed_cells import assemble_cells, read_perturbed_cells, split_cells

GENES = ["G1", "G2", "G3"]


def _counts(cells, seed=0):
    return np.random.default_rng(seed).poisson(5, size=(cells, 3))


def _assemble(labels, **options):
    return assemble_cells(_counts(len(labels)), GENES, labels, control="ctrl", **options)


def test_labels_become_gene_numbers_and_the_rest_is_counted():
    labels = [
        "ctrl",
        "ctrl",
        "G1",
        "G1",
        "G2+G1",
        "G1+G2",
        "ctrl+G3",
        "G3+ctrl",
        "other",
        "excluded",
        "nan",
        "G2",
    ]
    cells = _assemble(labels, excluded=("excluded",))
    assert cells.perturbation.tolist() == [-1, -1, 0, 0, -2, -2, 2, 2, -2, -2, -2, -2]
    assert cells.set_aside == {
        "perturbed gene is not measured": 1,
        "excluded or without a label": 2,
        "fewer than 2 cells of the perturbation": 1,
    }
    assert cells.perturbed.tolist() == [0, 2]
    assert cells.pairs[4:6].tolist() == [[0, 1], [0, 1]]
    assert any("2 cells have two perturbed genes" in remark for remark in cells.remarks)


def test_the_control_label_must_be_there():
    with pytest.raises(InputError, match=r"'ctrl' is absent; the most frequent labels are G1 \(2\), A \(1\)"):
        _assemble(["A", "G1", "G1"])
    with pytest.raises(InputError, match=r"these look like controls: NTC_1, safe-2"):
        _assemble(["NTC_1", "safe-2", "G1", "G1"])
    with pytest.raises(
        InputError, match=r"no label looks like control cells; the most frequent labels are G1"
    ):
        assemble_cells(_counts(2), GENES, ["G1", "G1"])


def test_targets_in_another_namespace_are_explained():
    genes = [f"ENSG{number:011d}" for number in range(3)]
    with pytest.raises(
        IdentifierError, match=r"none of 1 perturbed genes .*symbol ids, genes like ensembl ids"
    ):
        assemble_cells(_counts(4), genes, ["ctrl", "ctrl", "TP53", "TP53"], control="ctrl")


def test_one_cell_a_perturbation_is_refused():
    with pytest.raises(InputError, match="fewer than 2 cells"):
        _assemble(["ctrl", "ctrl", "G1", "G2", "G3"])


def test_scales_are_told_apart():
    labels = ["ctrl", "ctrl", "G1", "G1"]
    assert _assemble(labels).scale == "counts"
    normalised = assemble_cells(np.log1p(_counts(4) / 1.7), GENES, labels, control="ctrl")
    assert normalised.scale == "log-normalised"
    assert "not counts" in normalised.remarks[0]
    centred = assemble_cells(_counts(4) - 4.5, GENES, labels, control="ctrl")
    assert centred.scale == "continuous"
    with pytest.raises(InputError, match="counts were expected"):
        assemble_cells(_counts(4) / 2.5, GENES, labels, control="ctrl", scale="counts")


def test_log_normalisation_by_hand():
    counts = sparse.csr_matrix(np.array([[2.0, 2, 0], [4, 4, 0], [8, 0, 0]], dtype=np.float32))
    np.testing.assert_allclose(size_factors(counts), [0.5, 1, 1])
    empty = sparse.vstack([counts, sparse.csr_matrix((1, 3), dtype=np.float32)], format="csr")
    np.testing.assert_allclose(size_factors(empty), [0.5, 1, 1, 1])
    expected = np.log1p([[4, 4, 0], [4, 4, 0], [8, 0, 0]])
    np.testing.assert_allclose(log_normalise(counts, "counts").toarray(), expected, rtol=1e-6)
    assert log_normalise(counts, "log-normalised") is counts


def test_copies_of_cells_are_counted_but_not_chance_equals():
    row = np.arange(1, 31, dtype=np.float32)
    assert duplicated_rows(sparse.csr_matrix(np.stack([row, row + 1, row, row]))) == 2
    assert duplicated_rows(sparse.csr_matrix(np.ones((5, 3), dtype=np.float32))) == 0


def test_the_split_is_stratified_and_repeatable():
    cells = _assemble(["ctrl"] * 50 + ["G1"] * 20 + ["G2"] * 30)
    train, test = split_cells(cells)
    assert sorted([*train, *test]) == list(range(100))
    assert np.bincount(cells.perturbation[test] + 1).tolist() == [10, 4, 6]
    np.testing.assert_array_equal(test, split_cells(cells)[1])


def _write(path, x, labels, names=None, **layers):
    data = anndata.AnnData(
        sparse.csr_matrix(x),
        obs=pd.DataFrame({"gene": labels}, index=names or [f"c{i}" for i in range(len(labels))]),
        var=pd.DataFrame(index=GENES),
        layers=layers,
    )
    data.write_h5ad(path)
    return path


def test_an_anndata_is_read_from_x_or_from_its_counts(tmp_path):
    labels = ["ctrl", "ctrl", "G1", "G1"]
    counts = _counts(4).astype(np.float32)
    first = read_perturbed_cells(
        _write(tmp_path / "a.h5ad", counts, labels), perturbation="gene", control="ctrl"
    )
    path = _write(tmp_path / "b.h5ad", np.log1p(counts), labels, counts=sparse.csr_matrix(counts))
    second = read_perturbed_cells(path, perturbation="gene", control="ctrl")
    np.testing.assert_array_equal(first.values.toarray(), counts)
    np.testing.assert_array_equal(second.values.toarray(), counts)


def test_normalised_values_where_counts_are_expected_are_said(tmp_path):
    path = _write(
        tmp_path / "n.h5ad", np.log1p(_counts(4) / 3).astype(np.float32), ["ctrl", "ctrl", "G1", "G1"]
    )
    with pytest.raises(InputError, match=r"expected raw counts.*log-normalised.*--scale"):
        read_perturbed_cells(path, perturbation="gene", control="ctrl")
    cells = read_perturbed_cells(path, perturbation="gene", control="ctrl", scale="log-normalised")
    assert cells.scale == "log-normalised"


def test_cells_that_occur_twice_are_refused(tmp_path):
    path = tmp_path / "twice.h5ad"
    with pytest.warns(UserWarning, match="not unique"):
        _write(path, _counts(4), ["ctrl", "ctrl", "G1", "G1"], names=["a", "a", "b", "c"])
    with pytest.raises(InputError, match="1 cells occur more than once"):
        read_perturbed_cells(path, perturbation="gene", control="ctrl")


def test_causalbench_files_are_read_without_pickle(tmp_path):
    good = tmp_path / "good.npz"
    names = np.array(["non-targeting", "non-targeting", "G1", "G1"])
    np.savez(good, expression_matrix=np.log1p(_counts(4) / 3), var_names=np.array(GENES), interventions=names)
    assert read_perturbed_cells(good).perturbed.tolist() == [0]
    bad = tmp_path / "bad.npz"
    np.savez(bad, expression_matrix=_counts(4), var_names=np.array(GENES, dtype=object), interventions=names)
    with pytest.raises(InputError, match="pickled"):
        read_perturbed_cells(bad)
