"""500,000 cells x 19,000 genes (made up, sparse, backed .h5ad): training under 6 GB, and reading beside AnnData's own loader.

``python -m benchmarks cells_scale``; the file (about 2.5 GB) is made once in the system's temporary folder.
"""

import resource
import tempfile
import time
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd

from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
from cistron.cells.bilinear import BilinearSettings
from cistron.cells.transformer_fit import CellBatches
from cistron.cells.transformer_settings import TransformerSettings
from cistron.formats.gene_embedding import build_gene_embedding
from cistron.runtime import set_progress

CELLS, GENES, EXPRESSED, TYPES = 500_000, 19_000, 600, 40
PATH = Path(tempfile.gettempdir()) / "cistron_cells_500k.h5ad"


def make(path: Path) -> None:
    """Write the file block by block: genes of a type are drawn by its profile, counts are small."""
    random = np.random.default_rng(0)
    base = np.exp(random.normal(0, 1.5, GENES))
    profiles = base * np.exp(random.normal(0, 0.7, (TYPES, GENES)))
    cumulative = np.cumsum(profiles / profiles.sum(axis=1, keepdims=True), axis=1)
    cell_type = random.integers(0, TYPES, CELLS)
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
        starts = [0]
        for start in range(0, CELLS, 5000):
            types = cell_type[start : start + 5000]
            columns = []
            for kind in types:
                drawn = np.searchsorted(cumulative[kind], random.random(EXPRESSED))
                columns.append(np.unique(np.minimum(drawn, GENES - 1)))
            lengths = [len(one) for one in columns]
            flat = np.concatenate(columns).astype(np.int32)
            size = len(data)
            for dataset, values in (
                (indices, flat),
                (data, (1 + random.poisson(0.7, len(flat))).astype(np.float32)),
            ):
                dataset.resize(size + len(flat), axis=0)
                dataset[size:] = values
            starts.extend((starts[-1] + np.cumsum(lengths)).tolist())
        group.create_dataset("indptr", data=np.array(starts, dtype=np.int64))
    partial.replace(path)


def peak() -> float:
    """Largest resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def loaders() -> None:
    """Batches of 256 shuffled cells, sparse: this loader, AnnData's backed rows at random, and in order."""
    cells = read_cells(PATH)
    settings = TransformerSettings(batch_cells=256)
    batches = CellBatches(cells, np.arange(CELLS), np.full(GENES, 1 / GENES), settings, 0)
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


def main() -> None:
    """Make the file if it is absent, compare loaders, train, predict 10,000 cells."""
    set_progress(False)
    if not PATH.exists():
        started = time.perf_counter()
        make(PATH)
        print(f"made {PATH.name} in {time.perf_counter() - started:.0f} s")
    print(f"{CELLS:,} cells x {GENES:,} genes, {PATH.stat().st_size / 2**30:.1f} GB on disk")
    loaders()
    started = time.perf_counter()
    cells = read_cells(PATH)
    embedding = build_gene_embedding(
        np.random.default_rng(1).standard_normal((GENES, 64)),
        list(cells.genes),
        name="made up",
        method="made up",
        evidence="dna",
    )
    split = split_both(cells, SplitSettings(), genes=cells.variables)
    features = read_features([embedding], cells.genes, split.genes)
    model = CellExpression(BilinearSettings(factors=32, passes=3)).fit(
        cells, features, split, cell_type="cell_type"
    )
    print(
        f"bilinear trained on {len(split.cells.train):,} cells x {len(model.training):,} genes in "
        f"{time.perf_counter() - started:.0f} s, peak memory {peak():.1f} GB",
        flush=True,
    )
    started = time.perf_counter()
    values = 0
    for _, predicted, _ in model.predict(cells.keep_cells(np.arange(10_000))):
        values += predicted.size
    print(
        f"bilinear: {values:,} values (10,000 cells, all genes) predicted in {time.perf_counter() - started:.0f} s, peak memory {peak():.1f} GB"
    )
