"""PBMC3k with the 50 real Enformer vectors of seq2cells' tests: small as it is, seen and unseen genes by Enformer's regions.

Values are log-normalised (the file holds no counts). Fifty genes say little: the intervals say so. Beside the one split by the
regions that Enformer was trained, validated and tested on, ten random splits of the genes.
"""

import tempfile
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd

from benchmarks.cells_data import DATA
from benchmarks.cells_scp1884 import FEATURES_ALONE, predictions, show
from benchmarks.cells_worlds import correlations
from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
from cistron.evaluation.expression.evaluate import ExpressionSettings
from cistron.evaluation.expression.run import run_expression
from cistron.formats.gene_embedding import build_gene_embedding
from cistron.genome.regions import read_regions
from cistron.runtime import set_progress

FOLDER = DATA / "cells/seq2cells_enformer_toy"


def enformer() -> tuple[anndata.AnnData, pd.DataFrame]:
    """The 50 vectors of 3,072 numbers, and where their start sites lie."""
    places = pd.read_csv(FOLDER / "toy_tss.bed", sep="\t", header=None)
    with h5py.File(FOLDER / "toy_seq_embeddings.h5") as file:
        values = file["emb/block0_values"][:]
    genes = places[8].astype(str).tolist()
    embedding = build_gene_embedding(
        values,
        genes,
        name="Enformer",
        method="enformer",
        evidence="dna",
        genome_build="GRCh38",
        licence="Apache-2.0",
    )
    table = pd.DataFrame({"chromosome": places[0].to_numpy(), "position": places[1].to_numpy()}, index=genes)
    return embedding, table


def main() -> None:
    """Print the quadrants by Enformer's regions, and unseen genes over random splits."""
    set_progress(False)
    embedding, table = enformer()
    cells = read_cells(FOLDER / "pbmc_toy_example_orig.h5ad", scale="log-normalised", name="PBMC3k")
    cells = cells.only([gene for gene in cells.genes if gene in table.index])
    regions = read_regions(FOLDER / "enformer_train_test_regions.bed.gz")
    split = split_both(cells, SplitSettings(genes="regions"), genes=table, regions=regions)
    print(
        f"genes by Enformer's regions: {len(split.genes.train)} train, {len(split.genes.validation)} validation, {len(split.genes.test)} test"
    )
    rows = [
        ("bilinear Enformer", "bilinear", None, [embedding], False),
        ("bilinear one-hot", "bilinear", None, ["one-hot"], False),
        ("bilinear Enformer, permuted", "bilinear", None, [embedding], True),
        ("bilinear Enformer, features alone", "bilinear", FEATURES_ALONE, [embedding], False),
        ("ridge Enformer", "ridge", None, [embedding], False),
        ("nearest type", "nearest-type", None, ["one-hot"], False),
    ]
    with tempfile.TemporaryDirectory() as name:
        paths = predictions(cells, split, rows, Path(name), cell_type="cell_type")
        settings = ExpressionSettings(draws=200, permutations=2, halvings=2)
        scores = run_expression(paths, Path(name) / "scores", settings)
        for target in ("cells", "pseudobulks"):
            show(scores, [row[0] for row in rows], target)
    print(
        "\nunseen genes (12 of 50) in unseen cells, ten random splits: across genes | across cells | doubly centred"
    )
    for label, method, permuted in (
        ("bilinear", "bilinear", False),
        ("ridge", "ridge", False),
        ("bilinear, permuted", "bilinear", True),
    ):
        found = []
        for seed in range(10):
            random = SplitSettings(genes="random", test_genes=0.24, validation_genes=0.0)
            split = split_both(cells, random, genes=table, seed=seed)
            features = read_features([embedding], cells.genes, split.genes, permute=permuted, seed=seed)
            model = CellExpression(method=method, seed=seed).fit(
                cells, features, split, cell_type="cell_type"
            )
            held_out = cells.keep_cells(np.flatnonzero(cells.observations.index.isin(split.cells.test)))
            blocks = list(model.predict(held_out))
            part = np.array(split.genes.part_of(model.genes)) == "test"
            found.append(
                correlations(*(np.vstack([block[index] for block in blocks])[:, part] for index in (1, 2)))
            )
        mean, error = np.mean(found, axis=0), np.std(found, axis=0) / 10**0.5
        print(f"  {label:24} " + " | ".join(f"{m:.3f} (standard error {e:.3f})" for m, e in zip(mean, error)))
