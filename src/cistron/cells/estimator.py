"""What a user calls: cells and gene features in, expression of any gene in any cell out; or files in, a model folder out."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.cells.fitted_model import CellModel, Facts
from cistron.cells.inputs import Cells, keep_rich_cells, labels_of, pseudobulk, read_cells
from cistron.cells.inputs_features import GeneFeatures, read_features
from cistron.cells.inputs_gene_places import genes_of, read_gene_table
from cistron.cells.method_input import Fitted, MethodInput
from cistron.cells.methods import METHODS
from cistron.cells.saving import load_cell_model, save_cell_model
from cistron.cells.settings import COUNT_HEADS, ONE_HOT, PredictRequest, TrainRequest, TransformerSettings
from cistron.cells.splits import CellSplit, read_split, split_both
from cistron.cells.training_data import TrainingData, training_moments
from cistron.errors import InputError
from cistron.formats.gene_embedding import read_gene_embedding
from cistron.genes.identity import guess_namespace
from cistron.genes.name_resolution import NameMap
from cistron.genome.regions import read_regions
from cistron.methods import Estimator, Method
from cistron.runtime import RunRecord, check_writable, say

# Names that attributes of a fitted estimator had before 0.2; they are understood until 0.3.
_OLD_NAMES = {"model": "predictor", "gene_map": "feature_regression"}


class CellExpression(Estimator):
    """Predict expression of genes in cells, both possibly never seen.

    After :meth:`fit` or :meth:`load` the attributes of :class:`cistron.cells.fitted_model.CellModel` are attributes of the
    estimator as well: ``genes``, ``training``, ``split``, ``facts``, ``details`` and others.

    Parameters
    ----------
    settings
        Whole settings of the method (its record in ``methods.METHODS`` names the class), or some settings by dotted
        name, which win over the preset: ``{"fit.epochs": 3}``.
    method
        Name of the method.
    preset
        Named settings that ``settings`` by name are put over.
    seed
        Seed of everything random.

    Examples
    --------
    >>> from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
    >>> from cistron.world.cells import CellWorldSettings, cell_world
    >>> world = cell_world(CellWorldSettings(genes=200, chromosomes=5, cells=300))
    >>> cells = read_cells(world.cells)
    >>> split = split_both(cells, SplitSettings(), genes=world.cells.var)
    >>> features = read_features([world.embedding], cells.genes, split.genes)
    >>> model = CellExpression(method="bilinear").fit(cells, features, split)
    >>> model.embed().shape[0]
    200
    """

    fitted: CellModel | None = None

    def __init__(
        self, settings: Any = None, *, method: str = "bilinear", preset: str = "default", seed: int = 0
    ) -> None:
        self.settings = settings
        self.method = method
        self.preset = preset
        self.seed = seed
        self.settings_in_force()  # raises on what does not fit

    def __getattr__(self, name: str) -> Any:
        name = _OLD_NAMES.get(name, name)
        if name in CellModel.__dataclass_fields__ or name == "label":
            return getattr(self._fitted(), name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def record(self) -> Method:
        """The record of the method."""
        return METHODS.find(self.method)

    def settings_in_force(self) -> Any:
        """Settings after preset and given names."""
        return METHODS.resolve(self.method, self.settings, self.preset)

    def fit(
        self,
        cells: Cells,
        features: GeneFeatures,
        split: CellSplit,
        *,
        cell_type: str | None = None,
        unit: str = "cell",
        directory: str | Path | None = None,
    ) -> "CellExpression":
        """Fit on training cells x training genes.

        Parameters
        ----------
        cells
            Cells.
        features
            Features of their genes.
        split
            Split of both axes.
        cell_type
            Column of cell types, for methods that compare with types.
        unit
            What a cell is: ``cell``, or ``cell type`` for pseudobulks.
        directory
            Folder in which a long fit can be taken up again.

        Raises
        ------
        InputError
            If the method needs cell types, the values are not those that the method describes, or a cell has no counts.
        """
        settings = self.settings_in_force()
        if (
            isinstance(settings, TransformerSettings)
            and settings.head in COUNT_HEADS
            and cells.scale != "counts"
        ):
            raise InputError(
                f"head {settings.head} is a distribution of counts, but {cells.name} has {cells.scale} values; give raw counts "
                "or use --head bins"
            )
        if self.record.traits.needs_types and cell_type is None and unit == "cell":
            raise InputError(
                f"method {self.record.name} compares cells with cell types; give --cell-type COLUMN"
            )
        data = TrainingData.of(cells, features.genes, split, f"method {self.record.name}")
        features = features.with_first(data.cells.genes)
        labels = np.full(len(data.rows), "all", dtype=object)
        if unit == "cell type":
            labels = data.names.astype(object)
        elif cell_type is not None:
            labels = labels_of(cells, cell_type)[data.rows]
        moments = training_moments(data, labels)
        validation = np.flatnonzero(cells.observations.index.astype(str).isin(split.cells.validation))
        watched = (data.cells, validation) if len(validation) else None
        fitted: Fitted = self.record(
            MethodInput(data, moments, features, self.seed, watched, directory), settings
        )
        facts = Facts(
            self.record.name,
            self.seed,
            features.names,
            features.evidence,
            features.control,
            features.blocks,
            features.one_hot,
            cells.scale,
            cells.name,
            unit,
            cell_type or "",
            cells.identifier_namespace,
            "" if cells.name_map is None else cells.name_map.origin,
        )
        self.fitted = CellModel(
            fitted.model,
            fitted.feature_regression,
            settings,
            facts,
            features.genes,
            data.cells.genes,
            (features.mean, features.scale),
            split,
            fitted.facts,
            name_map=cells.name_map,
        )
        return self

    def _fitted(self) -> CellModel:
        if self.fitted is None:
            raise InputError("no model was fitted yet; call fit(cells, features, split) or load one first")
        return self.fitted

    def with_new_genes(self, embeddings: Sequence[anndata.AnnData]) -> "CellExpression":
        """Add genes that the model has no features of yet: see :meth:`CellModel.with_new_genes`."""
        other = copy.copy(self)
        other.fitted = self._fitted().with_new_genes(embeddings)
        return other

    def predict(self, cells: Cells) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Predict all genes in all cells, block by block: see :meth:`CellModel.predict`."""
        return self._fitted().predict(cells)

    def embed(self, name: str | None = None) -> anndata.AnnData:
        """Give what the model learned of each gene as a gene embedding: see :meth:`CellModel.embed`."""
        return self._fitted().embed(name)

    def save(self, directory: str | Path) -> None:
        """Write the fitted model as a folder: see :func:`cistron.cells.saving.save_cell_model`."""
        save_cell_model(self._fitted(), directory)

    @classmethod
    def load(cls, directory: str | Path) -> "CellExpression":
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            If the folder is not such a model.
        """
        fitted = load_cell_model(directory)
        model = cls(fitted.settings, method=fitted.facts.method, seed=fitted.facts.seed)
        model.fitted = fitted
        return model


@dataclass(frozen=True)
class Prepared:
    """What a request to train names, read.

    Attributes
    ----------
    cells
        Cells (or pseudobulks).
    split
        Split of both axes.
    cell_type
        Column of cell types; ``None`` where there is none.
    embeddings
        Gene embeddings, or ``one-hot``.
    """

    cells: Cells
    split: CellSplit
    cell_type: str | None
    embeddings: list[anndata.AnnData | str]


def prepare(request: TrainRequest) -> Prepared:
    """Read the cells, embeddings and gene places of a request, and split both axes.

    Raises
    ------
    InputError
        If files or options do not fit.
    """
    embeddings = [name if name == ONE_HOT else read_gene_embedding(name) for name in request.embeddings]
    split = None if request.split_file is None else read_split(request.split_file)
    table = None if split or request.gene_table is None else read_gene_table(request.gene_table)
    cells = read_requested_cells(request, _namespace(embeddings, split, table), request.gene_map)
    cell_type = request.cell_type or ("cell_type" if "cell_type" in cells.observations else None)
    if request.unit == "cell type":
        if cell_type is None:
            raise InputError("pseudobulks need cell types; give --cell-type COLUMN")
        cells = pseudobulk(cells, cell_type)
    split = (
        _new_split(request, cells, cell_type, table) if split is None else _split_of(split, request, cells)
    )
    return Prepared(cells, split, cell_type, embeddings)


def train_model(request: TrainRequest, output: str | Path) -> CellExpression:
    """Read files, split, fit and save: the job of ``cistron cells train``.

    Parameters
    ----------
    request
        What to do.
    output
        Folder to write: the model, its split (``split.json``) and the record of the run (``run.json``).

    Raises
    ------
    InputError
        If files or options do not fit.
    """
    preset = "default" if is_dataclass(request.settings) else request.preset
    model = CellExpression(request.settings, method=request.method, preset=preset, seed=request.seed)
    request.check()
    output = check_writable(output)
    run = RunRecord("cells train", request, request.files(), request.seed)
    prepared = prepare(request)
    cells, split, cell_type = prepared.cells, prepared.split, prepared.cell_type
    features = read_features(
        prepared.embeddings,
        cells.genes,
        split.genes,
        permute=request.permute,
        minimum_coverage=request.minimum_coverage,
        seed=request.seed,
    )
    cells, remark = keep_rich_cells(cells, sorted(split.genes.train), request.minimum_counts)
    traits = model.record.traits
    blind = tuple(request.embeddings) == (ONE_HOT,) and traits.unseen_genes
    unseen = "one-hot knows nothing of genes that are held out, so they will not be predicted; give --embedding FILE for them"
    for line in filter(None, (*cells.remarks, *features.reports, remark, unseen if blind else "")):
        say(line)
        run.warn(line)
    working = output.with_name(output.name + ".fitting") if traits.trained else None
    model.fit(cells, features, split, cell_type=cell_type, unit=request.unit, directory=working)
    model.save(output)
    run.record("training_genes", len(model.training))
    run.record("genes", len(model.genes))
    run.record("split", {"genes": split.genes.how, "cells": split.cells.how})
    run.record("fit", model.details)
    run.write(output / "run.json")
    return model


def read_requested_cells(
    request: TrainRequest | PredictRequest, namespace: str | None, gene_map: Sequence[Path] | NameMap | None
) -> Cells:
    """Read the cells of a request.

    Parameters
    ----------
    request
        What to do.
    namespace
        Namespace that their genes must have; any when absent.
    gene_map
        Tables by which genes of another namespace are mapped, or the map of a model.
    """
    return read_cells(
        request.cells,
        layer=request.layer,
        gene_column=request.gene_column,
        modality=request.modality,
        scale=request.scale,
        gene_map=gene_map,
        namespace=namespace,
        allow_loss=request.allow_loss,
    )


def _namespace(
    embeddings: Sequence[anndata.AnnData | str], split: CellSplit | None, table: pd.DataFrame | None
) -> str | None:
    """Namespace that the genes of the cells must have: of the embeddings, else of the split, else of the annotation.

    By the split, controls without an embedding (one-hot, the gene mean) get the genes of the model that they stand beside.
    """
    for embedding in embeddings:
        if not isinstance(embedding, str):
            guessed = guess_namespace(embedding.obs_names)
            return guessed if guessed != "other" else str(embedding.uns["cistron"]["identifier_namespace"])
    if split is not None:
        return guess_namespace(sorted(split.genes.train))
    return None if table is None else guess_namespace(map(str, table.index))


def _split_of(split: CellSplit, request: TrainRequest, cells: Cells) -> CellSplit:
    known = (
        split.genes.train & set(cells.genes),
        split.cells.train & set(cells.observations.index.astype(str)),
    )
    if not all(known) and request.split_file is not None:
        raise InputError(
            f"split {request.split_file.name} names no training {'cell' if known[0] else 'gene'} of {cells.name}; give "
            "the split of these data"
        )
    return split


def _new_split(
    request: TrainRequest, cells: Cells, cell_type: str | None, table: pd.DataFrame | None
) -> CellSplit:
    regions: pd.DataFrame | None = None if request.regions is None else read_regions(request.regions)
    splitting = request.splitting
    if request.unit == "cell type" and splitting.cells == "random":
        splitting = replace(splitting, cells="cell-type")
    return split_both(
        cells,
        splitting,
        genes=genes_of(cells) if table is None else table,
        regions=regions,
        donor=request.donor,
        cell_type="cell_type" if request.unit == "cell type" else cell_type or "cell_type",
        seed=request.seed,
    )


# functions that are methods now, by their names until 0.3 (``cistron.cells.saved``)
save_cells_model, load_cells_model = CellExpression.save, CellExpression.load
