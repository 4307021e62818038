"""Weights of Enformer: read three layouts, write ours.

Ours is a folder: ``model.safetensors``, ``model.json`` (settings, where the weights came from), ``tracks.tsv`` (what
each output is, where known) and ``README.md`` (a model card). Nothing is ever unpickled.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

import cistron
from cistron.errors import InputError
from cistron.runtime import atomic_directory, sha256_of
from cistron.runtime.bfloat16 import precision_in_force
from cistron.sequence.enformer import Enformer
from cistron.sequence.inputs_tracks import read_track_table, write_track_table
from cistron.sequence.settings import BASELINE_SETTINGS, EnformerSettings, settings_from
from cistron.sequence.weight_sources import convert, infer_settings, read_source, read_state
from cistron.training.hub import front_matter

SCHEMA = "cistron.enformer"
SCHEMA_VERSION = 1
PRECISIONS = ("fp32", "mixed", "bf16")


def save_weights(
    model: Enformer,
    path: str | Path,
    *,
    tracks: pd.DataFrame | None = None,
    origin: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
) -> None:
    """Write a model as a folder of safetensors, JSON, track table and card.

    Parameters
    ----------
    model
        Model to write.
    path
        Folder, written whole or not at all.
    tracks
        Track table (:mod:`cistron.sequence.inputs_tracks`), checked against the heads.
    origin
        Where the weights come from: plain values that go into the JSON and the card.
    files
        Further text files by name.
    """
    from safetensors.torch import save_file

    settings = asdict(model.settings)
    for name in BASELINE_SETTINGS:
        if settings[name] == getattr(EnformerSettings, name):
            del settings[name]
    origin = dict(origin or {"weights": "written by cistron"})
    with atomic_directory(path) as partial:
        state = {name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}
        save_file(state, partial / "model.safetensors", metadata={"schema": SCHEMA})
        description = {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "cistron_version": cistron.__version__,
            "settings": settings,
            "origin": origin,
        }
        (partial / "model.json").write_text(json.dumps(description, indent=2) + "\n")
        if tracks is not None:
            write_track_table(tracks, partial / "tracks.tsv", model.settings.tracks)
        for name, text in (files or {}).items():
            (partial / name).write_text(text, encoding="utf-8")
        (partial / "README.md").write_text(_card(model, origin, tracks is not None))


def _card(model: Enformer, origin: Mapping[str, Any], tracks: bool) -> str:
    settings = model.settings
    count = sum(parameter.numel() for parameter in model.parameters())
    heads = ", ".join(f"{number:,} {organism}" for organism, number in settings.tracks.items())
    lines = [
        *front_matter(["enformer", "dna"], str(origin.get("licence", ""))),
        "# Enformer",
        "",
        "DNA to regulatory tracks (Avsec et al., Nature Methods 2021, doi:10.1038/s41592-021-01252-x), as written by",
        f"cistron {cistron.__version__}. Load with `cistron.sequence.load_weights(FOLDER)`.",
        "",
        f"- parameters: {count:,}",
        f"- input: {settings.length:,} bp one-hot (A, C, G, T; N is zero)",
        f"- output: {settings.bins:,} bins of 128 bp; tracks: {heads}"
        + ("; named in `tracks.tsv`" if tracks else "; their names are not stored"),
        f"- channels {settings.channels:,}, depth {settings.depth}, heads {settings.heads}",
        *(f"- {key.replace('_', ' ')}: {value}" for key, value in origin.items()),
        "",
        "Limits: predictions are for the cell types and assays of the tracks; the licence is that of the source weights.",
        "",
    ]
    return "\n".join(lines)


def read_description(path: str | Path) -> dict[str, Any]:
    """Read and check ``model.json`` of a model folder.

    Raises
    ------
    InputError
        If the folder is not a model of ours.
    """
    path = Path(path)
    if not (path / "model.json").exists() or not (path / "model.safetensors").exists():
        raise InputError(
            f"{path} is not a model folder (model.json and model.safetensors); make one with 'cistron sequence "
            "weights SOURCE DESTINATION', or of random weights with 'cistron sequence initialise'"
        )
    try:
        description = json.loads((path / "model.json").read_text())
        version = int(description["schema_version"])
        kind = description["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path / 'model.json'} is not the description of a model ({error})") from error
    if kind != SCHEMA or version > SCHEMA_VERSION:
        raise InputError(
            f"{path}: schema {kind} version {version}; this cistron reads {SCHEMA} up to {SCHEMA_VERSION}"
        )
    return description


def load_weights(path: str | Path, precision: str = "fp32", device: str = "cpu", **changes: Any) -> Enformer:
    """Load a model, ready to predict (evaluation mode).

    Parameters
    ----------
    path
        A model folder of ours, or weights in the layout of enformer-pytorch or DeepMind (then ``length`` and
        ``crop`` may be given, which weights do not tell).
    precision
        ``fp32``; ``bf16`` for all matrix products in bfloat16; ``mixed`` for those that amplify no rounding
        (:meth:`Enformer.matrices_to`). Without fast bfloat16 on the device it is ``fp32``, and a remark says so.
    device
        Where to put it, for example ``cuda``.
    **changes
        Settings to change: dropouts, length, crop.

    Raises
    ------
    InputError
        If the weights are absent, truncated, foreign or do not fit; what does not fit is named.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision must be {' or '.join(PRECISIONS)}. Given: {precision}")
    precision = precision_in_force(precision, "fp32", device)
    path = Path(path)
    if (path / "model.json").exists():
        description = read_description(path)
        settings = replace(settings_from(description["settings"]), **changes)
        state = read_state(path / "model.safetensors")
        _check_state(state, settings, path)
    else:
        source = read_source(path)
        settings = infer_settings(source, **changes)
        state, _ = convert(source, settings)
    with torch.device("meta"):
        model = Enformer(settings)
    model.load_state_dict(state, assign=True)
    if precision != "fp32":
        model.matrices_to(torch.bfloat16, "all" if precision == "bf16" else "robust")
    return model.to(device).eval()


