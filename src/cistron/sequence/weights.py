"""Weights of Enformer: read three layouts, write ours.

Ours is a folder: ``model.safetensors``, ``model.json`` (settings, where the weights came from), ``tracks.tsv`` (what
each output is, where known) and ``README.md`` (a model card). Nothing is ever unpickled.
"""

import json
import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

import cistron
from cistron.errors import InputError
from cistron.runtime import atomic_directory, sha256_of
from cistron.sequence.enformer import Enformer
from cistron.sequence.names import (
    Entry,
    bare_path,
    deepmind_entries,
    enformer_pytorch_entries,
    is_weight,
)
from cistron.sequence.settings import EnformerSettings, settings_from
from cistron.sequence.tensor_bundle import TensorBundle, is_bundle
from cistron.sequence.track_table import read_track_table, write_track_table

SCHEMA = "cistron.enformer"
SCHEMA_VERSION = 1
PRECISIONS = ("fp32", "mixed", "bf16")


@dataclass(frozen=True)
class Source:
    """Weights as they were found: layout, names (bare, without prefixes) to tensors, files."""

    layout: str
    tensors: Mapping[str, Tensor]
    files: tuple[Path, ...]


def read_source(path: str | Path) -> Source:
    """Read weights of enformer-pytorch (.safetensors, or .bin read with weights only) or DeepMind (TensorFlow).

    Parameters
    ----------
    path
        A file, the prefix of a TensorFlow checkpoint, or the folder of either.

    Raises
    ------
    InputError
        If nothing readable is there.
    """
    path = Path(path)
    if is_bundle(path):
        bundle = TensorBundle(path)
        names = [name for name in bundle.entries if is_weight(name) and is_weight(bare_path(name))]
        if not any(re.search(r"(^|/)(_trunk|_heads)/", name) for name in names):
            raise InputError(
                f"checkpoint {path.name} has no object path with _trunk or _heads, so it is not Enformer's; "
                f"its first names are {', '.join(sorted(names)[:3]) or 'none'}"
            )
        tensors = {bare_path(name): torch.from_numpy(bundle.read(name)) for name in names}
        return Source("deepmind", tensors, tuple(bundle.files))
    if path.is_dir():
        found = [path / name for name in ("model.safetensors", "pytorch_model.bin") if (path / name).exists()]
        if not found:
            raise InputError(
                f"folder {path} holds no model.safetensors, pytorch_model.bin or TensorFlow checkpoint"
            )
        path = found[0]
    if not path.exists():
        raise InputError(f"weights {path} do not exist")
    state = _read_state(path)
    if "stem.0.weight" not in state:
        first = ", ".join(sorted(state)[:3])
        raise InputError(
            f"{path.name} is not Enformer's in the layout of enformer-pytorch: stem.0.weight is absent; "
            f"its first names are {first or 'none'}"
        )
    return Source("enformer-pytorch", {name: state[name] for name in state if is_weight(name)}, (path,))


def _read_state(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(
            f"weights {path.name} cannot be read ({_short(error)}); the file may be truncated: fetch it again"
        ) from error
    except pickle.UnpicklingError as error:
        raise InputError(
            f"weights {path.name} hold more than tensors, or are no torch file; they are not unpickled. Save the "
            "state dict as .safetensors"
        ) from error
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"weights {path.name} are not a state dict of tensors")
    return state


