"""Joining matrices of different assays."""

import numpy as np
import pandas as pd
import pytest

from cistron.errors import IdentifierError, InputError
from cistron.omics import OmicsMatrix, join_matrices


def _matrix(name: str, genes: range, samples: int, seed: int) -> OmicsMatrix:
    values = np.random.default_rng(seed).normal(size=(len(genes), samples))
    index = [f"ENSG{number:011d}" for number in genes]
    return OmicsMatrix.from_frame(
        pd.DataFrame(values, index=index, columns=[f"s{n}" for n in range(samples)]), name
    )


def test_samples_stand_side_by_side_on_one_scale():
    joined = join_matrices(
        [_matrix("a", range(30), 6, 0), _matrix("b", range(10, 40), 4, 1)], minimum_share=0.3
    )
    assert joined.shape == (40, 10)
    assert joined.var_names[6] == "b:s0"
    assert joined.var["matrix"].tolist() == ["a"] * 6 + ["b"] * 4
    values = joined.to_df()
    assert values.loc["ENSG00000000000", "b:s0"] != values.loc["ENSG00000000000", "b:s0"]  # not measured
    np.testing.assert_allclose(values.std(ddof=0), 1.0, rtol=1e-4)
    assert "0 of 40 genes left out" in joined.uns["remarks"][-1]


def test_genes_of_small_assays_are_left_out_and_said():
    joined = join_matrices([_matrix("a", range(30), 6, 0), _matrix("b", range(10, 40), 4, 1)])
    assert joined.n_obs == 30
    assert "10 of 40 genes left out" in joined.uns["remarks"][-1]


def test_what_cannot_be_joined_is_refused():
    first = _matrix("a", range(30), 6, 0)
    with pytest.raises(InputError, match="at least 2"):
        join_matrices([first])
    with pytest.raises(IdentifierError, match="shares no gene"):
        join_matrices([first, _matrix("b", range(50, 60), 4, 1)])
    symbols = OmicsMatrix.from_frame(pd.DataFrame(np.eye(4), index=["TP53", "MYC", "EGFR", "KRAS"]), "c")
    with pytest.raises(IdentifierError, match="different gene identifiers"):
        join_matrices([first, symbols])


def test_command(tmp_path, run):
    for name, matrix in (("a", _matrix("a", range(30), 6, 0)), ("b", _matrix("b", range(30), 4, 1))):
        pd.DataFrame(matrix.dense(), index=matrix.genes, columns=matrix.samples).to_csv(
            tmp_path / f"{name}.csv"
        )
    code, text, errors = run(
        "omics", "join", tmp_path / "a.csv", tmp_path / "b.csv", "-o", tmp_path / "j.h5ad"
    )
    assert code == 0, errors
    assert "30 genes x 10 samples of 2 matrices" in text
    code, text, _ = run(
        "omics", "embed", tmp_path / "j.h5ad", "--dimensions", 3, "--log", "no", "-o", tmp_path / "e.h5ad"
    )
    assert code == 0
