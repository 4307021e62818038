"""500,000 cells x 19,000 genes (made up, sparse, backed .h5ad): time and peak memory of training and of predicting 10,000 cells."""

import resource
import time

import numpy as np

from benchmarks.cells_scale import GENES, made
from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
from cistron.cells.settings import BilinearSettings
from cistron.formats.gene_embedding import build_gene_embedding
from cistron.runtime import set_progress


def peak() -> float:
    """Largest resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Train the bilinear model and predict."""
    set_progress(False)
    path = made()
    started = time.perf_counter()
    cells = read_cells(path)
    values = np.random.default_rng(1).standard_normal((GENES, 64))
    embedding = build_gene_embedding(
        values, list(cells.genes), name="made up", method="made up", evidence="dna"
    )
    split = split_both(cells, SplitSettings(), genes=cells.variables)
    features = read_features([embedding], cells.genes, split.genes)
    model = CellExpression(BilinearSettings(factors=32, passes=3))
    model.fit(cells, features, split, cell_type="cell_type")
    print(
        f"bilinear, 32 factors, 3 passes: {len(split.cells.train):,} cells x {len(model.training):,} genes in "
        f"{time.perf_counter() - started:.0f} s, peak memory {peak():.1f} GB",
        flush=True,
    )
    started, count = time.perf_counter(), 0
    for _, predicted, _ in model.predict(cells.keep_cells(np.arange(10_000))):
        count += predicted.size
    print(
        f"10,000 cells, all genes: {count:,} values in {time.perf_counter() - started:.0f} s, peak memory {peak():.1f} GB"
    )
