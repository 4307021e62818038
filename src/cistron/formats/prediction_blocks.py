"""Predictions too large for memory, written in blocks of observations."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.anndata_files import write_anndata
from cistron.formats.prediction import PredictionFile, open_prediction, prediction, prediction_path
from cistron.formats.prediction_checks import LAYERS
from cistron.runtime.files import atomic_path

__all__ = ["PredictionFile", "PredictionWriter", "open_prediction", "writing_prediction"]


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
