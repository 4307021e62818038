"""Every command with every input damaged in every way, and every number out of its range: what comes of it.

The commands and their good arguments are those of the goldens, their options are read off the application, so a new command
enters by itself. Each try is a fork of this process: a crash of a library is a result and not the end.
"""

import dataclasses
import gzip
import os
import random
import re
import shlex
import shutil
import signal
import sys
import tempfile
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

GOLDENS = Path(__file__).parents[1] / "goldens"
sys.path.insert(0, str(GOLDENS))
try:
    from cases import CASES
    from inputs import write_inputs
    from running import ARTEFACTS, call
finally:
    sys.path.remove(str(GOLDENS))

SECONDS = 120  # a try that takes longer is one that hangs
TEXT = (
    ".tsv",
    ".csv",
    ".txt",
    ".gmt",
    ".gtf",
    ".bed",
    ".fa",
    ".vcf",
    ".out",
    ".raw",
    ".gct",
    ".json",
    ".toml",
)
# What the next run goes on from: shards, studies, checkpoints, and the word that a run ended early.
_RESUMED = re.compile(r"shards|\.lock$|\.journal$|\.fit/|run\.json$")
NUMBERS = ("-1", "0", "nan", "1e308", "many")


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _lines(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def _cell(value: bytes) -> Callable[[bytes], bytes]:
    """Put a value in place of the last number of the line in the middle."""

    def change(content: bytes) -> bytes:
        lines = _lines(content)
        if len(lines) < 3:
            return content
        number = len(lines) // 2
        for separator in (b"\t", b",", b" "):
            fields = lines[number].rstrip(b"\r\n").split(separator)
            for place in range(len(fields) - 1, 0, -1):
                try:
                    float(fields[place])
                except ValueError:
                    continue
                fields[place] = value
                lines[number] = separator.join(fields) + b"\n"
                return b"".join(lines)
        return content

    return change


def _first_column(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        lines = _lines(content)
        if len(lines) < 3:
            return content
        number = len(lines) // 2
        for separator in (b"\t", b",", b" "):
            if separator in lines[number]:
                fields = lines[number].split(separator)
                fields[0] = change(fields[0])
                lines[number] = separator.join(fields)
                break
        return b"".join(lines)

    return changed


def _one_column(content: bytes) -> bytes:
    return b"".join(line.split(b"\t")[0].split(b",")[0].rstrip(b"\n") + b"\n" for line in _lines(content))


# What is done to the bytes of a file. The first group is for every kind, the second for text.
CUTS = {f"cut at {share}%": share for share in (10, 50, 99)}
ANY = {
    "0 bytes": lambda content: b"",
    "random bytes": lambda content: random.Random(1).randbytes(max(len(content), 400)),
    **{
        name: (lambda content, share=share: content[: len(content) * share // 100])
        for name, share in CUTS.items()
    },
    "gzip under a plain name": lambda content: gzip.compress(content),
    "HDF5 content": lambda content: b"\x89HDF\r\n\x1a\n" + content[:500],
    "text": lambda content: b"gene\tvalue\nA\t1\nB\t2\n",
}
TEXTUAL = {
    "NaN": _cell(b"NaN"),
    "infinity": _cell(b"inf"),
    "NUL": _cell(b"3\x004"),
    "word in a number": _cell(b"abc"),
    "empty cell": _cell(b""),
    "decimal comma": _cell(b'"1,5"'),
    "doubled line": lambda content: content + (_lines(content) or [b""])[-1],
    "one row": lambda content: b"".join(_lines(content)[:2]),
    "header only": lambda content: b"".join(_lines(content)[:1]),
    "one column": _one_column,
    "id that is not ASCII": _first_column(lambda name: "Gène\u202eé".encode()),
    "latin-1": _first_column(lambda name: "Gène".encode("latin-1")),
    "a million letters": _first_column(lambda name: b"A" * 1_000_000),
    "ragged row": lambda content: content + b"x\ty\tz\tmore\tand\tmore\tand\tmore\tand\tmore\tand\tmore\n",
    "UTF-16": lambda content: content.decode("utf-8", "replace").encode("utf-16"),
    "byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "Windows line ends": lambda content: content.replace(b"\n", b"\r\n"),
    "quoted": lambda content: b"".join(
        b"\t".join(b'"' + field + b'"' for field in line.rstrip(b"\n").split(b"\t")) + b"\n"
        for line in _lines(content)
    ),
}
# Damage after which the file still says the same: a right result is expected.
HARMLESS = ("gzip under a plain name", "byte order mark", "Windows line ends", "quoted", "UTF-16")


@dataclasses.dataclass(frozen=True)
class Try:
    """One command line with one thing wrong.

    Attributes
    ----------
    command, what, damage
        The command, its input or option, and what is wrong with it.
    """

    command: str
    what: str
    damage: str


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a try.

    Attributes
    ----------
    kind
        ``error`` (exit 2, one line), ``accepted`` (exit 0), ``traceback``, ``crash``, ``several lines``, ``left something``,
        ``input changed`` or ``hangs``.
    said
        The error, or what was printed.
    """

    kind: str
    said: str


def commands() -> dict[str, Any]:
    """The first working case of each command, the demo apart (it has no inputs and calls the others)."""
    working = [case for case in CASES if not case.error and not case.absent and not case.before]
    return {case.command: case for case in reversed(working) if case.command != "demo"}


def _inputs(arguments: str) -> Iterator[str]:
    """Input paths among arguments, each once."""
    seen = set()
    for word in shlex.split(arguments):
        if word.startswith(("{inputs}", "{artefacts}")) and word not in seen:
            seen.add(word)
            yield word


def _numeric_options(command: str, arguments: str) -> Iterator[str]:
    """Options of a command that take a number; of the settings of methods those of the method that is run."""
    from cistron.cli.main import app
    from cistron.cli.method_options import MethodCommand

    place = app
    for word in command.split():
        place = place[word]
    words = shlex.split(arguments)
    method = words[words.index("--method") + 1] if "--method" in words else ""
    if isinstance(place.default_command, MethodCommand):
        method = method or place.default_command.default
    for argument in place.assemble_argument_collection():
        names = [name for name in argument.names if name.startswith("--") and not name.startswith("--no-")]
        if not names or not argument.parse or not _is_number(argument.hint):
            continue
        prefix, dot, _ = names[0].removeprefix("--").partition(".")
        if not dot or prefix == method or not method:
            yield names[0]


def _is_number(hint: Any) -> bool:
    if typing.get_origin(hint) in (typing.Union, types.UnionType, tuple, typing.Annotated):
        return any(_is_number(part) for part in typing.get_args(hint))
    return hint in (int, float)


def tries() -> list[Try]:
    """All tries, in a fixed order."""
    found = []
    for command, case in sorted(commands().items()):
        for path in _inputs(case.arguments):
            source = Path(path.format(inputs="x", artefacts=ARTEFACTS))
            folder = path.startswith("{artefacts}") and source.is_dir()
            if path.startswith("{inputs}") and not source.suffix:
                folder = True
            found += [
                Try(command, path, "absent"),
                Try(command, path, "a folder" if not folder else "a file"),
            ]
            if folder:
                found += [
                    Try(command, path, f"{how} a part") for how in ("lost", "truncated", "random bytes in")
                ]
                continue
            found += [Try(command, path, damage) for damage in ANY]
            if source.suffix in TEXT:
                found += [Try(command, path, damage) for damage in TEXTUAL]
        found += [
            Try(command, option, value)
            for option in _numeric_options(command, case.arguments)
            for value in NUMBERS
        ]
    return found


def _damaged(source: Path, damage: str, folder: Path) -> Iterator[Path]:
    """Paths of damaged copies of an input."""
    target = folder / source.name
    if damage == "absent":
        yield target
    elif damage == "a folder":
        target.mkdir()
        yield target
    elif damage == "a file":
        _write(target, b"gene\tvalue\nA\t1\n")
        yield target
    elif source.is_dir():
        parts = [
            path
            for path in sorted(source.rglob("*"))
            if path.is_file() and path.name not in ("README.md", "run.json")
        ]
        for number, part in enumerate(parts[:: max(1, len(parts) // 4)]):
            copy = folder / str(number) / source.name
            shutil.copytree(source, copy)
            place = copy / part.relative_to(source)
            content = place.read_bytes()
            if damage.startswith("lost"):
                place.unlink()
            elif damage.startswith("truncated"):
                _write(place, content[: len(content) // 2])
            else:
                _write(place, random.Random(2).randbytes(len(content)))
            yield copy
    else:
        content = source.read_bytes()
        changed = {**ANY, **TEXTUAL}[damage](content)
        if changed != content:
            _write(target, changed)
            yield target


def outcomes(
    chosen: list[Try] | None = None, report: Callable[[Try, Outcome], None] | None = None
) -> list[tuple[Try, Outcome]]:
    """Run tries.

    Parameters
    ----------
    chosen
        Which; all when absent.
    report
        Called after each.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        write_inputs(root / "inputs")
        cases = commands()
        for number, one in enumerate(tries() if chosen is None else chosen):
            places = {"inputs": root / "inputs", "artefacts": ARTEFACTS}
            line = f"{one.command} {cases[one.command].arguments}"
            if one.what.startswith("--"):
                lines = [f"{_without(line, one.what)} {one.what}={one.damage}"]
            else:
                source = Path(one.what.format(**places))
                folder = root / f"damaged {number}"
                folder.mkdir()
                lines = [
                    line.replace(one.what, shlex.quote(str(path)))
                    for path in _damaged(source, one.damage, folder)
                ]
            worst: Outcome | None = None
            for place, text in enumerate(lines):
                out = root / f"out {number} {place}"
                out.mkdir()
                found = _run(text, {**places, "out": out}, out)
                shutil.rmtree(out, ignore_errors=True)
                if worst is None or worst.kind in ("error", "accepted"):
                    worst = found
                if worst.kind not in ("error", "accepted"):
                    break
            if worst is not None:
                results.append((one, worst))
                if report is not None:
                    report(one, worst)
            shutil.rmtree(root / f"damaged {number}", ignore_errors=True)
    return results


def _without(line: str, option: str) -> str:
    words, kept, skip = shlex.split(line), [], False
    for word in words:
        if skip and not word.startswith("--"):
            skip = False
            continue
        skip = word == option
        if not skip:
            kept.append(word)
    return shlex.join(kept)


def _run(line: str, places: dict[str, Path], out: Path) -> Outcome:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            signal.alarm(SECONDS)
            code, printed, errors = call(line, places)
            os.write(writing, f"{code}\n{errors if code else printed}"[:60_000].encode(errors="replace"))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == -signal.SIGALRM:
        return Outcome("hangs", f"over {SECONDS} s")
    if status or not told:
        return Outcome(
            "crash", f"signal {-status}" if status < 0 else "an exception that main does not catch"
        )
    code, _, said = told.partition("\n")
    if code == "0":
        return Outcome("accepted", said)
    if code != "2":
        return Outcome("traceback", "\n".join(said.splitlines()[-3:]))
    if len(said.strip().splitlines()) != 1 or not said.startswith("cistron: error: "):
        return Outcome("several lines", said)
    left = [
        path for path in out.rglob("*") if path.is_file() and not _RESUMED.search(str(path.relative_to(out)))
    ]
    if left:
        return Outcome("left something", f"{said}{', '.join(path.name for path in left)[:300]}")
    return Outcome("error", said)
