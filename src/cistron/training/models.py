"""Saved models: a folder with ``model.safetensors``, ``settings.json`` and a model card ``README.md``. No pickle.

The card starts with the YAML that the Hugging Face hub reads, so that the folder can be uploaded as it is.
"""

import dataclasses
import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import cistron
from cistron.errors import InputError
from cistron.runtime.files import atomic_directory
from cistron.training.hub import front_matter

if TYPE_CHECKING:
    import torch

WEIGHTS, SETTINGS, CARD = "model.safetensors", "settings.json", "README.md"
SCHEMA_VERSION = 1
Settings = TypeVar("Settings")


@dataclass(frozen=True)
class ModelCard:
    """What a reader of a saved model must know.

    Attributes
    ----------
    title
        Name of the model.
    summary
        What it does, in a sentence or two.
    trained_on
        Data that it was fitted on, with versions.
    licence
        Licence of the weights and of the data behind them.
    reference
        Publication of the method.
    evaluation
        Score name to value, as measured; state the data in the name.
    limits
        What it must not be used for.
    """

    title: str
    summary: str = ""
    trained_on: str = ""
    licence: str = ""
    reference: str = ""
    evaluation: Mapping[str, float] = field(default_factory=dict)
    limits: str = ""

    def as_markdown(self, kind: str, settings: Mapping[str, Any], weights: int) -> str:
        """Give the card as Markdown.

        Parameters
        ----------
        kind
            Kind of the model.
        settings
            Settings by name.
        weights
            Number of weights.
        """
        lines = [*front_matter([kind], self.licence), f"# {self.title}", ""]
        if self.summary:
            lines += [self.summary, ""]
        facts = {
            "kind": f"`{kind}`",
            "weights": f"{weights:,}",
            "made with": f"cistron {cistron.__version__}",
            "trained on": self.trained_on,
            "licence": self.licence,
            "reference": self.reference,
        }
        lines += [f"- {name}: {text}" for name, text in facts.items() if text]
        if self.evaluation:
            lines += ["", "## Evaluation", "", "| score | value |", "|---|---|"]
            lines += [f"| {name} | {value:.4g} |" for name, value in self.evaluation.items()]
        if self.limits:
            lines += ["", "## Limits", "", self.limits]
        lines += ["", "## Settings", "", "```json", json.dumps(settings, indent=2), "```", ""]
        return "\n".join(lines)


@dataclass(frozen=True)
class SavedModel:
    """What :func:`load_model` read.

    Attributes
    ----------
    kind
        Which model it is, for example ``vdtf``.
    settings
        Its settings as plain JSON; :func:`settings_from` makes the data class.
    extra
        Whatever else was saved: names of genes, samples, scales.
    weights
        Name to tensor, on the CPU.
    path
        Folder it came from.
    """

    kind: str
    settings: dict[str, Any]
    extra: dict[str, Any]
    weights: dict[str, "torch.Tensor"]
    path: Path


