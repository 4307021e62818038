"""Perturbed cells from files: every form that cells come in (:mod:`cistron.formats.anndata_rows`), and CausalBench's npz."""

import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.anndata_rows import SUFFIXES, is_stored_cells, open_anndata
from cistron.formats.expression_scale import Scale
from cistron.formats.perturbation_column import find_perturbation_column
from cistron.formats.perturbation_labels import possible_names
from cistron.formats.perturbed_cells_assembly import PerturbedCells, assemble_cells, split_cells
from cistron.formats.perturbed_cells_calls import read_calls, read_guide_table
from cistron.formats.perturbed_cells_settings import ReadingSettings
from cistron.genes.identity import without_version
from cistron.runtime.cloud import exists, require_here

__all__ = [
    "PerturbedCells",
    "ReadingSettings",
    "assemble_cells",
    "read_perturbed_cells",
    "read_screen",
    "split_cells",
]


def read_screen(path: str | Path, settings: ReadingSettings | None = None) -> PerturbedCells:
    """Read perturbed cells as settings say; defaults when absent (:func:`read_perturbed_cells`)."""
    settings = settings or ReadingSettings()
    given = {field.name: getattr(settings, field.name) for field in fields(ReadingSettings)}
    return read_perturbed_cells(path, **given)


def read_perturbed_cells(
    path: str | Path,
    *,
    perturbation: str | None = None,
    control: str | Sequence[str] = (),
    excluded: Sequence[str] = ("excluded",),
    guide: str | None = None,
    guide_table: str | Path | None = None,
    calls: str | Path | None = None,
    batch: str | None = None,
    gene_column: str | None = None,
    layer: str | None = None,
    scale: Scale | Literal["auto"] = "auto",
    minimum_cells: int = 2,
    observational: bool = False,
    modality: str | None = None,
) -> PerturbedCells:
    """Read perturbed cells from a file.

    Parameters
    ----------
    path
        ``.h5ad``, ``.zarr`` or ``.h5mu`` with a column of perturbations in ``obs``; Cell Ranger's ``.h5`` or folder with a table
        of ``calls``; or ``.npz`` with ``expression_matrix``, ``interventions`` and ``var_names`` (CausalBench; log-normalised).
    perturbation
        Column of ``obs`` that names what was perturbed; found by its labels when absent
        (:func:`cistron.formats.perturbation_column.find_perturbation_column`).
    control
        Labels of control cells or patterns with ``*``; guessed and said when empty.
    excluded
        Labels that are not used.
    guide, batch
        Columns of the guide and of the batch.
    guide_table
        Table of guides and their genes (two columns); labels are then guides.
    calls
        Table of cells and what was perturbed in them, instead of a column of ``obs``.
    gene_column
        Column of ``var`` whose names the genes shall have. Without it, labels that are no gene of the file are looked up
        in the other columns of ``var``.
    layer
        Layer that holds the counts, or ``raw``; when absent ``layers["counts"]``, ``X`` or, where ``X`` holds no counts
        and ``raw`` does (unless ``scale`` says that no counts are wanted), ``raw``.
    scale
        ``auto`` finds out; an AnnData without counts is an error unless its scale is said.
    minimum_cells
        Fewest cells of a perturbation.
    observational
        Take every cell as unperturbed; no column is needed.
    modality
        Modality of a ``.h5mu``; ``rna`` or ``gex`` when absent.

    Raises
    ------
    InputError
        If the file cannot be read, a column is absent, or values are not what was expected.
    """
    path = Path(path)
    if not exists(path):
        raise InputError(f"cells {path} do not exist")
    known: Scale | None = None if scale == "auto" else scale
    given = {"control": control, "excluded": excluded, "minimum_cells": minimum_cells}
    table_of_guides = None if guide_table is None else read_guide_table(guide_table)
    if path.suffix == ".npz":
        require_here(path)
        return _read_npz(path, known, table_of_guides, observational, given)
    if not is_stored_cells(path):
        raise InputError(
            f"cells are read from {', '.join(SUFFIXES)}, folders of Cell Ranger or CausalBench's .npz. Given: {path.name}"
        )
    # Who says that the values are no counts means those of X.
    opened = open_anndata(
        path,
        form=f"{path.suffix or 'Cell Ranger'} file",
        layer=layer,
        modality=modality,
        raw_counts=known in (None, "counts"),
    )
    with closing(opened) as table:
        obs, var = table.observations, table.variables
        remarks = list(table.remarks)
        labelled = calls is None and not observational
        for column in [one for one in (perturbation if labelled else None, guide, batch) if one]:
            if column not in obs:
                raise InputError(
                    f"{path.name}: obs has no column {column!r}; it has "
                    f"{', '.join(map(str, obs.columns[:10])) or 'none'}"
                )
        if labelled and perturbation is None:
            given_controls = [control] if isinstance(control, str) else list(control)
            perturbation, remark = find_perturbation_column(
                obs, var, [one for one in given_controls if one], table_of_guides or (), path.name
            )
            remarks += [remark] if remark else []
        if not obs.index.is_unique:
            doubled = obs.index[obs.index.duplicated()]
            raise InputError(
                f"{path.name}: {len(doubled):,} cells occur more than once, for example {doubled[0]}; remove the copies "
                "or make the names unique if they are different cells"
            )
        if observational:
            labels = [""] * len(obs)
        elif calls is not None:
            labels, remark = read_calls(calls, obs.index)
            remarks.append(remark)
        else:
            labels = obs[perturbation].astype(str).tolist()
        genes = gene_names(var, gene_column, path.name)
        named = [*labels, *(table_of_guides or {}).values()]
        aliases, remark = ({}, "") if observational else _aliases(var, genes, named)
        remarks += [remark] if remark else []
        cells = assemble_cells(
            table.matrix.in_memory().astype(np.float32, copy=False),
            genes,
            labels,
            guides=obs[guide].astype(str).tolist() if guide else None,
            batches=obs[batch].astype(str).tolist() if batch else None,
            guide_table=table_of_guides,
            aliases=aliases,
            observational=observational,
            scale=known,
            name=path.name,
            **given,  # type: ignore[arg-type]
        )
        if known is None and cells.scale != "counts":
            raise InputError(
                f"{path.name}: expected raw counts, but values look {cells.scale} (not whole numbers); name the layer of "
                f"the counts with --layer, or say --scale {cells.scale} to use them as they are"
            )
        return _with_remarks(cells, remarks)


