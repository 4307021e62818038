"""Help, and the message about a file that does not exist, come without the libraries that do the work.

The tests look at which modules are loaded, not at the clock. All commands run in one process, so that the first one that loads a
library is named.
"""

import json
import subprocess
import sys
from pathlib import Path

HEAVY = (
    *("torch", "lightning", "safetensors", "optuna", "lightgbm", "xgboost", "sklearn", "scipy"),
    *("anndata", "zarr", "h5py", "dask", "distributed", "pandas", "pyarrow", "numpy", "matplotlib", "jinja2"),
)
PROGRAM = """
import contextlib, io, json, sys
sys.path.insert(0, sys.argv[1])
from cases import CASES
from cistron.cli.main import app, main

heavy, told = json.loads(sys.argv[3]), {}

def words(app, before=()):
    yield before
    for name in app:
        if not name.startswith("-"):
            yield from words(app[name], (*before, name))

def run(tokens):
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        code = main(tokens)
    return code, errors.getvalue(), [name for name in heavy if name in sys.modules]

if sys.argv[2] == "help":
    lines = [[*command, "--help"] for command in words(app)]
else:
    lines = []
    for case in CASES:
        if "{inputs}" in case.arguments and not case.error and not case.before and "--mirror" not in case.arguments:
            text = case.arguments.format(inputs="/absent", artefacts="/absent", out="out")
            lines.append([*case.command.split(), *text.split()])
for line in lines:
    told[" ".join(line)] = run(line)
print(json.dumps(told))
"""


def _told(what, folder):
    cases = Path(__file__).parents[1] / "goldens"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(cases), what, json.dumps(HEAVY)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_help_loads_no_library_that_works(tmp_path):
    told = _told("help", tmp_path)
    assert len(told) > 70
    for command, (code, errors, loaded) in told.items():
        assert (code, errors, loaded) == (0, "", []), command


def test_a_path_that_does_not_exist_is_told_before_anything_is_loaded(tmp_path):
    told = _told("absent paths", tmp_path)
    assert len(told) > 60
    for command, (code, errors, loaded) in told.items():
        assert code == 2, command
        assert "/absent" in errors, command
        assert "does not exist" in errors, command
        assert loaded == [], command
    assert list(tmp_path.iterdir()) == []
