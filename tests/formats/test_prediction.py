"""Predictions: built, checked, written whole and in blocks, read back."""

import sys

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.formats import (
    check_prediction,
    open_prediction,
    read_prediction,
    write_prediction,
    writing_prediction,
)
from cistron.formats.prediction import prediction

CELLS = pd.DataFrame({"split": ["train", "test"], "cell_type": ["B", "T"]}, index=["c1", "c2"])
GENES = pd.DataFrame({"split": ["train", "validation", "test"]}, index=["TP53", "BRCA1", "BRCA2"])
FACTS = {
    "name": "p",
    "method": "hand",
    "unit": "cell",
    "scale": "log1p_tpm",
    "dataset": "toy",
    "evidence": "dna",
}
OBSERVED = np.array([[1, 2, 3], [4, 5, np.nan]])
PREDICTED = np.array([[1, np.nan, 3], [2, 2, 2]])


def made(**facts):
    return prediction(PREDICTED, OBSERVED, CELLS, GENES, **{**FACTS, **facts})


def test_what_is_written_is_read(tmp_path):
    write_prediction(tmp_path / "p.h5ad", made(evidence=["dna", "protein"], embedding="a, b", seed=3))
    back = read_prediction(tmp_path / "p.h5ad")
    np.testing.assert_array_equal(back.layers["observed"], OBSERVED.astype(np.float32))
    np.testing.assert_array_equal(back.layers["predicted"], PREDICTED.astype(np.float32))
    assert list(back.obs["split"]) == ["train", "test"]
    assert list(back.var_names) == ["TP53", "BRCA1", "BRCA2"]
    header = back.uns["cistron"]
    assert (header["evidence"], header["embedding"], header["seed"]) == ("dna+protein", "a+b", 3)
    assert (header["identifier_namespace"], header["control"]) == ("symbol", "")


def test_float32_is_not_copied():
    values = np.ones((2, 3), dtype=np.float32)
    assert prediction(values, values, CELLS, GENES, **FACTS).layers["predicted"] is values


def test_blocks_give_the_same_file(tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys.modules["cistron.formats.prediction_checks"], "_BLOCK_VALUES", 3
    )  # one row a block
    write_prediction(tmp_path / "whole.h5ad", made())
    with writing_prediction(tmp_path / "blocks.h5ad", CELLS, GENES, **FACTS) as writer:
        writer.write(1, PREDICTED[1:], OBSERVED[1:])
        writer.write(0, PREDICTED[:1], OBSERVED[:1])
    whole, blocks = (read_prediction(tmp_path / name) for name in ("whole.h5ad", "blocks.h5ad"))
    for layer in ("predicted", "observed"):
        np.testing.assert_array_equal(whole.layers[layer], blocks.layers[layer])
    pd.testing.assert_frame_equal(whole.obs, blocks.obs)
    pd.testing.assert_frame_equal(whole.var, blocks.var)
    opened = open_prediction(tmp_path / "whole.h5ad", check_values=True)
    assert opened.shape == (2, 3)
    assert len(list(opened.blocks("predicted"))) == 2
    np.testing.assert_array_equal(opened.values("observed"), whole.layers["observed"])
    some = opened.values("observed", rows=np.array([1]), columns=np.array([0, 2]))
    np.testing.assert_array_equal(some, whole.layers["observed"][1:, [0, 2]])


def test_an_unfinished_file_does_not_appear(tmp_path):
    with (
        pytest.raises(InputError, match="1 of 2 observations were not written, the first is number 1"),
        writing_prediction(tmp_path / "p.h5ad", CELLS, GENES, **FACTS) as writer,
    ):
        writer.write(0, PREDICTED[:1], OBSERVED[:1])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("start", "values", "message"),
    [
        (2, PREDICTED[:1], "does not fit"),
        (0, PREDICTED[:, :2], "does not fit"),
        (0, np.full((1, 3), np.inf), "infinite"),
    ],
)
def test_blocks_that_do_not_fit(tmp_path, start, values, message):
    with (
        pytest.raises(InputError, match=message),
        writing_prediction(tmp_path / "p.h5ad", CELLS, GENES, **FACTS) as writer,
    ):
        writer.write(start, values, values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "tissue"}, "unit 'tissue' is not one of cell, cell type"),
        ({"evidence": "dna+magic"}, "evidence 'dna\\+magic'"),
        ({"name": ""}, "name is empty"),
        ({"identifier_namespace": "mine"}, "identifier_namespace 'mine'"),
    ],
)
def test_a_wrong_header(change, message):
    with pytest.raises(InputError, match=message):
        made(**change)


@pytest.mark.parametrize(
    ("cells", "genes", "values", "message"),
    [
        (CELLS.drop(columns="split"), GENES, OBSERVED, "observations has no column 'split'"),
        (CELLS, GENES.assign(split="held out"), OBSERVED, "split of genes has 'held out'"),
        (CELLS.set_axis(["a", "a"]), GENES, OBSERVED, "1 observations occur more than once, for example a"),
        (CELLS, GENES.set_axis(["a", "b", "b"]), OBSERVED, "1 genes occur more than once, for example b"),
        (CELLS, GENES, OBSERVED.T, "must be \\[observation, gene\\], 2 x 3"),
        (CELLS, GENES, np.full((2, 3), np.nan), "no value that is not NaN"),
        (CELLS, GENES, np.full((2, 3), np.inf), "6 infinite values"),
        (CELLS[:0], GENES, OBSERVED[:0], "it is empty: 0 observations x 3 genes"),
    ],
)
def test_wrong_axes_and_values(cells, genes, values, message):
    with pytest.raises(InputError, match=message):
        prediction(values, values, cells, genes, **FACTS)


def test_files_that_are_no_prediction(tmp_path):
    plain = anndata.AnnData(np.ones((2, 3), dtype=np.float32))
    assert "kind 'prediction' is absent" in check_prediction(plain)[0]
    plain.write_h5ad(tmp_path / "plain.h5ad")
    (tmp_path / "cut.h5ad").write_bytes((tmp_path / "plain.h5ad").read_bytes()[:900])
    for read in (read_prediction, open_prediction):
        with pytest.raises(InputError, match="breaks the prediction format"):
            read(tmp_path / "plain.h5ad")
        with pytest.raises(InputError, match=r"not a readable \.h5ad"):
            read(tmp_path / "cut.h5ad")
        with pytest.raises(InputError, match="does not exist"):
            read(tmp_path / "absent.h5ad")
        with pytest.raises(InputError, match=r"is an \.h5ad file"):
            read(tmp_path / "p.tsv")


def test_a_damaged_layer_is_found(tmp_path):
    write_prediction(tmp_path / "p.h5ad", made())
    with h5py.File(tmp_path / "p.h5ad", "r+") as file:
        file["layers/predicted"][0, 0] = np.inf
    with pytest.raises(InputError, match="1 infinite values"):
        open_prediction(tmp_path / "p.h5ad", check_values=True)
    with h5py.File(tmp_path / "p.h5ad", "r+") as file:
        del file["layers/predicted"]
        file["layers"].create_dataset("predicted", data=np.ones((2, 2)))
    with pytest.raises(InputError, match="float64 of shape"):
        open_prediction(tmp_path / "p.h5ad")
