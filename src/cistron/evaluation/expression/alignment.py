"""Put prediction files side by side: the same cells, genes, split and observed values, or an error that says what differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.rivals import RIVAL_NAME
from cistron.formats.prediction_blocks import PredictionFile, open_prediction

RESERVED = ("null", "ceiling", RIVAL_NAME)  # names of the rows that the task adds
_TOLERANCE = 1e-4  # of observed values, relative to 1 + |value|


@dataclass(frozen=True)
class Aligned:
    """Files over the same cells and genes.

    Attributes
    ----------
    files
        Open prediction files.
    names
        A unique name for each.
    observations, genes
        Tables of the first file for the cells and genes that are compared.
    rows, columns
        For each file the numbers of these cells and genes in it.
    """

    files: tuple[PredictionFile, ...]
    names: tuple[str, ...]
    observations: pd.DataFrame
    genes: pd.DataFrame
    rows: tuple[np.ndarray, ...]
    columns: tuple[np.ndarray, ...]

    def values(self, file: int, layer: str, cells: np.ndarray, genes: np.ndarray) -> np.ndarray:
        """A part of a layer of a file, float32 [cell, gene]; ``cells`` and ``genes`` number rows of the tables.

        Parameters
        ----------
        file
            Number of the file.
        layer
            ``predicted`` or ``observed``.
        cells, genes
            Rows of the tables ``observations`` and ``genes``, int.
        """
        rows, columns = self.rows[file][cells], self.columns[file][genes]
        order = np.argsort(rows, kind="stable")  # read in the order of the file
        values = self.files[file].values(layer, rows[order], columns)
        if (order == np.arange(len(order))).all():
            return values
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return values[back]

    def require_same_observed(
        self, observed: np.ndarray, file: int, cells: np.ndarray, genes: np.ndarray
    ) -> None:
        """Raise unless a file's observed values equal ``observed`` of the first file.

        Parameters
        ----------
        observed
            Observed values of the first file, float32 [cell, gene].
        file
            Number of the file that is compared.
        cells, genes
            Rows of the tables ``observations`` and ``genes`` that ``observed`` has, int.

        Raises
        ------
        InputError
            With the cell and gene that differ most.
        """
        own = self.values(file, "observed", cells, genes)
        if (own == observed).all():
            return
        with np.errstate(invalid="ignore"):
            apart = np.abs(own - observed) / (1 + np.abs(observed))
        differ = np.where(np.isnan(own) != np.isnan(observed), np.inf, np.nan_to_num(apart)) > _TOLERANCE
        if not differ.any():
            return
        cell, gene = np.unravel_index(int(np.argmax(differ)), differ.shape)
        raise InputError(
            f"{self.files[file].path.name} and {self.files[0].path.name} differ in {differ.mean():.1%} of the observed "
            f"values, for example {self.observations.index[cells[cell]]} x {self.genes.index[genes[gene]]}: "
            f"{own[cell, gene]:.4g} and {observed[cell, gene]:.4g}; compare predictions of the same data on the same scale"
        )


def align(paths: Sequence[str | Path], *, shared: bool = False) -> Aligned:
    """Open prediction files and check that they can be compared.

    Parameters
    ----------
    paths
        Prediction files.
    shared
        Compare on the cells and genes that all files have; otherwise all must have the same.

    Raises
    ------
    InputError
        If a file breaks the format, or files differ in unit, scale, data set, cells, genes or split.
    """
    files = [open_prediction(path) for path in paths]
    first = files[0]
    for file in files[1:]:
        for fact in ("unit", "scale", "dataset", "identifier_namespace"):
            mine, theirs = str(file.header[fact]), str(first.header[fact])
            if mine != theirs:
                raise InputError(
                    f"{file.path.name} has {fact} {mine!r}, {first.path.name} has {theirs!r}; "
                    "compare predictions of the same data"
                )
    tables, places = [], []
    for kind in ("observations", "genes"):
        table, numbers = _common([(file.path.name, getattr(file, kind)) for file in files], kind, shared)
        tables.append(table)
        places.append(numbers)
    return Aligned(
        tuple(files), _unique_names(files), tables[0], tables[1], tuple(places[0]), tuple(places[1])
    )


def _common(
    tables: list[tuple[str, pd.DataFrame]], kind: str, shared: bool
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """The part of the first table that all have, and its row numbers in each."""
    first_name, first = tables[0]
    index = first.index
    for name, table in tables[1:]:
        both = index.intersection(table.index, sort=False)
        if not len(both):
            raise InputError(
                f"{name} and {first_name} have no {kind} in common: {table.index[0]} ... and {first.index[0]} ..."
            )
        if not shared and (len(both) < len(index) or len(both) < len(table)):
            where, only = (first_name, index.difference(both)) if len(both) < len(index) else (name, table.index.difference(both))  # fmt: skip
            raise InputError(
                f"{name} has {len(table):,} {kind}, {first_name} {len(index):,}, {len(both):,} are in both; {only[0]} is only "
                f"in {where}. Predict the same {kind} (NaN where undefined), or compare on those of all files with --shared"
            )
        index = both
    numbers = []
    for name, table in tables:
        numbers.append(table.index.get_indexer(index))
        mine, theirs = (frame.loc[index, "split"].astype(str) for frame in (table, first))
        differ = (mine.to_numpy() != theirs.to_numpy()).nonzero()[0]
        if len(differ):
            place = differ[0]
            raise InputError(
                f"{name} and {first_name} split the {kind} differently ({len(differ):,} of {len(index):,}): {index[place]} is "
                f"{mine.iloc[place]} in one and {theirs.iloc[place]} in the other; use one split for what is compared"
            )
    return first.loc[index], numbers


def _unique_names(files: Sequence[PredictionFile]) -> tuple[str, ...]:
    """Names of the headers; files of one name get their file name behind it."""
    names = [str(file.header["name"]) for file in files]
    doubled = {name for name in names if names.count(name) > 1}
    names = [f"{name} ({file.path.stem})" if name in doubled else name for name, file in zip(names, files)]
    taken = [name for name in names if name in RESERVED]
    if taken:
        raise InputError(
            f"a prediction is named {taken[0]!r}, which is what the task adds itself; give it another name"
        )
    again = [name for name in names if names.count(name) > 1]
    if again:
        raise InputError(f"two files have the name {again[0]!r}; name each file once or rename one of them")
    return tuple(names)
