"""The rule for every output of every command: nothing of a user's is lost, and the same run is not done twice.

A run *claims* its outputs before it works. An output that another run wrote is an error unless the user said
``--overwrite``; one that the same run finished is left as it is; what a killed run left is used or removed. Two runs are the
same when command, settings that determine the result, seed and the content of the inputs agree. Paths, threads,
processes, versions and time do not matter.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cistron.errors import InputError
from cistron.runtime.files import (
    MARKER,
    RECORD,
    atomic_path,
    check_writable,
    destination_of,
    folder_kind,
    record_path,
    require_ordinary,
    require_own_folder,
    sha256_of,
    written,
)
from cistron.runtime.provenance import RunRecord

_LOCK_BYTES = 256
# Made again from the rest of a folder, so that a changed one does not make the result another.
_REMADE = ("report.html", "figures")
# What may lie in a folder without being a result.
_NO_RESULT = re.compile(r"^\.|\.run\.json$|log\.csv$|^metrics\.csv$|^shards$|\.ckpt$|\.journal$")


@dataclass(frozen=True)
class Output:
    """One output of a command.

    Attributes
    ----------
    path
        As the user gave it.
    maintained
        The command keeps a folder or page of its own up to date (``report build``, ``demo``, ``omics tune``): it may be
        written to again, where cistron wrote it.
    shared
        Several processes may write to it at once (``omics tune``).
    growing
        The same run adds to what it wrote before, and is never finished (more trials of ``omics tune``).
    """

    path: Path
    maintained: bool = False
    shared: bool = False
    growing: bool = False


@dataclass
class Claim:
    """Exclusive right to write the outputs of a run.

    Attributes
    ----------
    finished
        The same run wrote all of them before, and they are as it left them.
    """

    finished: bool


def _files(output: Path) -> dict[str, int]:
    """Size of each file that belongs to a result, by its name relative to the folder (or its own name)."""
    if output.is_file():
        return {output.name: output.stat().st_size}
    found = {}
    for path in sorted(output.rglob("*")):
        name = path.relative_to(output)
        if path.is_file() and name.parts[0] not in _REMADE and name.as_posix() not in (RECORD, MARKER):
            found[name.as_posix()] = path.stat().st_size
    return found


def _describe(output: Path) -> dict[str, Any]:
    """What a finished output consists of: names and sizes, and of a single file its SHA-256."""
    description: dict[str, Any] = {"name": output.name, "files": _files(output)}
    return description | ({"sha256": sha256_of(output)} if output.is_file() else {})


def _is_whole(output: Path, description: dict[str, Any]) -> bool:
    """Whether an output is as its run left it. Files that were added to a folder do not matter."""
    files = description.get("files", {})
    if output.is_file():
        return bool(files) and description.get("sha256") == sha256_of(output)
    return bool(files) and all(
        (output / name).is_file() and (output / name).stat().st_size == size for name, size in files.items()
    )


def _is_result(output: Path) -> bool:
    """Whether there is anything at a path that a run would replace."""
    if output.is_dir():
        return any(not _NO_RESULT.search(entry.name) for entry in output.iterdir() if entry.name != RECORD)
    return output.exists()


def _record_of(output: Path) -> dict[str, Any]:
    try:
        found = json.loads(record_path(output).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def claim_outputs(
    outputs: Sequence[Output], record: RunRecord, *, overwrite: bool = False
) -> Iterator[Claim]:
    """Hold the outputs of a run while it works, and record at the end that it wrote them.

    Parameters
    ----------
    outputs
        What the run writes; files and folders that the user named.
    record
        The run.
    overwrite
        Replace results of other runs: any file, and folders that cistron wrote of the same kind.

    Yields
    ------
    Claim
        Whether there is anything left to do.

    Raises
    ------
    InputError
        If an output exists and is of another run, is not cistron's, or another process writes to it now. Nothing has been
        touched then.
    """
    with ExitStack() as stack:
        states = [stack.enter_context(_claim(output, record, overwrite)) for output in outputs]
        finished = bool(states) and all(states) and not overwrite
        before = [_Earlier.of(destination_of(output.path)) for output in outputs]
        yield Claim(finished)
        if not finished:
            for output, earlier in zip(outputs, before):
                _finish(output, record, earlier)


def are_finished(outputs: Sequence[Output], record: RunRecord) -> bool:
    """Whether the same run wrote all outputs before, and they are as it left them. Only looks.

    Parameters
    ----------
    outputs
        What the run writes.
    record
        The run.
    """
    found = [(destination_of(output.path), _record_of(destination_of(output.path))) for output in outputs]
    return bool(found) and all(
        told.get("request") == record.request() and _is_whole(path, told.get("output", {}))
        for path, told in found
    )


@dataclass(frozen=True)
class _Earlier:
    """What a result that will be replaced consists of: its record's run, and when each of its files was written."""

    run_id: str | None
    request: Any
    times: dict[str, int]

    @classmethod
    def of(cls, path: Path) -> Self:
        found = _record_of(path)
        names = found.get("output", {}).get("files", {}) if path.is_dir() else {}
        times = {name: (path / name).stat().st_mtime_ns for name in names if (path / name).is_file()}
        return cls(found.get("run_id"), found.get("request"), times)

    def remove_stale(self, path: Path) -> None:
        """Remove files of the earlier result that the new one did not write again."""
        for name, time in self.times.items():
            if (path / name).is_file() and (path / name).stat().st_mtime_ns == time:
                (path / name).unlink()


