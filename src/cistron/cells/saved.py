"""Fitted cells models as folders: safetensors, settings, a model card, and the split beside them. No pickle."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from cistron.cells.estimator import CellExpression, Facts
from cistron.cells.gene_map import GeneMap
from cistron.cells.linear import LinearModel
from cistron.cells.methods import METHODS
from cistron.cells.splits import read_split, write_split
from cistron.errors import InputError
from cistron.training.models import ModelCard, load_model, save_model, settings_from

KIND = "cells"
SPLIT = "split.json"


def save_cells_model(model: CellExpression, directory: str | Path) -> None:
    """Write a fitted model, whole or not at all, and its split beside the weights."""
    import torch

    predictor = model._fitted()
    arrays = {f"model.{name}": value for name, value in predictor.arrays().items()}
    if model.gene_map is not None:
        arrays |= {f"map.{name}": value for name, value in model.gene_map.arrays().items()}
    arrays |= {"scaling.mean": model.scaling[0], "scaling.scale": model.scaling[1]}
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    facts = dataclasses.asdict(model.facts)
    card = ModelCard(
        title=f"cistron cells: {model.record.name}",
        summary=f"{model.record.meaning}.",
        trained_on=f"{model.facts.dataset}; genes {model.split.genes.how}; cells {model.split.cells.how}",
        reference=model.record.reference,
        limits=f"What it knows of genes: {model.facts.evidence or 'their own training cells'}. Expression of the same "
        "gene in similar tissue among that makes predictions of unseen genes imputation across assays.",
    )
    extra = {
        "facts": facts,
        "genes": list(model.genes),
        "training": list(model.training),
        "rule": getattr(predictor, "rule", ""),
        "details": model.details,
    }
    save_model(directory, tensors, kind=KIND, settings=model.settings_in_force(), card=card, extra=extra)
    write_split(model.split, Path(directory) / SPLIT)


def load_cells_model(directory: str | Path) -> CellExpression:
    """Read what :func:`save_cells_model` wrote.

    Raises
    ------
    InputError
        If the folder is not such a model.
    """
    saved = load_model(directory, KIND)
    facts = settings_from(Facts, saved.extra["facts"], "facts")
    settings: Any = settings_from(METHODS.find(facts.method).settings, saved.settings)
    model = CellExpression(settings, method=facts.method, seed=facts.seed)
    arrays = {name: tensor.numpy() for name, tensor in saved.weights.items()}
    model.facts, model.details = facts, saved.extra.get("details", {})
    model.genes, model.training = tuple(saved.extra["genes"]), tuple(saved.extra["training"])
    model.scaling = (arrays["scaling.mean"], arrays["scaling.scale"])
    model.split = read_split(Path(directory) / SPLIT)
    parts = _part(arrays, "model.")
    try:
        if facts.method == "transformer":
            from cistron.cells.transformer_model import FittedTransformer

            model.model = FittedTransformer.from_arrays(parts, settings)
        else:
            model.model = LinearModel.from_arrays(parts, str(saved.extra["rule"]))
    except (TypeError, KeyError) as error:
        raise InputError(f"model {directory} is damaged ({error}); train it again") from error
    if any(name.startswith("map.") for name in arrays):
        model.gene_map = GeneMap.from_arrays(_part(arrays, "map."))
    return model


def _part(arrays: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
