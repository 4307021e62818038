"""Which of several processes this one is, where one training runs on several devices or machines.

Lightning starts the command again for every further device (``LOCAL_RANK``); torchrun and SLURM start all processes themselves
(``RANK``, ``SLURM_PROCID``).
"""

import os


def process_rank() -> int:
    """Number of this process among those of one training, from 0; 0 where there is one.

    The variables are set for other purposes too, so ask only where several processes were asked for.
    """
    for name in ("RANK", "SLURM_PROCID"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    ranks = [
        int(os.environ[name]) for name in ("NODE_RANK", "LOCAL_RANK") if os.environ.get(name, "").isdigit()
    ]
    return max(ranks, default=0)
