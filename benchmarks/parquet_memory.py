"""Peak memory of reading and preparing one matrix of genes x samples from .h5ad and from .parquet.

Set ``CISTRON_SAMPLES`` for another number of samples (17,000 genes; the published compendia have 56,000).
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

_READ = """
import resource, sys
from cistron.omics import read_matrix
from cistron.omics.preprocessing import prepare_matrix
imports = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
prepared = prepare_matrix(read_matrix(sys.argv[1]))
total = sum(float(block.sum()) for block in prepared.blocks())
print(imports, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> None:
    """Print one row a form."""
    genes, samples = 17_000, int(os.environ.get("CISTRON_SAMPLES", "5600"))
    values = np.random.default_rng(0).gamma(0.5, 40, (genes, samples)).astype(np.float32)
    frame = pd.DataFrame(values, [f"ENSG{n:011d}" for n in range(genes)], [f"s{n}" for n in range(samples)])
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "m.h5ad", Path(folder) / "m.parquet"]
        anndata.AnnData(frame).write_h5ad(paths[0])
        frame.to_parquet(paths[1])
        del values, frame
        print(f"{genes:,} genes x {samples:,} samples, {paths[0].stat().st_size / 1e6:,.0f} MB as float32")
        print("form      peak MB   above imports   seconds")
        for path in paths:
            start = time.perf_counter()
            run = subprocess.run(
                [sys.executable, "-c", _READ, path], capture_output=True, text=True, check=True
            )
            imports, peak = (int(number) / 1024 for number in run.stdout.split())
            print(f"{path.suffix:9}{peak:8.0f}{peak - imports:16.0f}{time.perf_counter() - start:10.1f}")


if __name__ == "__main__":
    main()
