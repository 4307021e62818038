"""Memory of a training step of the publication's size (forward, backward, Adam), counted without computing it, and the count checked by real steps.

``python -m benchmarks sequence_training_memory``. The step is gone through with tensors that have shapes and no content, and every allocation
and release of autograd and of the optimiser is added up, so that 196,608 bp need seconds and no memory. LENGTHS (12288,24576 by default) are run
for real as well, each in a process of its own with one thread: peak resident memory less that before the model.
"""

import json
import os
import resource
import subprocess
import sys
import time
import weakref
from typing import Any

COUNTED = ((196_608, True), (196_608, False), (98_304, True), (49_152, True), (24_576, True), (12_288, True))


def step(model: Any, optimiser: Any, one_hot: Any, observed: Any) -> None:
    """One step; the mouse head takes part with nothing, as in training."""
    import torch

    optimiser.zero_grad()
    predicted = model(one_hot, ["human"])["human"]
    loss = (predicted - observed * torch.log(predicted + 1e-7)).mean()
    (loss + sum(one.sum() * 0 for one in model.heads["mouse"].parameters())).backward()
    del predicted, loss
    optimiser.step()


def counted(length: int, checkpoint: bool) -> float:
    """Largest sum of the tensors that live at once in the second step, GB."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_map_only

    from cistron.sequence import Enformer, EnformerSettings

    class Meter(TorchDispatchMode):
        now, peak = 0, 0

        def __init__(self) -> None:
            super().__init__()
            self.seen: Any = weakref.WeakValueDictionary()

        def add(self, tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage._cdata not in self.seen:
                self.seen[storage._cdata] = storage
                self.now += storage.nbytes()
                self.peak = max(self.peak, self.now)
                weakref.finalize(storage, self.drop, storage.nbytes())
            return tensor

        def drop(self, size: int) -> None:
            self.now -= size

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return tree_map_only(torch.Tensor, self.add, function(*args, **(kwargs or {})))

    # neither has a rule for tensors without content: sizes of the results are all that counts
    torch.batch_norm_update_stats = lambda x, *_: (x.mean(0), x.mean(0))
    Enformer.initialise = lambda *_: None  # type: ignore[method-assign]
    with FakeTensorMode(allow_non_fake_inputs=True), Meter() as meter:
        settings = EnformerSettings(
            length=length, crop=320 if length == 196_608 else 0, checkpoint_tower=checkpoint
        )
        model = Enformer(settings).train()
        for tensor in (*model.parameters(), *model.buffers()):
            meter.add(tensor)
        optimiser = torch.optim.Adam(model.parameters(), 1e-4)
        one_hot, observed = torch.zeros(1, length, 4), torch.zeros(1, settings.bins, 5313)
        for _ in range(2):
            meter.peak = meter.now
            step(model, optimiser, one_hot, observed)
        return meter.peak / 1e9


def measured(length: int, checkpoint: bool) -> dict[str, float]:
    """Peak resident memory of two steps less that before the model, GB, and CPU seconds of the second; in a process of its own."""
    import torch

    from cistron.sequence import Enformer, EnformerSettings

    torch.set_num_threads(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    Enformer.initialise = lambda *_: None  # type: ignore[method-assign]
    settings = EnformerSettings(length=length, crop=0, checkpoint_tower=checkpoint)
    model = Enformer(settings).train()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1e-3)  # every page is touched; what is computed does not matter
    optimiser = torch.optim.Adam(model.parameters(), 1e-4)
    one_hot = torch.nn.functional.one_hot(torch.randint(0, 4, (1, length)), 4).float()
    observed = torch.rand(1, settings.bins, 5313)
    for _ in range(2):
        started = time.process_time()
        step(model, optimiser, one_hot, observed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"memory": peak - before, "seconds": time.process_time() - started}


def _elsewhere(what: str, length: int, checkpoint: bool) -> Any:
    code = (
        "import json, sys; from benchmarks import sequence_training_memory as own;"
        "print(json.dumps(getattr(own, sys.argv[1])(int(sys.argv[2]), sys.argv[3] == 'True')))"
    )
    words = [sys.executable, "-c", code, what, str(length), str(checkpoint)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print one table."""
    real = [int(length) for length in os.environ.get("LENGTHS", "12288,24576").split(",") if length]
    sys.stdout.write(
        "251,221,292 weights, batch 1, fp32, both heads\n\n| input, bp | tower | counted, GB | measured, GB | CPU s a step |\n|---|---|---|---|---|\n"
    )
    for length, checkpoint in COUNTED:
        found = _elsewhere("measured", length, checkpoint) if length in real else None
        cells = ("", "") if found is None else (f"{found['memory']:.2f}", f"{found['seconds']:.1f}")
        tower = "--checkpoint-tower" if checkpoint else "kept"
        sys.stdout.write(
            f"| {length:,} | {tower} | {_elsewhere('counted', length, checkpoint):.2f} | {' | '.join(cells)} |\n"
        )
        sys.stdout.flush()
