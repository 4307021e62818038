"""Genes by which cell types differ: answers that can be counted by hand; the export that cell-eval reads."""

import anndata
import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.evaluation.expression import run_expression
from cistron.evaluation.expression.differential import differential_overlap
from cistron.formats.cell_eval import export_cell_eval
from cistron.report.expression_strata import strata_section
from cistron.report.result import read_result


def test_overlap_and_direction_by_hand():
    observed = np.zeros((3, 20))
    observed[0, :4] = [4, 3, -3, 2]  # the leading genes of the first type: 0 to 3
    predicted = np.zeros((3, 20))
    predicted[0, [0, 1, 7, 8]] = [1, -1, 2, 2]  # two of them, one upside down
    table = differential_overlap(predicted, observed, ["a", "b", "c"], leading=4).set_index("cell")
    assert table.loc["a", "overlap"] == pytest.approx(2 / 4)
    assert table.loc["a", "direction"] == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    assert table.loc["a", "overlap_chance"] == pytest.approx(4 / 20)
    perfect = differential_overlap(observed, observed, ["a", "b", "c"], leading=4)
    np.testing.assert_allclose(perfect[["overlap", "direction", "correlation"]], 1.0)
    few = differential_overlap(observed, observed, ["a", "b", "c"], leading=50)
    assert (few["leading"] == 4).all()


def test_a_prediction_that_is_the_same_in_all_types_is_undefined():
    observed = np.random.default_rng(0).normal(size=(4, 30))
    same = np.broadcast_to(observed[0], observed.shape)
    table = differential_overlap(same, observed, list("abcd"))
    assert table[["overlap", "direction", "correlation"]].isna().all().all()


def test_random_predictions_overlap_by_chance():
    generator = np.random.default_rng(1)
    observed, predicted = generator.normal(size=(2, 40, 1000))
    table = differential_overlap(predicted, observed, [str(number) for number in range(40)])
    assert table["overlap"].mean() == pytest.approx(50 / 1000, abs=0.015)
    assert table["direction"].mean() == pytest.approx(0.5, abs=0.03)


def test_the_task_writes_types_and_the_report_draws_them(toy, tmp_path):
    run_expression([toy.good(), toy.level_only(), toy.control()], tmp_path / "out")
    types = pd.read_parquet(tmp_path / "out" / "per_type.parquet")
    mean = types[types["stratum"] == "seen genes, seen cells"].groupby("embedding")["overlap"].mean()
    assert mean["good"] > 3 * mean["good permuted"]
    assert np.isnan(mean["gene-mean"])
    genes = pd.read_parquet(tmp_path / "out" / "per_gene.parquet")
    own = genes[(genes["target"] == "cells") & (genes["embedding"] == "good")].set_index("gene")["expression"]
    assert np.corrcoef(own[list(toy.genes.index)].groupby(level=0).mean(), toy.level)[0, 1] > 0.9
    result = read_result(tmp_path / "out")
    names = ["good", "gene-mean", "good permuted"]
    section = strata_section(result, "seen genes, seen cells", "pseudobulks", names, "expression_")
    labels = [
        label.get_text() for axes in section.drawings[0].figure.axes for label in axes.get_xticklabels()
    ]
    assert "lowest fifth" in labels
    assert "type 0" in labels


def test_cell_eval_gets_two_files_that_differ_in_values_only(toy, tmp_path):
    paths = tmp_path / "predicted.h5ad", tmp_path / "observed.h5ad"
    cells, genes = export_cell_eval(toy.good(), *paths, control="type 0", part="test")
    predicted, observed = (anndata.read_h5ad(path) for path in paths)
    assert predicted.shape == observed.shape == (cells, genes) == (80, 120)
    assert list(predicted.obs_names) == list(observed.obs_names)
    assert list(predicted.obs["target_gene"]) == list(toy.cells["cell_type"])
    control = (predicted.obs["target_gene"] == "type 0").to_numpy()
    np.testing.assert_array_equal(predicted.X[control], observed.X[control])
    columns = (toy.genes["split"] == "test").to_numpy()
    np.testing.assert_allclose(observed.X, toy.observed[:, columns], rtol=1e-5)
    assert not np.allclose(predicted.X[~control], observed.X[~control])
    with pytest.raises(InputError, match="no cell has cell_type 'none'"):
        export_cell_eval(toy.good(), *paths, control="none")
    with pytest.raises(InputError, match="no gene of part 'test'"):
        export_cell_eval(toy.level_only(), *paths, control="type 0", part="test")