def _short(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def infer_settings(source: Source, **changes: Any) -> EnformerSettings:
    """Find the settings that the shapes of the weights speak of; ``changes`` gives what they do not (length, crop).

    Raises
    ------
    InputError
        If the weights that tell it are absent.
    """
    tensors = source.tensors
    if source.layout == "deepmind":
        tail, bias = "_trunk/_layers/4/_layers/0/_layers/2/w", "_r_w_bias"
        block, head = re.compile(r"_trunk/_layers/2/_layers/(\d+)/"), re.compile(r"_heads/(\w+)/_layers/0/b$")
        axis = 1
    else:
        tail, bias = "final_pointwise.1.2.weight", "rel_content_bias"
        block, head = re.compile(r"transformer\.(\d+)\."), re.compile(r"_heads\.(\w+)\.0\.bias$")
        axis = 1
    blocks = {int(found.group(1)) for name in tensors if (found := block.match(name))}
    tracks = {found.group(1): len(tensors[name]) for name in tensors if (found := head.match(name))}
    biases = [tensors[name] for name in tensors if name.endswith(bias)]
    if tail not in tensors or not blocks or not tracks or not biases:
        absent = tail if tail not in tensors else "transformer" if not (blocks and biases) else "heads"
        raise InputError(f"the weights lack {absent}, so the shape of the model cannot be told from them")
    # human first, as everywhere
    ordered = {name: tracks[name] for name in sorted(tracks, key=lambda name: (name != "human", name))}
    return settings_from(
        {
            "channels": tensors[tail].shape[axis],
            "depth": max(blocks) + 1,
            "heads": biases[0].shape[1],
            "key_size": biases[0].shape[-1],
            "tracks": ordered,
            **changes,
        }
    )


def entries_of(layout: str, settings: EnformerSettings) -> list[Entry]:
    """List what belongs to what between ours and ``layout`` (``deepmind`` or ``enformer-pytorch``)."""
    return deepmind_entries(settings) if layout == "deepmind" else enformer_pytorch_entries(settings)


def convert(source: Source, settings: EnformerSettings) -> tuple[dict[str, Tensor], list[str]]:
    """Turn found weights into ours.

    Parameters
    ----------
    source
        What :func:`read_source` found.
    settings
        Shape of the model.

    Returns
    -------
    state : dict of str to Tensor
        State dict of :class:`Enformer`, float32.
    unmatched : list of str
        Names of the source that the model has no place for.

    Raises
    ------
    InputError
        If weights are missing or have another shape; all are named.
    """
    with torch.device("meta"):
        expected = Enformer(settings).state_dict()
    state: dict[str, Tensor] = {}
    problems = []
    entries = entries_of(source.layout, settings)
    for entry in entries:
        found = source.tensors.get(entry.theirs)
        if found is None:
            problems.append(f"{entry.theirs} is missing")
            continue
        try:
            turned = entry.to_ours(found)
        except (IndexError, RuntimeError):
            turned = found
        if turned.shape != expected[entry.ours].shape:
            want = list(entry.to_theirs(torch.empty(expected[entry.ours].shape, device="meta")).shape)
            problems.append(f"{entry.theirs} is {list(found.shape)}, expected {want}")
            continue
        state[entry.ours] = turned.float().contiguous()
    if problems:
        raise InputError(f"{len(problems):,} weights do not fit the model: {'; '.join(problems)}")
    for name in expected:
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
    taken = {entry.theirs for entry in entries}
    return state, sorted(name for name in source.tensors if name not in taken)


def save_weights(
    model: Enformer,
    path: str | Path,
    *,
    tracks: pd.DataFrame | None = None,
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Write a model as a folder of safetensors, JSON, track table and card.

    Parameters
    ----------
    model
        Model to write.
    path
        Folder, written whole or not at all.
    tracks
        Track table (:mod:`cistron.sequence.track_table`), checked against the heads.
    origin
        Where the weights come from: plain values that go into the JSON and the card.
    """
    from safetensors.torch import save_file

    settings = asdict(model.settings)
    origin = dict(origin or {"weights": "written by cistron"})
    with atomic_directory(path) as partial:
        state = {name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}
        save_file(state, partial / "model.safetensors", metadata={"schema": SCHEMA})
        (partial / "model.safetensors").chmod(0o644)  # the library makes it readable by its owner alone
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
        (partial / "README.md").write_text(_card(model, origin, tracks is not None))


def _card(model: Enformer, origin: Mapping[str, Any], tracks: bool) -> str:
    settings = model.settings
    count = sum(parameter.numel() for parameter in model.parameters())
    heads = ", ".join(f"{number:,} {organism}" for organism, number in settings.tracks.items())
    lines = [
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
        (:meth:`Enformer.matrices_to`).
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
    path = Path(path)
    if (path / "model.json").exists():
        description = read_description(path)
        settings = replace(settings_from(description["settings"]), **changes)
        state = _read_state(path / "model.safetensors")
        _check_state(state, settings, path)
    else:
        source = read_source(path)
        settings = infer_settings(source, **changes)
        state, _ = convert(source, settings)
    with torch.device("meta"):
        model = Enformer(settings)
    model.load_state_dict(state, assign=True)
    if precision != "fp32":
        model.matrices_to(torch.bfloat16, "all" if precision == "bf16" else "transformer")
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
