"""``chromatin build`` at full size: 12 cell types x 6 marks x 10,000 genes from bigWigs of a whole genome, and after ``kill -9`` at every stage.

``python -m benchmarks chromatin_full_size``. Two bigWigs of 4.5 million records each (one every 50 bp in the windows of the genes, one
every 5 kb elsewhere, chromosomes as long as those of GRCh38) are copied to 72 tracks, because writing 72 of them would take longer than reading them. With 500 genes
the command is killed while it checks the files, while it bins them and while it writes, and the store of the last run is compared with that of a run
that nobody disturbed, byte by byte. At full size it is killed once, while it writes.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pybigtools

from cistron.chromatin.build_windows import start_site_windows
from cistron.chromatin.settings import BuildSettings
from cistron.formats.gene_tracks import open_gene_tracks
from cistron.genome.tracks import bin_signal

MEGABASES = (
    248,
    242,
    198,
    190,
    181,
    170,
    159,
    145,
    138,
    133,
    135,
    133,
    114,
    107,
    101,
    90,
    83,
    80,
    58,
    64,
    46,
    50,
)
CELL_TYPES, MARKS, GENES, FEW = 12, 6, 10_000, 500
KEPT = Path(
    os.environ.get("CISTRON_FULL_SIZE", Path(tempfile.gettempdir()) / "cistron_benchmarks" / "full_size")
)


def start_sites() -> pd.DataFrame:
    """Genes evenly over the chromosomes, on both strands."""
    random = np.random.default_rng(3)
    sizes = np.array(MEGABASES) * 1_000_000
    each = np.maximum(1, GENES * sizes // sizes.sum())
    each[0] += GENES - each.sum()
    rows = []
    for number, (size, count) in enumerate(zip(sizes, each), 1):
        gap = size // (count + 1)
        places = gap * np.arange(1, count + 1) + random.integers(-gap // 8, gap // 8, count)
        rows += [(f"chr{number}", int(place)) for place in places]
    table = pd.DataFrame(rows, columns=["chromosome", "position"])
    table.insert(0, "gene", [f"gene{number}" for number in range(len(table))])
    return table.assign(strand=np.where(random.random(len(table)) < 0.5, "+", "-"))


def records(genes: pd.DataFrame, seed: int) -> Iterator[tuple[str, int, int, float]]:
    """Signal of a bigWig, from left to right."""
    random = np.random.default_rng(seed)
    for number, megabases in sorted(enumerate(MEGABASES, 1), key=lambda item: f"chr{item[0]}"):
        name = f"chr{number}"
        starts = [np.arange(0, megabases * 1_000_000 - 50, 5000)]
        places = genes.loc[genes["chromosome"] == name, "position"]
        starts += [np.arange(place - 10_000, place + 10_000, 50) // 50 * 50 for place in places]
        merged = np.unique(np.concatenate(starts))
        merged = merged[(merged >= 0) & (merged < megabases * 1_000_000 - 50)]
        values = np.round(random.gamma(0.5, 2.0, len(merged)), 3)
        yield from zip([name] * len(merged), merged.tolist(), (merged + 50).tolist(), values.tolist())


def inputs(folder: Path) -> Path:
    """Write tables and bigWigs once."""
    if (folder / "tracks.tsv").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    genes = start_sites()
    genes.to_csv(folder / "genes.tsv", sep="\t", index=False)
    genes.iloc[:: GENES // FEW].to_csv(folder / "few.tsv", sep="\t", index=False)
    sizes = {f"chr{number}": megabases * 1_000_000 for number, megabases in enumerate(MEGABASES, 1)}
    rows = ["cell_type\tmark\tpath"]
    for seed in (0, 1):
        pybigtools.open(str(folder / f"signal_{seed}.bw"), "w").write(sizes, records(genes, seed))
    for cell in range(CELL_TYPES):
        for mark in range(MARKS):
            path = folder / f"cell_{cell}.mark_{mark}.bw"
            shutil.copy(folder / f"signal_{(cell + mark) % 2}.bw", path)
            rows.append(f"cell_{cell}\tmark_{mark}\t{path.name}")
    (folder / "tracks.tsv").write_text("\n".join(rows) + "\n")
    return folder


def command(folder: Path, genes: str, output: Path) -> list[str]:
    """The command line."""
    return [
        sys.executable, "-m", "cistron.cli", "chromatin", "build", "--track-table", str(folder / "tracks.tsv"),
        "--annotation", str(folder / genes), "--output", str(output),
    ]  # fmt: skip


def stages(output: Path) -> dict[str, Callable[[], bool]]:
    """When a run has come into each stage."""

    def files(pattern: str) -> list[Path]:
        return list(output.parent.glob(pattern))

    return {
        "checking the files": lambda: True,
        "binning": lambda: len(files(f".{output.name}.shards-*/*.npy")) >= CELL_TYPES * MARKS // 2,
        "writing": lambda: len(files(f".{output.stem}.partial-*/values/c/*")) > 2,
    }


def run(arguments: list[str], until: Callable[[], bool] | None = None) -> tuple[float, float, float, int]:
    """Run a command, or kill it with SIGKILL once ``until`` holds: seconds, CPU seconds, peak gigabytes, exit status."""
    begun = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if until is not None:
        time.sleep(1.0)
        while process.poll() is None and not until():
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    _, status, usage = os.wait4(process.pid, 0)
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6, status


def digest(store: Path) -> str:
    """SHA-256 of all files of the values of a store."""
    found = hashlib.sha256()
    for path in sorted((store / "values").rglob("*")):
        if path.is_file():
            found.update(str(path.relative_to(store)).encode() + path.read_bytes())
    return found.hexdigest()[:16]


TEXT = "{:42} {:8.1f} s  {:7.1f} CPU s  {:5.2f} GB peak   status {}"


def few_genes(folder: Path, runs: Path) -> None:
    """Kill a run at every stage, and compare what the last one gives."""
    calm, killed = runs / "calm.zarr", runs / "killed.zarr"
    print(TEXT.format(f"{FEW} genes, undisturbed", *run(command(folder, "few.tsv", calm))), flush=True)
    for stage, reached in stages(killed).items():
        found = run(command(folder, "few.tsv", killed), reached)
        print(TEXT.format(f"{FEW} genes, SIGKILL while {stage}", *found), flush=True)
        assert not killed.exists()
    found = run(command(folder, "few.tsv", killed))
    print(TEXT.format(f"{FEW} genes, the same command again", *found), flush=True)
    equal = digest(killed) == digest(calm)
    print(f"equal to the undisturbed store: {equal}; left over: {leftovers(runs)}", flush=True)


def all_genes(folder: Path, runs: Path) -> None:
    """The full size, killed once."""
    full = runs / "full.zarr"
    found = run(command(folder, "genes.tsv", full), stages(full)["writing"])
    print(TEXT.format(f"{GENES:,} genes, SIGKILL while writing", *found), flush=True)
    assert not full.exists()
    found = run(command(folder, "genes.tsv", full))
    print(TEXT.format(f"{GENES:,} genes, the same command again", *found), flush=True)
    print(
        f"largest difference from windows binned one by one: {difference(folder, full):.1e}; left over: {leftovers(runs)}"
    )
    size = sum(path.stat().st_size for path in full.rglob("*") if path.is_file())
    print(f"store: {open_gene_tracks(full).tracks.values.shape}, {size / 1e6:.0f} MB on disk")


def main() -> None:
    """Print a line a run."""
    begun = time.process_time()
    folder = inputs(KEPT / "inputs")
    seconds, size = time.process_time() - begun, (folder / "signal_0.bw").stat().st_size / 1e6
    print(f"inputs: {seconds:.0f} CPU s; {size:.0f} MB a bigWig", flush=True)
    runs = KEPT / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    runs.mkdir()
    few_genes(folder, runs)
    all_genes(folder, runs)


def leftovers(runs: Path) -> str:
    """Names of hidden files that runs left."""
    return ", ".join(sorted(path.name for path in runs.glob(".*"))) or "nothing"


def difference(folder: Path, full: Path) -> float:
    """Of 100 genes in two tracks."""
    store = open_gene_tracks(full)
    genes = pd.read_csv(folder / "genes.tsv", sep="\t")
    rows = np.linspace(0, len(genes) - 1, 100).astype(int)
    windows = start_site_windows(genes.iloc[rows], BuildSettings())
    values = store.tracks.values.take(rows)
    apart = [
        np.abs(values[:, cell, mark] - bin_signal(folder / f"cell_{cell}.mark_{mark}.bw", windows)).max()
        for cell, mark in ((0, 0), (11, 4))
    ]
    return float(max(apart))


if __name__ == "__main__":
    main()
