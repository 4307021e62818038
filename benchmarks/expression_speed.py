"""Time and memory of ``cistron evaluate expression``: 5 predictions of 1,000 cells x 10,000 genes, whole command."""

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.evaluation.expression import run_expression
from cistron.formats.prediction import prediction, write_prediction

CELLS, GENES, FILES, SEED = 1000, 10_000, 5, 0


def main() -> None:
    """Print seconds, peak memory and number of scores."""
    generator = np.random.default_rng(SEED)
    observed = np.log1p(generator.poisson(0.5, size=(CELLS, GENES))).astype(np.float32)
    cells = pd.DataFrame(
        {
            "split": np.where(np.arange(CELLS) % 3 == 0, "test", "train"),
            "cell_type": [f"type {number % 20}" for number in range(CELLS)],
        },
        index=[f"cell {number}" for number in range(CELLS)],
    )
    genes = pd.DataFrame(
        {"split": np.where(np.arange(GENES) % 4 == 0, "test", "train")},
        index=[f"gene {number}" for number in range(GENES)],
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number in range(FILES):
            noise = generator.normal(size=observed.shape).astype(np.float32)
            made = prediction(
                0.2 * observed + noise, observed, cells, genes, name=f"prediction {number}", method="made up",
                unit="cell", scale="log1p_counts", dataset="made up",
            )  # fmt: skip
            paths.append(Path(folder) / f"{number}.h5ad")
            write_prediction(paths[-1], made)
        start, used = time.perf_counter(), time.process_time()
        scores = run_expression(paths, Path(folder) / "out", seed=SEED)
        seconds, used = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{FILES} files of {CELLS:,} cells x {GENES:,} genes, cells and pseudobulks, 500 draws, 5 permutations"
    )
    print(f"{used:.1f} CPU seconds ({seconds:.0f} s on the clock), peak {peak:.1f} GB, {len(scores):,} rows")
