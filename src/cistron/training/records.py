"""The record of a fit: a CSV always, TensorBoard and Weights & Biases when installed and asked for."""

import csv
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cistron.errors import MissingDependencyError
from cistron.runtime.files import atomic_path


class Records:
    """One row of numbers an epoch, kept in memory, in ``log.csv`` and in the loggers that were asked for.

    Parameters
    ----------
    directory
        Folder of ``log.csv``; ``None`` keeps the rows in memory only.
    loggers
        ``tensorboard``, ``wandb``.
    name
        Name of the run in the loggers.

    Raises
    ------
    MissingDependencyError
        If a logger is not installed.
    """

    def __init__(self, directory: Path | None, loggers: Sequence[str] = (), name: str = "fit") -> None:
        self.path = None if directory is None else directory / "log.csv"
        self.rows: list[dict[str, float]] = []
        self._loggers = [_open_logger(kind, directory or Path("logs"), name) for kind in loggers]

    def keep_before(self, epoch: int) -> None:
        """Take up the rows of an earlier run that come before ``epoch`` and drop those after it."""
        if self.path is None or not self.path.exists():
            return
        with self.path.open(newline="") as handle:
            rows = [
                {key: float(value) for key, value in row.items() if value not in (None, "")}
                for row in csv.DictReader(handle)
            ]
        self.rows = [row for row in rows if row["epoch"] < epoch]

    def add(self, row: Mapping[str, float]) -> None:
        """Append a row (it has ``epoch``) and hand it to the loggers."""
        self.rows.append(dict(row))
        for logger in self._loggers:
            logger.log_metrics(
                {key: value for key, value in row.items() if key != "epoch"}, int(row["epoch"])
            )

    def write(self) -> None:
        """Write ``log.csv`` whole."""
        if self.path is None or not self.rows:
            return
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        with atomic_path(self.path) as partial, partial.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, columns)
            writer.writeheader()
            writer.writerows(
                {
                    key: int(value) if key in ("epoch", "steps") else f"{value:.6g}"
                    for key, value in row.items()
                }
                for row in self.rows
            )

    def close(self) -> None:
        """Write the CSV and finish the loggers."""
        self.write()
        for logger in self._loggers:
            logger.finalize("success")


def _open_logger(kind: str, directory: Path, name: str) -> Any:
    package = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",)}[kind]
    if not any(importlib.util.find_spec(candidate) for candidate in package):
        raise MissingDependencyError(f"the {kind} logger needs a package: pip install {package[0]}")
    if kind == "tensorboard":
        from lightning.pytorch.loggers import TensorBoardLogger

        return TensorBoardLogger(directory, name="tensorboard", version=name)
    from lightning.pytorch.loggers import WandbLogger

    return WandbLogger(name=name, save_dir=directory, project="cistron")
