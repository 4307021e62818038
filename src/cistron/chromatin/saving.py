"""A fitted chromatin model as a folder of safetensors, JSON and model card: the one place that writes and reads it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cistron.chromatin.fitted_model import SUMMARY, ChromatinModel
from cistron.chromatin.linear_path import LinearFit
from cistron.chromatin.methods import METHODS
from cistron.chromatin.settings import NetworkSettings
from cistron.training import ModelCard, load_model, save_model, settings_from

KIND = "chromatin"
_LINEAR = ("centre", "scale", "difference", "level")


def save_chromatin_model(model: ChromatinModel, directory: str | Path) -> None:
    """Write a model as a folder of safetensors, JSON and model card."""
    import torch

    tensors: dict[str, torch.Tensor] = {}
    for number, network in enumerate(model.networks):
        tensors |= {f"members.{number}.{name}": value for name, value in network.state_dict().items()}
    if model.linear is not None:
        tensors |= {f"linear.{name}": torch.from_numpy(getattr(model.linear, name)) for name in _LINEAR}
        tensors["linear.intercept"] = torch.tensor(model.linear.intercept)
    if model.gene_means:
        tensors["gene_means"] = torch.tensor(list(model.gene_means.values()))
    if model.trees:
        tensors["trees"] = torch.frombuffer(bytearray(model.trees.encode()), dtype=torch.uint8)
    tensors |= {
        f"summary.{name}": torch.from_numpy(np.ascontiguousarray(model.summary[name]))
        for name in model.summary
    }
    facts = model.facts | ({"mean_genes": list(model.gene_means)} if model.gene_means else {})
    save_model(directory, tensors, kind=KIND, settings=model.settings, card=_card(model), extra=facts)


def _card(model: ChromatinModel) -> ModelCard:
    facts = model.facts
    scores = {
        f"validation loss of member {number + 1}": float(loss)
        for number, loss in enumerate(facts.get("validation_losses", []))
    }
    return ModelCard(
        title=f"Histone marks to expression: {model.method}",
        summary=f"Predicts {facts['scale']} from {', '.join(facts['marks'])} in {facts['bins']} bins of {facts['bin_size']} bp around the start site.",
        trained_on=f"{facts['dataset']}: {len(facts['genes']['train']):,} genes in {len(facts['cell_types']['train'])} cell types",
        licence=facts.get("licence", ""),
        reference="Batra, Spence and Song, permutation-equivariant neural networks for gene regulation",
        evaluation=scores,
        limits="Marks follow expression as well as set it: what the model does with a mark is a hypothesis, not an experiment."
        + (" NEGATIVE CONTROL: its input belonged to other genes." if facts.get("control") else ""),
    )


def load_chromatin_model(directory: str | Path) -> ChromatinModel:
    """Read a model.

    Raises
    ------
    InputError
        If the folder is no chromatin model.
    """
    from cistron.chromatin.peers import make_network
    from cistron.training import load_weights

    saved = load_model(directory, KIND)
    facts = saved.extra
    kind = METHODS.find(facts["method"]).settings
    given = dict(saved.settings)
    if kind is NetworkSettings:
        given.setdefault("form", "convolutional")  # the only one until 0.3
    settings: Any = settings_from(kind, given, str(directory))
    numbers = sorted({int(name.split(".")[1]) for name in saved.weights if name.startswith("members.")})
    networks = []
    for number in numbers:
        network = make_network(len(facts["marks"]), facts["bins"], settings)
        prefix = f"members.{number}."
        own = {
            name.removeprefix(prefix): value
            for name, value in saved.weights.items()
            if name.startswith(prefix)
        }
        load_weights(network, own, f"member {number + 1} of {directory}")
        networks.append(network.eval())
    linear = None
    if "linear.centre" in saved.weights:
        parts = {name: saved.weights[f"linear.{name}"].numpy() for name in _LINEAR}
        linear = LinearFit(**parts, intercept=float(saved.weights["linear.intercept"]))
    means: Sequence[float] = saved.weights["gene_means"].tolist() if "gene_means" in saved.weights else []
    return ChromatinModel(
        facts["method"],
        settings,
        facts,
        tuple(networks),
        linear,
        dict(zip(facts.get("mean_genes", []), means)),
        {
            name: saved.weights[f"summary.{name}"].numpy()
            for name in SUMMARY
            if f"summary.{name}" in saved.weights
        },
        saved.weights["trees"].numpy().tobytes().decode() if "trees" in saved.weights else "",
    )
