"""A model of random weights, for trials: calibrated so that its tracks vary, trained on nothing."""

import json
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from cistron.runtime import atomic_directory, atomic_path, seed_for
from cistron.sequence.attention import RelativeAttention
from cistron.sequence.enformer import Enformer
from cistron.sequence.esm2 import TOKENS, Esm2
from cistron.sequence.saving import save_weights
from cistron.sequence.saving_esm2 import their_names
from cistron.sequence.settings import BIN, EnformerSettings, Esm2Settings
from cistron.sequence.tower import ConvolutionBlock
from cistron.sequence.weight_layouts import enformer_pytorch_entries


def random_model(settings: EnformerSettings, seed: int = 0) -> tuple[Enformer, pd.DataFrame]:
    """Make a model of random weights with the official spread, and a track table for it.

    Batch statistics are those of random DNA and the attention's output is not zero, so that activations have the scale
    of a trained model. The first half of each organism's tracks is called DNASE, the second CAGE.

    Parameters
    ----------
    settings
        Shape of the model.
    seed
        Seed; the same seed gives the same weights.

    Returns
    -------
    model : Enformer
        In evaluation mode.
    tracks : DataFrame
        Track table.
    """
    generator = torch.Generator().manual_seed(seed_for(seed, "random model"))
    with torch.device("meta"):  # drawn once, below
        model = Enformer(settings)
    model.to_empty(device="cpu")
    model.initialise(generator)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.LayerNorm):
                module.weight.add_(0.17 * torch.randn(module.weight.shape, generator=generator))
                module.bias.add_(0.1 * torch.randn(module.bias.shape, generator=generator))
            elif isinstance(module, RelativeAttention):
                fan_in = module.output.in_features
                module.output.weight.normal_(0, fan_in**-0.5, generator=generator)
        bins = min(settings.length // BIN, max(2 * settings.crop + 8, 64))
        codes = torch.randint(0, 4, (1, bins * BIN), generator=generator)
        calibrate(model.eval(), nn.functional.one_hot(codes, 4).float())
    return model, _tracks(settings)


def write_random_model(path: str | Path, settings: EnformerSettings, seed: int = 0) -> Enformer:
    """Write a model folder of random weights, with its track table; the folder says that nothing was trained.

    Parameters
    ----------
    path
        Folder to write.
    settings
        Shape of the model.
    seed
        Seed of the weights.

    Returns
    -------
    Enformer
        In evaluation mode.
    """
    model, tracks = random_model(settings, seed)
    save_weights(model, path, tracks=tracks, origin={"weights": "random, not trained", "seed": seed})
    return model


def write_foreign_weights(path: str | Path, settings: EnformerSettings, seed: int = 0) -> None:
    """Write random weights as enformer-pytorch stores them (safetensors), to try the reading of such files.

    Parameters
    ----------
    path
        File to write.
    settings
        Shape of the model.
    seed
        Seed of the weights.
    """
    model, _ = random_model(settings, seed)
    state = model.state_dict()
    theirs = {
        entry.theirs: entry.to_theirs(state[entry.ours]).contiguous().clone()
        for entry in enformer_pytorch_entries(settings)
    }
    with atomic_path(path) as partial:
        # What weights do not tell, where :func:`cistron.sequence.weight_sources.read_source` finds it. One note, because safetensors
        # writes several in an order that changes from file to file.
        notes = {"length": settings.length, "crop": settings.crop}
        save_file(theirs, partial, metadata={"settings": json.dumps(notes)})


def write_random_esm2(folder: str | Path, settings: Esm2Settings, seed: int = 0) -> None:
    """Write a small ESM-2 of random weights as Hugging Face stores it, to try the reading of such folders.

    Parameters
    ----------
    folder
        Folder to write.
    settings
        Shape of the model.
    seed
        Seed of the weights.
    """
    generator = torch.Generator().manual_seed(seed_for(seed, "random ESM-2"))
    with torch.device("meta"):
        model = Esm2(settings)
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    state = {}
    for ours, theirs in their_names(settings).items():
        shape = shapes[ours]
        values = torch.randn(shape, generator=generator) * (shape[-1] ** -0.5 if len(shape) == 2 else 0.1)
        if "norm" in ours and ours.endswith("weight"):
            values += 1
        state[f"esm.{theirs}"] = values
    config = {
        "model_type": "esm",
        "vocab_size": len(TOKENS),
        "hidden_size": settings.width,
        "num_hidden_layers": settings.layers,
        "num_attention_heads": settings.heads,
        "intermediate_size": settings.hidden,
        "position_embedding_type": "rotary",
        "token_dropout": settings.token_dropout,
        "emb_layer_norm_before": False,
        "layer_norm_eps": settings.norm_epsilon,
    }
    with atomic_directory(folder) as partial:
        (partial / "config.json").write_text(json.dumps(config, indent=2))
        save_file(state, partial / "model.safetensors")


@torch.no_grad()
def calibrate(model: Enformer, one_hot: Tensor) -> None:
    """Set all running means and variances to the statistics of ``one_hot`` [batch, length, 4]."""

    def measure(block: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(block, ConvolutionBlock)
        values = inputs[0].flatten(0, 1)  # [batch x n, channels]
        assert block.norm.running_mean is not None
        assert block.norm.running_var is not None
        block.norm.running_mean.copy_(values.mean(0))
        block.norm.running_var.copy_(values.var(0) + 1e-3)

    hooks = [
        module.register_forward_pre_hook(measure)
        for module in model.modules()
        if isinstance(module, ConvolutionBlock)
    ]
    piece, model.piece = model.piece, one_hot.shape[1]  # in one piece, or a part would speak for the whole
    try:
        model.embed(one_hot)
    finally:
        model.piece = piece
        for hook in hooks:
            hook.remove()


def _tracks(settings: EnformerSettings) -> pd.DataFrame:
    rows = [
        {
            "organism": organism,
            "index": index,
            "identifier": f"{organism}_{index}",
            "description": f"{'DNASE' if index < number // 2 else 'CAGE'}:random track {index}, not trained",
            "strand_pair": index,
        }
        for organism, number in settings.tracks.items()
        for index in range(number)
    ]
    return pd.DataFrame(rows)
