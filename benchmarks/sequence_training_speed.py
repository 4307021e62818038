"""A training step (forward, backward, Adam) against enformer-pytorch's at equal size, its peak memory, and how fast a store is read.

``python -m benchmarks sequence_training_speed``. Each measurement is a process of its own with one thread; CPU seconds, peak resident memory less that
before the model.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LENGTH, DIM, DEPTH, TRACKS = 24_576, 384, 4, 64


def peak() -> float:
    """Peak resident memory in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure(which: str) -> dict[str, float]:
    """Time the second and third of three steps; only in a process of its own."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    one_hot = torch.nn.functional.one_hot(torch.randint(0, 4, (1, LENGTH)), 4).float()
    if which == "enformer-pytorch":
        from benchmarks.peers.enformer_pytorch import load

        model = (
            load()
            .Enformer.from_hparams(
                dim=DIM,
                depth=DEPTH,
                heads=8,
                attn_dim_key=32,
                target_length=-1,
                output_heads={"human": TRACKS},
            )
            .train()
        )
        forward = lambda: model(one_hot)["human"]  # noqa: E731
    else:
        from cistron.sequence import Enformer, EnformerSettings

        settings = EnformerSettings(
            channels=DIM, depth=DEPTH, heads=8, key_size=32, length=LENGTH, crop=0, tracks={"human": TRACKS},
            checkpoint_tower="checkpoint" in which,
        )  # fmt: skip
        model = Enformer(settings).train()
        forward = lambda: model(one_hot)["human"]  # noqa: E731
    observed = torch.rand(1, LENGTH // 128, TRACKS)
    optimiser = torch.optim.Adam(model.parameters(), 1e-4)
    before, times = peak(), []
    for _ in range(3):
        started = time.process_time()
        predicted = forward()
        loss = (predicted - observed * torch.log(predicted + 1e-7)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        times.append(time.process_time() - started)
    weights = sum(parameter.numel() for parameter in model.parameters())
    return {"seconds": min(times[1:]), "memory": peak() - before, "weights": weights}


def reading() -> dict[str, float]:
    """CPU seconds of a batch of 4 planted sequences: read and augmented, and its training step with the small model."""
    import numpy as np
    import torch

    from cistron.genome import Genome
    from cistron.sequence.data import build_training_data
    from cistron.sequence.enformer import Enformer
    from cistron.sequence.settings_data import DataSettings
    from cistron.sequence.settings_training import TrainingSettings
    from cistron.sequence.training import begin_heads, model_settings
    from cistron.sequence.training_batches import OrganismData, TrainingEpoch, fit_crop
    from cistron.sequence.training_losses import TrackLoss
    from cistron.world.regulatory_dna import RegulatoryWorldSettings, regulatory_world, write_regulatory_world

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = write_regulatory_world(regulatory_world(RegulatoryWorldSettings(blocks=64)), folder)
        store = build_training_data(
            folder / "s.zarr",
            genome=Genome(files["genome"], "planted"),
            folds=files["folds"],
            targets=files["targets"],
            settings=DataSettings("enformer", crop=0, input_length=20_480),
        )
        crop = fit_crop(store, None)
        data = {"human": OrganismData(store, store.rows("train"), crop)}
        epoch = TrainingEpoch(data, 4, 3, True, 0, 0)
        list(epoch)
        started = time.process_time()
        batches = list(epoch)
        read = (time.process_time() - started) / len(batches)
        settings = TrainingSettings().resolved("small")
        model = Enformer(model_settings(settings, crop, {"human": 5}, False)).train()
        begin_heads(model, {"human": np.ones(5)}, 0)
        loss = TrackLoss(settings, {"human": np.ones(5)}, False)
        optimiser = torch.optim.Adam(model.parameters(), 1e-3)
        started = time.process_time()
        for batch in batches[:4]:
            optimiser.zero_grad()
            loss(model, batch)["loss"].backward()
            optimiser.step()
        return {"read": read, "step": (time.process_time() - started) / 4}


def _elsewhere(which: str) -> dict[str, float]:
    code = (
        "import json, sys; from benchmarks.sequence_training_speed import measure, reading;"
        "print(json.dumps(reading() if sys.argv[1] == 'reading' else measure(sys.argv[1])))"
    )
    done = subprocess.run([sys.executable, "-c", code, which], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print one table."""
    peer = _elsewhere("enformer-pytorch")
    sys.stdout.write(
        f"dim {DIM}, depth {DEPTH}, {LENGTH:,} bp, batch 1, fp32, one thread\n\n"
        "| | weights | CPU s a step | faster | memory, GB | share |\n|---|---|---|---|---|---|\n"
        f"| enformer-pytorch | {peer['weights']:,} | {peer['seconds']:.2f} | 1.00x | {peer['memory']:.2f} | 100% |\n"
    )
    for which in ("cistron", "cistron, checkpoint-tower"):
        own = _elsewhere(which)
        sys.stdout.write(
            f"| {which} | {own['weights']:,} | {own['seconds']:.2f} | {peer['seconds'] / own['seconds']:.2f}x | {own['memory']:.2f} | "
            f"{own['memory'] / peer['memory']:.0%} |\n"
        )
    read = _elsewhere("reading")
    sys.stdout.write(
        f"\nreading a batch of 4 planted sequences: {read['read'] * 1000:.1f} CPU ms ({1 / read['read']:.0f} batches a second); its training step "
        f"with the small model: {read['step'] * 1000:.0f} CPU ms, {read['step'] / read['read']:.0f} times as long\n"
    )
