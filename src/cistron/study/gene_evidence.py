"""Gather what files of other commands say of the genes of a study, and keep it: each file is read once for its content."""

import hashlib
import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pandas as pd

from cistron.runtime import say
from cistron.runtime.files import atomic_path
from cistron.study.gene_files import GENE_FILES
from cistron.study.plan import StudyPlan

FOLDER = "genes"
_VERSION = 1  # a change to what is gathered raises this


def gather(
    plan: StudyPlan, folder: Path, genes: pd.DataFrame, names: Mapping[str, str]
) -> dict[str, pd.DataFrame]:
    """Read the files of ``[genes]``, or what was kept of them.

    Parameters
    ----------
    plan
        The study.
    folder
        Its folder; tables are kept in ``genes/``.
    genes
        Who the genes are (:func:`cistron.study.gene_identity.identity_of`).
    names
        Names in lower case to ids.

    Returns
    -------
    dict of str to DataFrame
        One table a key that has rows; each has the columns ``gene`` and ``file``.
    """
    found: dict[str, pd.DataFrame] = {}
    who = _digest(genes[["gene", "symbol", "chromosome", "strand", "site", "names"]].to_csv(index=False))
    for key, paths in plan.gene_files.items():
        if not GENE_FILES[key].read:
            continue
        parts = []
        for path in paths:
            kept = (
                folder / FOLDER / f"{key}-{_digest(json.dumps([_VERSION, key, who, _state(path)]))}.parquet"
            )
            if not kept.exists():
                module, _, name = GENE_FILES[key].read.partition(":")
                table: pd.DataFrame = getattr(import_module(module), name)(path, genes, names)
                if table.empty:
                    say(f"{path.name} says nothing of a gene of the study")
                kept.parent.mkdir(exist_ok=True)
                with atomic_path(kept) as partial:
                    table.to_parquet(partial, index=False)
            parts.append(pd.read_parquet(kept))
        parts = [part for part in parts if len(part)]
        if parts:
            found[key] = pd.concat(parts, ignore_index=True)
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _state(path: Path) -> list[list[object]]:
    """Names, sizes and times of the files: stores may be too large to be read for a hash."""
    members = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    states = [(one, one.stat()) for one in members]
    root = path if path.is_dir() else path.parent
    return [[one.relative_to(root).as_posix(), state.st_size, state.st_mtime_ns] for one, state in states]
