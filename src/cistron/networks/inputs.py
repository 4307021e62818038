"""Perturbed cells from a file, cut down to what a network is inferred from."""

from pathlib import Path
from typing import Any

from cistron.formats.perturbed_cells import PerturbedCells, read_perturbed_cells, split_cells
from cistron.networks.quality import composition_remarks, perturbation_quality, quality_summary
from cistron.networks.strong_perturbations import strong_perturbations

# the first three have a file of their own, quality.py; this place of theirs holds until 0.3
__all__ = ["composition_remarks", "perturbation_quality", "quality_summary", "read_cells"]


def read_cells(
    path: str | Path,
    *,
    strong_only: bool = False,
    training_cells: bool = False,
    seed: int = 0,
    **reading: Any,
) -> tuple[PerturbedCells, list[str]]:
    """Read the cells that a network is inferred from.

    Parameters
    ----------
    path
        File of cells.
    strong_only
        Keep CausalBench's strong perturbations only (:func:`strong_perturbations`).
    training_cells
        Keep the cells that ``cistron evaluate edges`` does not score on.
    seed
        Seed of the choice of strong perturbations.
    **reading
        What :func:`cistron.formats.perturbed_cells.read_perturbed_cells` takes besides the path.

    Returns
    -------
    PerturbedCells
        The cells.
    list of str
        What the user must know about the file.
    """
    cells = read_perturbed_cells(path, **reading)
    if strong_only:
        cells = strong_perturbations(cells, seed=seed)
    remarks = [*cells.remarks, *composition_remarks(cells)]
    if training_cells:
        cells = cells.select(split_cells(cells)[0])
    return cells, remarks
