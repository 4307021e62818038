"""Functions of neighbouring genes as part of the mean of a z-score."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cistron.evaluation.gwas import GwasSettings, RidgeSettings, TraitCollection, TraitDesign, evaluate_gwas
from cistron.evaluation.gwas.near import mean_over_neighbours
from cistron.formats import build_gene_embedding

QUICK = GwasSettings(controls=2, draws=40)


def test_weights_by_hand():
    """Two genes 100 kb apart, a third 250 kb behind them, one alone, and one on another chromosome; in any order."""
    middles = np.array([1e6, 1.35e6, 1.1e6, 9e6, 1e6])
    chromosomes = np.array([0, 0, 0, 0, 1])
    found = mean_over_neighbours(chromosomes, middles, 100_000.0).toarray()
    a, b = np.exp(-1.0), np.exp(-2.5)
    expected = np.zeros((5, 5))
    expected[0, 2] = expected[2, 0] = a  # 350 kb from gene 1 are beyond three scales
    expected[1, 2] = expected[2, 1] = b
    np.testing.assert_allclose(found, expected, atol=1e-12)
    crowded = mean_over_neighbours(np.zeros(5, dtype=int), np.arange(5) * 1e4, 1e5).toarray()
    np.testing.assert_allclose(crowded.sum(axis=1), 1.0)
    assert (np.diag(crowded) == 0).all()


@pytest.fixture(scope="module")
def world():
    """Genes in clusters of eight, 60 kb apart, on 12 chromosomes; functions of five dimensions."""
    generator = np.random.default_rng(5)
    number = 960
    chromosome = np.repeat(np.arange(1, 13), 80)
    within = np.tile(np.arange(80), 12)
    start = 4e7 + (within // 8) * 4e6 + (within % 8) * 6e4 + np.round(generator.uniform(0, 2e4, number))
    table = pd.DataFrame({"GENE": [f"ENSG{n:011d}" for n in range(number)], "CHR": chromosome.astype(str)})
    table["START"], table["STOP"] = start, start + np.round(generator.lognormal(9, 0.3, number))
    functions = generator.normal(size=(number, 5))
    own = functions @ generator.normal(size=(5, 2)) / 4
    near = mean_over_neighbours(chromosome, (table["START"] + table["STOP"]).to_numpy() / 2, 1e5)
    noise = generator.normal(size=(number, 2))
    embedding = build_gene_embedding(
        functions, list(table["GENE"]), name="e", method="x", evidence="expression"
    )
    return table, embedding, {"spread": own + 3 * (near @ own) + noise, "alone": own + noise}


def _gains(world, kind, folder, settings=QUICK):
    table, embedding, z = world
    collection = TraitCollection("traits", (TraitDesign(("t0", "t1"), table, z[kind]),))
    result = evaluate_gwas([embedding], collection, settings, directory=folder)
    rows = result.scores[result.scores["target"] == "median of 2 traits"]
    rows = rows[rows["embedding"] == "e"].set_index(["metric", "stratum"])["value"]
    return rows, result


def test_neighbours_are_found_where_functions_spread_and_the_control_gains_nothing(world, tmp_path):
    rows, result = _gains(world, "spread", tmp_path)
    headline = rows["delta_r2", "all genes"]
    assert headline > rows["delta_r2", "without neighbours"] + 0.03
    for kind in ("permuted", "shifted", "matched"):
        assert abs(rows[f"delta_r2_{kind}", "all genes"]) < 0.02
    assert result.facts["neighbour_scale"] == 100.0


def test_neighbours_are_left_alone_where_functions_do_not_spread(world, tmp_path):
    rows, _ = _gains(world, "alone", tmp_path)
    assert rows["delta_r2", "all genes"] > 0.05
    assert abs(rows["delta_r2", "all genes"] - rows["delta_r2", "without neighbours"]) < 0.01


def test_settings_without_neighbours(world, tmp_path):
    rows, _ = _gains(world, "spread", tmp_path / "0", replace(QUICK, neighbour_scale=0))
    assert ("delta_r2", "without neighbours") not in rows.index
    weights = replace(QUICK, ridge=RidgeSettings(neighbour_weights=(0.0,)))
    same, _ = _gains(world, "spread", tmp_path / "1", weights)
    assert same["delta_r2", "all genes"] == pytest.approx(rows["delta_r2", "all genes"], abs=1e-9)
    assert same["delta_r2", "without neighbours"] == pytest.approx(rows["delta_r2", "all genes"], abs=1e-9)
    by_gcv = replace(QUICK, ridge=RidgeSettings(choice="gcv"))
    gcv, _ = _gains(world, "spread", tmp_path / "2", by_gcv)
    assert gcv["delta_r2", "all genes"] == pytest.approx(rows["delta_r2", "all genes"], abs=0.02)


def test_the_leading_component_alone_is_a_row_of_its_own(world, tmp_path):
    """z follows the widest dimension and nothing else: it gains as much alone, and other dimensions add nothing."""
    table, embedding, z = world
    wide = embedding.copy()
    wide.X = np.asarray(wide.X) * np.array([5, 1, 1, 1, 1], dtype=np.float32)
    told = {
        "leading": z["alone"] * 0
        + np.asarray(embedding.X)[:, :1]
        + np.random.default_rng(1).normal(size=(960, 2))
    }
    rows, _ = _gains((table, wide, told), "leading", tmp_path)
    assert rows["delta_r2", "leading component alone"] > 0.3
    assert abs(rows["delta_r2", "leading component alone"] - rows["delta_r2", "all genes"]) < 0.02
    narrow = embedding.copy()
    narrow.X = np.asarray(narrow.X) * np.array([0.2, 1, 3, 1, 1], dtype=np.float32)
    rows, _ = _gains((table, narrow, told), "leading", tmp_path / "narrow")
    assert rows["delta_r2", "leading component alone"] < 0.05 < rows["delta_r2", "all genes"]
