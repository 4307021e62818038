"""What the commands do, without the command line: files in, a model folder or a prediction file out."""

import dataclasses
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cistron.cells.estimator import CellExpression
from cistron.cells.features import ONE_HOT, read_features
from cistron.cells.gene_table import genes_of, read_gene_table
from cistron.cells.inputs import Cells, keep_rich_cells, pseudobulk, read_cells
from cistron.cells.methods import METHODS
from cistron.cells.predicting import write_predictions
from cistron.cells.saved import load_cells_model, save_cells_model
from cistron.cells.splits import CellSplit, SplitSettings, read_split, split_both
from cistron.cells.transformer_settings import COUNT_HEADS, TransformerSettings
from cistron.errors import InputError
from cistron.formats.gene_embedding import read_gene_embedding
from cistron.genome.regions import read_regions
from cistron.methods import NotNegative, Share, check_settings
from cistron.runtime import RunRecord, say


@dataclass(frozen=True)
class TrainRequest:
    """Everything that ``cistron cells train`` is told; names as on the command line.

    ``settings`` are whole settings of the method, or some by dotted name, which win over the preset.
    """

    cells: Path
    embeddings: tuple[str, ...]
    method: str = "bilinear"
    preset: str = "default"
    settings: Any = None
    permute: bool = False
    unit: str = "cell"
    minimum_coverage: Share = 0.5
    split_file: Path | None = None
    splitting: SplitSettings = field(default_factory=SplitSettings)
    gene_table: Path | None = None
    regions: Path | None = None
    cell_type: str | None = None
    donor: str = "donor"
    layer: str | None = None
    gene_column: str | None = None
    modality: str | None = None
    scale: Any = "auto"
    gene_map: Path | None = None
    minimum_counts: NotNegative = 0.0
    allow_loss: bool = False
    seed: int = 0

    def files(self) -> list[Path]:
        """Files that are read."""
        named = [Path(name) for name in self.embeddings if name != ONE_HOT]
        more = (self.gene_table, self.regions, self.gene_map, self.split_file)
        return [self.cells, *named, *(path for path in more if path is not None)]

    def check(self) -> None:
        """Raise on options that do not fit together and on files that are absent, before any work."""
        check_settings(self)
        self.method_settings()
        for path in self.files():
            if not path.exists():
                raise InputError(f"{path} does not exist")
        if self.unit == "cell type" and self.splitting.cells == "donor" and self.split_file is None:
            raise InputError(
                "--unit cell-type sums the cells of all donors, so donors cannot be held out; use --cell-split cell-type or none, "
                "or --unit cell"
            )
        if self.splitting.genes == "regions" and self.regions is None and self.split_file is None:
            raise InputError(
                "--gene-split regions needs --regions FILE.bed with train, valid or test in column 4"
            )

    def method_settings(self) -> Any:
        """Settings of the method in force."""
        return METHODS.resolve(
            self.method, self.settings, "default" if dataclasses.is_dataclass(self.settings) else self.preset
        )


def train_model(request: TrainRequest, run: RunRecord, output: Path) -> CellExpression:
    """Read, split, fit and save.

    Parameters
    ----------
    request
        What to do.
    run
        Record of the run; remarks and counts are added.
    output
        Folder to write.
    """
    embeddings = [name if name == ONE_HOT else read_gene_embedding(name) for name in request.embeddings]
    namespaces = [
        str(one.uns["cistron"]["identifier_namespace"]) for one in embeddings if not isinstance(one, str)
    ]
    cells = _read(request, namespaces[0] if namespaces else None)
    settings = request.method_settings()
    if isinstance(settings, TransformerSettings) and settings.head in COUNT_HEADS and cells.scale != "counts":
        raise InputError(
            f"head {settings.head} is a distribution of counts, but {cells.name} has {cells.scale} values; give raw counts "
            "or use --head bins"
        )
    cell_type = request.cell_type or ("cell_type" if "cell_type" in cells.observations else None)
    if request.unit == "cell type":
        if cell_type is None:
            raise InputError("pseudobulks need cell types; give --cell-type COLUMN")
        cells = pseudobulk(cells, cell_type)
    features = read_features(
        embeddings,
        cells.genes,
        (split := _split(request, cells, cell_type)).genes,
        permute=request.permute,
        minimum_coverage=request.minimum_coverage,
        seed=request.seed,
    )
    cells, remark = keep_rich_cells(cells, sorted(split.genes.train), request.minimum_counts)
    blind = tuple(request.embeddings) == (ONE_HOT,) and METHODS.find(request.method).traits.unseen_genes
    unseen = "one-hot knows nothing of genes that are held out, so they will not be predicted; give --embedding FILE for them"
    for line in (*cells.remarks, *features.reports, remark, unseen if blind else ""):
        if line:
            say(line)
            run.warn(line)
    model = CellExpression(settings, method=request.method, seed=request.seed)
    model.fit(
        cells, features, split, cell_type=cell_type, unit=request.unit, directory=_working(output, request)
    )
    save_cells_model(model, output)
    run.record("training_genes", len(model.training))
    run.record("genes", len(model.genes))
    run.record("split", {"genes": split.genes.how, "cells": split.cells.how})
    run.record("fit", model.details)
    return model


