"""What makes a prediction valid: its axes, its header and its values (page ``docs/formats/prediction.md``)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.header import header_problems

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


def check_axes(observations: pd.DataFrame, genes: pd.DataFrame, uns: Mapping[str, Any]) -> list[str]:
    """List what breaks the format in the tables of observations and genes and in the header.

    Parameters
    ----------
    observations, genes
        Tables ``obs`` and ``var``.
    uns
        The file's ``uns``, with the header ``cistron``.
    """
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
