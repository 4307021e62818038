"""Search settings with Optuna, in a study that several processes share and that can be taken up again."""

import contextlib
import math
import os
import socket
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cistron.errors import InputError
from cistron.runtime.files import check_writable
from cistron.runtime.progress import Progress, say
from cistron.runtime.seeds import seed_for
from cistron.training.fit import TrainingDivergedError
from cistron.training.search_space import SearchSpace, describe_space, suggest

if TYPE_CHECKING:
    import optuna
    import pandas as pd

Report = Callable[[int, float], None]
Objective = Callable[[dict[str, Any], Report], float]
_TWICE = "queued twice"  # mark of a trial whose parameters another process had queued as well
_SQLITE = (".db", ".sqlite", ".sqlite3")


@dataclass(frozen=True)
class TuneReport:
    """What a search found.

    Attributes
    ----------
    best
        Best parameters.
    best_value
        Value of the objective there.
    finished
        Trials that finished, over all workers and runs.
    pruned
        Trials that were given up early.
    failed
        Trials that failed (diverged, or their process was killed).
    trials
        One row a trial: ``number``, ``state``, ``value``, ``seconds``, one column a parameter.
    test_value
        Value of the best parameters on what neither fits nor choice saw, where the caller measured it.
    """

    best: dict[str, Any]
    best_value: float
    finished: int
    pruned: int
    failed: int
    trials: "pd.DataFrame"
    test_value: float | None = None


def tune(
    objective: Objective,
    space: SearchSpace,
    *,
    storage: str | Path,
    trials: int = 50,
    direction: str = "minimize",
    name: str = "study",
    identity: Mapping[str, Any] | None = None,
    first: Sequence[Mapping[str, Any]] = (),
    prune: bool = True,
    seed: int = 0,
    description: str = "tuning",
    sharing: bool = False,
) -> TuneReport:
    """Search ``space`` for the best value of ``objective``.

    Several processes, on one machine or on several that share a disk, may run this at once with the same
    storage: they share the trials. Run again, it goes on where it was; a trial whose process on this machine
    died is tried again.

    Parameters
    ----------
    objective
        ``objective(parameters, report)`` gives the value. It may call ``report(step, value)`` on the way, so
        that a hopeless trial is pruned (``report`` then raises, which must not be caught).
    space
        Name of each parameter to :class:`Real`, :class:`Whole` or :class:`Choice`.
    storage
        File of the study: ``.db`` or ``.sqlite`` for SQLite, anything else a journal (safe on network disks).
    trials
        Trials that shall be finished or pruned in the study in the end, over all processes.
    direction
        ``minimize`` or ``maximize``.
    name
        Name of the study; a storage can hold several.
    identity
        What else makes the values comparable (data, objective). A study of another identity is refused.
    first
        Parameters to try first, for example the defaults.
    prune
        Give up trials that are worse than the median at the same step.
    seed
        Seed of the search. A single process gives the same trials each time, interrupted or not.
    description
        What the progress says.
    sharing
        Stop as soon as the trials that are left run in other processes, which are then waited for by somebody else.

    Returns
    -------
    TuneReport
        The best parameters and all trials.

    Raises
    ------
    InputError
        If the study has another search space, identity or direction, the storage cannot be read, or no trial
        finished.
    """
    if direction not in ("minimize", "maximize"):
        raise InputError(f"direction must be minimize or maximize. Given: {direction!r}")
    if not space:
        raise InputError("the search space is empty; give at least one parameter to search")
    facts = {"space": describe_space(space), "identity": dict(identity or {}), "direction": direction}
    with _quiet_optuna():
        study = _open_study(Path(storage), name, direction, facts, prune)
        _take_up_killed_trials(study)
        if not study.trials:
            for parameters in first:
                study.enqueue_trial(dict(parameters), skip_if_exists=True)
        worker = f"{socket.gethostname()}:{os.getpid()}"
        with Progress(description, trials, "trials") as progress:
            progress.done = _settled(study)
            while _settled(study) + (_running(study) if sharing else 0) < trials:
                _one_trial(study, objective, space, worker, seed)
                progress.advance(_settled(study) - progress.done, note=_best_note(study))
        return _summary(study, Path(storage))


def _running(study: "optuna.Study") -> int:
    from optuna.trial import TrialState

    return len(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))


def _settled(study: "optuna.Study") -> int:
    from optuna.trial import TrialState

    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _best_note(study: "optuna.Study") -> str | None:
    with contextlib.suppress(ValueError):
        return f"best {study.best_value:.4g}"
    return None


