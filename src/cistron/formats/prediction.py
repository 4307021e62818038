"""The prediction format: predicted beside observed expression, cells x genes (page ``docs/formats/prediction.md``)."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.anndata_files import write_anndata
from cistron.formats.gene_embedding import read_h5ad
from cistron.formats.header import header_problems, joined, provenance_fields, without_local_paths
from cistron.genes.identity import guess_namespace
from cistron.runtime.files import atomic_path

KIND = "prediction"
SCHEMA_VERSION = 1
SPLIT_PARTS = ("train", "validation", "test", "unused")
UNITS = ("cell", "cell type")
LAYERS = ("predicted", "observed")
_TEXT_FIELDS = (
    "name",
    "method",
    "unit",
    "scale",
    "dataset",
    "identifier_namespace",
    "genome_build",
    "embedding",
    "evidence",
    "control",
    "parameters",
    "software_version",
)
_NEEDED_TEXT = ("name", "method", "unit", "scale", "dataset")
_BLOCK_VALUES = 1 << 23  # values looked at in one go: 32 MB of float32


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


def check_axes(observations: pd.DataFrame, genes: pd.DataFrame, uns: Mapping[str, Any]) -> list[str]:
    """List what breaks the format in the tables of observations and genes and in the header."""
    header = uns.get("cistron")
    if not isinstance(header, Mapping) or header.get("kind") != KIND:
        return ["uns['cistron'] with kind 'prediction' is absent; write it with cistron.formats.prediction"]
    problems = _header_problems(header)
    if not len(observations) or not len(genes):
        problems.append(f"it is empty: {len(observations):,} observations x {len(genes):,} genes")
    for kind, frame in (("observations", observations), ("genes", genes)):
        if not frame.index.is_unique:
            doubled = frame.index[frame.index.duplicated()].unique()
            problems.append(f"{len(doubled):,} {kind} occur more than once, for example {doubled[0]}")
        if "split" not in frame:
            problems.append(f"the table of {kind} has no column 'split' ({', '.join(SPLIT_PARTS)})")
            continue
        strange = sorted(set(frame["split"].astype(str)) - set(SPLIT_PARTS))
        if strange:
            problems.append(f"split of {kind} has {strange[0]!r}; expected {', '.join(SPLIT_PARTS)}")
    return problems


def _header_problems(header: Mapping[str, Any]) -> list[str]:
    problems = header_problems(header, fields=_TEXT_FIELDS, newest=SCHEMA_VERSION, evidence_needed=False)
    problems += [f"{field} is empty" for field in _NEEDED_TEXT if not str(header.get(field, "absent"))]
    if header.get("unit", "cell") not in UNITS:
        problems.append(f"unit {header['unit']!r} is not one of {', '.join(UNITS)}")
    return problems


def check_prediction(result: anndata.AnnData) -> list[str]:
    """List what breaks the format; an empty list means that the prediction is valid.

    Parameters
    ----------
    result
        What to check; values are looked at in blocks of observations.

    Returns
    -------
    list of str
        One sentence a problem.
    """
    problems = check_axes(result.obs, result.var, result.uns)
    for layer in LAYERS:
        if layer not in result.layers:
            problems.append(f"layers['{layer}'] is absent")
            continue
        values = result.layers[layer]
        if hasattr(values, "toarray"):
            problems.append(f"layers['{layer}'] is sparse; expected dense float32")
        elif values.dtype != np.float32:
            problems.append(f"layers['{layer}'] is {values.dtype}, not float32")
        else:
            problems += value_problems((values[rows] for rows in row_blocks(*values.shape)), layer)
    return problems


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of rows of at most about 8 million values each."""
    step = max(1, _BLOCK_VALUES // max(columns, 1))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def value_problems(blocks: Iterable[np.ndarray], layer: str) -> list[str]:
    """What is wrong with the values of a layer, given in blocks of rows: infinite, or nothing but NaN."""
    infinite, finite = 0, False
    for block in blocks:
        infinite += int(np.isinf(block).sum())
        finite = finite or bool(np.isfinite(block).any())
    if infinite:
        return [f"layers['{layer}'] has {infinite:,} infinite values; use NaN for what is undefined"]
    return [] if finite else [f"layers['{layer}'] has no value that is not NaN"]


def refuse(problems: list[str], what: str) -> None:
    """Raise an :class:`InputError` that names ``what`` and its first problem, if there is one."""
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(f"{what} breaks the prediction format: {problems[0]}{more}")


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


def read_prediction(path: str | Path) -> anndata.AnnData:
    """Read a prediction into memory and check it.

    :func:`cistron.formats.prediction_blocks.open_prediction` reads it in blocks instead.

    Raises
    ------
    InputError
        If the file is absent, cannot be read, or breaks the format.
    """
    path = prediction_path(path)
    if not path.exists():
        raise InputError(f"prediction {path} does not exist")
    result = read_h5ad(path)
    refuse(check_prediction(result), path.name)
    result.uns["cistron"] = dict(result.uns["cistron"])
    without_local_paths(result.uns["cistron"])
    return result
