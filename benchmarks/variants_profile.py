"""Where the time of one SNV goes at 196,608 bp: tower, transformer and heads, beside the rate of a plain product of matrices.

``python -m benchmarks variants_profile``. Random weights, fp32, one thread, CPU seconds; operations are those that PyTorch counts.
"""

import time
from collections.abc import Callable
from typing import Any


def _measured(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Result, CPU seconds and 1e9 operations of a piece of work."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    clock = time.process_time()
    with counter:
        found = work()
    return found, time.process_time() - clock, counter.get_total_flops() / 1e9


def main() -> None:
    """Print one table."""
    import numpy as np
    import torch

    from cistron.genome import one_hot
    from cistron.sequence import PRESETS, Enformer
    from cistron.sequence.tower_parts import alternative_tower

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Enformer(PRESETS["paper"]).eval()
    length = model.settings.length
    before = np.random.default_rng(0).integers(0, 4, length).astype(np.uint8)
    after = before.copy()
    after[length // 2] = (after[length // 2] + 1) % 4
    encoded, changed = (torch.from_numpy(one_hot(codes))[None] for codes in (before, after))
    print("| part | 1e9 operations | CPU s | 1e9 a second | share of the limit |\n|---|---|---|---|---|")
    matrix, rates = torch.randn(2048, 2048), []

    def limit() -> None:
        """The rate of a plain product of two matrices; the best of all looks, because other work only makes it less."""
        for _ in range(4):
            _, seconds, work = _measured(lambda: matrix @ matrix)
            rates.append(work / seconds)

    with torch.inference_mode():
        limit()
        tower, seconds, work = _measured(lambda: model.convolve(encoded))
        parts = [("tower of the reference", work, seconds)]
        limit()
        other, seconds, work = _measured(
            lambda: alternative_tower(model, tower[0], before, after, changed, (0, 0))
        )
        parts.append(("tower of the alternative, windowed", work, seconds))
        trunk, seconds, work = _measured(lambda: model.read_out(other[None]))
        parts.append(("transformer, 11 blocks, and the last layer", work, seconds))
        limit()
        _, seconds, work = _measured(lambda: model.predict(trunk, ["human"]))
        parts.append(("head of 5,313 tracks", work, seconds))
        limit()
    whole = [parts[0], *parts[2:]]
    parts.append(("a window: tower, transformer, head", sum(p[1] for p in whole), sum(p[2] for p in whole)))
    print(f"| product of two matrices of 2,048, the limit | 17 | | {max(rates):,.0f} | 100% |")
    for name, work, seconds in parts:
        rate = work / seconds
        print(f"| {name} | {work:,.0f} | {seconds:.2f} | {rate:,.0f} | {rate / max(rates):.0%} |", flush=True)
