"""Scores of SNVs beside two passes of enformer-pytorch: the same weights, 196,608 bp, fp32, all human tracks.

Each measurement is a process of its own with one thread (``CISTRON_BENCHMARK_THREADS``), one after the other, so that CPU seconds
of a shared machine mean something. Caches are filled within what is counted. The peer's pass counts twice; its second pass, with the alternative,
is run with CISTRON_BENCHMARK_FULL=1 only, where scores are compared as well. ``scattered`` gives each SNV a
window of its own, ``shared`` puts them into one window, of which the reference pass is counted too. Ratios are those of CPU
seconds a variant.

``python -m benchmarks variants``; the peer: ``pip install --no-deps -r benchmarks/peers/enformer-pytorch.txt``.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.enformer import LENGTH, _instructions, _peak_gigabytes, _peer, _prepare

THREADS = int(os.environ.get("CISTRON_BENCHMARK_THREADS", "1"))
FULL = os.environ.get("CISTRON_BENCHMARK_FULL") == "1"
SCATTERED, SHARED, STEP = 1, 6, 600


def _genome(folder: Path) -> Any:
    import numpy as np

    from cistron.genome import Genome

    path = folder / "genome.fa"
    if not path.exists():
        letters = np.array(list("ACGT"))[np.random.default_rng(1).integers(0, 4, 3 * LENGTH)]
        path.write_text(f">chr1\n{''.join(letters)}\n")
    return Genome(path, build="random")


def _windows(genome: Any, shared: bool, number: int) -> list[Any]:
    from cistron.sequence.variant_effects import Allele, AlleleWindow

    middle = genome.lengths["chr1"] // 2
    alleles = []
    for place in range(number):
        position = middle + STEP * place
        code = int(genome.codes("chr1", position, position + 1)[0])
        alleles.append(Allele(position, b"ACGT"[code : code + 1], b"ACGTA"[code + 1 : code + 2]))
    if shared:
        return [AlleleWindow("chr1", middle - LENGTH // 2, middle + LENGTH // 2, tuple(alleles))]
    starts = [allele.position - LENGTH // 2 for allele in alleles]
    return [AlleleWindow("chr1", start, start + LENGTH, (allele,)) for start, allele in zip(starts, alleles)]


def _sums_of_peer(peer: Any, genome: Any, window: Any) -> tuple[Any, float]:
    import torch

    from cistron.genome import one_hot
    from cistron.genome.alleles import allele_window

    place, allele = (window.chromosome, window.start, window.end), window.alleles[0]
    after = allele_window(genome, place, allele.position, allele.reference, allele.alternative)
    sums, seconds = [], []
    for codes in (genome.codes(*place), after)[: 2 if FULL else 1]:
        clock = time.process_time()
        with torch.inference_mode():
            sums.append(peer(torch.from_numpy(one_hot(codes))[None])["human"][0].double().sum(0).numpy())
        seconds.append(time.process_time() - clock)
    return (sums[0], sums[-1]), 2 * min(seconds)


def _measure(kind: str, folder: Path) -> None:
    """Run one measurement in this process and print it as JSON."""
    import numpy as np
    import torch

    from cistron.genome import one_hot
    from cistron.sequence import load_weights
    from cistron.sequence.settings import InferenceSettings
    from cistron.sequence.variant_effects import EffectScorer

    torch.set_num_threads(THREADS)
    genome = _genome(folder)
    counted = _windows(genome, kind == "shared", SHARED if kind == "shared" else SCATTERED)
    number = sum(len(window.alleles) for window in counted)
    if kind == "peer":
        peer = _peer(folder)
        found, spent = _sums_of_peer(peer, genome, counted[0])
        clock, number = time.process_time() - spent, 1
    elif kind == "plain":
        model = load_weights(folder / "model")
        clock, number = time.process_time(), 1
        with torch.inference_mode():
            encoded = torch.from_numpy(one_hot(genome.codes("chr1", counted[0].start, counted[0].end)))[None]
            model(encoded, ["human"])
        found = (np.zeros(1), np.zeros(1))
    else:
        model = load_weights(folder / "model")
        scorer = EffectScorer(model, genome, "human", np.arange(5313), InferenceSettings())
        clock = time.process_time()
        before, after = scorer.sums(counted)
        found = (before[0], after[0])
    seconds = (time.process_time() - clock) / number
    np.savez(folder / f"{kind}.npz", before=found[0], after=found[1])
    print(json.dumps({"seconds": seconds, "gigabytes": _peak_gigabytes()}))


def _run(kind: str, folder: Path) -> dict[str, float]:
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "CISTRON_PROGRESS": "0"}
    command = [sys.executable, "-m", "benchmarks.variants", kind, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Print the table."""
    import numpy as np
    import torch

    print(
        f"torch {torch.__version__}, {THREADS} thread(s), {_instructions()}; random calibrated weights, {LENGTH:,} bp, 5,313 tracks"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder)
        found = {}
        for kind, what in (
            ("plain", "cistron, one plain pass"),
            ("scattered", f"cistron, a window each ({SCATTERED} SNVs)"),
            ("shared", f"cistron, one window ({SHARED} SNVs)"),
            ("peer", "enformer-pytorch, two passes"),
        ):
            found[kind] = _run(kind, folder)
            line = f"{what:38s} {found[kind]['seconds']:7.1f} CPU s a variant   {found[kind]['gigabytes']:.2f} GB"
            if kind in ("scattered", "shared"):
                line += f"   memory {found[kind]['gigabytes'] / found['plain']['gigabytes'] - 1:+.1%} of a plain pass"
            print(line, flush=True)
        for kind in ("scattered", "shared"):
            print(f"{kind}: {found['peer']['seconds'] / found[kind]['seconds']:.2f} x as fast as the peer")
        if not FULL:
            return
        with np.load(folder / "peer.npz") as theirs, np.load(folder / "scattered.npz") as ours:
            gap = np.abs((ours["after"] - ours["before"]) - (theirs["after"] - theirs["before"]))
            print(
                f"SAD of the first SNV: largest difference {(gap / theirs['before']).max():.1e} of the sum of its track"
            )


if __name__ == "__main__":
    _measure(sys.argv[1], Path(sys.argv[2]))
