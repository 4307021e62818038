"""Random mutants of the source: one small change at a time; the tests that run the changed line must fail.

Needs the package ``coverage``. One package at a time: its own tests (``tests/PACKAGE``) run once to tell which of them
run which line of ``src/cistron/PACKAGE``, then each mutant is given to the quickest few that run its line. What
survives is a list of tests to write. A mutant that another package's tests would kill counts as a survivor here.
Not measured: lines that run at import (defaults of settings, constants) or only in other processes.
"""

import ast
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "statistics", "genes", "formats", "omics", "evaluation", "chromatin", "cells", "networks", "runtime",
    "training", "genome", "methods", "sequence", "report",
)  # fmt: skip
# loaded once, before the processes of the mutants are forked
SHARED = (
    "numpy", "pandas", "scipy.stats", "scipy.optimize", "sklearn.decomposition", "sklearn.linear_model", "anndata",
    "lightning", "pyarrow.parquet", "pyarrow.csv", "cyclopts", "rich.progress", "hypothesis", "zarr", "pooch", "jinja2",
    "matplotlib.pyplot", "torch.distributions", "safetensors.torch", "pybigtools", "importlib.metadata",
)  # fmt: skip
MUTANTS = int(os.environ.get("CISTRON_MUTANTS", "100"))
SEED = int(os.environ.get("CISTRON_MUTANTS_SEED", "1"))
MOST_TESTS = 6  # tests that a mutant is given
TEST_SECONDS = 10.0  # measured time of these tests together, the first always among them
PACKAGE_SECONDS = 45.0  # processor time of one package's tests; a file of tests has its equal share
LONGEST = 120  # seconds before a mutant counts as one that hangs

