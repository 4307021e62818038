"""Predictions too large for memory: written and read in blocks of observations."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem

from cistron.errors import InputError
from cistron.formats.anndata_files import write_anndata
from cistron.formats.prediction import (
    LAYERS,
    check_axes,
    prediction,
    prediction_path,
    refuse,
    row_blocks,
    value_problems,
)
from cistron.formats.tables import first_line
from cistron.runtime.files import atomic_path


class PredictionWriter:
    """Writes values of some observations at a time; made by :func:`writing_prediction`."""

    def __init__(self, file: h5py.File) -> None:
        self._layers = {key: file["layers"][key] for key in LAYERS}
        self._written = np.zeros(self._layers["predicted"].shape[0], dtype=bool)

    def write(self, start: int, predicted: np.ndarray, observed: np.ndarray) -> None:
        """Write the rows ``start``, ``start + 1``, ...

        Parameters
        ----------
        start
            Number of the first observation.
        predicted, observed
            float [observation, gene], as of :func:`cistron.formats.prediction.prediction`.

        Raises
        ------
        InputError
            If the block does not fit or holds infinite values.
        """
        for key, values in zip(LAYERS, (predicted, observed)):
            values = np.asarray(values, dtype=np.float32)
            rows, columns = self._layers[key].shape
            if values.ndim != 2 or values.shape[1] != columns or not 0 <= start <= rows - len(values):
                raise InputError(
                    f"{key} of shape {values.shape} from observation {start:,} does not fit in {rows:,} x {columns:,}"
                )
            if np.isinf(values).any():
                raise InputError(f"{key} has infinite values from observation {start:,}; use NaN")
            self._layers[key][start : start + len(values)] = values
        self._written[start : start + len(predicted)] = True

    def finish(self) -> None:
        """Raise unless every observation was written."""
        if not self._written.all():
            raise InputError(
                f"{int((~self._written).sum()):,} of {len(self._written):,} observations were not written, "
                f"the first is number {int(np.argmin(self._written)):,}"
            )


@contextmanager
def writing_prediction(
    path: str | Path, observations: pd.DataFrame, genes: pd.DataFrame, **facts: Any
) -> Iterator[PredictionWriter]:
    """Write a prediction in blocks of observations; the file appears whole at the end or not at all.

    Parameters
    ----------
    path
        .h5ad file.
    observations, genes, **facts
        As of :func:`cistron.formats.prediction.prediction`.

    Yields
    ------
    PredictionWriter
        ``writer.write(start, predicted, observed)`` for every block.
    """
    skeleton = prediction(None, None, observations, genes, **facts)
    with atomic_path(prediction_path(path)) as partial:
        write_anndata(skeleton, partial, further_bytes=4 * len(LAYERS) * skeleton.n_obs * skeleton.n_vars)
        with h5py.File(partial, "r+") as file:
            layers = file.require_group("layers")
            for key in LAYERS:
                dataset = layers.create_dataset(key, shape=skeleton.shape, dtype=np.float32)
                dataset.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
            writer = PredictionWriter(file)
            yield writer
            writer.finish()


@dataclass(frozen=True)
class PredictionFile:
    """A prediction on disk, of which values are read when asked for.

    Attributes
    ----------
    path
        The file.
    observations, genes
        Tables of both axes with their column ``split``.
    header
        ``uns["cistron"]``.
    """

    path: Path
    observations: pd.DataFrame
    genes: pd.DataFrame
    header: dict[str, Any]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of observations and genes."""
        return len(self.observations), len(self.genes)

    def blocks(
        self, layer: str, rows: np.ndarray | None = None, columns: np.ndarray | None = None
    ) -> Iterator[np.ndarray]:
        """Give a layer in blocks of observations, float32 [observation, gene], some 8 million values each.

        Parameters
        ----------
        layer
            ``predicted`` or ``observed``.
        rows, columns
            Ascending numbers of the observations and genes to give; all when absent.
        """
        with h5py.File(self.path, "r") as file:
            values = file["layers"][layer]
            for block in row_blocks(*self.shape):
                if rows is None:
                    taken = values[block]
                else:
                    inside = rows[(rows >= block.start) & (rows < block.stop)]
                    if not len(inside):
                        continue
                    taken = values[inside[0] : inside[-1] + 1][inside - inside[0]]
                yield taken if columns is None else taken[:, columns]

    def values(
        self, layer: str, rows: np.ndarray | None = None, columns: np.ndarray | None = None
    ) -> np.ndarray:
        """Give a part of a layer, float32 [observation, gene]; memory is needed for that part only."""
        height = self.shape[0] if rows is None else len(rows)
        width = self.shape[1] if columns is None else len(columns)
        result = np.empty((height, width), dtype=np.float32)
        start = 0
        for block in self.blocks(layer, rows, columns):
            result[start : start + len(block)] = block
            start += len(block)
        return result

    def problems(self) -> list[str]:
        """List what is wrong with the values, reading them in blocks."""
        return [problem for layer in LAYERS for problem in value_problems(self.blocks(layer), layer)]


def open_prediction(path: str | Path, *, check_values: bool = False) -> PredictionFile:
    """Open a prediction without reading its values; header, tables and shapes are checked.

    Parameters
    ----------
    path
        .h5ad file.
    check_values
        Read the values too, in blocks, and check them.

    Raises
    ------
    InputError
        If the file is absent, cannot be read, or breaks the format.
    """
    path = prediction_path(path)
    if not path.exists():
        raise InputError(f"prediction {path} does not exist")
    try:
        with h5py.File(path, "r") as file:
            obs, var = read_elem(file["obs"]), read_elem(file["var"])
            uns = read_elem(file["uns"]) if "uns" in file else {}
            layers = {
                key: (file["layers"][key].shape, file["layers"][key].dtype)
                for key in LAYERS
                if "layers" in file and isinstance(file["layers"].get(key), h5py.Dataset)
            }
    # A damaged file makes h5py and anndata raise nearly anything.
    except Exception as error:
        raise InputError(
            f"{path.name} is not a readable .h5ad file ({first_line(error)}); it may be truncated: write or fetch it again"
        ) from error
    problems = check_axes(obs, var, uns)
    for key in LAYERS:
        if key not in layers:
            problems.append(f"layers['{key}'] is absent or not dense")
        elif layers[key] != ((len(obs), len(var)), np.dtype(np.float32)):
            problems.append(
                f"layers['{key}'] is {layers[key][1]} of shape {layers[key][0]}, not float32 of the axes"
            )
    opened = PredictionFile(path, obs, var, dict(uns.get("cistron", {})))
    if not problems and check_values:
        problems = opened.problems()
    refuse(problems, path.name)
    return opened