def _with_remarks(cells: PerturbedCells, remarks: Sequence[str]) -> PerturbedCells:
    return replace(cells, remarks=(*remarks, *cells.remarks))


def gene_names(var: pd.DataFrame, column: str | None, name: str) -> list[str]:
    """Give the names of the genes: the index of ``var``, or a column where it names a gene alone.

    Parameters
    ----------
    var
        Table of genes.
    column
        Column with the names that genes shall have.
    name
        Name of the file, for messages.
    """
    index = [str(gene) for gene in var.index]
    if column is None:
        return index
    if column not in var:
        raise InputError(
            f"{name}: var has no column {column!r}; it has {', '.join(map(str, var.columns[:10])) or 'none'}"
        )
    names = var[column].astype("string").fillna("").str.strip()
    usable = ~names.duplicated(keep=False) & (names != "") & ~names.isin(["nan", "None"])
    return [new if good else old for new, old, good in zip(names.tolist(), index, usable.tolist())]


def _aliases(var: pd.DataFrame, genes: Sequence[str], labels: Sequence[str]) -> tuple[dict[str, int], str]:
    """Find other names of genes that labels use, in the index or a text column of ``var``."""
    known = set(map(without_version, genes))
    unknown = {name for label in set(labels) for name in possible_names(label)} - known
    best: tuple[int, str, dict[str, int]] = (0, "", {})
    columns = {"its index": pd.Series(var.index.astype(str), index=var.index)}
    columns |= {
        f"column {column!r}": var[column].astype("string")
        for column in var
        if not pd.api.types.is_numeric_dtype(var[column])
    }
    for title, names in columns.items():
        names = names.map(without_version, na_action="ignore")
        once = ~names.duplicated(keep=False).to_numpy() & names.notna().to_numpy()
        found = {
            str(gene): place for place, gene in enumerate(names) if once[place] and str(gene) not in known
        }
        met = len(unknown & found.keys())
        if met > best[0]:
            best = (met, title, found)
    if not best[0]:
        return {}, ""
    return best[2], f"{best[0]:,} perturbed genes are named as in {best[1]} of var and are matched by it"


def _read_npz(
    path: Path,
    scale: Scale | None,
    guide_table: Mapping[str, str] | None,
    observational: bool,
    given: dict[str, object],
) -> PerturbedCells:
    try:
        with np.load(path, allow_pickle=False) as file:
            absent = [key for key in ("expression_matrix", "interventions", "var_names") if key not in file]
            if absent:
                raise InputError(
                    f"{path.name}: array {absent[0]!r} is absent; expected CausalBench's expression_matrix, "
                    "interventions and var_names"
                )
            arrays = [file[key] for key in ("expression_matrix", "var_names", "interventions")]
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(
            f"{path.name} is not a readable .npz of plain arrays ({str(error)[:100]}); object arrays are not read "
            "because they are pickled: save names as text arrays"
        ) from error
    return assemble_cells(
        arrays[0],
        arrays[1].tolist(),
        arrays[2].tolist(),
        guide_table=guide_table,
        observational=observational,
        scale=scale,
        name=path.name,
        **given,  # type: ignore[arg-type]
    )
