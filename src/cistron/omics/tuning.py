"""Search settings of the networks: the report's search space and more, in a study that several workers share."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import anndata

from cistron.errors import InputError
from cistron.omics.estimator import OmicsEmbedder
from cistron.omics.inputs import OmicsMatrix
from cistron.omics.preprocessing import PreprocessingSettings
from cistron.omics.settings import AutoencoderSettings, VdtfSettings
from cistron.training import Choice, Real, SearchSpace, TuneReport, Whole, tune

Score = Callable[[anndata.AnnData], float]


def search_space(
    method: str, samples: int, epochs: int, smallest: int = 4, largest: int | None = None
) -> SearchSpace:
    """Search space of a method: what the report searched (layers, learning rate, batch size, epochs, latent dimensions).

    Beyond it: the weight of the KL term and the sample dimension (vdtf), corruption and width (autoencoder).

    Parameters
    ----------
    method
        ``autoencoder`` or ``vdtf``.
    samples
        Samples of all matrices; no more dimensions are searched.
    epochs
        Largest number of epochs.
    smallest, largest
        Range of the latent dimensions.

    Raises
    ------
    InputError
        If the method has no search space or the range is empty.
    """
    high = min(samples, largest or samples, 512)
    if not 1 <= smallest <= high:
        raise InputError(
            f"dimensions to search must lie between 1 and {high}. Given: {smallest} to {largest}"
        )
    common: dict[str, Real | Whole | Choice] = {
        "dimensions": Whole(smallest, high, log=True),
        "learning_rate": Real(2e-4, 1e-2, log=True),
        "epochs": Whole(max(1, epochs // 4), epochs),
    }
    if method == "autoencoder":
        return {
            **common,
            "layers": Choice((2, 4, 6)),
            "batch_size": Choice((64, 128, 256, 512)),
            "width": Choice((64, 128, 256)),
            "corruption": Real(0.0, 0.5),
        }
    if method == "vdtf":
        return {
            **common,
            "layers": Whole(2, 6),
            "tile_entries": Choice((2048, 8192, 32_768)),
            "width": Choice((32, 64, 128)),
            "sample_dimension": Choice((0, 8, 32)),
            "kl_weight": Real(0.01, 10.0, log=True),
        }
    raise InputError(f"{method} has nothing to tune; expected autoencoder or vdtf")


def settings_of_trial(
    base: AutoencoderSettings | VdtfSettings, parameters: Mapping[str, Any]
) -> AutoencoderSettings | VdtfSettings:
    """Put the parameters of a trial into settings."""
    changes = dict(parameters)
    fit = replace(base.fit, epochs=changes.pop("epochs"), learning_rate=changes.pop("learning_rate"))
    dimensions = changes.pop("dimensions")
    name = "dimensions" if isinstance(base, AutoencoderSettings) else "gene_dimension"
    return replace(base, **{name: dimensions, **changes, "fit": fit})


def first_trial(base: AutoencoderSettings | VdtfSettings, space: SearchSpace) -> dict[str, Any]:
    """Give the defaults as a trial, as near as the search space has them: a search should not end below them."""
    defaults = {**asdict(base), "epochs": base.fit.epochs, "learning_rate": base.fit.learning_rate}
    if isinstance(base, VdtfSettings):
        defaults["dimensions"] = base.gene_dimension
    else:
        defaults["width"] = base.width or max(128, 2 * base.dimensions)
    trial = {}
    for name, span in space.items():
        value = defaults[name]
        if isinstance(span, Choice):
            trial[name] = value if value in span.options else span.options[0]
        else:
            trial[name] = min(max(value, span.low), span.high)
    return trial


def tune_embedder(
    matrices: Sequence[OmicsMatrix],
    method: str,
    *,
    storage: str | Path,
    trials: int = 30,
    epochs: int = 40,
    smallest: int = 4,
    largest: int | None = None,
    preprocessing: PreprocessingSettings | None = None,
    score: Score | None = None,
    objective: str = "held-out R2",
    seed: int = 0,
) -> TuneReport:
    """Search settings of a network on matrices. The defaults are tried first.

    Parameters
    ----------
    matrices
        Matrices to embed; several only for a joint method.
    method
        ``autoencoder`` or ``vdtf``.
    storage
        File of the study; several processes may share it, and a later call goes on from it.
    trials
        Trials in all.
    epochs
        Largest number of epochs of a trial.
    smallest, largest
        Range of the latent dimensions.
    preprocessing
        What is done to the matrices before.
    score
        What to maximise, given the embedding; the share of the variance of held-out entries that is explained
        when absent. It must not use what the reported figure uses.
    objective
        Name of the objective, kept in the study.
    seed
        Seed of the search and of every fit, so that all trials hold out the same entries.

    Returns
    -------
    TuneReport
        Best parameters and all trials.

    Raises
    ------
    InputError
        If the study is of another search space, other matrices or another objective.
    """
    space = search_space(method, sum(len(matrix.samples) for matrix in matrices), epochs, smallest, largest)
    base = AutoencoderSettings() if method == "autoencoder" else VdtfSettings()

    def value_of(parameters: dict[str, Any], report: Callable[[int, float], None]) -> float:
        embedder = OmicsEmbedder(settings_of_trial(base, parameters), preprocessing, seed)
        embedding = embedder.embed(*matrices, name="trial")
        if score is not None:
            return score(embedding)
        return float(json.loads(embedding.uns["cistron"]["parameters"])["held_out_r2"])

    return tune(
        value_of,
        space,
        first=[first_trial(base, space)],
        storage=storage,
        trials=trials,
        direction="maximize",
        name=f"omics {method}",
        identity={
            "objective": objective,
            "matrices": [[matrix.name, *matrix.shape] for matrix in matrices],
            "preprocessing": asdict(preprocessing or PreprocessingSettings()),
        },
        seed=seed,
        description=f"tuning {method}",
    )


def best_as_toml(method: str, parameters: Mapping[str, Any]) -> str:
    """The best parameters as a configuration file for ``cistron omics embed --config``."""
    base = AutoencoderSettings() if method == "autoencoder" else VdtfSettings()
    settings = settings_of_trial(base, parameters)
    model = {
        name: value
        for name, value in parameters.items()
        if name not in ("dimensions", "epochs", "learning_rate")
    }
    lines = ["[omics.embed]", f'method = "{method}"', f"dimensions = {parameters['dimensions']}", ""]
    lines += [f"[omics.embed.{method}]", *(f"{name} = {value}" for name, value in model.items()), ""]
    lines += [f"[omics.embed.{method}.fit]", f"epochs = {settings.fit.epochs}"]
    return "\n".join([*lines, f"learning_rate = {settings.fit.learning_rate!r}", ""])
