"""How perturbed cells are read: settings, which load nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cistron.methods import Count, check_settings


@dataclass(frozen=True)
class ReadingSettings:
    """How perturbed cells are read from a file.

    Attributes
    ----------
    perturbation
        Column of obs that names what was perturbed in each cell: a gene, a guide, several joined by + , ; | or _. When absent:
        perturbation, or the one column whose labels are genes of the file and controls.
    control
        Labels of the control cells, or patterns with *; guessed and said when absent.
    excluded
        Labels whose cells are not used.
    guide
        Column of obs that names the guide.
    guide_table
        Table of guides and their genes (.csv, .tsv); labels are then guides.
    calls
        Table of cells and what was perturbed in them (for example protospacer_calls_per_cell.csv), instead of a column.
    batch
        Column of obs that names the batch: perturbed cells are compared with control cells of their own batches.
    gene_column
        Column of var whose names the genes shall have.
    layer
        Layer with the counts, or raw; X, or layers["counts"] where there is one, when absent.
    scale
        What the values are; auto accepts raw counts only.
    minimum_cells
        Fewest cells of a perturbation.
    observational
        Take every cell as unperturbed; no column is needed.
    modality
        Modality of a .h5mu; rna or gex when absent.
    """

    perturbation: str | None = None
    control: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ("excluded",)
    guide: str | None = None
    guide_table: Path | None = None
    calls: Path | None = None
    batch: str | None = None
    gene_column: str | None = None
    layer: str | None = None
    scale: Literal["auto", "counts", "log-normalised", "continuous"] = "auto"
    minimum_cells: Count = 2
    observational: bool = False
    modality: str | None = None

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def files(self) -> list[Path]:
        """Files that are read besides the cells."""
        return [path for path in (self.guide_table, self.calls) if path is not None]
