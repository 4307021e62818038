"""Write a matrix of genes x samples block by block, so that it never has to fit in memory."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd

import cistron
from cistron.errors import InputError
from cistron.formats.anndata_files import write_anndata
from cistron.runtime.files import atomic_path, sha256_of


def write_matrix(
    path: str | Path,
    genes: Sequence[str],
    samples: Sequence[str],
    blocks: Iterable[np.ndarray],
    *,
    steps: Sequence[str],
    sources: Sequence[str | Path] = (),
    sample_table: Mapping[str, Any] | None = None,
) -> None:
    """Write an .h5ad of genes x samples.

    Parameters
    ----------
    path
        File to write; whole or not at all.
    genes, samples
        Names of rows and columns.
    blocks
        Blocks of rows in order, float [n, sample]; together as many rows as there are genes.
    steps
        What was done, one sentence each; kept in ``uns["cistron_matrix"]``.
    sources
        Files that it was made from; path and SHA-256 are kept.
    sample_table
        Columns of ``var``, for example the number of cells behind a pseudobulk.

    Raises
    ------
    InputError
        If the name does not end in .h5ad or the folder cannot be written.
    """
    path = Path(path)
    if path.suffix != ".h5ad":
        raise InputError(f"a prepared matrix is written as .h5ad. Given: {path.name}")
    frame = anndata.AnnData(
        obs=pd.DataFrame(index=pd.Index(list(genes), name="gene")),
        var=pd.DataFrame(dict(sample_table or {}), index=pd.Index(list(samples), name="sample")),
    )
    frame.uns["cistron_matrix"] = {
        "schema_version": 1,
        "software_version": cistron.__version__,
        "steps": json.dumps(list(steps)),
        "sources": json.dumps(
            [{"file": Path(source).name, "sha256": sha256_of(source)} for source in sources]
        ),
    }
    with atomic_path(path) as partial:
        write_anndata(frame, partial, further_bytes=4 * len(genes) * len(samples))
        with h5py.File(partial, "r+") as file:
            if "X" in file:
                del file["X"]
            values = file.create_dataset(
                "X", (len(genes), len(samples)), np.float32, chunks=_chunks(len(genes), len(samples)),
                compression="lzf",
            )  # fmt: skip
            values.attrs["encoding-type"], values.attrs["encoding-version"] = "array", "0.2.0"
            start = 0
            for block in blocks:
                values[start : start + len(block)] = block
                start += len(block)
            assert start == len(genes), (start, len(genes))


def _chunks(genes: int, samples: int) -> tuple[int, int]:
    """Chunks of whole rows of about 1 MB: matrices are read by blocks of genes."""
    return max(1, min(genes, 262_144 // max(samples, 1))), samples
