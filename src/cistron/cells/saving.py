"""Fitted cells models as folders: safetensors, settings, a model card, and the split beside them. No pickle."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from cistron.cells.fitted_model import CellModel, Facts
from cistron.cells.kernel_ridge import KernelRidge
from cistron.cells.linear import LinearModel
from cistron.cells.method_input import Predictor
from cistron.cells.methods import METHODS
from cistron.cells.splits import read_split, write_split
from cistron.errors import InputError
from cistron.genes.name_resolution import read_name_map
from cistron.training.models import ModelCard, load_model, save_model, settings_from

KIND = "cells"
SPLIT, GENE_MAP = "split.json", "gene_map.tsv.gz"


def save_cell_model(model: CellModel, directory: str | Path) -> None:
    """Write a fitted model, whole or not at all, and its split and its gene map beside the weights."""
    import torch

    arrays = {f"model.{name}": value for name, value in model.predictor.arrays().items()}
    if model.feature_regression is not None:
        arrays |= {f"map.{name}": value for name, value in model.feature_regression.arrays().items()}
    arrays |= {"scaling.mean": model.scaling[0], "scaling.scale": model.scaling[1]}
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    card = ModelCard(
        title=f"cistron cells: {model.record.name}",
        summary=f"{model.record.meaning}.",
        trained_on=f"{model.facts.dataset}; genes {model.split.genes.how}; cells {model.split.cells.how}",
        reference=model.record.reference,
        limits=f"What it knows of genes: {model.facts.evidence or 'their own training cells'}. Expression of the same "
        "gene in similar tissue among that makes predictions of unseen genes imputation across assays.",
    )
    extra = {
        "facts": dataclasses.asdict(model.facts),
        "genes": list(model.genes),
        "training": list(model.training),
        "rule": getattr(model.predictor, "rule", ""),
        "details": model.details,
    }
    save_model(directory, tensors, kind=KIND, settings=model.settings, card=card, extra=extra)
    write_split(model.split, Path(directory) / SPLIT)
    if model.name_map is not None:
        model.name_map.write(Path(directory) / GENE_MAP)


def load_cell_model(directory: str | Path) -> CellModel:
    """Read what :func:`save_cell_model` wrote.

    Raises
    ------
    InputError
        If the folder is not such a model.
    """
    saved = load_model(directory, KIND)
    facts = settings_from(Facts, saved.extra["facts"], "facts")
    settings: Any = settings_from(METHODS.find(facts.method).settings, saved.settings)
    arrays = {name: tensor.numpy() for name, tensor in saved.weights.items()}
    weights, regression = (_with_prefix(arrays, prefix) for prefix in ("model.", "map."))
    predictor: Predictor
    try:
        if facts.method == "transformer":
            from cistron.cells.transformer_model import FittedTransformer

            predictor = FittedTransformer.from_arrays(weights, settings)
        else:
            predictor = LinearModel.from_arrays(weights, str(saved.extra["rule"]))
    except (TypeError, KeyError) as error:
        raise InputError(f"model {directory} is damaged ({error}); train it again") from error
    return CellModel(
        predictor,
        KernelRidge.from_arrays(regression) if regression else None,
        settings,
        facts,
        tuple(saved.extra["genes"]),
        tuple(saved.extra["training"]),
        (arrays["scaling.mean"], arrays["scaling.scale"]),
        read_split(Path(directory) / SPLIT),
        saved.extra.get("details", {}),
        name_map=read_name_map(Path(directory) / GENE_MAP) if facts.gene_map else None,
    )


def _with_prefix(arrays: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
