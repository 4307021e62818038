"""Which of several processes this one is, where one training runs on several devices or machines.

Lightning starts the command again for every further device (``LOCAL_RANK``); torchrun and SLURM start all processes themselves
(``RANK``, ``SLURM_PROCID``).
"""

import os
import sys
from pathlib import Path


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


def keeps(directory: Path) -> bool:
    """Whether this process may change the folder of a fit: the first one, which the others have linked to.

    Parameters
    ----------
    directory
        Folder of a fit.
    """
    return directory.is_dir() and not directory.is_symlink()


def end_process(message: str, code: int = 2) -> None:
    """End this process at once with one line, where a call that other processes should answer never comes back.

    Nothing that was begun is finished: outputs are written to temporary names, so the next run removes what is left of them.

    Parameters
    ----------
    message
        The line.
    code
        Exit code.
    """
    sys.stderr.write(f"cistron: error: {' '.join(message.split())}\n")
    sys.stderr.flush()
    os._exit(code)
