"""Enformer beside enformer-pytorch: the same weights, one process tree, CPU seconds and peak memory.

Each measurement is a process of its own with two threads, so that memory and caches of one do not reach another. Of
two forward calls the one of fewer CPU seconds counts (the machine is noisy, and the first one fills caches). The
weights are random, spread and calibrated as those of the official golden (``random_model``), 196,608 bp, both heads
unless said. Ratios of CPU seconds are quoted, not seconds: the machine is shared.

On a machine that others use, one thread (``CISTRON_BENCHMARK_THREADS=1``) gives CPU seconds that mean something: two
wait for each other, and waiting counts.

``python -m benchmarks enformer``; the peer: ``pip install --no-deps -r benchmarks/peers/enformer-pytorch.txt``.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LENGTH, TRAINING_LENGTH = 196_608, 49_152
THREADS = int(os.environ.get("CISTRON_BENCHMARK_THREADS", "2"))


def _one_hot(length: int) -> Any:
    import torch

    codes = torch.randint(0, 4, (1, length), generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.one_hot(codes, 4).float()


def _prepare(folder: Path) -> None:
    """Write one random model, for us as a folder, for the peer as its state dict."""
    import torch

    from cistron.sequence import PRESETS, save_weights
    from cistron.sequence.random_model import random_model
    from cistron.sequence.weight_sources import entries_of

    torch.set_num_threads(THREADS)
    model, tracks = random_model(PRESETS["paper"], 0)
    save_weights(model, folder / "model", tracks=tracks)
    state = model.state_dict()
    entries = entries_of("enformer-pytorch", model.settings)
    torch.save(
        {entry.theirs: entry.to_theirs(state[entry.ours]).contiguous() for entry in entries},
        folder / "peer.bin",
    )


def _peer(folder: Path) -> Any:
    import torch

    from benchmarks.peers.enformer_pytorch import load

    package = load()
    assert package is not None
    model = package.Enformer.from_hparams(use_tf_gamma=True).eval()
    missing, unexpected = model.load_state_dict(
        torch.load(folder / "peer.bin", weights_only=True, mmap=True), strict=False
    )
    assert not unexpected
    assert all(name.startswith("_trunk.") or "num_batches" in name for name in missing)
    return model


def _forward(kind: str, folder: Path) -> Callable[[], Any]:
    from cistron.sequence import load_weights

    one_hot = _one_hot(LENGTH)
    if kind.startswith("peer"):
        peer = _peer(folder)
        return lambda: peer(one_hot)
    model = load_weights(folder / "model", precision=kind.split()[0])
    if "table" in kind:
        _use_peers_table()
    organisms = ["human"] if "human" in kind or "tracks" in kind else None
    tracks = {"human": range(4675, 4685)} if "tracks" in kind else None
    return lambda: model(one_hot, organisms, tracks)


def _use_peers_table() -> None:
    """Give ours the peer's float32 table of the gamma basis, to see what it alone makes different."""
    import torch

    from benchmarks.peers.enformer_pytorch import load
    from cistron.sequence import attention

    package = load()
    assert package is not None
    stored, right = package.modeling_enformer.TF_GAMMAS, attention.positional_basis
    sign = torch.arange(-1535, 1536).sign()[:, None]

    def with_table(length: int, features: int) -> Any:
        basis = right(length, features)
        basis[:, 64:96], basis[:, 160:] = stored, stored * sign
        return basis

    attention.positional_basis = with_table


def _training_step(kind: str) -> Callable[[], None]:
    import torch

    from cistron.sequence import Enformer, EnformerSettings

    crop = (TRAINING_LENGTH // 128 - 224) // 2
    settings = EnformerSettings(length=TRAINING_LENGTH, crop=crop, checkpoint_tower="checkpointed" in kind)
    model = Enformer(settings).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-4, foreach=False)
    one_hot = _one_hot(TRAINING_LENGTH)

    def step() -> None:
        predicted = model(one_hot, ["human"])["human"]
        loss = torch.nn.functional.poisson_nll_loss(predicted, torch.ones_like(predicted), log_input=False)
        loss.backward()
        if "Adam" in kind:
            optimiser.step()

    return step


