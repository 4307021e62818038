"""Principal components: against scikit-learn, streamed and randomised, and what preprocessing does."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

import cistron.omics.pca as pca_module
from cistron.evaluation.recovery import canonical_correlations, recovered_correlations
from cistron.formats import check_gene_embedding, read_gene_embedding
from cistron.omics import (
    OmicsEmbedder,
    OmicsMatrix,
    PcaSettings,
    PreprocessingSettings,
    prepare_matrix,
    principal_components,
)
from cistron.world import WorldSettings, plant_genes, plant_omics, write_world

RAW = PreprocessingSettings(log="no", scale_samples=False)


def _matrix(genes=60, samples=9, seed=0, missing=0.0) -> OmicsMatrix:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(genes, 4)) @ generator.normal(size=(4, samples)) * [5] + generator.normal(
        size=(genes, samples)
    )
    values[generator.random(values.shape) < missing] = np.nan
    names = [f"ENSG{number:011d}" for number in range(genes)]
    return OmicsMatrix.from_frame(
        pd.DataFrame(values, index=names, columns=[f"s{n}" for n in range(samples)])
    )


@given(seed=st.integers(0, 1000), dimensions=st.integers(1, 9))
@settings(max_examples=15, deadline=None)
def test_equals_scikit_learn(seed, dimensions):
    matrix = _matrix(seed=seed)
    result = principal_components(prepare_matrix(matrix, RAW), PcaSettings(dimensions=dimensions))
    peer = PCA(dimensions).fit(matrix.dense())
    np.testing.assert_allclose(result.explained, peer.explained_variance_ratio_, rtol=1e-4, atol=1e-6)
    theirs = peer.transform(matrix.dense())
    theirs /= theirs[:, 0].std()
    np.testing.assert_allclose(np.abs(result.scores), np.abs(theirs), rtol=1e-2, atol=2e-3)


def test_variance_takes_the_fewest_components_that_reach_it():
    prepared = prepare_matrix(_matrix(), RAW)
    everything = principal_components(prepared, PcaSettings(dimensions=9)).explained
    for share in (0.3, 0.8, 0.95, 1.0):
        found = principal_components(prepared, PcaSettings(variance=share))
        assert found.explained.sum() >= share - 1e-9
        assert len(found.explained) == 9 or everything[: len(found.explained) - 1].sum() < share


def test_scores_have_unit_variance_and_a_fixed_sign():
    prepared = prepare_matrix(_matrix(), RAW)
    scores = principal_components(prepared, PcaSettings(dimensions=3, scale=True)).scores
    np.testing.assert_allclose(scores.std(axis=0), 1.0, rtol=1e-4)
    np.testing.assert_allclose(scores.mean(axis=0), 0.0, atol=1e-5)
    kept = principal_components(prepared, PcaSettings(dimensions=3))
    np.testing.assert_allclose(kept.scores / kept.scores.std(axis=0), scores, rtol=1e-3, atol=1e-4)
    deviation = np.sqrt(kept.explained / kept.explained[0])
    np.testing.assert_allclose(kept.scores.std(axis=0), deviation, rtol=1e-3)


def test_randomised_equals_exact(monkeypatch):
    prepared = prepare_matrix(_matrix(genes=300, samples=80), RAW)
    exact = principal_components(prepared, PcaSettings(dimensions=4))
    monkeypatch.setattr(pca_module, "_COVARIANCE_LIMIT", 10)
    sketched = principal_components(prepared, PcaSettings(dimensions=4, passes=4), seed=1)
    assert canonical_correlations(exact.scores, sketched.scores).min() > 0.9999
    np.testing.assert_allclose(sketched.explained, exact.explained, rtol=1e-3)


def test_few_components_of_many_samples_equal_scikit_learn():
    generator = np.random.default_rng(1)
    values = (
        generator.normal(size=(900, 30)) @ generator.normal(size=(30, 300))
        + generator.normal(size=(900, 300))
        + 40.0
    )
    matrix = OmicsMatrix.from_frame(pd.DataFrame(values, index=[f"g{n}" for n in range(900)]), "wide")
    plain = PreprocessingSettings(log="no", scale_samples=False, centre_samples=False)
    scores = np.asarray(OmicsEmbedder(PcaSettings(dimensions=20), plain).embed(matrix, name="x").X)
    peer = PCA(20, svd_solver="full").fit(values)
    expected = peer.transform(values)
    expected /= expected.std(axis=0).max()
    signs = np.sign((scores * expected).sum(axis=0))
    np.testing.assert_allclose(scores * signs, expected, atol=2e-4)


def test_gene_order_does_not_matter():
    matrix = _matrix()
    frame = pd.DataFrame(matrix.dense(), index=matrix.genes, columns=matrix.samples)
    order = np.random.default_rng(1).permutation(len(frame))
    first = principal_components(prepare_matrix(matrix, RAW), PcaSettings(dimensions=3)).scores
    second = principal_components(
        prepare_matrix(OmicsMatrix.from_frame(frame.iloc[order]), RAW), PcaSettings(dimensions=3)
    ).scores
    np.testing.assert_allclose(first[order], second, atol=1e-4)


def test_preprocessing_says_what_it_did():
    matrix = _matrix(missing=0.1)
    prepared = prepare_matrix(matrix, PreprocessingSettings(centre_genes=True, scale_genes=True))
    block = np.vstack(list(prepared.blocks()))
    assert np.isfinite(block).all()
    np.testing.assert_allclose(block.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(block.std(axis=0), 1.0, atol=1e-4)
    text = " ".join(prepared.remarks)
    assert "log2(x + 1) not taken" in text
    assert "missing values" in text
    assert "genes centred and scaled" in text


def test_auto_takes_the_logarithm_of_expression_and_not_of_scores():
    expression = OmicsMatrix.from_frame(
        pd.DataFrame(np.abs(_matrix().dense()) * 100, index=_matrix().genes, columns=_matrix().samples)
    )
    assert prepare_matrix(expression).logarithm
    assert not prepare_matrix(_matrix()).logarithm


def test_planted_functions_are_recovered_and_noise_gives_none():
    genes = plant_genes(WorldSettings(genes=2000), seed=101)
    truth = genes.functions[:, :8]
    values = {}
    for assay in ("tissues", "noise"):
        embedding = OmicsEmbedder(PcaSettings(dimensions=10)).embed(plant_omics(genes, assay).to_df())
        rows = [list(genes.table["gene"]).index(gene) for gene in embedding.obs_names]
        values[assay] = canonical_correlations(np.asarray(embedding.X), truth[rows])
    assert values["tissues"].min() > 0.75
    assert values["noise"].max() < 0.25


def test_command_writes_a_valid_embedding_with_its_history(tmp_path, run):
    paths = write_world(tmp_path, WorldSettings(genes=600), 0)
    output = tmp_path / "embedding.h5ad"
    code, text, _ = run(
        "omics",
        "embed",
        paths["matrix:tissues"],
        "--variance",
        0.9,
        "--output",
        output,
        "--licence",
        "CC0-1.0",
    )
    assert code == 0
    assert "log2(x + 1) taken" in text
    embedding = read_gene_embedding(output)
    assert check_gene_embedding(embedding) == []
    header = embedding.uns["cistron"]
    assert header["identifier_namespace"] == "ensembl"
    assert header["licence"] == "CC0-1.0"
    parameters = json.loads(header["parameters"])
    assert sum(parameters["explained_variance"]) >= 0.9
    assert header["sources"]["file"].tolist() == [paths["matrix:tissues"].name]
    truth = read_gene_embedding(paths["truth"])
    assert (recovered_correlations(embedding, truth) > 0.7).sum() >= 6


def test_either_dimensions_or_variance(tmp_path, fails):
    paths = write_world(tmp_path, WorldSettings(genes=300), 0)
    message = fails(
        "omics",
        "embed",
        paths["matrix:tissues"],
        "--variance",
        0.9,
        "--dimensions",
        3,
        "-o",
        tmp_path / "e.h5ad",
    )
    assert "either dimensions or variance" in message


@pytest.mark.real_data
def test_real_matrix(test_data, tmp_path, run):
    matrix = test_data / "omics/hpa_fpkm/hpa_rnatable_fpkm_20344x76.parquet"
    code, text, _ = run("omics", "embed", matrix, "--dimensions", 32, "--output", tmp_path / "hpa.h5ad")
    assert code == 0
    assert "20,344 genes x 32 dimensions" in text