def _open_study(
    storage: Path, name: str, direction: str, facts: Mapping[str, Any], prune: bool
) -> "optuna.Study":
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend
    from sqlalchemy.pool import NullPool

    check_writable(storage)
    try:
        place: Any = (
            # without a pool, whose connections would stay open until the process ends
            RDBStorage(f"sqlite:///{storage}", engine_kwargs={"poolclass": NullPool})
            if storage.suffix in _SQLITE
            else JournalStorage(JournalFileBackend(str(storage)))
        )
        study = optuna.create_study(
            study_name=name,
            storage=place,
            load_if_exists=True,
            direction=direction,  # type: ignore[arg-type]
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3)
            if prune
            else optuna.pruners.NopPruner(),
        )
    except Exception as error:  # SQLAlchemy, JSON and Optuna each raise their own for a file that is no study
        raise InputError(
            f"study storage {storage} cannot be opened ({type(error).__name__}); give the file of a study or a new name"
        ) from error
    known = study.user_attrs.get("cistron")
    if known is None:
        if study.trials:
            raise InputError(f"study {name!r} in {storage} was not made by cistron; give another --storage")
        study.set_user_attr("cistron", dict(facts))
    elif known != facts:
        raise InputError(
            f"study {name!r} in {storage} {_difference(known, facts)}; give another storage, or the settings it was made with"
        )
    return study


def _difference(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    if known["space"] != wanted["space"]:
        names = [
            name
            for name in sorted(known["space"].keys() | wanted["space"].keys())
            if known["space"].get(name) != wanted["space"].get(name)
        ]
        return f"searches another space (differs in {', '.join(names)})"
    if known["direction"] != wanted["direction"]:
        return f"has the direction {known['direction']}, not {wanted['direction']}"
    return "was made on other data or for another objective"


def _one_trial(
    study: "optuna.Study", objective: Objective, space: SearchSpace, worker: str, seed: int
) -> None:
    import optuna

    trial = study.ask()
    trial.set_user_attr("worker", worker)
    if _is_tried_already(study, trial):
        trial.set_user_attr(_TWICE, True)
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return
    # A sampler seeded by the number of the trial: an interrupted search goes on as it would have.
    study.sampler = optuna.samplers.TPESampler(seed=seed_for(seed, "trial", trial.number) % 2**32)
    parameters = suggest(trial, space)

    def report(step: int, value: float) -> None:
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        value = objective(parameters, report)
    except optuna.TrialPruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except TrainingDivergedError as error:
        trial.set_user_attr("failure", str(error))
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        _give_up_if_all_fail(study)
    except BaseException:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(parameters)
        raise
    else:
        if math.isfinite(value):
            study.tell(trial, value)
        else:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            _give_up_if_all_fail(study)


def _is_tried_already(study: "optuna.Study", trial: "optuna.Trial") -> bool:
    """Whether an earlier trial has the parameters that this one was queued with.

    Two processes that open an empty study at once both see no trials, and both queue the first ones.
    """
    from optuna.trial import TrialState

    known = study.get_trials(deepcopy=False)
    wanted = next(one for one in known if one.number == trial.number).system_attrs.get("fixed_params")
    return wanted is not None and any(
        other.number < trial.number
        and other.state != TrialState.FAIL
        and other.system_attrs.get("fixed_params") == wanted
        for other in known
    )


def _give_up_if_all_fail(study: "optuna.Study", limit: int = 10) -> None:
    from optuna.trial import TrialState

    last = [trial for trial in study.get_trials(deepcopy=False) if _TWICE not in trial.user_attrs][-limit:]
    if len(last) == limit and all(trial.state == TrialState.FAIL for trial in last):
        reason = last[-1].user_attrs.get("failure", "the value is not finite")
        raise InputError(f"the last {limit} trials failed ({reason}); narrow the search space")


def _take_up_killed_trials(study: "optuna.Study") -> None:
    """Fail and queue again the trials that run in no living process of this machine."""
    from optuna.trial import TrialState

    here = socket.gethostname()
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        host, _, process = str(trial.user_attrs.get("worker", "")).rpartition(":")
        if host == here and process.isdigit() and not _alive(int(process)):
            study.tell(trial.number, state=TrialState.FAIL)
            if trial.params:
                study.enqueue_trial(trial.params)
            say(f"trial {trial.number} was killed; it is tried again")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _summary(study: "optuna.Study", storage: Path) -> TuneReport:
    import pandas as pd
    from optuna.trial import TrialState

    known = [trial for trial in study.get_trials(deepcopy=False) if _TWICE not in trial.user_attrs]
    counts = {state: sum(trial.state == state for trial in known) for state in TrialState}
    if not counts[TrialState.COMPLETE]:
        raise InputError(
            f"study {study.study_name!r} in {storage}: no trial finished; narrow the search space"
        )
    rows = [
        {
            "number": trial.number,
            "state": trial.state.name.lower(),
            "value": trial.value if trial.state == TrialState.COMPLETE else None,
            "seconds": trial.duration.total_seconds() if trial.duration else None,
            **trial.params,
        }
        for trial in known
        if trial.state.is_finished()
    ]
    return TuneReport(
        dict(study.best_params),
        float(study.best_value),
        counts[TrialState.COMPLETE],
        counts[TrialState.PRUNED],
        counts[TrialState.FAIL],
        pd.DataFrame(rows),
    )


@contextlib.contextmanager
def _quiet_optuna() -> Iterator[None]:
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
