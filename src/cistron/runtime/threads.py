"""How many threads numerical libraries may use, those that are loaded and those that will be."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from threadpoolctl import threadpool_limits

from cistron.errors import InputError

# Libraries that are loaded later, here or in a process that is started, read these.
_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "BLOSC_NTHREADS",
    "ZARR_THREADING__MAX_WORKERS",
)


@contextmanager
def limit_threads(threads: int | None) -> Iterator[int]:
    """Limit every numerical library to ``threads`` inside the block, and every process that is started in it.

    Parameters
    ----------
    threads
        Number of threads; ``None`` takes the number of cores that this process may use, or what OMP_NUM_THREADS says
        where that is less (an enclosing limit sets it).

    Yields
    ------
    int
        The number in force.

    Raises
    ------
    InputError
        If the number is not positive.
    """
    if threads is not None and threads < 1:
        raise InputError(f"--threads must be 1 or more. Given: {threads}")
    number = _allowed() if threads is None else threads
    outside = _allowed()
    with ExitStack() as stack:
        stack.enter_context(_variables(number))
        stack.enter_context(threadpool_limits(number))
        before = _set_loaded(number)
        try:
            yield number
        finally:
            for name, (_, apply) in _own_pools().items():
                apply(before.get(name, outside))  # loaded inside the block: what it would have had outside


def _allowed() -> int:
    """Cores that this process may use, or what OMP_NUM_THREADS says where that is less."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(cores, int(wanted)) if wanted.isdecimal() and int(wanted) > 0 else cores


@contextmanager
def _variables(number: int) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _VARIABLES}
    os.environ.update(dict.fromkeys(_VARIABLES, str(number)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _own_pools() -> dict[str, tuple[Any, Any]]:
    """Loaded libraries with pools that threadpoolctl does not reach: how to ask and how to set the number."""
    pools: dict[str, tuple[Any, Any]] = {}
    torch, arrow = sys.modules.get("torch"), sys.modules.get("pyarrow")
    if torch is not None and hasattr(torch, "set_num_threads"):  # a library may be half loaded
        pools["torch"] = torch.get_num_threads, torch.set_num_threads
    if arrow is not None and hasattr(arrow, "set_cpu_count"):
        pools["pyarrow"] = arrow.cpu_count, arrow.set_cpu_count
    return pools


def _set_loaded(number: int) -> dict[str, int]:
    """Set the pools of loaded libraries and give the numbers that they had."""
    before = {}
    for name, (ask, apply) in _own_pools().items():
        before[name] = ask()
        apply(number)
    return before
