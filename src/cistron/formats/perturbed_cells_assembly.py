"""Perturbed cells in memory: values, genes, what was perturbed in each cell, and the split for evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from cistron.errors import InputError
from cistron.formats.expression_scale import Scale, detect_scale, duplicated_rows
from cistron.formats.perturbation_labels import CONTROL, SET_ASIDE, number_perturbations
from cistron.formats.perturbed_cells_controls import find_controls
from cistron.genes.identity import guess_namespace, normalise_identifiers


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
    batch
        Number of the batch of each cell, int [cell], where the file tells.
    pairs
        Numbers of the two genes of cells in which two were perturbed, -1 for other cells, int [cell, 2]; ``perturbation`` sets
        these cells aside, so that only methods that look here use them. ``None`` where there are no such cells.
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
    batch: np.ndarray | None = None
    name: str = "cells"
    pairs: np.ndarray | None = None

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
            batch=None if self.batch is None else self.batch[cells],
            pairs=None if self.pairs is None else self.pairs[cells],
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
    control: str | Sequence[str] = (),
    excluded: Sequence[str] = (),
    guides: Sequence[str] | None = None,
    batches: Sequence[str] | None = None,
    guide_table: Mapping[str, str] | None = None,
    aliases: Mapping[str, int] | None = None,
    observational: bool = False,
    scale: Scale | None = None,
    minimum_cells: int = 2,
    name: str = "cells",
) -> PerturbedCells:
    """Check what a file holds and number the perturbations.

    Cells are set aside, with a count, when their label is in ``excluded`` or empty, names more than two genes, names
    a gene that is not measured, when fewer than ``minimum_cells`` cells share it, or their batch has no control cells.

    Parameters
    ----------
    values
        [cell, gene].
    genes
        Identifiers of the columns.
    labels
        What was perturbed in each cell: a gene, a guide, several joined by ``+ , ; | & / _``, or a control.
    control
        Labels of the control cells, or patterns with ``*``; guessed and said when empty.
    excluded
        Labels that are not used.
    guides, batches
        Guide and batch of each cell.
    guide_table
        Gene (or control label) of each guide, where labels are guides.
    aliases
        Other names of genes, as labels may use them, and the number of the gene.
    observational
        Take every cell as unperturbed; labels are not read.
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
    given = (control,) if isinstance(control, str) else tuple(control)
    matrix = sparse.csr_matrix(values, dtype=np.float32)
    genes = normalise_identifiers(genes, guess_namespace(genes))
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
    remarks: list[str] = []
    set_aside: dict[str, int] = {}
    is_guide, pairs = False, None
    if observational:
        perturbation = np.full(len(text), CONTROL)
    else:
        sizes = dict(zip(*(part.tolist() for part in np.unique(text.astype(str), return_counts=True))))
        controls = find_controls(sizes, given, {*genes, *(aliases or {})}, name, guide_table)
        remarks += [controls.remark] if controls.remark else []
        meaning = number_perturbations(
            text,
            genes,
            controls.labels,
            excluded,
            minimum_cells,
            name,
            aliases=aliases,
            guide_table=guide_table,
        )
        perturbation, set_aside, is_guide = meaning.perturbation, meaning.set_aside, meaning.is_guide
        pairs = meaning.pairs
        remarks += meaning.remarks
    batch = None
    if batches is not None:
        batch = np.unique([str(value) for value in batches], return_inverse=True)[1]
        alone = ~np.isin(batch, np.unique(batch[perturbation == CONTROL])) & (perturbation >= 0)
        if alone.any():
            set_aside["batch without control cells"] = int(alone.sum())
            perturbation = np.where(alone, SET_ASIDE, perturbation)
        if pairs is not None:
            pairs = np.where(np.isin(batch, batch[perturbation == CONTROL])[:, None], pairs, -1)
    found, remark = detect_scale(matrix, scale, name)
    remarks += [remark] if remark else []
    copies = duplicated_rows(matrix)
    if copies:
        remarks.append(
            f"{copies:,} cells are exact copies of another; remove them, they count as evidence twice"
        )
    for reason, count in set_aside.items():
        remarks.append(f"{count:,} cells set aside: {reason}")
    remarks += _few_cells(perturbation)
    if guides is None and is_guide:
        guides = text.tolist()
    return PerturbedCells(
        matrix,
        tuple(genes),
        perturbation,
        found,
        guess_namespace(genes),
        set_aside,
        tuple(remarks),
        None if guides is None else np.array([str(guide) for guide in guides], dtype=object),
        batch,
        name,
        pairs,
    )


def _few_cells(perturbation: np.ndarray, few: int = 20) -> list[str]:
    """Say how many perturbations have so few cells that only strong effects are seen."""
    _, counts = np.unique(perturbation[perturbation >= 0], return_counts=True)
    number = int((counts < few).sum())
    if not number:
        return []
    return [
        f"{number:,} of {len(counts):,} perturbations have fewer than {few} cells (fewest {int(counts.min()):,}); only "
        "strong effects are seen there"
    ]


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
