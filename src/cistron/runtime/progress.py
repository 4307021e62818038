"""Progress and remarks on standard error: a bar on a terminal, an occasional line anywhere else."""

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

Item = TypeVar("Item")

_SECONDS_OF_SILENCE = 10.0  # after which the first line of a job is printed
_SECONDS_BETWEEN_LINES = 15.0
_WORD = 100  # letters that are shown of a word that is too long
# Control characters, escape sequences' beginnings among them, and those that turn the direction of text.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_LONG_WORD = re.compile(r"\S{400,}")
_enabled = os.environ.get("CISTRON_PROGRESS", "1") != "0"
_listeners: list[Callable[[str, str], None]] = []
_results_aside = False
_heard = (
    time.monotonic()
)  # when something was last said, by whatever part of a job: many short parts make a long job


def set_progress(enabled: bool) -> None:
    """Turn progress and remarks on or off for this process (``--quiet`` turns them off)."""
    global _enabled, _heard
    _enabled, _heard = enabled, time.monotonic()


def progress_enabled() -> bool:
    """Tell whether progress and remarks are shown."""
    return _enabled


@contextmanager
def listening(listener: Callable[[str, str], None], *, results_aside: bool = False) -> Iterator[None]:
    """Hand every remark and every result to a function as well, for example one that writes a log.

    Parameters
    ----------
    listener
        Called with ``"remark"`` or ``"result"``, and the text.
    results_aside
        Print results on standard error, because standard output is for something else.
    """
    global _results_aside
    before = _results_aside
    _listeners.append(listener)
    _results_aside = before or results_aside
    try:
        yield
    finally:
        _listeners.remove(listener)
        _results_aside = before


def _tell(kind: str, text: str) -> None:
    for listener in _listeners:
        listener(kind, text)


def plain(text: str) -> str:
    """Make text from files safe for a terminal: control characters are escaped, very long words are cut.

    Parameters
    ----------
    text
        Any text; line ends and tabs stay.

    Examples
    --------
    >>> plain("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    safe = _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)
    return _LONG_WORD.sub(lambda match: f"{match[0][:_WORD]}... ({len(match[0]):,} letters)", safe)


def say(message: str, *, always: bool = False) -> None:
    """Print one remark on standard error, unless progress is off.

    Parameters
    ----------
    message
        One line.
    always
        Print it even where progress is off: what a user must know to be allowed to go on.
    """
    global _heard
    _heard = time.monotonic()
    _tell("remark", plain(message))
    if _enabled or always:
        print(plain(message), file=sys.stderr, flush=True)  # noqa: T201  (the one place that prints remarks)


def show(text: object = "") -> None:
    """Print what a command found on standard output."""
    _tell("result", plain(str(text)))
    print(plain(str(text)), file=sys.stderr if _results_aside else sys.stdout)


def clock_text(seconds: float) -> str:
    """Seconds as minutes and seconds, or with hours: ``1:05``, ``2:00:00``."""
    seconds = max(0, round(seconds))
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class Progress:
    """A counter of finished steps with an estimate of the time left.

    Parameters
    ----------
    description
        What is being done, a few words.
    total
        Number of steps, or ``None`` when it is not known.
    unit
        Name of a step, shown in lines on non-terminals.

    Examples
    --------
    >>> with Progress("fitting", total=3) as progress:
    ...     for _ in range(3):
    ...         progress.advance()
    """

    def __init__(self, description: str, total: int | None = None, unit: str = "") -> None:
        self.description = plain(description)
        self.total = total
        self.unit = unit
        self.done = 0
        self._bar: Any = None  # rich's bar, on a terminal only
        self._task: Any = None

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._patience = min(_SECONDS_OF_SILENCE, _SECONDS_BETWEEN_LINES)
        if _enabled and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._bar.start()
            self._task = self._bar.add_task(self.description.replace("[", r"\["), total=self.total)
        return self

    def advance(self, steps: int = 1, note: str | None = None) -> None:
        """Count ``steps`` as done; ``note`` (a loss, a file name) is shown behind the description."""
        global _heard
        self.done += steps
        if self._bar is not None:
            text = self.description if note is None else f"{self.description} [{plain(note)}]"
            self._bar.update(
                self._task, total=self.total, advance=steps, description=text.replace("[", r"\[")
            )
        if (self._bar is None or _listeners) and time.monotonic() - _heard > self._patience:
            self._patience = _SECONDS_BETWEEN_LINES
            if self._bar is None:
                say(self._line(note))
            else:
                _heard = time.monotonic()
                _tell("remark", self._line(note))

    def _line(self, note: str | None) -> str:
        elapsed = time.monotonic() - self._started
        unit = f" {self.unit}" if self.unit else ""
        text = f"{self.description}: {self.done:,}"
        if self.total:
            left = elapsed / max(self.done, 1) * (self.total - self.done)
            text += f" of {self.total:,}{unit}, {clock_text(elapsed)} gone, about {clock_text(left)} left"
        else:
            text += f"{unit}, {clock_text(elapsed)} gone"
        return text if note is None else f"{text} ({note})"

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def track(
    items: Iterable[Item], description: str, total: int | None = None, unit: str = ""
) -> Iterator[Item]:
    """Yield ``items`` while showing progress over them.

    Parameters
    ----------
    items
        What to go through.
    description
        What is being done.
    total
        Number of items, where ``items`` has no length.
    unit
        Name of an item.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Progress(description, total, unit) as progress:
        for item in items:
            yield item
            progress.advance()
