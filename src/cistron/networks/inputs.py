"""Perturbed cells from a file, cut down to what a network is inferred from."""

import re
from collections.abc import Sequence
from pathlib import Path

from cistron.errors import InputError
from cistron.formats.perturbed_cells import PerturbedCells, ReadingSettings, read_screen, split_cells
from cistron.networks.quality import composition_remarks, perturbation_quality, quality_summary
from cistron.networks.strong_perturbations import strong_perturbations

# the first three have a file of their own, quality.py; this place of theirs holds until 0.3
__all__ = ["composition_remarks", "perturbation_quality", "quality_summary", "read_cells", "read_regulators"]


def read_cells(
    path: str | Path,
    *,
    strong_only: bool = False,
    training_cells: bool = False,
    seed: int = 0,
    reading: ReadingSettings | None = None,
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
    reading
        How the cells are read.

    Returns
    -------
    PerturbedCells
        The cells.
    list of str
        What the user must know about the file.
    """
    cells = read_screen(path, reading)
    if strong_only:
        cells = strong_perturbations(cells, seed=seed)
    remarks = [*cells.remarks, *composition_remarks(cells)]
    if training_cells:
        cells = cells.select(split_cells(cells)[0])
    return cells, remarks


def read_regulators(path: str | Path) -> list[str]:
    """Read genes, one a line; what follows a tab or comma, blank lines and lines that begin with ``#`` are left out."""
    path = Path(path)
    if not path.exists():
        raise InputError(f"regulators {path} do not exist")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    genes = [re.split(r"[\t,]", line)[0].strip() for line in lines if not line.startswith("#")]
    genes = [gene for gene in genes if gene]
    if not genes:
        raise InputError(f"regulators {path.name}: expected one gene a line. Given: no gene")
    return genes


def regulator_remarks(regulators: Sequence[str] | None, genes: Sequence[str]) -> list[str]:
    """Say how many of the regulators are not measured, where some are and some are not."""
    wanted = set(regulators or ())
    absent = sorted(wanted - set(genes))
    if not absent or len(absent) == len(wanted):  # that none is measured is an error where sources are chosen
        return []
    return [f"{len(absent):,} of {len(wanted):,} regulators are not measured genes, for example {absent[0]}"]