def save_model(
    directory: str | Path,
    model: "torch.nn.Module | Mapping[str, torch.Tensor]",
    *,
    kind: str,
    settings: Any,
    card: ModelCard,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write a model as a folder, whole or not at all.

    Parameters
    ----------
    directory
        Folder to write; an existing one is replaced at the end.
    model
        Module, or its tensors by name.
    kind
        Which model it is; :func:`load_model` checks it.
    settings
        Data class or mapping from which the module can be built again.
    card
        Text of the model card.
    extra
        Further JSON-like facts (lists of gene ids).

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    from safetensors.torch import save_file

    state = model if isinstance(model, Mapping) else model.state_dict()
    # Tied weights are stored once a name: safetensors refuses tensors that share memory.
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    plain = _plain(settings)
    document = {
        "schema": "cistron.model",
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "software_version": cistron.__version__,
        "settings": plain,
        "extra": _plain(extra or {}),
    }
    with atomic_directory(directory) as partial:
        # One entry: the library writes several in an order that changes from run to run.
        save_file(tensors, partial / WEIGHTS, metadata={"format": "pt"})
        (partial / SETTINGS).write_text(json.dumps(document, indent=2) + "\n")
        count = sum(tensor.numel() for tensor in tensors.values())
        (partial / CARD).write_text(card.as_markdown(kind, plain, count))


def _plain(values: Any) -> dict[str, Any]:
    """Turn a data class or mapping into what JSON knows: tuples to lists, paths to text, NumPy numbers to numbers."""
    if dataclasses.is_dataclass(values) and not isinstance(values, type):
        values = dataclasses.asdict(values)

    def simplify(value: Any) -> Any:
        return value.item() if getattr(value, "ndim", None) == 0 else str(value)

    return json.loads(json.dumps(dict(values), default=simplify))


def load_model(directory: str | Path, kind: str | None = None) -> SavedModel:
    """Read what :func:`save_model` wrote.

    Parameters
    ----------
    directory
        Folder of the model.
    kind
        Kind that is expected; any when absent.

    Raises
    ------
    InputError
        If the folder is not a model, is damaged, newer than this version, or of another kind.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    directory = Path(directory)
    for name in (WEIGHTS, SETTINGS):
        if not (directory / name).exists():
            raise InputError(
                f"model {directory}: {name} is absent; expected a folder with {WEIGHTS} and {SETTINGS}"
            )
    try:
        document = json.loads((directory / SETTINGS).read_text())
        weights = load_file(directory / WEIGHTS)
    except (ValueError, OSError, SafetensorError) as error:
        raise InputError(
            f"model {directory} cannot be read ({str(error)[:120]}); it may be truncated"
        ) from error
    if not isinstance(document, dict) or document.get("schema") != "cistron.model":
        raise InputError(f"model {directory}: {SETTINGS} is not of the form cistron.model")
    if document["schema_version"] > SCHEMA_VERSION:
        raise InputError(
            f"model {directory} has schema version {document['schema_version']}, newer than {SCHEMA_VERSION}; update cistron"
        )
    if kind is not None and document["kind"] != kind:
        raise InputError(f"model {directory} is of kind {document['kind']!r}; expected {kind!r}")
    return SavedModel(document["kind"], document["settings"], document["extra"], weights, directory)


def compare_weights(
    module: "torch.nn.Module", weights: Mapping[str, "torch.Tensor"], what: str, remedy: str
) -> None:
    """Raise unless ``weights`` has exactly the names and shapes of ``module``.

    Parameters
    ----------
    module
        Network that the weights are for.
    weights
        Tensors by name.
    what
        What the weights are, for the message.
    remedy
        What to do, for the message.

    Raises
    ------
    InputError
        Naming the first absent, unknown and misshapen keys.
    """
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    absent = sorted(expected.keys() - weights.keys())
    unknown = sorted(weights.keys() - expected.keys())
    misshapen = [
        f"{name} is {tuple(weights[name].shape)}, expected {shape}"
        for name, shape in expected.items()
        if name in weights and tuple(weights[name].shape) != shape
    ]
    problems = [
        f"{len(found):,} {label} ({', '.join(found[:3])}{', ...' if len(found) > 3 else ''})"
        for found, label in (
            (absent, "keys are absent"),
            (unknown, "keys are unknown to the model"),
            (misshapen, "tensors have another shape"),
        )
        if found
    ]
    if problems:
        raise InputError(f"{what} does not fit the model: {'; '.join(problems)}; {remedy}")


def load_weights(
    module: "torch.nn.Module", weights: Mapping[str, "torch.Tensor"], what: str = "the saved model"
) -> None:
    """Put ``weights`` into ``module``; every key must match in name and shape.

    Parameters
    ----------
    module
        Network to fill.
    weights
        Tensors by name.
    what
        What the weights are, for the message.

    Raises
    ------
    InputError
        Naming the keys that are absent, unknown or misshapen.
    """
    compare_weights(module, weights, what, "build it with the settings that are saved beside the weights")
    module.load_state_dict(dict(weights))


def settings_from(kind: type[Settings], values: Mapping[str, Any], what: str = "settings") -> Settings:
    """Build a settings data class from plain JSON, nested data classes and tuples included.

    Parameters
    ----------
    kind
        Settings class.
    values
        Values by name.
    what
        Where they come from, for the message.

    Raises
    ------
    InputError
        If a name is unknown to the class, or a value breaks one of its rules.
    """
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise InputError(
            f"{what}: {unknown[0]!r} is not a setting of {kind.__name__}; known: {', '.join(hints)}"
        )
    built = {}
    for name, value in values.items():
        hint = hints[name]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
            value = settings_from(hint, value, f"{what}.{name}")
        elif isinstance(value, list) and not _wants_list(hint):
            value = tuple(value)
        built[name] = value
    return kind(**built)


def _wants_list(hint: Any) -> bool:
    options: Sequence[Any] = typing.get_args(hint) if typing.get_origin(hint) is not list else ()
    return hint is list or typing.get_origin(hint) is list or any(_wants_list(option) for option in options)
