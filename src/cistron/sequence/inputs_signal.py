"""Signal of base pairs from bigWig, or from the HDF5 files (.w5) that Basenji's tables name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cistron.errors import InputError
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genome.bigwig import open_bigwig, reading_bigwig

_HDF5 = (".w5", ".h5", ".hdf5", ".wdf5")


class Signal:
    """One open file of signal.

    Parameters
    ----------
    path
        File, for messages.
    handle
        Open bigWig, or the data sets of an HDF5 file by name.
    lengths
        Base pairs of each chromosome that the file has.
    exact
        Whether these are the lengths of the assembly.
    """

    def __init__(self, path: Path, handle: Any, lengths: Mapping[str, int], exact: bool) -> None:
        self.path, self.lengths, self.exact = path, dict(lengths), exact
        self._handle = handle
        self._names = {normalise_chromosome(name): name for name in self.lengths}

    def spelled(self, chromosome: str) -> str | None:
        """Name of a chromosome in the file; ``None`` where it has none."""
        return self._names.get(normalise_chromosome(chromosome))

    def read(self, chromosome: str, start: int, end: int) -> np.ndarray:
        """Read base pairs.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``; where the file lacks it, the signal is 0.
        start, end
            0-based, half-open.

        Returns
        -------
        ndarray
            float64 [end - start]; NaN where the file holds nothing, 0 beyond the end of the chromosome.

        Raises
        ------
        InputError
            If the file is damaged or holds infinities.
        """
        name = self.spelled(chromosome)
        values = np.zeros(end - start)
        if name is None:
            return values
        low, high = max(0, start), min(end, self.lengths[name])
        if high <= low:
            return values
        if isinstance(self._handle, dict):
            found = np.asarray(self._handle[name][low:high], np.float64)
            found = np.clip(
                found, np.finfo(np.float16).min, np.finfo(np.float16).max
            )  # infinities of float16
        else:
            found = np.asarray(self._handle.values(name, low, high, fillna=None, uncovered=None), np.float64)
            if np.isinf(found).any():
                raise InputError(
                    f"bigWig {self.path.name} holds infinite signal near {chromosome}:{start:,}; leave uncovered what was not measured "
                    "and write it again"
                )
        values[low - start : high - start] = found
        return values


@contextmanager
def open_signal(path: str | Path) -> Iterator[Signal]:
    """Open a file of signal, for reading inside the block.

    Parameters
    ----------
    path
        bigWig, or HDF5 with a data set a chromosome.

    Yields
    ------
    Signal
        The open file.

    Raises
    ------
    InputError
        If it is neither, or is damaged; also for what is noticed while reading.
    """
    path = Path(path)
    if path.suffix.lower() in _HDF5:
        import h5py

        try:
            with h5py.File(path, "r") as file:
                sets = {
                    name: found
                    for name, found in file.items()
                    if isinstance(found, h5py.Dataset) and found.ndim == 1 and found.dtype.kind in "fiu"
                }
                if not sets:
                    raise InputError(
                        f"{path.name} has no data set a chromosome; expected signal as Basenji writes it"
                    )
                yield Signal(path, sets, {name: len(found) for name, found in sets.items()}, False)
        except OSError as error:
            raise InputError(f"{path.name} cannot be read as HDF5 ({str(error)[:80]})") from error
        return
    handle = open_bigwig(path)
    with reading_bigwig(path):
        yield Signal(path, handle, {name: int(size) for name, size in handle.chroms().items()}, True)
