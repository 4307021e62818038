"""The section 'What was run' of any task: inputs, settings and facts of ``run.json``."""

import json
from collections.abc import Mapping
from typing import Any

from cistron.report.page import Section, render
from cistron.report.result import Result

_SHOWN_ELSEWHERE = ("traits", "coverage", "warnings")


def run_section(result: Result) -> Section:
    """Make the section that says what was run, on what, and with which settings."""
    run = result.run
    inputs = [
        {"file": str(entry.get("file") or entry.get("path", "")), "sha256": str(entry.get("sha256", ""))}
        for entry in run["inputs"]
    ]
    facts = {name: value for name, value in result.results.items() if name not in _SHOWN_ELSEWHERE}
    body = render(
        "run.html",
        run=run,
        duration=duration(run.get("seconds")),
        inputs=inputs,
        settings=flat(run["settings"]),
        facts=flat(facts),
    )
    return Section("run", "What was run", body)


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """List nested settings as pairs of dotted name and text."""
    if isinstance(value, Mapping) and value:
        return [
            pair for key, item in value.items() for pair in flat(item, f"{name}.{key}" if name else str(key))
        ]
    if (
        isinstance(value, list)
        and value
        and all(isinstance(item, Mapping) for item in value)
        and len(value) <= 40
    ):
        return [pair for number, item in enumerate(value, 1) for pair in flat(item, f"{name} {number}")]
    if isinstance(value, str):
        return [(name, value)]
    return [(name, json.dumps(value, ensure_ascii=False))]


def duration(seconds: float | None) -> str:
    """Write a duration in words: ``42 seconds``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds is None:
        return "not recorded"
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} seconds" if seconds < 10 else f"{whole} seconds"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
