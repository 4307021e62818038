"""The prediction format: predicted beside observed expression, cells x genes (page ``docs/formats/prediction.md``)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.anndata_files import open_store, read_h5ad, write_anndata
from cistron.formats.header import joined, provenance_fields, without_local_paths
from cistron.formats.prediction_checks import (
    KIND,
    LAYERS,
    SCHEMA_VERSION,
    check_axes,
    check_prediction,
    refuse,
    row_blocks,
    value_problems,
)
from cistron.formats.prediction_checks import (
    SPLIT_PARTS as SPLIT_PARTS,
)
from cistron.formats.prediction_checks import (
    UNITS as UNITS,
)
from cistron.formats.stored_matrix import open_matrix, told_damage
from cistron.genes.identity import guess_namespace
from cistron.runtime.files import atomic_path


def prediction(
    predicted: np.ndarray | None,
    observed: np.ndarray | None,
    observations: pd.DataFrame,
    genes: pd.DataFrame,
    *,
    name: str,
    method: str,
    unit: str,
    scale: str,
    dataset: str,
    evidence: str | Iterable[str] = "",
    embedding: str | Iterable[str] = "",
    control: str = "",
    identifier_namespace: str | None = None,
    genome_build: str = "",
    parameters: Mapping[str, Any] | None = None,
    sources: Iterable[str | Path] = (),
    seed: int = 0,
) -> anndata.AnnData:
    """Build a prediction that passes :func:`check_prediction`.

    Parameters
    ----------
    predicted, observed
        float [observation, gene], on the same scale, kept without a copy where they are float32 already. NaN in
        ``predicted`` is undefined (never a score), NaN in ``observed`` is not measured. Both may be ``None`` for
        a skeleton whose values :class:`cistron.formats.prediction_blocks.PredictionWriter` adds in blocks.
    observations
        Cells or cell types, indexed by unique names, with a column ``split`` of :data:`SPLIT_PARTS`; optionally
        ``cell_type``, ``donor`` and others.
    genes
        Genes, indexed by unique identifiers, with a column ``split``; optionally ``chromosome`` and others.
    name
        Short name that tables and figures show.
    method
        Method that predicted, for example ``ridge``.
    unit
        What an observation is: ``cell`` or ``cell type``.
    scale
        Scale of the values, for example ``log1p_cp10k``.
    dataset
        What was observed; files of one data set are compared.
    evidence
        What the predictor knew of the *gene*, of :data:`cistron.formats.EVIDENCE`, several joined with ``+``; empty
        where it knew nothing but the gene's own training cells.
    embedding
        Names of the gene embeddings used, joined with ``+``.
    control
        Empty, or how this prediction was made worthless on purpose: ``permuted embedding``, ``permuted input``.
    identifier_namespace
        Of the genes; guessed when absent.
    genome_build, parameters, sources, seed
        As of a gene embedding.

    Raises
    ------
    InputError
        If what was given breaks a rule of the format.
    """
    layers = {
        key: np.asarray(values, dtype=np.float32)
        for key, values in zip(LAYERS, (predicted, observed))
        if values is not None
    }
    shape = (len(observations), len(genes))
    for key, values in layers.items():
        if values.shape != shape:
            raise InputError(
                f"prediction {name}: {key} must be [observation, gene], {shape[0]:,} x {shape[1]:,}. "
                f"Given: shape {values.shape}"
            )
    axes = []
    for kind, frame in (("observation", observations), ("gene", genes)):
        copy = frame.copy()
        copy.index = pd.Index(copy.index.astype(str), name=kind)
        axes.append(copy)
    header = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "method": method,
        "unit": unit,
        "scale": scale,
        "dataset": dataset,
        "evidence": joined(evidence),
        "embedding": joined(embedding),
        "control": control,
        "identifier_namespace": identifier_namespace or guess_namespace(list(axes[1].index)),
        "genome_build": genome_build,
        **provenance_fields(parameters, sources, seed),
    }
    # Before AnnData sees them: it would only warn of doubled names.
    refuse(check_axes(axes[0], axes[1], {"cistron": header}), f"prediction {name}")
    result = anndata.AnnData(X=None, obs=axes[0], var=axes[1], layers=layers or None)
    result.uns["cistron"] = header
    if len(layers) == len(LAYERS):
        refuse(check_prediction(result), f"prediction {name}")
    return result


def write_prediction(path: str | Path, result: anndata.AnnData) -> None:
    """Check a prediction and write it as .h5ad, whole or not at all.

    Raises
    ------
    InputError
        If the prediction breaks the format, the name does not end in .h5ad, or the folder cannot be written.
    """
    path = prediction_path(path)
    refuse(check_prediction(result), f"prediction {path.name}")
    with atomic_path(path) as partial:
        write_anndata(result, partial)


def prediction_path(path: str | Path) -> Path:
    """Require the suffix .h5ad."""
    path = Path(path)
    if path.suffix != ".h5ad":
        raise InputError(f"a prediction is an .h5ad file. Given: {path.name}")
    return path


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
        with open_store(self.path, "prediction") as file:
            with told_damage(self.path.name, ".h5ad file"):
                values = open_matrix(file["layers"][layer], self.path.name)
            for block in row_blocks(*self.shape):
                if rows is None:
                    taken = values.rows(block.start, block.stop)
                else:
                    inside = rows[(rows >= block.start) & (rows < block.stop)]
                    if not len(inside):
                        continue
                    taken = values.rows(inside[0], inside[-1] + 1)[inside - inside[0]]
                yield taken if columns is None else taken[:, columns]

    def values(
        self, layer: str, rows: np.ndarray | None = None, columns: np.ndarray | None = None
    ) -> np.ndarray:
        """Give a part of a layer, float32 [observation, gene]; memory is needed for that part only.

        Parameters
        ----------
        layer
            ``predicted`` or ``observed``.
        rows, columns
            Numbers of observations and genes, int; all when absent.
        """
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
    file = open_store(path, "prediction", ".h5ad file")
    with file, told_damage(path.name, ".h5ad file"):
        obs, var = anndata.io.read_elem(file["obs"]), anndata.io.read_elem(file["var"])
        uns = anndata.io.read_elem(file["uns"]) if "uns" in file else {}
        layers = {
            key: (file["layers"][key].shape, file["layers"][key].dtype)
            for key in LAYERS
            if "layers" in file and isinstance(file["layers"].get(key), h5py.Dataset)
        }
    problems = check_axes(obs, var, uns)
    for key in LAYERS:
        if key not in layers:
            problems.append(f"layers['{key}'] is absent or not dense")
        elif layers[key] != ((len(obs), len(var)), np.dtype(np.float32)):
            problems.append(
                f"layers['{key}'] is {layers[key][1]} of shape {layers[key][0]}, not float32 of the axes"
            )
    header = uns.get("cistron")
    opened = PredictionFile(path, obs, var, dict(header) if isinstance(header, Mapping) else {})
    if not problems and check_values:
        problems = opened.problems()
    refuse(problems, path.name)
    without_local_paths(opened.header)
    return opened


def read_prediction(path: str | Path) -> anndata.AnnData:
    """Read a prediction into memory and check it; :func:`open_prediction` reads it in blocks instead.

    Raises
    ------
    InputError
        If the file is absent, cannot be read, or breaks the format.
    """
    opened = open_prediction(path)
    result = read_h5ad(opened.path)
    refuse(check_prediction(result), opened.path.name)
    result.uns["cistron"] = opened.header
    return result
