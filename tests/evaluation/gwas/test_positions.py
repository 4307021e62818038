"""Covariates made from where genes lie, and the region that is left out."""

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.evaluation.gwas.positions import in_mhc, log_densities, position_covariates


def _genes(**columns) -> pd.DataFrame:
    return pd.DataFrame({"GENE": [f"g{n}" for n in range(len(columns["CHR"]))], **columns})


def test_densities_by_hand():
    genes = _genes(
        CHR=["1", "1", "1", "2"],
        START=[0.0, 90_000.0, 290_000.0, 0.0],
        STOP=[20_000.0, 130_000.0, 310_000.0, 9.0],
    )
    middles = np.array([10_000.0, 110_000.0, 300_000.0])
    expected = np.log(np.exp(-np.abs(middles[:, None] - middles) / 100_000).sum(axis=1))
    found = log_densities(genes, (100_000,))
    np.testing.assert_allclose(found[:3, 0], expected)
    assert found[3, 0] == 0.0  # a gene alone on its chromosome


def test_densities_do_not_depend_on_the_order_of_the_genes():
    generator = np.random.default_rng(0)
    start = generator.integers(0, 10**7, 200).astype(float)
    genes = _genes(CHR=list(generator.choice(["1", "2", "X"], 200)), START=start, STOP=start + 5000)
    order = generator.permutation(200)
    np.testing.assert_allclose(log_densities(genes.iloc[order]), log_densities(genes)[order])


def test_covariates_are_standardised_and_the_last_is_the_length():
    start = np.array([1.0, 500_000.0, 600_000.0, 5_000_000.0])
    length = np.array([1000.0, 2000.0, 50_000.0, 400.0])
    matrix = position_covariates(_genes(CHR=["1"] * 4, START=start, STOP=start + length), "t")
    np.testing.assert_allclose(matrix.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(matrix.std(axis=0), 1)
    log = np.log(length)
    np.testing.assert_allclose(matrix[:, 3], (log - log.mean()) / log.std())


def test_a_gene_that_ends_before_its_start_is_named():
    with pytest.raises(
        InputError, match=r"do not end behind their start, for example g1 \(START 50, STOP 40\)"
    ):
        position_covariates(_genes(CHR=["1", "1"], START=[1.0, 50.0], STOP=[9.0, 40.0]), "t")


def test_the_mhc_is_whatever_overlaps_25_to_36_megabases_of_chromosome_6():
    genes = _genes(
        CHR=["6", "6", "6", "6", "7"],
        START=[24_000_000.0, 24_990_000.0, 36_000_000.0, 36_000_001.0, 30_000_000.0],
        STOP=[24_999_999.0, 25_000_000.0, 36_100_000.0, 36_100_000.0, 30_100_000.0],
    )
    assert in_mhc(genes).tolist() == [False, True, True, False, False]
    assert not in_mhc(genes.drop(columns="STOP")).any()
