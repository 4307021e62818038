"""Names of Enformer's weights in three layouts: cistron's, DeepMind's and enformer-pytorch's.

Each entry says where a tensor stands and how it is turned. ``deepmind`` is the object path of the official
TensorFlow checkpoint (variable names collide for the two linears of a perceptron, paths do not);
``enformer-pytorch`` the key of that package's state dict.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import Tensor

from cistron.sequence.settings import EnformerSettings

LAYOUTS = ("cistron", "enformer-pytorch", "deepmind")

Turn = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Entry:
    """One tensor: its name here and in another layout, and how the other's values become ours and back."""

    ours: str
    theirs: str
    to_ours: Turn
    to_theirs: Turn


def _same(x: Tensor) -> Tensor:
    return x


def _transposed(x: Tensor) -> Tensor:
    return x.T


def _reversed(x: Tensor) -> Tensor:
    return x.permute(2, 1, 0)


def _entries_of_norm(ours: str, theirs: dict[str, str], shape: tuple[int, ...]) -> list[Entry]:
    def flat(x: Tensor) -> Tensor:
        return x.reshape(-1)

    def statistics(x: Tensor) -> Tensor:
        return x.reshape(shape)

    entries = []
    for name, other in theirs.items():
        moving = name.startswith("running")
        entries.append(
            Entry(f"{ours}.{name}", other, flat if moving else _same, statistics if moving else _same)
        )
    return entries


def deepmind_entries(settings: EnformerSettings) -> list[Entry]:
    """List the variables of the official checkpoint that hold weights (272 of 329), without prefix and suffix of the path."""
    entries: list[Entry] = []

    def add(ours: str, theirs: str, to_ours: Turn = _same, to_theirs: Turn = _same) -> None:
        entries.append(Entry(ours, theirs, to_ours, to_theirs))

    def batch_norm(ours: str, theirs: str) -> None:
        names = {
            "weight": f"{theirs}/scale",
            "bias": f"{theirs}/offset",
            "running_mean": f"{theirs}/moving_mean/average",
            "running_var": f"{theirs}/moving_variance/average",
        }
        entries.extend(_entries_of_norm(ours, names, (1, 1, -1)))

    def convolution(ours: str, theirs: str, width: int) -> None:
        # TensorFlow keeps [width, in, out]; ours is [out, in, width], and [out, in] where the width is 1
        if width == 1:
            add(f"{ours}.weight", f"{theirs}/w", lambda x: x[0].T, lambda x: x.T[None])
        else:
            add(f"{ours}.weight", f"{theirs}/w", _reversed, _reversed)
        add(f"{ours}.bias", f"{theirs}/b")

    def block(ours: str, theirs: str, width: int) -> None:
        batch_norm(f"{ours}.norm", f"{theirs}/_layers/0")
        convolution(f"{ours}.convolution", f"{theirs}/_layers/2", width)

    def linear(ours: str, theirs: str, bias: bool = True) -> None:
        add(f"{ours}.weight", f"{theirs}/w", _transposed, _transposed)
        if bias:
            add(f"{ours}.bias", f"{theirs}/b")

    def layer_norm(ours: str, theirs: str) -> None:
        add(f"{ours}.weight", f"{theirs}/scale")
        add(f"{ours}.bias", f"{theirs}/offset")

    convolution("stem.wide", "_trunk/_layers/0/_layers/0", 15)
    block("stem.pointwise", "_trunk/_layers/0/_layers/1/_module", 1)
    add("stem.pool.weight", "_trunk/_layers/0/_layers/2/_logit_linear/w", _transposed, _transposed)
    for number in range(len(settings.widths) - 1):
        path = f"_trunk/_layers/1/_layers/{number}/_layers"
        block(f"tower.{number}.wide", f"{path}/0", 5)
        block(f"tower.{number}.pointwise", f"{path}/1/_module", 1)
        add(f"tower.{number}.pool.weight", f"{path}/2/_logit_linear/w", _transposed, _transposed)
    for number in range(settings.depth):
        ours, path = f"transformer.{number}", f"_trunk/_layers/2/_layers/{number}/_layers"
        layer_norm(f"{ours}.attention_norm", f"{path}/0/_module/_layers/0")
        attention = f"{path}/0/_module/_layers/1"
        for name, other in (("query", "q"), ("key", "k"), ("value", "v"), ("position", "r_k")):
            linear(f"{ours}.attention.{name}", f"{attention}/_{other}_layer", bias=False)
        linear(f"{ours}.attention.output", f"{attention}/_embedding_layer")
        for name, other in (("content_bias", "_r_w_bias"), ("position_bias", "_r_r_bias")):
            add(f"{ours}.attention.{name}", f"{attention}/{other}", lambda x: x[0], lambda x: x[None])
        layer_norm(f"{ours}.perceptron_norm", f"{path}/1/_module/_layers/0")
        linear(f"{ours}.expand", f"{path}/1/_module/_layers/1")
        linear(f"{ours}.contract", f"{path}/1/_module/_layers/4")
    block("tail", "_trunk/_layers/4/_layers/0", 1)
    for organism in settings.tracks:
        linear(f"heads.{organism}", f"_heads/{organism}/_layers/0")
    return entries


