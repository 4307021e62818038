"""Weights of ESM-2 as Hugging Face stores them: read, never written. Nothing is unpickled, nothing is downloaded."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from cistron.errors import InputError
from cistron.runtime.bfloat16 import precision_in_force
from cistron.sequence.esm2 import TOKENS, Esm2
from cistron.sequence.settings import Esm2Settings
from cistron.sequence.weight_sources import read_state

# ours: theirs, within a block
_BLOCK_NAMES = {
    "attention_norm": "attention.LayerNorm",
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "out": "attention.output.dense",
    "perceptron_norm": "LayerNorm",
    "widen": "intermediate.dense",
    "narrow": "output.dense",
}


def their_names(settings: Esm2Settings) -> dict[str, str]:
    """Name of each weight of ours in a Hugging Face checkpoint, without its prefix ``esm.``."""
    names = {"tokens.weight": "embeddings.word_embeddings.weight"}
    for layer in range(settings.layers):
        for ours, theirs in _BLOCK_NAMES.items():
            for part in ("weight", "bias"):
                names[f"blocks.{layer}.{ours}.{part}"] = f"encoder.layer.{layer}.{theirs}.{part}"
    for part in ("weight", "bias"):
        names[f"final_norm.{part}"] = f"encoder.emb_layer_norm_after.{part}"
    return names


def read_settings(folder: str | Path) -> Esm2Settings:
    """Read ``config.json`` of a Hugging Face folder of ESM-2.

    Raises
    ------
    InputError
        If the folder is not one, or the model is of another family.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file() or not (folder / "model.safetensors").is_file():
        hint = (
            "; it has pytorch_model.bin, which is pickled and not read: convert it to safetensors"
            if (folder / "pytorch_model.bin").exists()
            else ""
        )
        raise InputError(
            f"{folder} is not a folder of ESM-2 weights: expected config.json and model.safetensors, as of "
            f"facebook/esm2_t33_650M_UR50D on Hugging Face{hint}"
        )
    try:
        config: Mapping[str, Any] = json.loads((folder / "config.json").read_text())
    except (ValueError, OSError) as error:
        raise InputError(f"{folder / 'config.json'} is not readable JSON ({error})") from error
    wanted = {
        "model_type": "esm",
        "position_embedding_type": "rotary",
        "vocab_size": len(TOKENS),
        "emb_layer_norm_before": False,
        "is_folding_model": False,
    }
    for key, value in wanted.items():
        given = config.get(key) or False  # null and absent mean False
        if given != value:
            raise InputError(
                f"{folder}: config.json says {key} {given!r}; ESM-2 has {value!r} "
                "(ESM-1, ESMFold and other families are not read)"
            )
    try:
        settings = Esm2Settings(
            layers=int(config["num_hidden_layers"]),
            width=int(config["hidden_size"]),
            heads=int(config["num_attention_heads"]),
            hidden=int(config["intermediate_size"]),
            norm_epsilon=float(config.get("layer_norm_eps", 1e-5)),
            token_dropout=bool(config.get("token_dropout", True)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder / 'config.json'} does not tell the shape of the model ({error})"
        ) from error
    if settings.width % (2 * settings.heads):
        raise InputError(f"{folder}: {settings.width} channels do not divide among {settings.heads} heads")
    return settings


def load_esm2(folder: str | Path, precision: str = "fp32", device: str = "cpu") -> Esm2:
    """Load an ESM-2 from a Hugging Face folder, ready to encode.

    Parameters
    ----------
    folder
        With ``config.json`` and ``model.safetensors``.
    precision
        ``fp32`` or ``bf16``; without fast bfloat16 on the device it is ``fp32``, and a remark says so.
    device
        Where to put it.

    Raises
    ------
    InputError
        If files are absent, damaged, or weights do not fit; what does not fit is named.
    """
    folder, settings = Path(folder), read_settings(folder)
    found = read_state(folder / "model.safetensors")
    state = {name.removeprefix("esm."): tensor for name, tensor in found.items()}
    with torch.device("meta"):
        model = Esm2(settings)
    precision = precision_in_force(precision, "fp32", device)
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    ours, problems = {}, []
    expected = model.state_dict()
    for name, theirs in their_names(settings).items():
        if theirs not in state:
            problems.append(f"{theirs} is missing")
        elif state[theirs].shape != expected[name].shape:
            problems.append(f"{theirs} is {list(state[theirs].shape)}, expected {list(expected[name].shape)}")
        else:
            ours[name] = state[theirs].to(kind)
    if problems:
        raise InputError(
            f"{folder}: {len(problems):,} weights do not fit config.json: {'; '.join(problems[:5])}"
        )
    model.load_state_dict(ours, assign=True)
    return model.to(device).eval()
