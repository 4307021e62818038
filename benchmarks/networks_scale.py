"""5,000 and 2,000 genes x 100,000 cells (made up, sparse): time and peak memory of reading the file and inferring networks.

Progress with the time left is shown on standard error. 1,000 genes are perturbed in 50 cells each; 20 of them move 100
genes each by a planted factor, so that the run can be seen to do its work. ``CISTRON_SCALE_GENES`` names another number of genes.
"""

import os
import resource
import tempfile
import time
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from cistron.formats.perturbed_cells import read_perturbed_cells
from cistron.networks.methods import METHODS
from cistron.networks.settings import DefaultSettings

GENES = int(os.environ.get("CISTRON_SCALE_GENES", "5000"))
CONTROL, PERTURBED, EACH, HUBS, MOVED = 50_000, 1000, 50, 20, 100
NAMES = ("mean-shift", "wasserstein", "default")


def make(path: Path) -> set[tuple[int, int]]:
    """Write the cells and give the planted effects."""
    random = np.random.default_rng(0)
    mean = np.exp(random.normal(-2.6, 1.2, GENES))
    labels = np.concatenate([np.full(CONTROL, -1), np.repeat(np.arange(PERTURBED), EACH)])
    factor = {
        hub: (random.choice(GENES, MOVED, replace=False), np.exp(random.normal(0, 1.2, MOVED)))
        for hub in range(HUBS)
    }
    blocks = []
    for start in range(0, len(labels), 5000):
        part = labels[start : start + 5000]
        library = np.exp(random.normal(0, 0.3, (len(part), 1)))
        expected = library * mean
        hit = np.flatnonzero(part >= 0)
        expected[hit, part[hit]] *= 0.2
        for row in hit[part[hit] < HUBS]:
            targets, change = factor[int(part[row])]
            expected[row, targets] *= change
        blocks.append(sparse.csr_matrix(random.poisson(expected).astype(np.float32)))
    names = np.array([*(f"G{number:04d}" for number in range(GENES)), "non-targeting"])
    observations = pd.DataFrame(
        {"perturbation": pd.Categorical(names[labels])}, index=[f"c{i}" for i in range(len(labels))]
    )
    data = anndata.AnnData(
        sparse.vstack(blocks, format="csr"), obs=observations, var=pd.DataFrame(index=names[:-1])
    )
    data.write_h5ad(path)
    return {(hub, int(target)) for hub, (targets, _) in factor.items() for target in targets if target != hub}


def main() -> None:
    """Print seconds and peak memory after each step."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.h5ad"
        planted = make(path)
        print(f"{path.stat().st_size / 2**20:,.0f} MB on disk; peak memory while making it {peak():.1f} GB")
        started = time.perf_counter()
        cells = read_perturbed_cells(path)
        print(
            f"read {cells.values.shape[0]:,} x {cells.values.shape[1]:,}, {cells.values.nnz / 1e6:.0f} million counts: {time.perf_counter() - started:.0f} s, peak {peak():.1f} GB",
            flush=True,
        )
        for name in NAMES:
            settings = (
                DefaultSettings(resamples=0, candidates=60) if name == "default" else METHODS[name].settings()
            )
            started, cpu = time.perf_counter(), time.process_time()
            network = METHODS[name](cells, settings, 0)
            top = list(zip(*(axis.tolist() for axis in network.strongest(1000))))
            found = sum(pair in planted for pair in top)
            print(
                f"{name:12} {time.perf_counter() - started:5.0f} s wall, {time.process_time() - cpu:5.0f} s CPU, peak {peak():.1f} GB; {found:,} of the 1,000 strongest edges are planted ({len(planted):,} in all)",
                flush=True,
            )


def peak() -> float:
    """Largest resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