def enformer_pytorch_entries(settings: EnformerSettings) -> list[Entry]:
    """List the unique keys of an enformer-pytorch state dict that hold weights."""
    entries: list[Entry] = []

    def add(ours: str, theirs: str, to_ours: Turn = _same, to_theirs: Turn = _same) -> None:
        entries.append(Entry(ours, theirs, to_ours, to_theirs))

    def both(ours: str, theirs: str, names: Iterable[str] = ("weight", "bias")) -> None:
        for name in names:
            add(f"{ours}.{name}", f"{theirs}.{name}")

    def convolution(ours: str, theirs: str, width: int) -> None:
        if width == 1:
            add(f"{ours}.weight", f"{theirs}.weight", lambda x: x[..., 0], lambda x: x[..., None])
        else:
            add(f"{ours}.weight", f"{theirs}.weight")
        add(f"{ours}.bias", f"{theirs}.bias")

    def block(ours: str, theirs: str, width: int) -> None:
        both(f"{ours}.norm", f"{theirs}.0", ("weight", "bias", "running_mean", "running_var"))
        convolution(f"{ours}.convolution", f"{theirs}.2", width)

    def pool(ours: str, theirs: str) -> None:
        add(
            f"{ours}.weight",
            f"{theirs}.to_attn_logits.weight",
            lambda x: x[..., 0, 0],
            lambda x: x[..., None, None],
        )

    convolution("stem.wide", "stem.0", 15)
    block("stem.pointwise", "stem.1.fn", 1)
    pool("stem.pool", "stem.2")
    for number in range(len(settings.widths) - 1):
        block(f"tower.{number}.wide", f"conv_tower.{number}.0", 5)
        block(f"tower.{number}.pointwise", f"conv_tower.{number}.1.fn", 1)
        pool(f"tower.{number}.pool", f"conv_tower.{number}.2")
    for number in range(settings.depth):
        ours, theirs = f"transformer.{number}", f"transformer.{number}"
        both(f"{ours}.attention_norm", f"{theirs}.0.fn.0")
        for name, other in (("query", "q"), ("key", "k"), ("value", "v"), ("position", "rel_k")):
            add(f"{ours}.attention.{name}.weight", f"{theirs}.0.fn.1.to_{other}.weight")
        both(f"{ours}.attention.output", f"{theirs}.0.fn.1.to_out")
        for name, other in (("content_bias", "rel_content_bias"), ("position_bias", "rel_pos_bias")):
            add(f"{ours}.attention.{name}", f"{theirs}.0.fn.1.{other}", lambda x: x[0], lambda x: x[None])
        both(f"{ours}.perceptron_norm", f"{theirs}.1.fn.0")
        both(f"{ours}.expand", f"{theirs}.1.fn.1")
        both(f"{ours}.contract", f"{theirs}.1.fn.4")
    block("tail", "final_pointwise.1", 1)
    for organism in settings.tracks:
        both(f"heads.{organism}", f"_heads.{organism}.0")
    return entries


# What the layouts hold beside weights: counters, undebiased averages, aliases of the same tensors.
_BESIDE = re.compile(
    r"num_batches_tracked$|^_trunk\.|/_counter$|/_hidden$|^_CHECKPOINTABLE_OBJECT_GRAPH$|save_counter$|relative_positions$"
)


def is_weight(name: str) -> bool:
    """Tell whether a name of any layout holds a weight (and not a counter or an alias)."""
    return not _BESIDE.search(name)


def bare_path(key: str) -> str:
    """Strip prefix and suffix of a TensorFlow object path: ``module/_trunk/x/.ATTRIBUTES/VARIABLE_VALUE`` is ``_trunk/x``."""
    key = key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")
    found = re.search(r"(?:^|/)(_trunk|_heads)/", key)
    return key[found.start(1) :] if found else key