def _working(output: Path, request: TrainRequest) -> Path | None:
    """Folder in which a long fit can be taken up again."""
    return output.with_name(output.name + ".fitting") if METHODS.find(request.method).traits.trained else None


def _read(request: Any, namespace: str | None) -> Cells:
    return read_cells(
        request.cells,
        layer=request.layer,
        gene_column=request.gene_column,
        modality=request.modality,
        scale=request.scale,
        gene_map=request.gene_map,
        namespace=namespace,
        allow_loss=request.allow_loss,
    )


def _split(request: TrainRequest, cells: Cells, cell_type: str | None) -> CellSplit:
    if request.split_file is not None:
        split = read_split(request.split_file)
        known = (
            split.genes.train & set(cells.genes),
            split.cells.train & set(cells.observations.index.astype(str)),
        )
        if not all(known):
            raise InputError(
                f"split {request.split_file.name} names no training {'cell' if known[0] else 'gene'} of {cells.name}; give "
                "the split of these data"
            )
        return split
    regions = None if request.regions is None else read_regions(request.regions)
    splitting = request.splitting
    if request.unit == "cell type" and splitting.cells == "random":
        splitting = replace(splitting, cells="cell-type")
    return split_both(
        cells,
        splitting,
        genes=genes_of(cells, request.gene_table),
        regions=regions,
        donor=request.donor,
        cell_type="cell_type" if request.unit == "cell type" else cell_type or "cell_type",
        seed=request.seed,
    )


@dataclass(frozen=True)
class PredictRequest:
    """Everything that ``cistron cells predict`` is told; names as on the command line."""

    model: Path
    cells: Path
    embeddings: tuple[Path, ...] = ()
    genes: str = "all"
    unit: str = "cell"
    gene_table: Path | None = None
    donor: str = "donor"
    name: str | None = None
    layer: str | None = None
    gene_column: str | None = None
    modality: str | None = None
    scale: Any = "auto"
    gene_map: Path | None = None
    minimum_counts: NotNegative = 0.0
    allow_loss: bool = False

    def files(self) -> list[Path]:
        """Files that are read."""
        more = (self.gene_table, self.gene_map)
        return [self.model, self.cells, *self.embeddings, *(path for path in more if path is not None)]

    def check(self) -> None:
        """Raise on files that are absent, before any work."""
        check_settings(self)
        for path in self.files():
            if not path.exists():
                raise InputError(f"{path} does not exist")


def predict_file(request: PredictRequest, run: RunRecord, output: Path) -> tuple[int, int, str]:
    """Load, predict and write; give the number of observations and genes, and what an observation is.

    Parameters
    ----------
    request
        What to do.
    run
        Record of the run; remarks are added.
    output
        Prediction file to write.
    """
    model = load_cells_model(request.model)
    cells = _read(request, model.facts.identifier_namespace)
    if model.facts.unit == "cell type":
        cells = pseudobulk(cells, model.facts.cell_type)
    if request.embeddings:
        model = model.with_new_genes([read_gene_embedding(path) for path in request.embeddings])
    cells, remark = keep_rich_cells(cells, model.training, request.minimum_counts)
    for line in (*cells.remarks, remark):
        if line:
            say(line)
            run.warn(line)
    chromosomes = None
    if request.gene_table is not None or "chromosome" in cells.variables:
        table = cells.variables if request.gene_table is None else read_gene_table(request.gene_table)
        chromosomes = table.get("chromosome")
    unseen = int(np.sum(~np.isin(model.genes, cells.genes)))
    if unseen:
        run.warn(
            f"{unseen:,} genes of the model are not measured in {cells.name}; their observations are NaN"
        )
    size = write_predictions(
        model,
        cells,
        output,
        unit=request.unit,
        genes=request.genes,
        chromosomes=chromosomes,
        donor=request.donor,
        name=request.name,
        sources=tuple(request.files()),
    )
    return *size, "cell type" if "cell type" in (request.unit, model.facts.unit) else "cell"
