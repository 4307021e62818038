"""Variants to windows and windows to shards; random substitutions near variants, as a control."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.genome import Genome
from cistron.runtime import random_generator, run_shards
from cistron.runtime.shards import fingerprint
from cistron.sequence.settings_variants import VariantSettings

CONTROL_REACH = 1024  # base pairs around a variant in which its random substitutions lie


@dataclass(frozen=True)
class RowWindow:
    """A window and the rows of the variants that are scored in it."""

    chromosome: str
    start: int
    end: int
    rows: tuple[int, ...]


def windows_of(frame: pd.DataFrame, settings: VariantSettings, length: int) -> list[RowWindow]:
    """Group variants by their windows, in the order in which windows occur first.

    Parameters
    ----------
    frame
        Variants with ``chromosome``, ``position`` (1-based) and, for controls, ``near``: the position whose window is used.
    settings
        Whether windows are shared.
    length
        Base pairs of a window.
    """
    found: dict[tuple[str, int], list[int]] = {}
    places = frame["near" if "near" in frame else "position"]
    for row, (name, position) in enumerate(zip(frame["chromosome"], places.tolist())):
        found.setdefault((name, settings.window_start(position - 1, length)), []).append(row)
    return [RowWindow(name, start, start + length, tuple(rows)) for (name, start), rows in found.items()]


def shards_of(windows: Sequence[RowWindow], size: int) -> Iterator[list[RowWindow]]:
    """Cut windows into shards of at most ``size`` variants; a window of more is cut as well."""
    shard: list[RowWindow] = []
    room = size
    for window in windows:
        rest = window.rows
        while rest:
            taken, rest = rest[:room], rest[room:]
            shard.append(RowWindow(window.chromosome, window.start, window.end, taken))
            room -= len(taken)
            if room == 0:
                yield shard
                shard, room = [], size
    if shard:
        yield shard


@dataclass(frozen=True)
class ShardRunner:
    """How shards of windows are run.

    Attributes
    ----------
    common
        Arguments that all shards have.
    output
        File that is written in the end; finished shards are kept in a hidden folder beside it.
    parameters
        All that the result depends on, but for the variants.
    shard_size, workers, threads, scheduler
        As of :func:`cistron.runtime.run_shards`.
    """

    common: Mapping[str, Any]
    output: Path
    parameters: Mapping[str, Any]
    shard_size: int
    workers: int
    threads: int | None
    scheduler: str | None

    def run(
        self,
        function: Callable[..., None],
        frame: pd.DataFrame,
        windows: Sequence[RowWindow],
        description: str,
    ) -> list[tuple[np.ndarray, Path]]:
        """Run the shards that are not finished.

        Parameters
        ----------
        function
            One of :mod:`cistron.sequence.variant_shards`.
        frame
            Variants.
        windows
            Their windows.
        description
            What is being done, for the progress.

        Returns
        -------
        list of tuple
            Of each shard the rows of its variants, in order, and its file.
        """
        letters = list(zip((frame["position"] - 1).tolist(), frame["ref"], frame["alt"]))
        shards = list(shards_of(windows, self.shard_size))
        work = {
            f"variants-{number:07d}": {
                "windows": [
                    (window.chromosome, window.start, window.end, [letters[row] for row in window.rows])
                    for window in shard
                ],
                **self.common,
            }
            for number, shard in enumerate(shards)
        }
        plain = [arguments["windows"] for arguments in work.values()]
        tag = fingerprint([function.__name__, self.parameters, plain])
        paths = run_shards(
            function,
            work,
            self.output.parent / f".{self.output.name}.shards-{tag}",
            suffix=".npz",
            workers=self.workers,
            threads=self.threads,
            scheduler=self.scheduler,
            description=description,
        )
        rows = [np.array([row for window in shard for row in window.rows]) for shard in shards]
        return list(zip(rows, paths.values()))


def random_substitutions(frame: pd.DataFrame, genome: Genome, number: int, seed: int) -> pd.DataFrame:
    """Draw substitutions near variants: what letters of the same DNA do that nobody chose.

    Parameters
    ----------
    frame
        Variants.
    genome
        The reference.
    number
        How many; each lies within 1,024 bp of a variant that is drawn for it.
    seed
        Seed.

    Returns
    -------
    DataFrame
        Columns of ``frame`` and ``near``, the position of the variant.
    """
    random = random_generator(seed, "random substitutions", number)
    taken = set(zip(frame["chromosome"], frame["position"].tolist()))
    rows: list[dict[str, Any]] = []
    for _ in range(50 * number):  # stretches of N have no letters to change
        if len(rows) == number:
            break
        near = frame.iloc[int(random.integers(len(frame)))]
        position = int(near["position"]) + int(random.integers(-CONTROL_REACH, CONTROL_REACH + 1))
        code = int(genome.codes(near["chromosome"], position - 1, position)[0])
        other = int(random.integers(1, 4))
        if code == 4 or (near["chromosome"], position) in taken:
            continue
        taken.add((near["chromosome"], position))
        rows.append(
            {
                "chromosome": near["chromosome"],
                "position": position,
                "ref": "ACGT"[code],
                "alt": "ACGT"[(code + other) % 4],
                "id": "control",
                "near": int(near["position"]),
            }
        )
    return pd.DataFrame(rows, columns=["chromosome", "position", "ref", "alt", "id", "near"])
