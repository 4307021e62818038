"""Random mutants of the source: one small change at a time; the tests that run the changed line must fail.

Needs the package ``coverage``. One package at a time: its own tests (``tests/PACKAGE``) run once to tell which of them
run which line of ``src/cistron/PACKAGE``, then each mutant is given to the quickest that run its line. What
survives is a list of tests to write; a mutant that only another package's tests would kill counts as a survivor.
Not measured: lines that run at import (defaults of settings, constants) or only in other processes, and the commands
of ``cistron.cli``, whose tests stand with the wings.
"""

import ast
import gc
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "statistics", "genes", "formats", "omics", "evaluation", "chromatin", "cells", "networks", "runtime",
    "training", "genome", "methods", "sequence", "report", "study", "datasets", "world", "plots",
)  # fmt: skip
MUTANTS = 100
SEED = 2  # of the last table; 1 gave that of 2026-11-26
FIRST_TESTS, MOST_TESTS = 8, 60  # tests that a mutant is given at once, and more where it survives these
TEST_SECONDS = 15.0  # processor time of these tests together, the first always among them
PACKAGE_SECONDS = 12.0  # processor time of one package's tests; a file of tests has its equal share
LONGEST = 90  # processor seconds after which a mutant counts as one that hangs

_OTHER = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
# packages are loaded before pytest here, of which it warns
_PYTEST = ("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
# a forked process cannot start dask's workers
_PYTEST += ("-k", "not processes and not scheduler")
# survivors that change no result: file and part of the changed line, and why
EQUIVALENT = {
    "formats/store.py:[0][:120]": "a message is cut a letter later",
    "chromatin/network.py:stride=(1, width)": "a stride across one row of features",
    "report/gwas_drawings.py:Figure(figsize": "a figure of another width",
    "omics/axes.py:gram[np.diag_indices": "a trace of a penalty that keeps the matrix invertible",
    "omics/tuning.py:Real(2e-4, 1e-2": "a bound of a search is a choice",
    "cells/transformer_fit.py:inputs.seed)(-1)": "another random sample of the same cells",
    "cells/kernel_ridge.py:nothing, 1.0, np.zeros((0, 0))": "not used without landmarks",
    "evaluation/genesets/evaluate.py:steps = len(strata)": "the length of a progress bar",
    'training/fit.py:("epochs", 1)': "the length of a progress bar",
    "evaluation/neighbours.py:stripes <= 2": "from where on it is quicker to search in stripes",
}


def _change(node: Any) -> tuple[str, str, Any]:
    """What is changed at a node, which of its fields and to what; all empty where nothing can be."""
    match node:
        case ast.Compare() if type(node.ops[0]) in _OTHER:
            return "comparison", "ops", [_OTHER[type(node.ops[0])](), *node.ops[1:]]
        case ast.BinOp() if type(node.op) in _OTHER and not isinstance(
            node.left, ast.Constant | ast.JoinedStr
        ):
            return "arithmetic", "op", _OTHER[type(node.op)]()
        case ast.BoolOp():
            return "and, or", "op", _OTHER[type(node.op)]()
        case ast.UnaryOp(op=ast.USub()):
            return "sign", "op", ast.UAdd()
        case ast.UnaryOp(op=ast.Not()):
            return "not", "operand", ast.UnaryOp(ast.Not(), node.operand)
        case ast.keyword(arg="axis" | "ddof", value=ast.Constant(value=0 | 1)):
            return "axis or ddof", "value", ast.Constant(1 - node.value.value)
        case ast.Constant() if type(node.value) in (int, float):
            return "number", "value", node.value + 1
        case ast.If():
            return "condition", "test", ast.UnaryOp(ast.Not(), node.test)
    return "", "", None


def _places(tree: ast.AST) -> list[Any]:
    """Nodes that can be changed; not in annotations or messages."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        hidden = [getattr(node, field, None) for field in ("annotation", "returns")]
        if isinstance(node, ast.Raise | ast.JoinedStr):
            hidden.append(node)
        skipped |= {id(inner) for one in hidden if isinstance(one, ast.AST) for inner in ast.walk(one)}
    return [node for node in ast.walk(tree) if id(node) not in skipped and _change(node)[0]]


def _put_into_place(syntax: ast.Module, path: Path) -> None:
    """Give the functions of a loaded module their changed code."""
    codes = {}
    waiting: list[types.CodeType] = [compile(ast.fix_missing_locations(syntax), str(path), "exec")]
    while waiting:
        code = waiting.pop()
        codes[code.co_qualname, code.co_firstlineno] = code
        waiting += [one for one in code.co_consts if isinstance(one, types.CodeType)]
    for one in gc.get_objects():
        if type(one) is types.FunctionType and one.__code__.co_filename == str(path):
            one.__code__ = codes[one.__code__.co_qualname, one.__code__.co_firstlineno]


def _forked(work: Callable[[], int], tree: Path, seconds: int) -> int:
    """Run in a process of its own at the copy of the tree and give its exit code, of a hanging one a signal's."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            written = os.open(tree.parent / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(written, 1)
            os.dup2(written, 2)
            sys.stdout = sys.__stdout__  # not the table's
            os.chdir(tree)
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + 20 * seconds  # for one that waits; the machine may be a busy one
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class _Recorder:
    """Plugin of pytest: the context of coverage is the running test; a file of tests stops at its share of time."""

    def __init__(self, cover: Any) -> None:
        self.cover, self.share, self.since = cover, PACKAGE_SECONDS, 0.0
        self.used: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    def pytest_collection_finish(self, session: Any) -> None:
        self.share = PACKAGE_SECONDS / max(len({item.location[0] for item in session.items}), 1)

    def pytest_runtest_protocol(self, item: Any) -> bool | None:
        if self.used.get(item.location[0], 0.0) > self.share:
            return True  # counts as run
        self.cover.switch_context(item.nodeid)
        self.since = time.process_time()
        return None

    def pytest_runtest_logreport(self, report: Any) -> None:
        spent, self.since = time.process_time() - self.since, time.process_time()
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + spent
        self.used[report.location[0]] = self.used.get(report.location[0], 0.0) + spent
        if report.outcome != "passed":
            self.failed.add(report.nodeid)


def _tests_of_lines(package: str, tree: Path) -> dict[str, dict[str, list[str]]]:
    """Run a package's tests once and tell which run which line, the quickest first: file, line, tests."""
    answer = tree.parent / "lines.json"

    def work() -> int:
        import coverage
        import pytest

        cover = coverage.Coverage(data_file=None, include=[f"{tree}/src/cistron/{package}/*.py"])
        cover.start()
        recorder = _Recorder(cover)
        code = pytest.main([*_PYTEST, f"tests/{package}"], plugins=[recorder])
        cover.stop()
        data, told = cover.get_data(), {}
        seconds = {test: value for test, value in recorder.seconds.items() if test not in recorder.failed}
        for name in data.measured_files():
            lines = told[str(Path(name).relative_to(tree))] = {}
            for line, tests in data.contexts_by_lineno(name).items():
                total, known = 0.0, []
                for test in sorted(set(tests) & set(seconds), key=seconds.__getitem__)[:MOST_TESTS]:
                    total += seconds[test]
                    if not known or total <= TEST_SECONDS:
                        known.append(test)
                lines[str(line)] = known
        answer.write_text(json.dumps(told))
        return int(code)

    code = _forked(work, tree, 120)
    if not answer.exists():
        said = (tree.parent / "output.txt").read_text()[-2000:]
        raise RuntimeError(f"tests of {package}: exit code {code}: {said}")
    told = json.loads(answer.read_text())
    answer.unlink()
    return told


def _load_everything(tree: Path) -> None:
    """Load the copy of the package once; the processes of the mutants are forked from this one."""
    sys.path[:] = [
        str(tree / "src"),
        *(path for path in sys.path if path not in ("", str(ROOT), str(ROOT / "src"))),
    ]
    sys.dont_write_bytecode = True
    os.environ["PYTHONPATH"] = str(tree / "src")
    os.environ.setdefault("CISTRON_TEST_DATA", str((ROOT / "../shared/data").resolve()))
    files = [
        path for one in ("cli", *PACKAGES) for path in sorted((tree / "src/cistron" / one).rglob("*.py"))
    ]
    modules = [".".join(path.relative_to(tree / "src").with_suffix("").parts) for path in files]
    for name in ("hypothesis", "scanpy", *modules):
        if not name.endswith("__main__"):
            importlib.import_module(name.removesuffix(".__init__"))


def _survives(name: str, place: int, tests: list[str], tree: Path) -> str:
    """Make one mutant and run its tests; what it changed, or nothing where a test failed."""
    text = (tree / name).read_text()
    syntax = ast.parse(text)
    node = _places(syntax)[place]
    line, (what, field, value) = node.lineno, _change(node)
    setattr(node, field, value)

    def run(part: Sequence[str], changed: bool = True) -> int:
        def work() -> int:
            import pytest

            if changed:
                _put_into_place(syntax, tree / name)
            return int(pytest.main([*_PYTEST, "-x", *part]))

        return _forked(work, tree, LONGEST)

    (tree / name).write_text(ast.unparse(syntax))  # for tests that start another process
    code = run(tests[:FIRST_TESTS]) or (run(tests[FIRST_TESTS:]) if tests[FIRST_TESTS:] else 0)
    if (
        code == 0
    ):  # whole files, with tests that were not measured; a failure that is not the mutant's does not count
        files = sorted({test.partition("::")[0] for test in tests})
        code = run(files)
        (tree / name).write_text(text)
        code = 0 if code and run(files, changed=False) else code
    (tree / name).write_text(text)
    if code == 70:
        raise RuntimeError(f"{name}:{line}: {(tree.parent / 'output.txt').read_text()[-2000:]}")
    source = text.splitlines()[line - 1].strip()
    reasons = {part: why for part, why in EQUIVALENT.items() if name.endswith(part.partition(":")[0])}
    reason = next((why for part, why in reasons.items() if part.partition(":")[2] in source), "")
    now = ast.unparse(node).splitlines()[0]
    return f"{name}:{line} ({what}): {source} -> {now}{reason and f' [changes nothing: {reason}]'}" * (
        code == 0
    )


def main(packages: Sequence[str] = PACKAGES) -> None:
    """Print the mutants that no test killed, and the share that died."""
    sizes = {p: sum(len(f.read_text()) for f in (ROOT / "src/cistron" / p).rglob("*.py")) for p in PACKAGES}
    killed = equivalent = made = 0
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".venv", "_build", ".*_cache"))
        _load_everything(tree)
        for package in packages:
            lines = _tests_of_lines(package, tree)
            pool = [
                (name, place, lines[name].get(str(node.lineno), []))
                for name in sorted(lines)
                for place, node in enumerate(_places(ast.parse((tree / name).read_text())))
            ]
            random.Random(f"{SEED} {package}").shuffle(pool)  # the same draw when tests are added
            pool = [one for one in pool if one[-1]]
            wanted = max(round(MUTANTS * sizes[package] / sum(sizes.values())), 1)
            alive = 0
            for one in pool[:wanted]:
                said = _survives(*one, tree)
                made, alive, equivalent = (
                    made + 1,
                    alive + bool(said),
                    equivalent + ("[changes nothing" in said),
                )
                if said:
                    print(f"survived: {said}", flush=True)
            killed += min(wanted, len(pool)) - alive
            print(
                f"{package}: {alive} of {min(wanted, len(pool))} survived ({len(pool):,} places)", flush=True
            )
        print(
            f"{killed} of {made} mutants killed; {made - killed - equivalent} survived, {equivalent} change nothing"
        )
