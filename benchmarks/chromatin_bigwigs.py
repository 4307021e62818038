"""Binning bigWigs beside pyBigWig, one process each, in one run: 2,000 windows of 200 bins from files of 25 million base pairs.

``CISTRON_PEER_PYBIGWIG`` is the Python of an environment with benchmarks/peers/pybigwig.txt; without it the peer is left out.
The signal has a record every 25 bp on average, as MACS2's -log10 p has near peaks; a real genome-wide file has some ten million.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pybigtools

from cistron.genome.tracks import bin_many, bin_signal

WINDOWS, FILES, LENGTH = 2_000, 2, 25_000_000


def written(path: Path, seed: int) -> None:
    """Write a bigWig of one-chromosome step signal, a record every 25 bp on average."""
    random = np.random.default_rng(seed)
    widths = random.integers(5, 46, LENGTH // 25)
    ends = np.cumsum(widths)
    ends = ends[ends <= LENGTH]
    starts = np.concatenate([[0], ends[:-1]])
    values = random.gamma(0.5, 2.0, len(ends)).astype(np.float32)
    records = zip(["chr1"] * len(ends), starts.tolist(), ends.tolist(), values.tolist())
    pybigtools.open(str(path), "w").write({"chr1": LENGTH}, records)


def main() -> None:
    """Print seconds a file and windows a second, ours and the peer's, and that both agree."""
    folder = Path(tempfile.mkdtemp())
    paths = [folder / f"{number}.bw" for number in range(FILES)]
    for number, path in enumerate(paths):
        written(path, number)
    start = np.random.default_rng(9).integers(0, LENGTH - 20_000, WINDOWS)
    windows = pd.DataFrame({"chromosome": "chr1", "start": start, "end": start + 20_000, "strand": "+"})
    windows.to_csv(folder / "windows.tsv", sep="\t", index=False)
    bin_signal(paths[0], windows[:100])  # both start with the files in the system's cache
    begun = time.perf_counter()
    ours = np.stack([bin_signal(path, windows) for path in paths])
    seconds = (time.perf_counter() - begun) / FILES
    size = sum(path.stat().st_size for path in paths) / FILES / 1e6
    print(f"{WINDOWS:,} windows x 200 bins, {FILES} files of {size:.0f} MB, exact means, seconds a file")
    print(f"cistron (pybigtools)        {seconds:6.2f}   {WINDOWS / seconds:8,.0f} windows/s")
    python = os.environ.get("CISTRON_PEER_PYBIGWIG")
    if python:
        script = Path(__file__).parent / "peers" / "run_pybigwig.py"
        done = subprocess.run(
            [python, str(script), f"{folder}/windows.tsv", f"{folder}/peer.npy", *map(str, paths)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peer = float(done.stdout.strip()) / FILES
        theirs = np.load(folder / "peer.npy")
        print(
            f"pyBigWig                    {peer:6.2f}   {WINDOWS / peer:8,.0f} windows/s   ratio {peer / seconds:.2f}"
        )
        print(f"largest difference of log1p values: {np.abs(ours - theirs).max():.1e}")
    begun = time.perf_counter()
    bin_many({str(number): path for number, path in enumerate(paths)}, windows, folder / "shards", workers=2)
    both = time.perf_counter() - begun
    print(f"both files in 2 processes, start-up included: {both:.2f} s")
