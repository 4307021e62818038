"""Peak memory of PCA of a made-up 20,000 x 17,000 float32 matrix, read from a backed .h5ad and from zarr."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

GENES, SAMPLES = 20_000, 17_000


def _write_h5ad(path: Path) -> None:
    """Write block by block, so that the maker needs no memory either."""
    import anndata

    empty = anndata.AnnData(
        obs=pd.DataFrame(index=[f"ENSG{number:011d}" for number in range(GENES)]),
        var=pd.DataFrame(index=[f"sample{number}" for number in range(SAMPLES)]),
    )
    empty.write_h5ad(path)
    generator = np.random.default_rng(0)
    loadings = generator.normal(size=(40, SAMPLES)).astype(np.float32)
    with h5py.File(path, "a") as file:
        if "X" in file:
            del file["X"]
        values = file.create_dataset("X", (GENES, SAMPLES), dtype="float32", chunks=(100, SAMPLES))
        values.attrs["encoding-type"], values.attrs["encoding-version"] = "array", "0.2.0"
        for start in range(0, GENES, 1000):
            block = generator.normal(size=(1000, 40)).astype(np.float32) @ loadings
            values[start : start + 1000] = block + generator.normal(size=block.shape).astype(np.float32)


def _write_zarr(source: Path, path: Path) -> None:
    import anndata
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=2)
    data = anndata.read_h5ad(source, backed="r")
    anndata.io.write_elem(group, "obs", data.obs)
    anndata.io.write_elem(group, "var", data.var)
    values = group.create_array(
        "X", shape=data.shape, chunks=(200, SAMPLES), dtype="float32", compressors=None
    )
    for start in range(0, GENES, 1000):
        values[start : start + 1000] = data.X[start : start + 1000]


_CHILD = """
import sys
from cistron.cli import main
sys.exit(main(["omics", "embed", sys.argv[1], "--dimensions", "64", "--output", sys.argv[2], "--quiet"]))
"""


def main() -> None:
    """Print the table."""
    print("| source | peak memory (GB) | CPU seconds | wall seconds |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        h5ad, zarr = Path(folder) / "made_up.h5ad", Path(folder) / "made_up.zarr"
        _write_h5ad(h5ad)
        _write_zarr(h5ad, zarr)
        for source in (h5ad, zarr):
            started = time.perf_counter()
            command = [sys.executable, "-c", _CHILD, str(source), str(Path(folder) / "embedding.h5ad")]
            child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            if status:
                raise SystemExit(f"embedding {source.name} failed with status {status}")
            cpu = usage.ru_utime + usage.ru_stime
            print(
                f"| {source.suffix} | {usage.ru_maxrss / 1e6:.2f} | {cpu:.0f} | {time.perf_counter() - started:.0f} |",
                flush=True,
            )
