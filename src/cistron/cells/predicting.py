"""Predict genes in cells and write the result as a file, for each cell or averaged over the cells of a type."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.cells.estimator import CellExpression, read_requested_cells
from cistron.cells.fitted_model import CellModel
from cistron.cells.inputs import Cells, keep_rich_cells, labels_of, pseudobulk
from cistron.cells.inputs_gene_places import genes_of, read_gene_table
from cistron.cells.normalisation import Normalisation
from cistron.cells.rows import BLOCK_CELLS
from cistron.cells.settings import PredictRequest
from cistron.errors import InputError
from cistron.formats.gene_embedding import read_gene_embedding
from cistron.formats.prediction import prediction, write_prediction
from cistron.formats.prediction_blocks import writing_prediction
from cistron.runtime import Progress, RunRecord, check_writable, record_path, run_each, say


def chosen_genes(model: CellExpression, which: str) -> np.ndarray:
    """Numbers of the genes to write: all, those that were held out (validation, test and new ones), or test only."""
    part = _gene_parts(model)
    kept = {"all": part != "", "held-out": part != "train", "test": part == "test"}[which]
    return np.flatnonzero(kept)


def _gene_parts(model: CellExpression) -> np.ndarray:
    """Part of the split of each gene; genes that were added to a fitted model count as test genes, because training never saw them."""
    new = set(model.new_genes)
    return np.array(
        [
            "test" if gene in new else part
            for gene, part in zip(model.genes, model.split.genes.part_of(model.genes))
        ]
    )


def _cell_parts(model: CellExpression, cells: Cells) -> np.ndarray:
    names = cells.observations.index.astype(str)
    return np.array([part if part != "unused" else "test" for part in model.split.cells.part_of(names)])


def _observations(model: CellExpression, cells: Cells, donor: str) -> pd.DataFrame:
    table = pd.DataFrame({"split": _cell_parts(model, cells)}, index=cells.observations.index.astype(str))
    if model.facts.unit == "cell type":
        table["cell_type"] = table.index
    elif model.facts.cell_type and model.facts.cell_type in cells.observations:
        table["cell_type"] = cells.observations[model.facts.cell_type].astype(str).to_numpy()
    if donor in cells.observations:
        table["donor"] = cells.observations[donor].astype(str).to_numpy()
    return table


def write_predictions(
    model: CellExpression,
    cells: Cells,
    path: str | Path,
    *,
    unit: str = "cell",
    genes: str = "all",
    chromosomes: pd.Series | None = None,
    donor: str = "donor",
    name: str | None = None,
    sources: tuple[Path, ...] = (),
    keep: Collection[str] | None = None,
) -> tuple[int, int]:
    """Predict and write a file in the prediction format.

    Parameters
    ----------
    model
        Fitted model.
    cells
        Cells of the same scale.
    path
        .h5ad to write.
    unit
        ``cell``; ``cell type`` averages predictions and observations over the cells of a type that are in the same part
        of the split.
    genes
        ``all``, ``held-out`` or ``test``.
    chromosomes
        Chromosome by gene, where known.
    donor
        Column of donors, used where it is there.
    name
        Name of the prediction.
    sources
        Files that it was made from.
    keep
        Write only those of the genes that are in here.

    Returns
    -------
    int
        Number of observations.
    int
        Number of genes.

    Raises
    ------
    InputError
        If types are asked for and not known, or no gene is left.
    """
    kept = chosen_genes(model, genes)
    if keep is not None:
        kept = kept[[model.genes[number] in keep for number in kept]]
    if not len(kept):
        raise InputError(f"the model has no {genes} genes; choose --part all")
    observations = _observations(model, cells, donor)
    table = pd.DataFrame(
        {"split": _gene_parts(model)[kept]}, index=pd.Index([model.genes[number] for number in kept])
    )
    if chromosomes is not None:
        table["chromosome"] = chromosomes.astype(object).reindex(table.index, fill_value="").astype(str)
    facts: dict[str, Any] = {
        "name": name or model.label,
        "method": model.record.name,
        "scale": Normalisation(cells.scale, np.zeros(0)).name,
        "dataset": cells.name,
        "evidence": model.facts.evidence,
        "embedding": model.facts.embedding,
        "control": model.facts.control,
        "identifier_namespace": model.facts.identifier_namespace,
        "parameters": {"genes_how": model.split.genes.how, "cells_how": model.split.cells.how},
        "sources": sources,
        "seed": model.seed,
    }
    averaged = unit == "cell type" and model.facts.unit == "cell"
    if averaged:
        _write_averages(model, cells, path, kept, observations, table, facts)
        return observations.groupby(["cell_type", "split"]).ngroups, len(table)
    facts["unit"] = model.facts.unit
    with (
        writing_prediction(path, observations, table, **facts) as writer,
        Progress("predicting", len(observations), "cells") as progress,
    ):
        items = [
            {"first": start, "last": start + BLOCK_CELLS}
            for start in range(0, len(observations), BLOCK_CELLS)
        ]
        shared = {"model": model._fitted(), "cells": cells, "kept": kept}
        for start, predicted, observed in run_each(_of_block, items, shared):
            writer.write(start, predicted, observed)
            progress.advance(len(predicted))
    return len(observations), len(table)


def _of_block(
    model: CellModel, cells: Cells, kept: np.ndarray, first: int, last: int
) -> tuple[int, np.ndarray, np.ndarray]:
    """First row, predicted and observed values [cell, kept gene] of one block."""
    ((rows, predicted, observed),) = model.predict(cells, first=first, last=last)
    return int(rows[0]), predicted[:, kept], observed[:, kept]


def _sums_of_shard(
    model: CellModel, cells: Cells, kept: np.ndarray, code: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Groups of a part of the cells, and the sums of predicted and observed values over each, float64 [2, group, kept gene]."""
    groups, own = np.unique(code[first:last], return_inverse=True)
    sums = np.zeros((2, len(groups), len(kept)))
    for rows, predicted, observed in model.predict(cells, first=first, last=last):
        for index, values in enumerate((predicted, observed)):
            np.add.at(sums[index], own[rows - first], values[:, kept])
    return groups, sums


