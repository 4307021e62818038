"""Pseudobulks of gut cells (SCP1884) by ridge from HPA tissues: known correlations, and the floor of permuted embeddings."""

import anndata
import numpy as np
import pandas as pd
import pytest

from cistron.evaluation.expression import ExpressionSettings, align, evaluate_expression
from cistron.formats.prediction import prediction, write_prediction

TEST_CHROMOSOMES = ("1", "8", "9", "21")


def _read(folder):
    """log1p CP10k pseudobulks [type, gene], log2 HPA [gene, tissue], Ensembl ids, chromosome of each."""
    cells = anndata.read_h5ad(folder / "cells/single_cell_human/bmfm_scp1884_1020x18708.h5ad")
    tissues = pd.read_parquet(folder / "omics/hpa_consensus/hpa_consensus_tissue_plus_celllines_nx.parquet")
    names = pd.read_csv(
        folder / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz", header=None, usecols=[0, 1]
    )
    sites = pd.read_csv(
        folder / "omics/hpa_consensus/transcriptAnno-GRCh38.103.tsv.gz", sep="\t", dtype=str, usecols=[0, 1]
    )
    chromosome = sites.drop_duplicates(sites.columns[0]).set_index(sites.columns[0]).iloc[:, 0]
    of_symbol = names.drop_duplicates(1).set_index(1)[0]
    genes = pd.Series(cells.var_names).map(of_symbol)
    counts = cells.X.toarray() if hasattr(cells.X, "toarray") else np.asarray(cells.X)
    autosomal = genes.map(chromosome).isin([str(number) for number in range(1, 23)])
    kept = (genes.isin(tissues.index) & autosomal & ~genes.duplicated()).to_numpy() & (
        (counts > 0).mean(axis=0) > 0.01
    )
    counts, genes = counts[:, kept], genes[kept]
    scaled = counts / counts.sum(axis=1, keepdims=True) * 1e4
    types = cells.obs["Celltype"].astype(str).to_numpy()
    labels = np.unique(types)
    pseudobulks = np.stack([np.log1p(scaled[types == label].mean(axis=0)) for label in labels])
    functional = np.log2(tissues.loc[genes].fillna(0).to_numpy() + 1)
    return pseudobulks, functional, genes.to_numpy(), chromosome.loc[genes].to_numpy(), labels


def _ridge(features, targets, train):
    scaled = (features - features[train].mean(axis=0)) / features[train].std(axis=0)
    level = targets[:, train].T.mean(axis=0)
    gram = scaled[train].T @ scaled[train] + 100 * np.eye(scaled.shape[1])
    return (scaled @ np.linalg.solve(gram, scaled[train].T @ (targets[:, train].T - level)) + level).T


def test_known_figures_and_the_floor_of_permuted_embeddings(test_data, tmp_path):
    pseudobulks, functional, genes, chromosome, labels = _read(test_data)
    assert len(labels) == 68
    held_out = np.isin(chromosome, TEST_CHROMOSOMES)
    of_types = pd.DataFrame({"split": "train"}, index=labels)
    of_genes = pd.DataFrame({"split": np.where(held_out, "test", "train")}, index=genes)
    order = np.random.default_rng(0).permutation(len(genes))
    for name, features, control in (
        ("hpa", functional, ""),
        ("permuted", functional[order], "permuted embedding"),
    ):
        made = prediction(
            _ridge(features, pseudobulks, ~held_out), pseudobulks, of_types, of_genes, name=name, method="ridge",
            unit="cell type", scale="log1p_cp10k", dataset="SCP1884", evidence="expression", embedding="hpa", control=control,
        )  # fmt: skip
        write_prediction(tmp_path / f"{name}.h5ad", made)
    aligned = align([tmp_path / "hpa.h5ad", tmp_path / "permuted.h5ad"])
    scores = evaluate_expression(aligned, ExpressionSettings(draws=20, permutations=1)).scores
    unseen = scores[scores["stratum"] == "unseen genes, seen cell types"].set_index(["embedding", "metric"])[
        "value"
    ]
    # A quick ridge elsewhere, on slightly other genes, gave .575, .300 and .367; permuted -.02, .11 and .03.
    assert unseen["hpa", "pearson_across_genes"] == pytest.approx(0.58, abs=0.03)
    assert unseen["hpa", "pearson_across_cells"] == pytest.approx(0.32, abs=0.03)
    assert unseen["hpa", "pooled_doubly_centred"] == pytest.approx(0.37, abs=0.02)
    assert abs(unseen["permuted", "pearson_across_genes"]) < 0.05
    assert unseen["permuted", "pearson_across_cells"] == pytest.approx(0.11, abs=0.03)
    assert abs(unseen["permuted", "pooled_doubly_centred"]) < 0.03
