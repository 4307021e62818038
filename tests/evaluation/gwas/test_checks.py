"""Files that would give a wrong answer without a word."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from cistron.errors import InputError
from cistron.evaluation.gwas import TraitCollection, TraitDesign, link
from cistron.evaluation.gwas.checks import check_z_scores
from cistron.formats import GeneCorrelations


def _collection(z) -> TraitCollection:
    table = pd.DataFrame({"GENE": [f"g{n}" for n in range(len(z))], "CHR": "1"})
    return TraitCollection("traits", (TraitDesign(("t",), table, np.asarray(z, dtype=float)[:, None]),))


@pytest.mark.parametrize("marker", [-999.0, 1e6, 40.1])
def test_a_marker_for_a_missing_value_is_refused_and_named(marker):
    z = np.random.default_rng(0).normal(size=200)
    z[17] = marker
    with pytest.raises(InputError, match=re.escape(f"ZSTAT of gene g17 is {marker:g}")):
        check_z_scores(_collection(z))


def test_a_file_filtered_by_p_value_is_remarked():
    z = np.random.default_rng(0).normal(size=4000)
    assert check_z_scores(_collection(z)) == []
    assert "filtered by p-value" in check_z_scores(_collection(z[z > 1.645]))[0]


def test_z_scores_on_one_side_of_zero_are_remarked():
    """A table made from two-sided p-values has absolute values; a few rounded ones below 0 do not hide that."""
    z = np.random.default_rng(0).normal(size=4000)
    assert "absolute values of two-sided p-values" in check_z_scores(_collection(np.abs(z)))[0]
    assert "absolute values" in check_z_scores(_collection(np.abs(z).round(0)))[0]  # its least is exactly 0
    assert (
        "0.1% of the z-scores are below 0" in check_z_scores(_collection([*np.abs(z[:3996]), *[-0.1] * 4]))[0]
    )
    assert "sign is turned round" in check_z_scores(_collection(-np.abs(z)))[0]
    assert check_z_scores(_collection(z + 1.5)) == []  # a strong trait: 7% below 0


def test_rows_cut_from_genes_raw_are_refused():
    columns = {"GENE": list("abcd"), "CHR": "1", "NSNPS": 9.0, "NPARAM": 3.0, "MAC": 5.0}
    table = pd.DataFrame(columns).loc[np.repeat(np.arange(4), 25)].reset_index(drop=True)
    table["GENE"] = [f"g{n}" for n in range(100)]
    design = TraitDesign(("t",), table.drop(columns="MAC"), np.zeros((100, 1)))
    whole = GeneCorrelations(table, sparse.eye_array(100).tocsr())
    assert "MAC" in link(design, whole, "x.genes.raw").design.genes
    cut = whole.select([f"g{n}" for n in range(100) if n != 40])
    with pytest.raises(
        InputError,
        match=r"x.genes.raw: 1 of 100 genes of t are absent, for example g40; .* rows were removed",
    ):
        link(design, cut, "x.genes.raw")