_COMPARE = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
# packages are loaded before pytest here, of which it warns
_PYTEST = ("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
# survivors that change nothing anybody can see: (file, changed line) and why
EQUIVALENT: dict[tuple[str, str], str] = {}


def _kind(node: ast.AST) -> str:
    """Tell what can be changed at a node; empty where nothing can."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        return "comparison"
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        return "" if isinstance(node.left, ast.Constant | ast.JoinedStr) else "arithmetic"
    if isinstance(node, ast.BoolOp):
        return "and, or"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        return "sign or not"
    if (
        isinstance(node, ast.keyword)
        and node.arg in ("axis", "ddof")
        and isinstance(node.value, ast.Constant)
    ):
        return "axis or ddof"
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return "number"
    return "condition" if isinstance(node, ast.If) else ""


def _sites(tree: ast.AST) -> list[tuple[ast.AST, str]]:
    """Places that can be changed, with what is changed there; not annotations or messages."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        hidden = [getattr(node, field, None) for field in ("annotation", "returns")]
        if isinstance(node, ast.Raise | ast.JoinedStr):
            hidden.append(node)
        skipped |= {id(inner) for one in hidden if isinstance(one, ast.AST) for inner in ast.walk(one)}
    return [(node, _kind(node)) for node in ast.walk(tree) if id(node) not in skipped and _kind(node)]


def _line(node: Any) -> int:
    return node.lineno


def _mutate(node: Any, what: str) -> None:
    if what == "comparison":
        node.ops[0] = _COMPARE[type(node.ops[0])]()
    elif what == "arithmetic":
        node.op = _ARITHMETIC[type(node.op)]()
    elif what == "and, or":
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif what == "sign or not":
        # a minus becomes a plus, "not x" becomes "not not x"
        node.operand = node.operand if isinstance(node.op, ast.USub) else ast.UnaryOp(ast.Not(), node.operand)
        node.op = ast.UAdd() if isinstance(node.op, ast.USub) else node.op
    elif what == "axis or ddof":
        node.value = ast.Constant(1 - node.value.value if node.value.value in (0, 1) else 0)
    elif what == "number":
        node.value = node.value + 1
    else:
        node.test = ast.UnaryOp(ast.Not(), node.test)


def _forked(work: Callable[[], int], tree: Path, seconds: float) -> int:
    """Run in a process of its own at the copy of the tree and give its exit code; 124 when it hangs."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.setsid()
            written = os.open(tree.parent / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(written, 1)
            os.dup2(written, 2)
            sys.stdout = sys.__stdout__  # not the table's
            os.chdir(tree)
            sys.path[:] = [str(tree / "src"), *(path for path in sys.path if "cistron" not in path)]
            sys.path[:] = [path for path in sys.path if path not in ("", str(ROOT), str(ROOT / "src"))]
            sys.dont_write_bytecode = True
            os.environ["PYTHONPATH"] = str(tree / "src")
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 124


class _Recorder:
    """Plugin of pytest: the context of coverage is the running test; files of tests stop at their share of time."""

    def __init__(self, cover: Any) -> None:
        self.cover, self.share = cover, PACKAGE_SECONDS
        self.used: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    def pytest_collection_finish(self, session: Any) -> None:
        self.share = PACKAGE_SECONDS / max(len({item.location[0] for item in session.items}), 1)

    def pytest_runtest_protocol(self, item: Any) -> bool | None:
        if self.used.get(item.location[0], 0.0) > self.share:
            return True  # counts as run
        self.cover.switch_context(item.nodeid)
        return None

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        self.used[report.location[0]] = self.used.get(report.location[0], 0.0) + report.duration
        if report.outcome != "passed":
            self.failed.add(report.nodeid)


def _tests_of_lines(package: str, tree: Path, answer: Path) -> dict[str, dict[str, list[str]]]:
    """Run a package's tests once and tell which of them run which line, the quickest first: file, line, tests."""

    def work() -> int:
        import coverage
        import pytest

        cover = coverage.Coverage(data_file=None, include=[f"{tree}/src/cistron/{package}/*"])
        cover.start()
        recorder = _Recorder(cover)
        code = pytest.main([*_PYTEST, f"tests/{package}"], plugins=[recorder])
        cover.stop()
        data, seconds = cover.get_data(), recorder.seconds
        told = {}
        for name in data.measured_files():
            told[str(Path(name).relative_to(tree))] = {
                str(line): sorted(
                    (set(tests) & set(seconds)) - recorder.failed, key=lambda test: seconds[test]
                )
                for line, tests in data.contexts_by_lineno(name).items()
            }
        answer.write_text(json.dumps({"lines": told, "seconds": seconds}))
        return int(code)

    code = _forked(work, tree, 20 * PACKAGE_SECONDS)
    if not answer.exists():
        raise RuntimeError(
            f"tests of {package}: exit code {code}: {(tree.parent / 'output.txt').read_text()[-2000:]}"
        )
    told = json.loads(answer.read_text())
    answer.unlink()
    for lines in told["lines"].values():
        for line, tests in lines.items():
            total, few = 0.0, []
            for test in tests[:MOST_TESTS]:
                total += told["seconds"][test]
                if few and total > TEST_SECONDS:
                    break
                few.append(test)
            lines[line] = few
    return told["lines"]


def _survives(tree: Path, tests: list[str]) -> bool:
    def work() -> int:
        import pytest

        return int(pytest.main([*_PYTEST, "-x", *tests]))

    return _forked(work, tree, LONGEST) == 0


def main() -> None:
    """Print the mutants that no test killed, and the share that died."""
    for name in SHARED:
        __import__(name)
    os.environ.setdefault("CISTRON_TEST_DATA", str((ROOT / "../shared/data").resolve()))
    sizes = {
        one: sum(len(p.read_text()) for p in (ROOT / "src/cistron" / one).rglob("*.py")) for one in PACKAGES
    }
    killed = survived = equivalent = 0
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".venv", "_build", ".*_cache"))
        for package in PACKAGES:
            began = time.monotonic()
            lines = _tests_of_lines(package, tree, Path(temporary) / "lines.json")
            measured = time.monotonic() - began
            pool = [
                (name, place, what, lines[name].get(str(_line(node)), []))
                for name in sorted(lines)
                for place, (node, what) in enumerate(_sites(ast.parse((ROOT / name).read_text())))
            ]
            random.Random(f"{SEED} {package}").shuffle(pool)  # the same draw when tests are added
            pool = [one for one in pool if one[-1]]
            here = min(max(round(MUTANTS * sizes[package] / sum(sizes.values())), 1), len(pool))
            alive = 0
            for name, place, what, tests in pool[:here]:
                text = (ROOT / name).read_text()
                syntax = ast.parse(text)
                node = _sites(syntax)[place][0]
                line = _line(node)
                source = text.splitlines()[line - 1].strip()
                _mutate(node, what)
                (tree / name).write_text(ast.unparse(syntax))
                lives = _survives(tree, tests)
                shutil.copy2(ROOT / name, tree / name)
                reason = EQUIVALENT.get((name, source))
                killed, survived = killed + (not lives), survived + (lives and not reason)
                equivalent += bool(lives and reason)
                alive += lives
                if lives:
                    now = (
                        ast.unparse(node).splitlines()[0]
                        if isinstance(node, ast.expr | ast.stmt | ast.keyword)
                        else ""
                    )
                    print(
                        f"survived: {name}:{line} ({what}): {source} -> {now}{' = ' + reason if reason else ''}"
                    )
            print(
                f"{package}: {len(pool)} places, {here} mutants, {alive} survived; tests {measured:.0f} s, all {time.monotonic() - began:.0f} s"
            )
        print(f"{killed} killed, {survived} survived, {equivalent} survived and change nothing")


if __name__ == "__main__":
    main()
