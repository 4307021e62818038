"""Read weights that other programs wrote: recognise the layout and convert it to cistron's."""

import json
import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cistron.errors import InputError
from cistron.formats.tables import first_line
from cistron.runtime import track
from cistron.sequence.enformer import Enformer
from cistron.sequence.settings import EnformerSettings, settings_from
from cistron.sequence.tensor_bundle import TensorBundle, is_bundle
from cistron.sequence.weight_layouts import (
    Entry,
    bare_path,
    deepmind_entries,
    enformer_pytorch_entries,
    is_weight,
)


@dataclass(frozen=True)
class Source:
    """Weights as they were found: layout, names (bare, without prefixes) to tensors, files, settings that notes in a file tell."""

    layout: str
    tensors: Mapping[str, Tensor]
    files: tuple[Path, ...]
    noted: Mapping[str, int] = field(default_factory=dict)


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
        tensors = {
            bare_path(name): torch.from_numpy(bundle.read(name))
            for name in track(names, "weights read", unit="tensors")
        }
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
    state = read_state(path)
    if "stem.0.weight" not in state:
        first = ", ".join(sorted(state)[:3])
        raise InputError(
            f"{path.name} is not Enformer's in the layout of enformer-pytorch: stem.0.weight is absent; "
            f"its first names are {first or 'none'}"
        )
    tensors = {name: state[name] for name in state if is_weight(name)}
    return Source("enformer-pytorch", tensors, (path,), _notes(path))


def _notes(path: Path) -> dict[str, int]:
    """Base pairs of input and bins cut, where the metadata of a safetensors file tell them."""
    from safetensors import safe_open

    if path.suffix != ".safetensors":
        return {}
    with safe_open(path, framework="pt") as file:
        text = (file.metadata() or {}).get("settings", "{}")
    try:
        notes = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(notes, dict):
        return {}
    return {name: notes[name] for name in ("length", "crop") if isinstance(notes.get(name), int)}


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a state dict of tensors from safetensors, or from a torch file with weights only.

    Raises
    ------
    InputError
        If the file is truncated, or holds anything but tensors.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(
            f"weights {path.name} cannot be read ({first_line(error)}); the file may be truncated: fetch it again"
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


def infer_settings(source: Source, **changes: Any) -> EnformerSettings:
    """Work out the settings from the shapes of the weights; ``changes`` gives those that shapes do not show (length, crop),
    before what notes in the file say.

    Raises
    ------
    InputError
        If the weights that tell it are absent.
    """
    tensors = source.tensors
    if source.layout == "deepmind":
        tail, bias = "_trunk/_layers/4/_layers/0/_layers/2/w", "_r_w_bias"
        block, head = re.compile(r"_trunk/_layers/2/_layers/(\d+)/"), re.compile(r"_heads/(\w+)/_layers/0/b$")
    else:
        tail, bias = "final_pointwise.1.2.weight", "rel_content_bias"
        block, head = re.compile(r"transformer\.(\d+)\."), re.compile(r"_heads\.(\w+)\.0\.bias$")
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
            "channels": tensors[tail].shape[1],
            "depth": max(blocks) + 1,
            "heads": biases[0].shape[1],
            "key_size": biases[0].shape[-1],
            "tracks": ordered,
            **source.noted,
            **changes,
        }
    )


def entries_of(layout: str, settings: EnformerSettings) -> list[Entry]:
    """List the pairs of names of cistron's layout and another one (``deepmind`` or ``enformer-pytorch``)."""
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
    for entry in track(entries, "weights converted", unit="tensors"):
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