def _finish(output: Output, record: RunRecord, earlier: _Earlier) -> None:
    """Write the record of a run, or add to the one that the job wrote itself what was asked and what came of it."""
    path = destination_of(output.path)
    if not path.exists():
        return  # an output that the settings turned out not to need
    remove_leftovers(path, all_of_them=not output.shared)
    if earlier.request != record.request():
        earlier.remove_stale(path)
    if output.maintained and path.is_file():
        return  # the page tells by itself that it is ours
    written = _record_of(path)
    if written.get("command") != record.command or written.get("run_id") == earlier.run_id:
        written = record.as_dictionary()
    written["request"] = record.request()
    written["output"] = _describe(path)
    with atomic_path(record_path(path)) as partial:
        partial.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def _claim(output: Output, record: RunRecord, overwrite: bool) -> Iterator[bool]:
    """Lock one output, judge what is there; yield whether the same run finished it."""
    require_ordinary(output.path)
    path = destination_of(output.path)
    here = Path.cwd()
    if path == here or path in here.parents:
        raise InputError(
            f"--output {output.path} is the folder you are in or one above it; give the path of a new one"
        )
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    check_writable(path)
    before, fresh = len(written), False
    try:
        with _lock(path, output) as lock:
            _bring_back(path)
            finished, fresh = _judge(path, output, record, overwrite, lock.earlier)
            remove_leftovers(path, all_of_them=finished)
            remove_leftovers(record_path(path))
            lock.tell({"identity": record.identity, "fresh": fresh})
            yield finished
    except BaseException as error:
        remove_leftovers(path, own=True)
        if isinstance(error, Exception):  # an interrupt keeps what is finished
            _withdraw(path, before)
        if fresh:
            _mark_unfinished(path, record)
        raise
    finally:
        for folder in made:  # the innermost first
            if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
                folder.rmdir()


