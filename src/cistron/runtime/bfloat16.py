"""Whether bfloat16 is worth using on a device: on a processor without instructions for it, it is several times slower."""

import time
from functools import lru_cache
from typing import TypeVar

from cistron.runtime.progress import say

Wanted = TypeVar("Wanted", bound=str)

# What torch says of processors whose vector instructions know no bfloat16. Others may or may not have them.
_WITHOUT = frozenset({"DEFAULT", "NO AVX", "AVX2", "VSX", "Z VECTOR"})
_SIZE, _REPEATS = 384, 5
_SLOWER = 1.5  # emulated products take three to eight times as long, so the answer does not hang on the clock


@lru_cache
def fast_bfloat16(device: str = "cpu") -> bool:
    """Tell whether products in bfloat16 cost no more than in float32.

    Parameters
    ----------
    device
        Device as torch names it: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, ...

    Returns
    -------
    bool
        Of a processor: no where torch names a family without such instructions, otherwise by a timed product. Of an
        NVIDIA card: whether it has them. Of any other device: yes.
    """
    import torch

    kind = device.partition(":")[0]
    if kind == "cuda":
        return not torch.cuda.is_available() or torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu":
        return True
    if torch.backends.cpu.get_cpu_capability() in _WITHOUT:
        return False
    return _seconds(torch.bfloat16) < _SLOWER * _seconds(torch.float32)


def _seconds(kind: object) -> float:
    """Least time of this thread for a matrix product, which busy neighbours do not lengthen."""
    import torch

    matrix = torch.ones(_SIZE, _SIZE, dtype=kind)  # type: ignore[call-overload]
    found = []
    for _ in range(_REPEATS + 1):  # the first one loads the kernel
        start = time.thread_time()
        matrix @ matrix
        found.append(time.thread_time() - start)
    return min(found[1:])


def precision_in_force(wanted: Wanted, exact: Wanted, device: str = "cpu") -> Wanted:
    """Give the precision that was asked for, or the exact one where bfloat16 would only cost time; a remark says so.

    Parameters
    ----------
    wanted
        What was asked for; anything but ``exact`` that is ``mixed`` or begins with ``bf16`` means bfloat16.
    exact
        Name of float32 there.
    device
        Where the products are made.

    Returns
    -------
    str
        The precision to use.
    """
    if not (wanted == "mixed" or wanted.startswith("bf16")) or fast_bfloat16(str(device)):
        return wanted
    where = "this processor" if str(device).startswith("cpu") else str(device)
    say(f"{where} has no fast bfloat16: {exact} is used in place of {wanted}, which would be slower")
    return exact
