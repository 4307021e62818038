"""Search settings of the networks: the report's search space and more, in a study that several workers share."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import anndata

from cistron.errors import InputError
from cistron.methods import Method, with_given
from cistron.omics.estimator import OmicsEmbedder
from cistron.omics.inputs import OmicsMatrix, read_matrix
from cistron.omics.methods import METHODS
from cistron.omics.settings import AutoencoderSettings
from cistron.omics.settings_preparation import PreprocessingSettings
from cistron.runtime import atomic_path, check_writable, limit_threads
from cistron.runtime.shards import processes_at_work, run_each
from cistron.training import Choice, Real, SearchSpace, TuneReport, Whole, tune

Score = Callable[[anndata.AnnData], float]
_TESTED = 0.05  # share of the entries that no trial sees


def search_space(
    method: str, samples: int, epochs: int, smallest: int = 4, largest: int | None = None
) -> SearchSpace:
    """Search space of a method: what the report searched (layers, learning rate, batch size, epochs, latent dimensions).

    Beyond it: the weight of the KL term and the sample dimension (vdtf), corruption and width (autoencoder).

    Parameters
    ----------
    method
        A method whose record names a search space: ``autoencoder``, ``vdtf``.
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
    found: SearchSpace = METHODS.find(method).search_space(smallest, high, epochs)
    return found


def _common_space(smallest: int, largest: int, epochs: int) -> dict[str, Real | Whole | Choice]:
    return {
        "dimensions": Whole(smallest, largest, log=True),
        "learning_rate": Real(2e-4, 1e-2, log=True),
        "epochs": Whole(max(1, epochs // 4), epochs),
    }


def autoencoder_space(smallest: int, largest: int, epochs: int) -> SearchSpace:
    """Search space of the autoencoder for a range of dimensions and a largest number of epochs.

    Parameters
    ----------
    smallest, largest
        Range of the latent dimensions.
    epochs
        Largest number of epochs.
    """
    return {
        **_common_space(smallest, largest, epochs),
        "layers": Choice((2, 4, 6)),
        "batch_size": Choice((64, 128, 256, 512)),
        "width": Choice((64, 128, 256)),
        "corruption": Real(0.0, 0.5),
    }


def vdtf_space(smallest: int, largest: int, epochs: int) -> SearchSpace:
    """Search space of VDTF for a range of dimensions and a largest number of epochs.

    Parameters
    ----------
    smallest, largest
        Range of the gene dimensions.
    epochs
        Largest number of epochs.
    """
    return {
        **_common_space(smallest, largest, epochs),
        "layers": Whole(2, 6),
        "tile_entries": Choice((2048, 8192, 32_768)),
        "width": Choice((32, 64, 128)),
        "sample_dimension": Choice((0, 8, 32)),
        "kl_weight": Real(0.01, 10.0, log=True),
    }


def setting_of_parameter(method: Method, parameter: str) -> str:
    """The dotted setting that a parameter of the search stands for: ``epochs`` is ``fit.epochs``."""
    return method.setting_of_option(parameter) or f"fit.{parameter}"


def settings_of_trial(base: Any, parameters: Mapping[str, Any]) -> Any:
    """Put the parameters of a trial into settings."""
    method = METHODS.method_of(base)
    return with_given(base, {setting_of_parameter(method, name): value for name, value in parameters.items()})


def first_trial(base: Any, space: SearchSpace) -> dict[str, Any]:
    """Give the defaults (or the nearest values of the search space) as the first trial, so that a search is never worse than they are."""
    method = METHODS.method_of(base)
    trial = {}
    for name, span in space.items():
        value = attrgetter(setting_of_parameter(method, name))(base)
        if name == "width" and isinstance(base, AutoencoderSettings):
            value = value or max(128, 2 * base.dimensions)  # what 0 stands for
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
    settings: Mapping[str, Any] | None = None,
    preset: str = "default",
    preprocessing: PreprocessingSettings | None = None,
    score: Score | None = None,
    objective: str = "held-out R2",
    seed: int = 0,
    sharing: bool = False,
) -> TuneReport:
    """Search settings of a network on matrices. The defaults are tried first.

    Parameters
    ----------
    matrices
        Matrices to embed; several only for a joint method.
    method
        A method whose record names a search space: ``autoencoder``, ``vdtf``.
    storage
        File of the study; several processes may share it, and a later call goes on from it.
    trials
        Trials in all.
    epochs
        Largest number of epochs of a trial.
    smallest, largest
        Range of the latent dimensions.
    settings
        Settings of the method by dotted name that all trials share; they are not searched.
    preset
        Preset of the method that these are put over.
    preprocessing
        What is done to the matrices before.
    score
        What to maximise, given the embedding; the share of the variance of held-out entries that is explained
        when absent. It must not use what the reported figure uses.
    objective
        Name of the objective, kept in the study.
    seed
        Seed of the search and of every fit, so that all trials hold out the same entries.
    sharing
        Stop as soon as the trials that are left run in other processes; ``test_value`` is not measured then.

    Returns
    -------
    TuneReport
        Best parameters and all trials; with the held-out R2 as objective also ``test_value``, the R2 of the best fit on
        entries that nothing saw (the best held-out R2 is too good, because trials stop and are chosen by it).

    Raises
    ------
    InputError
        If the study is of another search space, other matrices or another objective.
    """
    space = search_space(method, sum(len(matrix.samples) for matrix in matrices), epochs, smallest, largest)
    record, given = METHODS.find(method), dict(settings or {})
    space = {name: span for name, span in space.items() if setting_of_parameter(record, name) not in given}
    base = record.settings_of(preset, given, several=len(matrices) > 1)
    if score is None and not base.tested:
        base = replace(base, tested=_TESTED)

    def embedding_of(parameters: Mapping[str, Any]) -> anndata.AnnData:
        embedder = OmicsEmbedder(settings_of_trial(base, parameters), preprocessing, seed)
        return embedder.embed(*matrices, name="trial")

    def value_of(parameters: dict[str, Any], report: Callable[[int, float], None]) -> float:
        embedding = embedding_of(parameters)
        return score(embedding) if score is not None else _fact(embedding, "held_out_r2")

    found = tune(
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
            **({"tested": base.tested} if score is None else {}),
            # absent where nothing was given, so that studies from before this was possible go on
            **({"preset": preset, "settings": given} if given or preset != "default" else {}),
        },
        seed=seed,
        description=f"tuning {method}",
        sharing=sharing,
    )
    if score is not None or sharing:
        return found
    # The same fit as in its trial; its test entries had no part in fits, stopping or choice.
    return replace(found, test_value=_fact(embedding_of(found.best), "test_r2"))