def _withdraw(path: Path, before: int) -> None:
    """Remove what a failed run wrote to an output, because a part of a result could be taken for the whole.

    Finished shards and studies stay, so that the next run goes on from them.
    """
    for new in written[before:]:
        inside = new == path or path in new.parents
        if inside and not any(_NO_RESULT.search(part) for part in new.relative_to(path).parts):
            _remove(new)
    del written[before:]
    if path.is_dir():
        for folder in sorted(path.rglob("*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _mark_unfinished(path: Path, record: RunRecord) -> None:
    """Say in a folder what a run that ended early left there, so that the next run may go on from it or replace it."""
    if path.is_dir() and any(path.iterdir()) and folder_kind(path) is None:
        told = {**record.as_dictionary(), "request": record.request(), "unfinished": True}
        with suppress(OSError, InputError), atomic_path(path / RECORD) as partial:
            partial.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _judge(
    path: Path, output: Output, record: RunRecord, overwrite: bool, killed: dict[str, Any]
) -> tuple[bool, bool]:
    """Tell whether the same run is finished, and whether nothing was there; raise where the output must not be written.

    ``killed`` is what a run that was killed at this output told of itself.
    """
    found = _record_of(path)
    request = found.get("request", {})
    same = request == record.request()
    if same and _is_whole(path, found.get("output", {})):
        return not (output.maintained or output.growing), False
    # What a killed run began where nothing was is no result, as long as no run has finished it.
    fresh = not _is_result(path) or bool(found.get("unfinished") or (killed.get("fresh") and not found))
    if not fresh:
        _require_replaceable(path, output, record, found)
    again = not fresh and _may_go_on(path, output, same)
    if not (fresh or again or overwrite or killed.get("identity") == record.identity):
        changed = f" ({difference})" if (difference := record.difference_from(request)) else ""
        what = "is not as the same run left it" if same else f"exists and is not of this run{changed}"
        raise InputError(f"{output.path} {what}; give another --output, or --overwrite to replace it")
    if output.growing and overwrite and not same:
        _empty(path, found)  # or the new study would go on from the old one
    return False, fresh


def _empty(path: Path, found: dict[str, Any]) -> None:
    """Remove the files that a record names."""
    for name in found.get("output", {}).get("files", {}):
        (path / name if path.is_dir() else path).unlink(missing_ok=True)


def _may_go_on(path: Path, output: Output, same: bool) -> bool:
    """Whether a command may write to what it keeps up to date, or add to what the same run wrote."""
    return (output.maintained and (path.is_dir() or _is_own_page(path))) or (output.growing and same)


def _require_replaceable(path: Path, output: Output, record: RunRecord, found: dict[str, Any]) -> None:
    """Raise where no ``--overwrite`` may replace what is there: a folder that is not cistron's or of another command."""
    if path.is_dir():
        require_own_folder(path, output.path)
        if found and found.get("command") != record.command:
            raise InputError(
                f"{output.path} is the result of 'cistron {found.get('command')}'; give another --output"
            )


def _is_own_page(path: Path) -> bool:
    with path.open("rb") as handle:
        return b'name="generator" content="cistron' in handle.read(4096)


class _Lock:
    """A locked file beside an output that tells who writes to it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        try:
            self.earlier = json.loads(os.pread(descriptor, 4096, 0) or b"{}")
        except ValueError:
            self.earlier = {}

    def tell(self, facts: dict[str, Any]) -> None:
        """Replace the content."""
        # One write of one length: a kill between two would leave no word of who was here.
        os.pwrite(self._descriptor, json.dumps(facts).ljust(_LOCK_BYTES).encode(), 0)


@contextmanager
def _lock(path: Path, output: Output) -> Iterator[_Lock]:
    """Hold a lock beside the output."""
    place = path.with_name(f".{path.name}.partial-claim")
    mode = fcntl.LOCK_SH if output.shared else fcntl.LOCK_EX
    while True:
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise InputError(
                f"another cistron run is writing {output.path} now; wait until it has ended, or give another --output"
            ) from error
        except OSError:
            pass  # a file system without locks
        # The holder before may have removed the file between our opening and locking it.
        if place.exists() and os.path.samestat(os.fstat(descriptor), place.stat()):
            break
        os.close(descriptor)
    try:
        yield _Lock(descriptor)
    finally:
        place.unlink(missing_ok=True)
        os.close(descriptor)


def _bring_back(path: Path) -> None:
    """Give a folder its name again, where a run was killed between the two renames that replace it."""
    if not path.exists():
        for replaced in path.parent.glob(f".{path.name}.partial-*-replaced"):
            os.replace(replaced, path)
            return


def remove_leftovers(path: Path, *, all_of_them: bool = False, own: bool = False) -> None:
    """Remove what killed runs left beside an output.

    Parameters
    ----------
    path
        The output, absolute.
    all_of_them
        Remove finished shards and stores that a run could go on from as well: the output is written.
    own
        Remove what this process began, and nothing else.
    """
    name, stem = re.escape(path.name), re.escape(path.stem)
    # Names of `runtime.files`, then of shards and of stores that a run can go on from. A lock is removed by its holder.
    by_process = re.compile(
        rf"^\.(?:{stem}(?:\.[\w.]+?)?\.partial-(\d+)(?:\.\w+)*|{name}\.partial-(\d{{1,8}})(?:-\w+)?)$"
    )
    resumable = re.compile(rf"^\.{name}\.(?:partial|shards)-(?!claim)\w{{9,}}$")
    for entry in path.parent.glob(f".{_literal(path.stem)}*"):
        match = by_process.match(entry.name)
        if match:
            process = int(match[1] or match[2])
            gone = process == os.getpid() or (not own and not _alive(process))
        else:
            gone = all_of_them and resumable.match(entry.name) is not None
        if gone:
            _remove(entry)
    if path.is_dir() and not own and not (path / "zarr.json").exists():
        for entry in path.rglob(".*.partial-*"):  # of the files within
            begun = re.search(r"\.partial-(\d+)", entry.name)
            if begun and not _alive(int(begun[1])):
                _remove(entry)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)


def _literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