def _write_averages(
    model: CellExpression,
    cells: Cells,
    path: str | Path,
    kept: np.ndarray,
    observations: pd.DataFrame,
    genes: pd.DataFrame,
    facts: dict[str, Any],
) -> None:
    if not model.facts.cell_type:
        raise InputError("averages over cell types need a model that was trained with --cell-type")
    labels = labels_of(cells, model.facts.cell_type)
    group = pd.MultiIndex.from_arrays([labels, observations["split"]])
    code, names = pd.factorize(group, sort=True)
    sums = np.zeros((2, len(names), len(kept)))
    shared = {"model": model._fitted(), "cells": cells, "kept": kept, "code": code}
    with Progress("predicting", len(observations), "cells") as progress:
        for shard, (groups, part) in zip(cells.shards(), run_each(_sums_of_shard, cells.shards(), shared)):
            sums[:, groups] += part
            progress.advance(min(shard["last"], len(observations)) - shard["first"])
    size = np.bincount(code)
    means = sums / size[:, None]
    table = pd.DataFrame(
        {
            "split": [part for _, part in names],
            "cell_type": [kind for kind, _ in names],
            "cells": size,
        },
        index=pd.Index([f"{kind} ({part})" for kind, part in names]),
    )
    facts["scale"] += ", mean over cells"
    write_prediction(path, prediction(means[0], means[1], table, genes, unit="cell type", **facts))


def predict_file(request: PredictRequest, output: str | Path) -> tuple[int, int, str]:
    """Load a model, predict a file of cells and write the predictions: the job of ``cistron cells predict``.

    Parameters
    ----------
    request
        What to do.
    output
        Prediction file to write; the record of the run is written beside it.

    Returns
    -------
    int
        Number of observations.
    int
        Number of genes.
    str
        What an observation is: ``cell`` or ``cell type``.

    Raises
    ------
    InputError
        If files or options do not fit.
    """
    request.check()
    output = check_writable(output)
    run = RunRecord("cells predict", request, request.files(), 0)
    model = CellExpression.load(request.model)
    gene_map = request.gene_map or model.name_map  # what the user gives goes before what the model remembers
    cells = read_requested_cells(request, model.facts.identifier_namespace, gene_map)
    if model.facts.unit == "cell type":
        cells = pseudobulk(cells, model.facts.cell_type)
    if request.embeddings:
        model = model.with_new_genes([read_gene_embedding(path) for path in request.embeddings])
    cells, remark = keep_rich_cells(cells, model.training, request.minimum_counts)
    for line in filter(None, (*cells.remarks, remark)):
        say(line)
        run.warn(line)
    table = genes_of(cells) if request.gene_table is None else read_gene_table(request.gene_table)
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
    run.write(record_path(output))
    return *size, "cell type" if "cell type" in (request.unit, model.facts.unit) else "cell"
