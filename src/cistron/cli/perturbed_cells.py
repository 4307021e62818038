"""Options of every command that reads perturbed cells."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import (
    READING,
    ControlLabels,
    Excluded,
    GeneColumn,
    Guide,
    Layer,
    MinimumCells,
    Modality,
    Perturbation,
    Scale,
)
from cistron.formats.perturbed_cells_settings import ReadingSettings


@dataclass(frozen=True)
class _Reading(ReadingSettings):
    __doc__ = ReadingSettings.__doc__
    perturbation: Perturbation = ReadingSettings.perturbation
    control: ControlLabels = ReadingSettings.control
    excluded: Excluded = ReadingSettings.excluded
    guide: Guide = ReadingSettings.guide
    gene_column: GeneColumn = ReadingSettings.gene_column
    layer: Layer = ReadingSettings.layer
    scale: Scale = ReadingSettings.scale
    minimum_cells: MinimumCells = ReadingSettings.minimum_cells
    observational: Annotated[bool, Parameter(negative=())] = ReadingSettings.observational
    modality: Modality = ReadingSettings.modality


Reading = Annotated[_Reading | None, Parameter(name="*", group=READING)]