def _peak_gigabytes() -> float:
    """Peak resident memory of this process. Linux's ru_maxrss would count what the parent held when it started us."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return float(line.split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _measure(kind: str, folder: Path) -> None:
    """Run one measurement in this process and print it as JSON."""
    import torch

    torch.set_num_threads(THREADS)
    training = kind.startswith("training")
    run = _training_step(kind) if training else _forward(kind, folder)
    seconds = float("inf")
    for _ in range(1 if training else 2):
        clock = time.process_time()
        with torch.set_grad_enabled(training):
            output = run()
        seconds = min(seconds, time.process_time() - clock)
    gigabytes = _peak_gigabytes()
    if not training:
        torch.save({name: values[0] for name, values in output.items()}, folder / f"{kind}.pt")
    print(json.dumps({"seconds": seconds, "gigabytes": gigabytes}))


def _run(kind: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.enformer", kind, str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "CISTRON_PROGRESS": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _agreement(folder: Path, first: str, second: str) -> str:
    """Largest difference as part of the largest value, and the lowest correlation of any track over bins."""
    import torch

    a, b = (torch.load(folder / f"{name}.pt", weights_only=True) for name in (first, second))
    worst, lowest = 0.0, 1.0
    for organism in a:
        x, y = a[organism].double(), b[organism].double()
        worst = max(worst, ((x - y).abs().max() / x.abs().max()).item())
        x, y = x - x.mean(0), y - y.mean(0)
        lowest = min(lowest, ((x * y).sum(0) / (x.norm(dim=0) * y.norm(dim=0))).min().item())
    return f"max difference {worst:.1e} of scale, lowest r of a track {lowest:.5f}"


def _instructions() -> str:
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return platform.processor()
    return ", ".join(name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags)


def _gpu(folder: Path) -> None:
    """Print windows a second in bfloat16 on a GPU, with and without compilation, beside the peer."""
    import torch

    from benchmarks.peers.enformer_pytorch import load
    from cistron.sequence import load_weights

    one_hot = _one_hot(LENGTH).expand(4, -1, -1).contiguous().cuda()
    ours = load_weights(folder / "model", precision="bf16", device="cuda")
    compiled = torch.compile(ours)
    runs: dict[str, Callable[[], Any]] = {
        "cistron bf16, fused attention": lambda: ours(one_hot),
        "cistron bf16, compiled": lambda: compiled(one_hot),
    }
    if load() is not None:
        peer = _peer(folder).cuda()

        def of_peer() -> Any:
            with torch.autocast("cuda", torch.bfloat16):
                return peer(one_hot)

        runs["enformer-pytorch bf16 (autocast)"] = of_peer
    for name, run in runs.items():
        with torch.inference_mode():
            for _ in range(3):
                run()
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            clock = time.perf_counter()
            for _ in range(10):
                run()
            torch.cuda.synchronize()
        rate = 10 * len(one_hot) / (time.perf_counter() - clock)
        print(
            f"{name:34s} {rate:6.2f} windows/s   {torch.cuda.max_memory_allocated() / 1e9:.2f} GB", flush=True
        )


def main() -> None:
    """Print the table."""
    import torch

    from benchmarks.peers.enformer_pytorch import load

    print(
        f"torch {torch.__version__}, {THREADS} threads, {_instructions()}; random calibrated weights, {LENGTH:,} bp"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder)
        kinds = ["fp32", "mixed", "bf16", "fp32 human head only", "fp32 ten tracks only"]
        if load() is not None:
            kinds.insert(1, "fp32 with the peer's gamma table")
        peer = _run("peer", folder) if load() is not None else None
        if peer is None:
            print("enformer-pytorch is not installed: no ratios")
        else:
            print(f"{'enformer-pytorch fp32':34s} {peer['seconds']:6.1f} CPU s   {peer['gigabytes']:.2f} GB")
        for kind in kinds:
            found = _run(kind, folder)
            line = f"{'cistron ' + kind:34s} {found['seconds']:6.1f} CPU s   {found['gigabytes']:.2f} GB"
            if peer is not None:
                line += (
                    f"   {peer['seconds'] / found['seconds']:.2f} x as fast, "
                    f"{100 * found['gigabytes'] / peer['gigabytes']:.0f}% of the memory"
                )
            print(line, flush=True)
            if kind.startswith("fp32") and "only" not in kind and peer is not None:
                print(f"    against enformer-pytorch: {_agreement(folder, 'peer', kind)}", flush=True)
            elif kind in ("mixed", "bf16"):
                print(f"    against fp32: {_agreement(folder, 'fp32', kind)}", flush=True)
        for kind in ("training", "training checkpointed", "training checkpointed Adam"):
            found = _run(kind, folder)
            print(
                f"{kind + f', {TRAINING_LENGTH:,} bp':44s} {found['seconds']:6.1f} CPU s   {found['gigabytes']:.2f} GB",
                flush=True,
            )
        if torch.cuda.is_available():
            _gpu(folder)


if __name__ == "__main__":
    _measure(sys.argv[1], Path(sys.argv[2]))
