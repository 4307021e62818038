"""500,000 cells x 19,000 genes (made up, sparse, backed .h5ad): reading beside AnnData's own loader, in one run.

The file (about 2.5 GB) is made once in the system's temporary folder; ``cells_scale_training`` trains on it.
"""

import tempfile
import time
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import sparse

from cistron.cells import read_cells
from cistron.cells.settings import TransformerSettings
from cistron.cells.transformer_fit import HiddenGeneBatches
from cistron.runtime import set_progress

CELLS, GENES, EXPRESSED, TYPES = 500_000, 19_000, 600, 40
POOL = 20_000  # different cells; the file repeats them in random order
PATH = Path(tempfile.gettempdir()) / "cistron_cells_500k.h5ad"


def make(path: Path) -> None:
    """Write the file block by block: genes are drawn by the profile of a type, counts are small, cells are repeated."""
    random = np.random.default_rng(0)
    base = np.exp(random.normal(0, 1.5, GENES))
    profiles = base * np.exp(random.normal(0, 0.7, (TYPES, GENES)))
    cumulative = np.cumsum(profiles / profiles.sum(axis=1, keepdims=True), axis=1)
    pool_type = random.integers(0, TYPES, POOL)
    drawn = [np.unique(np.searchsorted(cumulative[kind], random.random(EXPRESSED))) for kind in pool_type]
    columns = [np.minimum(one, GENES - 1).astype(np.int32) for one in drawn]
    starts = np.r_[0, np.cumsum([len(one) for one in columns])]
    flat = np.concatenate(columns)
    values = (1 + random.poisson(0.7, len(flat))).astype(np.float32)
    pool = sparse.csr_matrix((values, flat, starts), shape=(POOL, GENES))
    chosen = random.integers(0, POOL, CELLS)
    cell_type = pool_type[chosen]
    names = pd.Index([f"c{number}" for number in range(CELLS)])
    observations = pd.DataFrame({"cell_type": pd.Categorical([f"type {n}" for n in cell_type])}, index=names)
    variables = pd.DataFrame(
        {"chromosome": (np.arange(GENES) % 22 + 1).astype(str)},
        index=[f"ENSG{number:011d}" for number in range(GENES)],
    )
    partial = path.with_suffix(".partial.h5ad")
    anndata.AnnData(obs=observations, var=variables).write_h5ad(partial)
    with h5py.File(partial, "r+") as file:
        if "X" in file:
            del file["X"]
        group = file.create_group("X")
        group.attrs.update(
            {"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": np.array([CELLS, GENES])}
        )
        data = group.create_dataset("data", shape=(0,), maxshape=(None,), dtype=np.float32, chunks=(1 << 17,))
        indices = group.create_dataset(
            "indices", shape=(0,), maxshape=(None,), dtype=np.int32, chunks=(1 << 17,)
        )
        lengths = np.diff(pool.indptr)[chosen]
        for start in range(0, CELLS, 5000):
            block = pool[chosen[start : start + 5000]]
            size = len(data)
            for dataset, part in ((indices, block.indices), (data, block.data)):
                dataset.resize(size + len(part), axis=0)
                dataset[size:] = part
        group.create_dataset("indptr", data=np.r_[0, np.cumsum(lengths)].astype(np.int64))
    partial.replace(path)


def loaders() -> None:
    """Batches of 256 shuffled cells, sparse: this loader, AnnData's backed rows at random, and in order."""
    cells = read_cells(PATH)
    settings = TransformerSettings(batch_cells=256)
    batches = HiddenGeneBatches(cells, np.arange(CELLS), np.full(GENES, 1 / GENES), settings, 0)
    taken, started = 0, time.perf_counter()
    for block in batches._shuffled(np.random.default_rng(0)):
        taken += block.shape[0]
        if taken >= 40_000:
            break
    ours = taken / (time.perf_counter() - started)
    backed = anndata.read_h5ad(PATH, backed="r")
    random = np.random.default_rng(0)
    taken, started = 0, time.perf_counter()
    while time.perf_counter() - started < 20:
        rows = np.sort(random.choice(CELLS, 256, replace=False))
        taken += backed[rows].X.shape[0]
    theirs = taken / (time.perf_counter() - started)
    taken, started = 0, time.perf_counter()
    for start in range(0, 40_000, 256):
        taken += backed[start : start + 256].X.shape[0]
    in_order = taken / (time.perf_counter() - started)
    taken, started = 0, time.perf_counter()
    for numbers, _ in cells.blocks():
        taken += len(numbers)
        if taken >= 40_000:
            break
    streamed = taken / (time.perf_counter() - started)
    print("cells a second, batches of 256:")
    print(
        f"  shuffled: ours (chunks of 64, buffer of 2,048 cells) {ours:,.0f}; AnnData backed, random rows {theirs:,.0f}; ratio {ours / theirs:.1f}"
    )
    print(
        f"  in order: ours {streamed:,.0f}; AnnData backed, slices {in_order:,.0f}; ratio {streamed / in_order:.1f}",
        flush=True,
    )


def made() -> Path:
    """The file; it is made if it is absent."""
    if not PATH.exists():
        started = time.perf_counter()
        make(PATH)
        print(f"made {PATH.name} in {time.perf_counter() - started:.0f} s", flush=True)
    print(f"{CELLS:,} cells x {GENES:,} genes, {PATH.stat().st_size / 2**30:.1f} GB on disk", flush=True)
    return PATH


def main() -> None:
    """Make the file and compare loaders."""
    set_progress(False)
    made()
    loaders()