def _fact(embedding: anndata.AnnData, name: str) -> float:
    return float(json.loads(embedding.uns["cistron"]["parameters"])[name])


def best_as_toml(
    method: str,
    parameters: Mapping[str, Any],
    *,
    settings: Mapping[str, Any] | None = None,
    preset: str = "default",
) -> str:
    """The best parameters as a configuration file for ``cistron omics embed --config``.

    Parameters
    ----------
    method
        Name of the method.
    parameters
        Best parameters of the search.
    settings, preset
        What all trials shared, as :func:`tune_embedder` was given it.
    """
    record = METHODS.find(method)
    tables: dict[str, dict[str, Any]] = {"omics.embed": {"method": method}, f"omics.embed.{method}": {}}
    if preset != "default":
        tables["omics.embed"]["settings"] = preset
    if "dimensions" in parameters:
        tables["omics.embed"]["dimensions"] = parameters["dimensions"]
    found = {
        setting_of_parameter(record, name): value
        for name, value in parameters.items()
        if name != "dimensions"
    }
    for name, value in {**(settings or {}), **found}.items():
        table, _, setting = f"omics.embed.{method}.{name}".rpartition(".")
        tables.setdefault(table, {})[setting] = value
    return "\n".join(
        "\n".join([f"[{table}]", *(f"{name} = {_toml(value)}" for name, value in values.items()), ""])
        for table, values in tables.items()
    )


def _toml(value: Any) -> str:
    """A value as TOML has it; ``"none"`` where there is none, which the command line reads as such."""
    return json.dumps("none" if value is None else list(value) if isinstance(value, tuple) else value)


def _take_trials(
    matrices: Sequence[OmicsMatrix], method: str, storage: Path, search: Mapping[str, Any], number: int
) -> int:
    """Take trials of a study that other processes share, until there are enough; which of them this is makes no difference."""
    tune_embedder(matrices, method, storage=storage, sharing=True, **search)
    return number


def tune_files(
    matrices: Sequence[str | Path],
    output: str | Path,
    method: str,
    *,
    storage: str | Path | None = None,
    threads: int | None = None,
    reading: Mapping[str, Any] | None = None,
    **search: Any,
) -> TuneReport:
    """Search settings on matrix files; write ``trials.csv`` and ``best.toml``.

    Parameters
    ----------
    matrices
        Files of :func:`cistron.omics.inputs.read_matrix`; several only for a joint method.
    output
        Folder to write to.
    method
        Name of the method.
    storage
        File of the study; ``study.journal`` in the folder when absent.
    threads
        Threads of numerical libraries.
    reading
        What :func:`cistron.omics.inputs.read_matrix` takes besides the path.
    **search
        The rest of what :func:`tune_embedder` takes.

    Returns
    -------
    TuneReport
        Best parameters and all trials.

    Raises
    ------
    InputError
        If no matrix is given, or several to a method that takes one.
    """
    output = Path(output)
    if not matrices:
        raise InputError("no matrix was given; name at least one file")
    if len(matrices) > 1 and not METHODS.find(method).traits.joint:
        raise InputError(f"{method} takes one matrix. Given: {len(matrices)}; use --method vdtf")
    check_writable(output / "best.toml")
    storage = Path(storage or output / "study.journal")
    with limit_threads(threads):
        read = [read_matrix(matrix, **(reading or {})) for matrix in matrices]
        several = processes_at_work()
        if several > 1:
            # each takes trials of the study until there are enough; what is left to do here is to read it
            shared: dict[str, Any] = {
                "matrices": read,
                "method": method,
                "storage": storage.absolute(),
                "search": search,
            }
            list(run_each(_take_trials, [{"number": number} for number in range(several)], shared))
        report = tune_embedder(read, method, storage=storage, **search)
    with atomic_path(output / "trials.csv") as partial:
        report.trials.to_csv(partial, index=False)
    shared = {name: search[name] for name in ("settings", "preset") if name in search}
    with atomic_path(output / "best.toml") as partial:
        partial.write_text(best_as_toml(method, report.best, **shared))
    return report
