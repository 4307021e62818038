"""Matrix, cells and genes of a file of single cells, read in pieces so that only the sparse matrix is ever in memory."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import sparse

from cistron.errors import InputError

PIECE = 20_000  # rows of a dense or sparse matrix that are read at a time


@dataclass
class CellTable:
    """What a file holds.

    Attributes
    ----------
    values
        Sparse float32 [cell, gene].
    obs, var
        Tables of cells and genes.
    remarks
        What the user should know.
    """

    values: sparse.csr_matrix
    obs: pd.DataFrame
    var: pd.DataFrame
    remarks: list[str] = field(default_factory=list)


def read_cell_table(path: Path, layer: str | None, modality: str | None = None) -> CellTable:
    """Read ``.h5ad``, ``.zarr``, ``.h5mu`` or a 10x ``.h5``.

    Parameters
    ----------
    path
        File or zarr folder.
    layer
        Layer of the values, ``raw``, or ``None`` to choose; see :func:`cistron.formats.perturbed_cells.read_perturbed_cells`.

    modality
        Modality of a ``.h5mu``; ``rna`` or ``gex`` when absent.

    Raises
    ------
    InputError
        If the file has another suffix, cannot be read, or lacks the layer.
    """
    readers = {".h5ad": _read_h5, ".h5mu": _read_h5, ".zarr": _read_zarr, ".h5": _read_10x}
    if path.suffix not in readers:
        raise InputError(
            f"cells are read from .h5ad, .zarr, .h5mu, 10x .h5 or CausalBench's .npz. Given: {path.name}"
        )
    try:
        if path.suffix == ".h5mu":
            return _read_h5(path, layer, modality)
        return readers[path.suffix](path, layer)
    except InputError:
        raise
    except Exception as error:  # h5py, zarr and anndata raise anything on a cut file
        raise InputError(
            f"{path.name} is not a readable {path.suffix} file ({type(error).__name__}: {str(error)[:100]}); it may be "
            "truncated: write or fetch it again"
        ) from error


def _pieces(matrix: Any) -> sparse.csr_matrix:
    """Read a matrix on disk by rows; one that is stored by columns is read whole."""
    if sparse.issparse(matrix) or (hasattr(matrix, "format") and matrix.format == "csc"):
        whole = matrix if sparse.issparse(matrix) else matrix.to_memory()
        return sparse.csr_matrix(whole, dtype=np.float32)
    parts = [
        sparse.csr_matrix(matrix[start : start + PIECE], dtype=np.float32)
        for start in range(0, matrix.shape[0], PIECE)
    ]
    return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix(matrix.shape, dtype=np.float32)


def _on_disk(node: Any) -> Any:
    if hasattr(node, "shape"):  # dense
        return node
    return anndata.io.sparse_dataset(node)


def _choose(group: Any, layer: str | None, name: str) -> tuple[Any, str, str]:
    """Give the node of the values, that of the table of genes, and a remark."""
    layers = list(group["layers"]) if "layers" in group else []
    has_raw = "raw" in group and hasattr(group["raw"], "keys") and "X" in group["raw"]
    if layer == "raw" and "raw" not in layers:
        if not has_raw:
            raise InputError(f"{name}: there is no raw matrix; layers are {', '.join(layers) or 'none'}")
        return group["raw/X"], "raw/var", ""
    if layer is None and "counts" in layers:
        layer = "counts"
    if layer is not None:
        if layer not in layers:
            raise InputError(f"{name}: there is no layer {layer!r}; it has {', '.join(layers) or 'none'}")
        return group["layers"][layer], "var", ""
    if "X" not in group:
        raise InputError(
            f"{name}: it has no X; name a layer with --layer ({', '.join(layers) or 'there is none'})"
        )
    if has_raw and not _whole(group["X"]) and _whole(group["raw/X"]):
        return group["raw/X"], "raw/var", "X holds no counts, so those of .raw are used"
    return group["X"], "var", ""


def _whole(node: Any) -> bool:
    """Tell from a piece whether values are counts."""
    data = node[:200] if hasattr(node, "shape") else node["data"][:20_000]
    data = np.asarray(data, dtype=np.float64)
    return (
        bool(len(data))
        and bool(np.isfinite(data).all())
        and bool((data >= 0).all() and (data == np.round(data)).all())
    )


def _from_group(group: Any, layer: str | None, name: str) -> CellTable:
    node, var, remark = _choose(group, layer, name)
    values = _pieces(_on_disk(node))
    return CellTable(
        values,
        anndata.io.read_elem(group["obs"]),
        anndata.io.read_elem(group[var]),
        [remark] if remark else [],
    )


def _read_h5(path: Path, layer: str | None, modality: str | None = None) -> CellTable:
    with h5py.File(path, "r") as file:
        if "mod" not in file:
            return _from_group(file, layer, path.name)
        modalities = list(file["mod"])
        if modality is not None and modality not in modalities:
            raise InputError(
                f"{path.name}: there is no modality {modality!r}; it has {', '.join(modalities)}"
            )
        usual = ("rna", "gex", "RNA", "GEX")
        chosen = modality or next((name for name in usual if name in modalities), None)
        if chosen is None and len(modalities) > 1:
            raise InputError(f"{path.name}: expected a modality 'rna'. Given: {', '.join(modalities)}")
        chosen = chosen or modalities[0]
        table = _from_group(file["mod"][chosen], layer, path.name)
        shared = anndata.io.read_elem(file["obs"]) if "obs" in file else pd.DataFrame(index=table.obs.index)
        extra = shared[[column for column in shared if column not in table.obs]]
        table.obs = table.obs.join(extra)
        table.remarks.append(f"modality {chosen!r} of {', '.join(modalities)} is read")
        return table


def _read_zarr(path: Path, layer: str | None) -> CellTable:
    import zarr

    return _from_group(zarr.open_group(str(path), mode="r"), layer, path.name)


def _read_10x(path: Path, layer: str | None) -> CellTable:
    """Read Cell Ranger's matrix (version 3 and later), genes only."""
    if layer is not None:
        raise InputError(f"{path.name}: a 10x file has no layers; leave --layer out")
    with h5py.File(path, "r") as file:
        if "matrix" not in file:
            raise InputError(
                f"{path.name}: expected Cell Ranger's group 'matrix'. Given: {', '.join(file) or 'nothing'}"
            )
        matrix = file["matrix"]
        arrays = tuple(matrix[key][:] for key in ("data", "indices", "indptr"))
        shape = tuple(int(size) for size in matrix["shape"][:])
        values = sparse.csc_matrix(arrays, shape=shape).T.tocsr().astype(np.float32)
        features = {
            key: [value.decode() for value in matrix["features"][key][:]]
            for key in ("id", "name", "feature_type")
            if key in matrix["features"]
        }
        barcodes = [value.decode() for value in matrix["barcodes"][:]]
    var = pd.DataFrame({"gene_name": features["name"]}, index=pd.Index(features["id"], dtype=object))
    remarks = []
    if "feature_type" in features:
        kept = np.array([kind == "Gene Expression" for kind in features["feature_type"]])
        if not kept.all():
            remarks.append(
                f"{int((~kept).sum()):,} features that are no genes (guides, antibodies) are left out"
            )
            values, var = values[:, kept], var[kept]
    return CellTable(values, pd.DataFrame(index=pd.Index(barcodes, dtype=object)), var, remarks)
