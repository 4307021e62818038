"""Perturbed cells from files to arrays: AnnData with a perturbation column, or CausalBench's npz."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from scipy import sparse

from cistron.errors import InputError
from cistron.formats.anndata_rows import SUFFIXES, is_stored_cells, open_anndata
from cistron.formats.expression_scale import Scale, detect_scale, duplicated_rows
from cistron.formats.perturbation_labels import CONTROL, number_perturbations
from cistron.genes.identity import guess_namespace


@dataclass(frozen=True)
class PerturbedCells:
    """Cells with the gene that was perturbed in each.

    Attributes
    ----------
    values
        Sparse float32 [cell, gene]: raw counts, or log-normalised or other continuous values.
    genes
        Unique identifiers.
    perturbation
        Number of the perturbed gene, -1 control, -2 set aside; int [cell].
    scale
        ``counts``, ``log-normalised`` or ``continuous``.
    identifier_namespace
        Of ``genes``.
    set_aside
        Reason to number of cells that are not used.
    remarks
        What the reader noticed and the user should know.
    guides
        Guide of each cell, text [cell], where the file tells.
    name
        Name of the data.
    """

    values: sparse.csr_matrix
    genes: tuple[str, ...]
    perturbation: np.ndarray
    scale: Scale
    identifier_namespace: str
    set_aside: dict[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    guides: np.ndarray | None = None
    name: str = "cells"

    @property
    def control(self) -> np.ndarray:
        """Row numbers of the control cells."""
        return np.flatnonzero(self.perturbation == CONTROL)

    @property
    def perturbed(self) -> np.ndarray:
        """Numbers of the genes that are perturbed in at least one cell, ascending."""
        return np.unique(self.perturbation[self.perturbation >= 0])

    def select(self, cells: np.ndarray) -> "PerturbedCells":
        """Take the cells of the given row numbers."""
        return replace(
            self,
            values=self.values[cells],
            perturbation=self.perturbation[cells],
            guides=None if self.guides is None else self.guides[cells],
        )

    def require_perturbations(self, method: str) -> None:
        """Raise unless there are control cells and perturbed cells.

        Raises
        ------
        InputError
            If one of them is absent.
        """
        if not len(self.control) or not len(self.perturbed):
            raise InputError(
                f"{method} compares perturbed with control cells. Given: {len(self.control):,} control cells and "
                f"{len(self.perturbed):,} perturbed genes; use correlation, partial-correlation or trees without"
            )


def assemble_cells(
    values: np.ndarray | sparse.spmatrix,
    genes: Sequence[str],
    labels: Sequence[str],
    *,
    control: str,
    excluded: Sequence[str] = (),
    guides: Sequence[str] | None = None,
    scale: Scale | None = None,
    minimum_cells: int = 2,
    name: str = "cells",
) -> PerturbedCells:
    """Check what a file holds and number the perturbations.

    Cells are set aside, with a count, when their label is in ``excluded`` or empty, names several genes, names
    a gene that is not measured, or when fewer than ``minimum_cells`` cells share it.

    Parameters
    ----------
    values
        [cell, gene].
    genes
        Identifiers of the columns.
    labels
        Perturbed gene of each cell, or ``control``.
    control
        Label of the control cells.
    excluded
        Labels that are not used.
    guides
        Guide of each cell.
    scale
        What the values are; found out from the values when absent.
    minimum_cells
        Fewest cells of a perturbation.
    name
        Name of the data, for messages.

    Raises
    ------
    InputError
        If shapes differ, the control label is absent, or no perturbation can be used.
    IdentifierError
        If no perturbed gene is among the measured genes.
    """
    matrix = sparse.csr_matrix(values, dtype=np.float32)
    genes = [str(gene) for gene in genes]
    text = np.array([str(label).strip() for label in labels], dtype=object)
    if matrix.shape != (len(text), len(genes)):
        raise InputError(
            f"{name}: {matrix.shape[0]:,} x {matrix.shape[1]:,} values, {len(text):,} labels and {len(genes):,} genes "
            "do not fit; expected [cell, gene] with one label a cell"
        )
    if len(set(genes)) < len(genes):
        doubled = next(gene for gene in genes if genes.count(gene) > 1)
        raise InputError(f"{name}: gene {doubled} occurs more than once; make the gene names unique")
    if not np.isfinite(matrix.data).all():
        raise InputError(f"{name}: values hold NaN or infinity; expected counts or log-normalised numbers")
    if control not in set(text):
        common = ", ".join(sorted(set(text))[:6])
        raise InputError(
            f"{name}: control label {control!r} is absent; labels are for example {common}: say --control LABEL"
        )
    perturbation, set_aside = number_perturbations(text, genes, control, excluded, minimum_cells, name)
    found, remark = detect_scale(matrix, scale, name)
    remarks = [remark] if remark else []
    copies = duplicated_rows(matrix)
    if copies:
        remarks.append(
            f"{copies:,} cells are exact copies of another; remove them, they count as evidence twice"
        )
    for reason, count in set_aside.items():
        remarks.append(f"{count:,} cells set aside: {reason}")
    return PerturbedCells(
        matrix,
        tuple(genes),
        perturbation,
        found,
        guess_namespace(genes),
        set_aside,
        tuple(remarks),
        None if guides is None else np.array([str(guide) for guide in guides], dtype=object),
        name,
    )


def read_perturbed_cells(
    path: str | Path,
    *,
    perturbation: str = "perturbation",
    control: str = "non-targeting",
    excluded: Sequence[str] = ("excluded",),
    guide: str | None = None,
    layer: str | None = None,
    scale: Scale | Literal["auto"] = "auto",
    minimum_cells: int = 2,
    gene_column: str | None = None,
    modality: str | None = None,
) -> PerturbedCells:
    """Read perturbed cells from an AnnData file or CausalBench's npz.

    Parameters
    ----------
    path
        Cells with a column of perturbations in ``obs``, in any form that
        :func:`cistron.formats.anndata_rows.open_anndata` opens, or ``.npz`` with ``expression_matrix``,
        ``interventions`` and ``var_names`` (CausalBench; log-normalised).
    perturbation, control, excluded
        Column of the perturbed gene (AnnData only), label of control cells, labels that are not used.
    guide
        Column of the guide.
    layer
        Layer that holds the counts (``raw``: AnnData's ``.raw``); ``layers["counts"]`` where there is one, else ``X``, when
        absent.
    scale
        ``auto`` finds out; an AnnData without counts is an error unless its scale is said.
    minimum_cells
        Fewest cells of a perturbation.
    gene_column
        Column of var with the gene ids; the names of var when absent. Genes without an id are left out with a remark.
    modality
        Modality of a ``.h5mu``, or feature type of Cell Ranger's files.

    Raises
    ------
    InputError
        If the file cannot be read, a column is absent, or values are not what was expected.
    """
    path = Path(path)
    known = None if scale == "auto" else scale
    if path.suffix == ".npz":
        if not path.exists():
            raise InputError(f"cells {path} do not exist")
        return _read_npz(path, control, excluded, known, minimum_cells)
    if path.exists() and not is_stored_cells(path):
        raise InputError(
            f"cells are read from {', '.join(SUFFIXES)}, folders of Cell Ranger or CausalBench's .npz. Given: {path.name}"
        )
    data = open_anndata(path, layer=layer, gene_column=gene_column, modality=modality)
    table = data.observations
    for column in (perturbation, *([guide] if guide else [])):
        if column not in table:
            raise InputError(
                f"{path.name}: obs has no column {column!r}; it has {', '.join(map(str, table.columns[:10])) or 'none'}"
            )
    if not table.index.is_unique:
        doubled = table.index[table.index.duplicated()]
        raise InputError(
            f"{path.name}: {len(doubled):,} cells occur more than once, for example {doubled[0]}; remove the copies "
            "or make the names unique if they are different cells"
        )
    cells = assemble_cells(
        data.matrix.in_memory(),
        list(data.variables.index),
        table[perturbation].astype(str).tolist(),
        control=control,
        excluded=excluded,
        guides=table[guide].astype(str).tolist() if guide else None,
        scale=known,
        minimum_cells=minimum_cells,
        name=path.name,
    )
    cells = replace(cells, remarks=(*data.remarks, *cells.remarks))
    if known is None and cells.scale != "counts":
        raise InputError(
            f"{path.name}: expected raw counts, but values look {cells.scale} (not whole numbers); name the layer of "
            f"the counts with --layer, or say --scale {cells.scale} to use them as they are"
        )
    return cells


def _read_npz(
    path: Path, control: str, excluded: Sequence[str], scale: Scale | None, minimum_cells: int
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
        control=control,
        excluded=excluded,
        scale=scale,
        minimum_cells=minimum_cells,
        name=path.name,
    )


def split_cells(cells: PerturbedCells, *, share: float = 0.2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Split cells into training and test rows, stratified by perturbation, as CausalBench does.

    All cells take part, also those set aside, so that the split of CausalBench's own data is met exactly.

    Parameters
    ----------
    cells
        Perturbed cells.
    share
        Share of the test cells.
    seed
        0 is CausalBench's.

    Returns
    -------
    ndarray
        Row numbers for training.
    ndarray
        Row numbers for testing.

    Raises
    ------
    InputError
        If a perturbation has too few cells to be on both sides.
    """
    from sklearn.model_selection import train_test_split

    labels = cells.perturbation
    _, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        raise InputError(
            f"{cells.name}: a perturbation with one cell cannot be split; keep those with at least 2 (--minimum-cells)"
        )
    names = np.array(["non-targeting", "excluded", *cells.genes], dtype=object)
    codes = np.where(labels == -1, 0, np.where(labels == -2, 1, labels + 2))
    train, test = train_test_split(
        np.arange(len(labels)), test_size=share, random_state=seed, stratify=names[codes]
    )
    return train, test
