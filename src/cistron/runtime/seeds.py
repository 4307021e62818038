"""One seed for a run, an independent stream for each named part of it.

A part's stream depends on the seed and the part's name only, never on how many parts ran before it or in
which process, so results do not change with sharding or order.
"""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def seed_for(seed: int, *names: str | int) -> int:
    """Derive a 63-bit seed for the part of a run that ``names`` describe.

    Parameters
    ----------
    seed
        Seed of the whole run.
    *names
        What the part is, for example ``("control", "SHBG", 3)``.
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def random_generator(seed: int, *names: str | int) -> "np.random.Generator":
    """Give a NumPy generator on the stream of :func:`seed_for`."""
    import numpy as np  # help and errors come without it

    return np.random.default_rng(seed_for(seed, *names))
