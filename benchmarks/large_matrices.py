"""Memory and time at full size: GTEx-like 19,000 x 17,382 in VDTF, Tabula-Sapiens-like 483,152 x 58,870 cells in pseudobulk.

Both are made up (gamma-distributed expression with gene-wise means; sparse counts with 500 genes a cell) and
written to a temporary folder (``TMPDIR``, about 4 GB). Each part runs in a process of its own, so that the
peak memory is its own.
"""

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd

GENES, SAMPLES = 19_000, 17_382
CELLS, ALL_GENES, CLASSES, PER_CELL = 483_152, 58_870, 177, 500


def write_expression(path: Path) -> None:
    """TPM-like genes x samples, block by block."""
    from cistron.omics.saving import write_matrix

    generator = np.random.default_rng(0)
    factors = generator.normal(size=(20, SAMPLES)).astype(np.float32)

    def blocks():
        for start in range(0, GENES, 500):
            rows = min(500, GENES - start)
            level = generator.normal(3, 2, size=(rows, 1))
            signal = generator.normal(0, 0.3, size=(rows, 20)).astype(np.float32) @ factors
            noise = generator.standard_normal((rows, SAMPLES), dtype=np.float32)
            yield np.exp2(np.maximum(level + signal + 0.7 * noise, 0)) - 1

    genes = [f"ENSG{number:011d}" for number in range(GENES)]
    write_matrix(path, genes, [f"s{number}" for number in range(SAMPLES)], blocks(), steps=["made up"])


def write_cells(path: Path) -> None:
    """Sparse counts of cells x genes; one block of cells is made and repeated."""
    generator = np.random.default_rng(0)
    block = 2048
    obs = pd.DataFrame(
        {
            "cell_ontology_class": pd.Categorical(
                [f"class {n}" for n in generator.integers(0, CLASSES, CELLS)]
            )
        },
        index=[str(number) for number in range(CELLS)],
    )
    names = pd.DataFrame(index=[f"ENSG{number:011d}" for number in range(ALL_GENES)])
    anndata.AnnData(obs=obs, var=names).write_h5ad(path)
    indices = np.sort(generator.integers(0, ALL_GENES, size=(block, PER_CELL)), axis=1).astype(np.int32)
    data = (1 + generator.poisson(1, size=indices.shape)).astype(np.float32)
    with h5py.File(path, "r+") as file:
        if "X" in file:
            del file["X"]
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = np.array([CELLS, ALL_GENES])
        group["indptr"] = np.arange(CELLS + 1, dtype=np.int64) * PER_CELL
        total = CELLS * PER_CELL
        stored = [
            group.create_dataset(n, (total,), d.dtype, chunks=(1 << 20,))
            for n, d in (("indices", indices), ("data", data))
        ]
        for start in range(0, CELLS, block):
            rows = min(block, CELLS - start)
            window = slice(start * PER_CELL, (start + rows) * PER_CELL)
            stored[0][window], stored[1][window] = indices[:rows].ravel(), data[:rows].ravel()


def run_vdtf(path: Path) -> None:
    """Two short epochs of VDTF on the file: its memory does not depend on their number."""
    import torch

    from cistron.omics import OmicsEmbedder, VdtfSettings, read_matrix
    from cistron.training import FitSettings

    torch.set_num_threads(1)
    settings = replace(
        VdtfSettings(), epoch_entries=2_000_000, tile_samples=128, tile_entries=16_384,
        fit=FitSettings(epochs=2, learning_rate=1.5e-3, patience=None),
    )  # fmt: skip
    embedder = OmicsEmbedder(settings)
    print(embedder.embed(read_matrix(path)).shape, embedder.remarks[-1])


def run_pseudobulk(path: Path) -> None:
    """Pseudobulk of the file."""
    from cistron.omics.pseudobulk import pseudobulk

    print(pseudobulk(path, "cell_ontology_class").values.shape)


def main() -> None:
    """Write, run each part in its own process, print peak memory and CPU seconds."""
    if len(sys.argv) == 4 and sys.argv[1] == "part":  # a process of its own, started below
        {"vdtf": run_vdtf, "pseudobulk": run_pseudobulk}[sys.argv[2]](Path(sys.argv[3]))
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(f"peak {usage.ru_maxrss / 1024**2:.2f} GiB, {usage.ru_utime + usage.ru_stime:.0f} CPU s")
        return
    with tempfile.TemporaryDirectory() as folder:
        for part, write in (("pseudobulk", write_cells), ("vdtf", write_expression)):
            path = Path(folder) / f"{part}.h5ad"
            started = time.process_time()
            write(path)
            size = path.stat().st_size / 1024**3
            print(f"{part}: {size:.1f} GiB written, {time.process_time() - started:.0f} CPU s", flush=True)
            command = [
                sys.executable,
                "-W",
                "ignore",
                "-c",
                "import benchmarks.large_matrices as b; b.main()",
            ]
            done = subprocess.run(
                [*command, "part", part, str(path)], capture_output=True, text=True, check=False
            )
            print("  " + (done.stdout.strip().replace("\n", "; ") or done.stderr[-500:]), flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
