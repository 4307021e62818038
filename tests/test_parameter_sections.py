"""Every public function with three parameters or more says what each of them is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cistron.cli.main import app
from cistron.cli.running import _commands

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "cistron"
LEAST = 3
SECTION = re.compile(
    r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\w[\w ]*\n-{3,}\n|\Z)", re.MULTILINE | re.DOTALL
)


def public_functions(
    node: ast.Module | ast.ClassDef, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef, str]]:
    """Name, function and docstring; of a class, ``__init__`` with the docstring of the class."""
    for one in node.body:
        if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
            yield from public_functions(one, f"{prefix}{one.name}.")
        elif isinstance(one, ast.FunctionDef) and (not one.name.startswith("_") or one.name == "__init__"):
            documented = node if one.name == "__init__" else one
            yield f"{prefix}{one.name}", one, ast.get_docstring(documented) or ""


def parameters_of(function: ast.FunctionDef) -> list[str]:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [one.arg for one in named if one is not None and one.arg not in ("self", "cls")]


def described(docstring: str) -> set[str]:
    """Names in the first column of the section; ``a, b`` describes two."""
    lines = [line for section in SECTION.findall(docstring) for line in section.splitlines()]
    names = [line.split(":")[0].split(",") for line in lines if line and not line[0].isspace()]
    return {name.strip().lstrip("*") for found in names for name in found}


def is_command(function: ast.FunctionDef) -> bool:
    """Options that several commands share have their help in the annotation; see the test of the command line."""
    return "output: Output" in ast.unparse(function) or any(
        re.match(r"app\.|preset_options|method_options", ast.unparse(one)) for one in function.decorator_list
    )


def undescribed(path: Path) -> dict[str, list[str]]:
    found = {}
    for name, function, docstring in public_functions(ast.parse(path.read_text())):
        names = parameters_of(function)
        missing = [one for one in names if one not in described(docstring)]
        command = "cli" in path.relative_to(SOURCE).parts and is_command(function)
        if len(names) >= LEAST and missing and not command:
            found[name] = missing
    return found


@pytest.mark.parametrize("folder", sorted(path.name for path in SOURCE.iterdir() if path.is_dir()))
def test_every_parameter_is_described(folder):
    found = {}
    for path in sorted((SOURCE / folder).rglob("*.py")):
        name = str(path.relative_to(SOURCE))
        found |= {f"{name} {function}": missing for function, missing in undescribed(path).items()}
    assert found == {}


def test_what_is_undescribed_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "SOURCE", tmp_path)
    docstring = "One line.\n\n    Parameters\n    ----------\n    a, b\n        Two.\n\n    Returns\n    -------\n    c\n        It.\n    "
    (tmp_path / "m.py").write_text(f'def f(a, b, *, c=1):\n    """{docstring}"""\n\ndef g(a, b):\n    pass\n')
    assert undescribed(tmp_path / "m.py") == {"f": ["c"]}


def test_every_option_has_a_help_text():
    without = []
    for words, _ in _commands(app, ()):
        command = app
        for word in words:
            command = command[word]
        options = command.assemble_argument_collection(parse_docstring=True)
        without += [
            f"{' '.join(words)} {one.name}"
            for one in options
            if one.parse and one.name.startswith("--") and not one.parameter.help and not one.children
        ]
    assert without == []