def _check_state(state: Mapping[str, Tensor], settings: EnformerSettings, path: Path) -> None:
    with torch.device("meta"):
        expected = Enformer(settings).state_dict()
    problems = [f"{name} is missing" for name in expected if name not in state]
    problems += [f"{name} is not of the model" for name in state if name not in expected]
    problems += [
        f"{name} is {list(state[name].shape)}, expected {list(tensor.shape)}"
        for name, tensor in expected.items()
        if name in state and state[name].shape != tensor.shape
    ]
    if problems:
        raise InputError(f"{path}: {len(problems):,} weights do not fit model.json: {'; '.join(problems)}")


def convert_weights(
    source: str | Path, destination: str | Path, *, tracks: Mapping[str, Path] | None = None, **changes: Any
) -> tuple[Enformer, list[str]]:
    """Convert weights of another layout into a model folder.

    Parameters
    ----------
    source
        What :func:`read_source` reads.
    destination
        Folder to write.
    tracks
        Targets table of each organism (as published with Basenji and Enformer), stored beside the weights.
    **changes
        Settings that weights do not tell: ``length``, ``crop``.

    Returns
    -------
    model : Enformer
        The model.
    unmatched : list of str
        Names of the source that have no place in it.
    """
    found = read_source(source)
    settings = infer_settings(found, **changes)
    table = read_track_table(tracks, settings.tracks) if tracks else None
    state, unmatched = convert(found, settings)
    with torch.device("meta"):
        model = Enformer(settings)
    model.load_state_dict(state, assign=True)
    origin = {
        "weights": f"converted from {found.layout}",
        "source_files": {file.name: sha256_of(file) for file in found.files},
    }
    save_weights(model.eval(), destination, tracks=table, origin=origin)
    return model, unmatched
