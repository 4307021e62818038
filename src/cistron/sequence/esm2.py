"""ESM-2: a protein language model, as an encoder of residues (Lin et al., Science 2023, doi:10.1126/science.ade2574).

The encoder alone, in the layout that Hugging Face stores; equal to transformers' ``EsmModel`` (a stored golden in the
tests). Heads for masked residues and contacts are not read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cistron.errors import InputError
from cistron.methods import Count, Positive, check_settings

TOKENS = (
    "<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>",
)  # fmt: skip
START, PAD, END = TOKENS.index("<cls>"), TOKENS.index("<pad>"), TOKENS.index("<eos>")
# In training 15% of residues were chosen and 80% of these masked; embeddings of unmasked sequences are scaled for it.
_UNMASKED_IN_TRAINING = 1 - 0.15 * 0.8


@dataclass(frozen=True)
class Esm2Settings:
    """Shape of an ESM-2; the defaults are those of ``esm2_t33_650M_UR50D``.

    Parameters
    ----------
    layers
        Transformer blocks.
    width
        Channels.
    heads
        Attention heads.
    hidden
        Width of the perceptron.
    norm_epsilon
        Of layer normalisation.
    token_dropout
        Scale embeddings as the published models do.
    """

    layers: Count = 33
    width: Count = 1280
    heads: Count = 20
    hidden: Count = 5120
    norm_epsilon: Positive = 1e-5
    token_dropout: bool = True

    def __post_init__(self) -> None:
        check_settings(self)


def _rotated(values: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary position encoding (Su et al. 2021), halves of a head paired: [B, heads, T, d]."""
    first, second = values.chunk(2, dim=-1)
    return values * cosine + torch.cat((-second, first), dim=-1) * sine


class _Block(nn.Module):
    """Pre-norm transformer block: x + attention(norm x), then x + perceptron(norm x)."""

    def __init__(self, settings: Esm2Settings) -> None:
        super().__init__()
        width = settings.width
        self.heads = settings.heads
        self.attention_norm = nn.LayerNorm(width, settings.norm_epsilon)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.perceptron_norm = nn.LayerNorm(width, settings.norm_epsilon)
        self.widen = nn.Linear(width, settings.hidden)
        self.narrow = nn.Linear(settings.hidden, width)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], seen: Tensor | None) -> Tensor:
        """Transform [B, T, width]; ``seen`` is bool [B, 1, 1, T], ``None`` where nothing is padding."""
        normed = self.attention_norm(x)
        query, key, value = (
            layer(normed).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, d]
            for layer in (self.query, self.key, self.value)
        )
        query, key = (_rotated(part, *rotation).to(value.dtype) for part in (query, key))
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.narrow(functional.gelu(self.widen(self.perceptron_norm(x))))


class Esm2(nn.Module):
    """Encoder of residues.

    Parameters
    ----------
    settings
        Shape.
    """

    def __init__(self, settings: Esm2Settings) -> None:
        super().__init__()
        self.settings = settings
        self.tokens = nn.Embedding(len(TOKENS), settings.width, padding_idx=PAD)
        self.blocks = nn.ModuleList(_Block(settings) for _ in range(settings.layers))
        self.final_norm = nn.LayerNorm(settings.width, settings.norm_epsilon)

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode token numbers.

        Parameters
        ----------
        tokens
            Numbers in :data:`TOKENS`, int64 [B, T], with start and end, padded at the end.

        Returns
        -------
        Tensor
            Output of the last block after the final normalisation, [B, T, width].
        """
        seen = tokens != PAD
        x = self.tokens(tokens)  # [B, T, width]
        if self.settings.token_dropout:
            x = x * _UNMASKED_IN_TRAINING
        mask = None if bool(seen.all()) else seen[:, None, None, :]  # attention is faster without one
        x = x * seen.unsqueeze(-1)
        rotation = self._rotation(tokens.shape[1], x.device)
        for block in self.blocks:
            x = block(x, rotation, mask)
        return self.final_norm(x)

    def _rotation(self, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the angle of each position and channel of a head, [T, d]."""
        size = self.settings.width // self.settings.heads
        frequency = 10_000.0 ** (-torch.arange(0, size, 2, device=device).float() / size)
        angle = torch.outer(torch.arange(length, device=device).float(), frequency).repeat(1, 2)
        return angle.cos(), angle.sin()


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
    """Load an ESM-2 from a Hugging Face folder, ready to encode. Nothing is unpickled, nothing is downloaded.

    Parameters
    ----------
    folder
        With ``config.json`` and ``model.safetensors``.
    precision
        ``fp32`` or ``bf16``.
    device
        Where to put it.

    Raises
    ------
    InputError
        If files are absent, damaged, or weights do not fit; what does not fit is named.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    folder, settings = Path(folder), read_settings(folder)
    try:
        found = load_file(folder / "model.safetensors")
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{folder / 'model.safetensors'} is not readable ({error}); fetch it again"
        ) from error
    state = {name.removeprefix("esm."): tensor for name, tensor in found.items()}
    with torch.device("meta"):
        model = Esm2(settings)
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
