"""``cistron cells compare`` on 500,000 cells x 19,000 genes (made up, sparse, backed .h5ad): CPU seconds and peak memory."""

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.cells_scale import GENES, made
from benchmarks.cells_scale_training import peak
from cistron.cells.controls import write_compared
from cistron.cells.settings import BilinearSettings, CompareRequest
from cistron.evaluation.expression import ExpressionSettings, run_expression
from cistron.formats.gene_embedding import build_gene_embedding, write_gene_embedding
from cistron.runtime import set_progress


def main() -> None:
    """Print what the fits and predictions, and what the scores take."""
    set_progress(False)
    path = made()
    values = np.random.default_rng(1).standard_normal((GENES, 64))
    embedding = build_gene_embedding(
        values,
        [f"ENSG{number:011d}" for number in range(GENES)],
        name="made up",
        method="made up",
        evidence="dna",
    )
    with tempfile.TemporaryDirectory() as folder:
        write_gene_embedding(embedding, Path(folder) / "e.h5ad")
        request = CompareRequest(
            path,
            (str(Path(folder) / "e.h5ad"),),
            settings=BilinearSettings(factors=32, passes=3),
            cell_type="cell_type",
        )
        started = time.process_time()
        paths = write_compared(request, Path(folder) / "predictions")
        print(
            f"{len(paths)} rows fitted to 350,000 cells, 2,000 cells x 6,000 genes of each predicted: "
            f"{time.process_time() - started:.0f} CPU seconds, peak memory {peak():.1f} GB",
            flush=True,
        )
        started = time.process_time()
        run_expression(
            paths, Path(folder) / "scores", ExpressionSettings(draws=200, permutations=2, halvings=0)
        )
        print(f"scored: {time.process_time() - started:.0f} CPU seconds, peak memory {peak():.1f} GB")
