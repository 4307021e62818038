"""Write AnnData files (.h5ad), where a full disk gives an error message instead of ending the process; open HDF5 and zarr."""

import warnings
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
from scipy import sparse

from cistron.errors import InputError
from cistron.formats.stored_matrix import told_damage
from cistron.runtime.cloud import cloud_url, exists, is_folder, open_file
from cistron.runtime.files import require_space

_IN_MEMORY = 512 << 20  # bytes of an object that is put together in memory first
_OVERHEAD = 1 << 20  # bytes of structure that no array tells of


def write_anndata(data: anndata.AnnData, path: str | Path, *, further_bytes: int = 0) -> None:
    """Write an object as .h5ad.

    HDF5 ends the process with a segmentation fault when it closes a file that the disk had no room for. A small object is
    therefore put together in memory and written by ordinary means; for a larger one the room is looked at before.

    Parameters
    ----------
    data
        The object.
    path
        File to write, inside :func:`cistron.runtime.atomic_path`.
    further_bytes
        Bytes that the caller will add to the file afterwards.

    Raises
    ------
    OSError
        If the disk is full.
    """
    path = Path(path)
    data.strings_to_categoricals()
    size = _bytes_of(data)
    require_space(path, size + further_bytes)
    if size > _IN_MEMORY:
        data.write_h5ad(path)
        return
    with h5py.File(str(path), "w", driver="core", backing_store=False) as file:
        anndata.io.write_elem(file, "/", data)
        file.flush()
        path.write_bytes(file.id.get_file_image())


def _bytes_of(data: anndata.AnnData) -> int:
    """Approximate size in bytes of all arrays of an object."""
    arrays = [data.X, *data.layers.values(), *data.obsm.values(), *data.varm.values()]
    tables = data.obs.memory_usage(deep=True).sum() + data.var.memory_usage(deep=True).sum()
    return int(sum(_array_bytes(array) for array in arrays) + tables) + _OVERHEAD


def _array_bytes(array: Any) -> int:
    if sparse.issparse(array):
        parts = [getattr(array, name, np.empty(0)) for name in ("data", "indices", "indptr")]
        return sum(part.nbytes for part in parts)
    return int(getattr(array, "nbytes", 0))


def open_store(path: Path, what: str = "file", form: str = "AnnData") -> Any:
    """Open an HDF5 file or a zarr folder for reading.

    Parameters
    ----------
    path
        File or folder.
    what, form
        What it is and what form it should have, for messages.

    Raises
    ------
    InputError
        If it is absent, packed, of another form, or damaged.
    """
    if not exists(path):
        raise InputError(f"{what} {path} does not exist")
    url = cloud_url(path)
    if is_folder(path):
        if not any(exists(path / name) for name in ("zarr.json", ".zgroup")):
            raise InputError(
                f"{what} {path.name} is a folder, but neither a zarr store nor one of Cell Ranger with matrix.mtx"
            )
        import zarr

        with told_damage(path.name, form):
            return zarr.open_group(url or path, mode="r")
    with told_damage(path.name, form):
        with open_file(path) as file:
            packed = file.read(2) == b"\x1f\x8b"
        if packed:
            raise InputError(f"{what} {path.name} is packed with gzip; unpack it first (gunzip)")
        return h5py.File(path if url is None else open_file(path), "r")


def read_h5ad(path: Path) -> anndata.AnnData:
    """Read a whole AnnData file into memory; a damaged one is an :class:`InputError`."""
    with told_damage(path.name, ".h5ad file"), warnings.catch_warnings():
        # Doubled names are reported by whoever checks them, in one line.
        warnings.filterwarnings("ignore", message=".*names are not unique", category=UserWarning)
        return anndata.read_h5ad(path)
