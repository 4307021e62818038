"""The planted world is what it says it is."""

import numpy as np
import pytest
from scipy import stats

from cistron.errors import InputError
from cistron.formats import read_gene_embedding, read_genes_out, read_genes_raw
from cistron.omics import read_matrix
from cistron.world import (
    WorldSettings,
    plant_genes,
    plant_gwas,
    plant_omics,
    planted_correlations,
    write_world,
)

SMALL = WorldSettings(genes=600)


def test_the_same_seed_gives_the_same_world():
    first, second = plant_genes(SMALL, 3), plant_genes(SMALL, 3)
    assert first.table.equals(second.table)
    np.testing.assert_array_equal(first.functions, second.functions)
    assert not np.array_equal(first.functions, plant_genes(SMALL, 4).functions)


def test_genes_lie_in_order_and_do_not_overlap():
    table = plant_genes(SMALL, 0).table
    for _, chromosome in table.groupby("chromosome"):
        assert (chromosome["start"].to_numpy()[1:] >= chromosome["end"].to_numpy()[:-1]).all()
    assert table["gene"].is_unique
    assert table["chromosome"].nunique() == 22


def test_linkage_is_positive_definite_and_within_chromosomes():
    genes = plant_genes(SMALL, 0)
    matrix = genes.correlations.toarray()
    assert np.linalg.eigvalsh(matrix)[0] > 0
    chromosome = genes.table["chromosome"].to_numpy()
    assert (matrix[chromosome[:, None] != chromosome[None, :]] == 0).all()


def test_assays_see_the_functions_they_say():
    genes = plant_genes(SMALL, 0)
    demands = plant_omics(genes, "tissues").varm["demands"]
    assert (np.abs(demands).sum(axis=0) > 0).tolist() == [True] * 8 + [False] * 4
    assert not plant_omics(genes, "noise").varm["demands"].any()


def test_signal_and_covariates_are_as_strong_as_planted():
    genes = plant_genes(WorldSettings(genes=6000, correlation=0.0), 0)
    gwas = plant_gwas(genes, traits=3, signal=0.1)
    for trait, name in enumerate(gwas.traits):
        z = gwas.genes_out(name)["ZSTAT"].to_numpy()
        direction = genes.functions @ gwas.effects[:, trait]
        share = stats.pearsonr(direction, z)[0] ** 2 if direction.any() else 0.0
        assert share == pytest.approx(0.1 if trait < 3 else 0.0, abs=0.02)


def test_neighbours_correlate_as_the_linkage_says():
    genes = plant_genes(WorldSettings(genes=3000), 1)
    gwas = plant_gwas(genes, traits=0)
    z = gwas.genes_out("no_signal")["ZSTAT"].to_numpy()
    z = (z - z.mean()) / z.std()
    pairs = genes.correlations.tocoo()
    near = (pairs.row < pairs.col) & (pairs.data > 0.3)
    assert np.mean(z[pairs.row[near]] * z[pairs.col[near]]) == pytest.approx(
        pairs.data[near].mean(), abs=0.08
    )


def test_files_are_read_back(tmp_path):
    paths = write_world(tmp_path, SMALL, 0)
    genes = plant_genes(SMALL, 0)
    raw = read_genes_raw(paths["covariance"])
    assert abs(raw.matrix - genes.correlations).max() < 1e-5
    out = read_genes_out(paths["traits"] / "trait_1.genes.out")
    np.testing.assert_allclose(out["ZSTAT"], raw.genes["ZSTAT"], atol=1e-4)
    assert read_matrix(paths["matrix:tissues"]).shape == (570, 60)
    assert read_gene_embedding(paths["truth"]).shape == (600, 12)
    assert list(planted_correlations(genes, plant_gwas(genes), "trait_1").genes["GENE"]) == list(out["GENE"])


def test_impossible_worlds_are_refused():
    with pytest.raises(InputError, match="at least 2 chromosomes"):
        WorldSettings(genes=50)
    with pytest.raises(InputError, match="no assay 'blood'"):
        plant_omics(plant_genes(SMALL, 0), "blood")
