"""``sequence variants`` on 1,000 and 10,000 variants and 20 tracks: kill -9 and resume, local processes, memory.

``python -m benchmarks variants_many``. A small model of random weights (48 channels, one block, 2,048 bp), windows shared over 512 bp. Each run is
the command in a process of its own; CPU seconds and memory are those of the process and the processes that it starts.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_CODE = (
    "import resource, sys; from cistron.cli import main; code = main(sys.argv[1:]);"
    "own, more = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN));"
    "print(own.ru_utime + more.ru_utime, max(own.ru_maxrss, more.ru_maxrss) / 1e3); sys.exit(code)"
)
SPACING = 40  # base pairs between variants


def _prepare(folder: Path) -> None:
    """Write a genome, a VCF of 10,000 variants (one in ten an insertion or deletion) and of the first 1,000, and a model."""
    from cistron.sequence import EnformerSettings
    from cistron.sequence.random_model import write_random_model

    random = np.random.default_rng(0)
    dna = "".join(np.array(list("ACGT"))[random.integers(0, 4, 10_000 * SPACING + 10_000)])
    (folder / "genome.fa").write_text(f">chr1\n{dna}\n")
    head = f"##fileformat=VCFv4.2\n##contig=<ID=chr1,length={len(dna)}>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    rows = []
    for number in range(10_000):
        place = 5_000 + SPACING * number
        ref, alt = dna[place], "ACGT"[("ACGT".index(dna[place]) + 1 + number % 3) % 4]
        if number % 20 == 0:
            alt = ref + "ACGTA"
        elif number % 20 == 10:
            ref, alt = dna[place : place + 4], ref
        rows.append(f"chr1\t{place + 1}\tv{number}\t{ref}\t{alt}\t.\t.\t.\n")
    for number in (1_000, 10_000):
        (folder / f"{number}.vcf").write_text(head + "".join(rows[:number]))
    settings = EnformerSettings(
        channels=48, depth=1, heads=4, key_size=8, length=2048, crop=1, tracks={"human": 20}
    )
    write_random_model(folder / "model", settings, 1)


def _command(folder: Path, number: int, output: str, *more: str) -> list[str]:
    words = f"sequence variants {folder}/{number}.vcf --genome {folder}/genome.fa --build random --weights {folder}/model --shared-windows 512 --threads 1"
    return [sys.executable, "-c", _CODE, *words.split(), "--output", str(folder / output), "--quiet", *more]


def _run(folder: Path, number: int, output: str, *more: str) -> tuple[float, float]:
    done = subprocess.run(_command(folder, number, output, *more), capture_output=True, text=True, check=True)
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)


def main() -> None:
    """Print one table."""
    os.environ["OMP_NUM_THREADS"] = "1"
    print("| run | CPU s | peak memory, MB | equal bytes |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _prepare(folder)
        for number in (1_000, 10_000):
            seconds, peak = _run(folder, number, f"{number}.parquet")
            print(f"| {number:,} variants x 20 tracks | {seconds:.1f} | {peak:.0f} | |", flush=True)
        whole = (folder / "10000.parquet").read_bytes()
        run = subprocess.Popen(_command(folder, 10_000, "again.parquet"), stdout=subprocess.DEVNULL)
        shards: list[Path] = []
        while len(shards) < 100 and run.poll() is None:
            time.sleep(0.2)
            shards = list(folder.glob(".again.parquet.shards-*/*.npz"))
        run.send_signal(signal.SIGKILL)
        run.wait()
        seconds, peak = _run(folder, 10_000, "again.parquet")
        same = (folder / "again.parquet").read_bytes() == whole
        print(
            f"| killed (SIGKILL) after {len(shards)} shards, run again | {seconds:.1f} | {peak:.0f} | {same} |",
            flush=True,
        )
        seconds, peak = _run(folder, 10_000, "two.parquet", "--workers", "2")
        same = (folder / "two.parquet").read_bytes() == whole
        print(f"| two processes (--workers 2, Dask) | {seconds:.1f} | {peak:.0f} | {same} |", flush=True)
