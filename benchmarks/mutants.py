"""Random mutants of the source: one small change at a time; the tests that run the changed line must fail.

Needs the package ``coverage``. What survives is a list of tests to write.
"""

import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MUTANTS = 100
SEED = 1
MOST_TESTS = 25  # tests of a line that are run, the nearest first
SECONDS = 300

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


def _sites(tree: ast.AST) -> list[tuple[ast.AST, str]]:
    """Places that can be changed, with what is changed there; not annotations, messages or docstrings."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise | ast.JoinedStr):
            skipped |= {id(inner) for inner in ast.walk(node)}
        for field in ("annotation", "returns"):
            if isinstance(getattr(node, field, None), ast.AST):
                skipped |= {id(inner) for inner in ast.walk(getattr(node, field))}
    found = []
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
            found.append((node, "comparison"))
        elif (
            isinstance(node, ast.BinOp)
            and type(node.op) in _ARITHMETIC
            and not isinstance(node.left, ast.Constant | ast.JoinedStr)
        ):
            found.append((node, "arithmetic"))
        elif isinstance(node, ast.BoolOp):
            found.append((node, "and, or"))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
            found.append((node, "sign or not"))
        elif (
            isinstance(node, ast.keyword)
            and node.arg in ("axis", "ddof")
            and isinstance(node.value, ast.Constant)
        ):
            found.append((node, "axis or ddof"))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
        ):
            found.append((node, "number"))
        elif isinstance(node, ast.If):
            found.append((node, "condition"))
    return found


def _mutate(node: ast.AST, what: str) -> None:
    if what == "comparison":
        node.ops[0] = _COMPARE[type(node.ops[0])]()
    elif what == "arithmetic":
        node.op = _ARITHMETIC[type(node.op)]()
    elif what == "and, or":
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif what == "sign or not":
        # a minus becomes a plus, "not x" becomes "not not x"
        if isinstance(node.op, ast.USub):
            node.op = ast.UAdd()
        else:
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
    elif what == "axis or ddof":
        node.value = ast.Constant(1 - node.value.value if node.value.value in (0, 1) else 0)
    elif what == "number":
        node.value = node.value + 1 if node.value != 1 else 2
    else:
        node.test = ast.UnaryOp(ast.Not(), node.test)


def _tests_of_lines(folder: Path) -> dict[str, dict[int, list[str]]]:
    """Run all tests once and tell which test functions run which line."""
    config = folder / "coverage.ini"
    config.write_text("[run]\ndynamic_context = test_function\nsource = cistron\n")
    data = folder / "coverage"
    environment = {**os.environ, "COVERAGE_FILE": str(data), "COVERAGE_CORE": "ctrace"}
    subprocess.run(
        [sys.executable, "-m", "coverage", "run", f"--rcfile={config}", "-m", "pytest", "-q"],
        cwd=ROOT, env=environment, check=False, stdout=sys.stderr,
    )  # fmt: skip
    report = folder / "coverage.json"
    subprocess.run(
        [sys.executable, "-m", "coverage", "json", f"--rcfile={config}", "--show-contexts", "-o", report, "-q"],
        cwd=ROOT, env=environment, check=True,
    )  # fmt: skip
    files = json.loads(report.read_text())["files"]
    return {
        name: {
            int(line): [one for one in contexts if one] for line, contexts in told.get("contexts", {}).items()
        }
        for name, told in files.items()
    }


def _nearest(tests: list[str], path: str) -> list[str]:
    """Tests of the same package first."""
    package = Path(path).parts[2]
    return sorted(set(tests), key=lambda name: (f".{package}." not in name, name))[:MOST_TESTS]


def main() -> None:
    """Print the mutants that no test killed, and the share that died."""
    draw = random.Random(SEED)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        lines = _tests_of_lines(folder)
        copy = folder / "tree"
        shutil.copytree(
            ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "demo", "_build", ".*_cache")
        )
        names = sorted(name for name in lines if name.startswith("src/cistron/") and "/world/" not in name)
        killed = survived = 0
        while killed + survived < MUTANTS:
            name = draw.choice(names)
            text = (ROOT / name).read_text()
            tree = ast.parse(text)
            sites = _sites(tree)
            if not sites:
                continue
            node, what = draw.choice(sites)
            line = getattr(node, "lineno", None) or node.value.lineno
            tests = _nearest(lines[name].get(line, []), name)
            if not tests:
                continue  # run in another process, or at import: not told by this measure
            before = text.splitlines()[line - 1].strip()
            _mutate(node, what)
            (copy / name).write_text(ast.unparse(tree))
            functions = " or ".join(sorted({test.rpartition(".")[2] for test in tests}))
            paths = sorted({_path_of(test, copy) for test in tests} - {""})
            try:
                code = subprocess.run(
                    [sys.executable, "-m", "pytest", "-q", "-x", *paths, "-k", functions],
                    cwd=copy, env={**os.environ, "PYTHONPATH": str(copy / "src")}, check=False, timeout=SECONDS,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                code = 1
            (copy / name).write_text(text)
            if code == 0:
                survived += 1
                print(f"survived: {name}:{line} ({what}): {before[:120]}")
            else:
                killed += 1
        print(f"{killed} of {killed + survived} mutants were killed")


def _path_of(test: str, tree: Path) -> str:
    """File of a test by its dotted name."""
    parts = test.split(".")
    for end in range(len(parts), 0, -1):
        path = tree.joinpath(*parts[:end]).with_suffix(".py")
        if path.exists():
            return str(path.relative_to(tree))
    return ""
