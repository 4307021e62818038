"""``run.json``: what was run, on what, with which settings, so that a result can be made again."""

import dataclasses
import hashlib
import json
import math
import platform
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cistron
from cistron.runtime.files import atomic_path, sha256_of


def _plain(value: Any) -> Any:
    """Turn settings into what JSON knows: data classes to objects, paths to text, NumPy numbers to numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return value.name  # no local paths: who reads a record has other folders
    if hasattr(value, "tolist"):  # NumPy numbers and arrays
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no NaN
    return value


def _flat(settings: Any, prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted names."""
    if not isinstance(settings, Mapping):
        return {prefix.rstrip("."): settings}
    return {
        key: item
        for name, value in settings.items()
        for key, item in _flat(value, f"{prefix}{name}.").items()
    }


class RunRecord:
    """Everything that ``run.json`` holds. Build it when a run starts, write it when the run ends.

    Parameters
    ----------
    command
        Name of the command, for example ``"evaluate gwas"``.
    settings
        Data class or mapping of all settings in force, defaults included.
    inputs
        Files that are read; their SHA-256 is recorded.
    seed
        Seed of the run.

    """

    def __init__(self, command: str, settings: Any, inputs: Iterable[str | Path], seed: int) -> None:
        self.run_id = uuid.uuid4().hex[:12]
        self.command = command
        self.settings = _plain(settings)
        self.seed = seed
        self.started = datetime.now(UTC)
        self._clock = time.monotonic()
        self.inputs = [{"file": Path(path).name, "sha256": sha256_of(path)} for path in inputs]
        self.results: dict[str, Any] = {}
        self.warnings: list[str] = []

    def request(self) -> dict[str, Any]:
        """Give what determines the result, as plain JSON types: two runs of one request must give the same."""
        hashes = [entry["sha256"] for entry in self.inputs]
        return {"command": self.command, "settings": self.settings, "seed": self.seed, "inputs": hashes}

    @property
    def identity(self) -> str:
        """SHA-256 of :meth:`request`, hexadecimal."""
        return hashlib.sha256(json.dumps(self.request(), sort_keys=True).encode()).hexdigest()

    def difference_from(self, other: Mapping[str, Any]) -> str:
        """Name the first thing in which another run asked for something else.

        Parameters
        ----------
        other
            :meth:`request` of the other run; empty where it is not known.
        """
        mine = self.request()
        if not other:
            return ""
        if other.get("command") != self.command:
            return f"it was written by 'cistron {other.get('command')}'"
        if other.get("seed") != self.seed:
            return f"its seed is {other.get('seed')}"
        if other.get("inputs") != mine["inputs"]:
            return "its inputs are others"
        before, now = _flat(other.get("settings")), _flat(mine["settings"])
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                return f"its {name} is {before.get(name)!r}, here {now.get(name)!r}"[:200]
        return ""

    def warn(self, message: str) -> None:
        """Keep a remark that the reader of the result must see."""
        if message not in self.warnings:
            self.warnings.append(message)

    def record(self, name: str, value: Any) -> None:
        """Keep a fact about the run (counts, losses, what a repair did) under ``name``."""
        self.results[name] = _plain(value)

    def as_dictionary(self) -> dict[str, Any]:
        """Give the record as plain JSON types."""
        return {
            "schema": "cistron.run",
            "schema_version": 1,
            "run_id": self.run_id,
            "command": self.command,
            "cistron_version": cistron.__version__,
            "python_version": platform.python_version(),
            "platform": platform.platform(),
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self._clock, 3),
            "seed": self.seed,
            "settings": self.settings,
            "inputs": self.inputs,
            "results": self.results,
            "warnings": self.warnings,
        }

    def write(self, path: str | Path) -> None:
        """Write the record as indented JSON."""
        with atomic_path(path) as partial:
            partial.write_text(json.dumps(self.as_dictionary(), indent=2, ensure_ascii=False) + "\n")
