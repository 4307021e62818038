"""How many threads numerical libraries may use."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from cistron.errors import InputError


@contextmanager
def limit_threads(threads: int | None) -> Iterator[int]:
    """Limit BLAS, OpenMP and (where it is loaded) torch to ``threads`` inside the block.

    Parameters
    ----------
    threads
        Number of threads; ``None`` takes the number of cores that this process may use.

    Yields
    ------
    int
        The number in force.

    Raises
    ------
    InputError
        If the number is not positive.
    """
    number = len(os.sched_getaffinity(0)) if threads is None and hasattr(os, "sched_getaffinity") else threads
    number = number or os.cpu_count() or 1
    if threads is not None and threads < 1:
        raise InputError(f"--threads must be 1 or more. Given: {threads}")
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None
    with threadpool_limits(number):
        if torch:
            torch.set_num_threads(number)
        try:
            yield number
        finally:
            if torch and before:
                torch.set_num_threads(before)
