"""Every command of the README and of the documentation runs as it is written, in the folder that ``cistron world write`` makes.

Blocks marked ``sh`` are run: those of the README in their order, then each page in a folder where the README ran. What
needs a download or hours is marked ``console``.
"""

import contextlib
import io
import re
import shlex
import shutil
from pathlib import Path

import pytest

from cistron.cli import main

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted(
    page
    for part in ("start", "guide", "wings", "formats")
    for page in (ROOT / "docs" / part).glob("*.md")
    if "```sh" in page.read_text()
)
# What takes minutes at its default size, made small: part of the line, and options behind it.
SMALLER = {
    "chromatin train marks.zarr": "--network.members 2 --network.channels 4 --network.fit.epochs 2",
    "--network.members 1": "--network.channels 4 --network.fit.epochs 2",
    "chromatin design": "--allow-shortfall --steps 20",
    "chromatin epigenesis": "--maximum-genes 20",
    "--method vdtf --dimensions": "--vdtf.fit.epochs 2",
    "--method autoencoder --dimensions": "--autoencoder.fit.epochs 2",
    "omics tune": "--epochs 2",
    "sequence variants": "--batch-size 4",
}


def lines_of(page):
    """Command lines of a page, continued lines joined, comments cut."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    joined = "\n".join(blocks).replace("\\\n", " ")
    found = [line.partition(" #")[0].strip() for line in joined.splitlines()]
    return [line for line in found if line.startswith("cistron ") and "world write" not in line]


def _run(page):
    """Run the lines of a page; give those that failed, with what was said."""
    failed = []
    for line in lines_of(page):
        more = [options for part, options in SMALLER.items() if part in line]
        words = shlex.split(" ".join([line.replace("--trials 50", "--trials 2"), *more, "--quiet"]))
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = main(words[1:])
        if code:
            failed.append((line, said.getvalue()))
    return failed


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """The folder of planted files."""
    folder = tmp_path_factory.mktemp("docs") / "sandbox"
    assert main(["world", "write", str(folder), "--gene-count", "220", "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def after_readme(sandbox):
    """The same folder, after the README ran in it; where that fails, the test of the README says why."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(sandbox)
        return sandbox, _run(README)


def test_the_readme_runs_as_written(after_readme):
    assert len(lines_of(README)) > 15
    assert after_readme[1] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs_as_written(page, after_readme, tmp_path, monkeypatch):
    folder = shutil.copytree(after_readme[0], tmp_path / "sandbox")
    monkeypatch.chdir(folder)
    assert _run(page) == []


def test_no_two_lines_write_to_one_output():
    named = [
        (output, page.name)
        for page in (README, *PAGES)
        for line in lines_of(page)
        for output in re.findall(r"(?:--output|-o) (\S+)", line)
    ]
    outputs = [output for output, _ in named]
    assert sorted(set(outputs)) == sorted(outputs), named


def test_every_writing_command_stands_in_the_documentation():
    from cistron.cli.main import app
    from cistron.cli.running import writing_commands

    shown = "\n".join(page.read_text() for page in (README, *(ROOT / "docs").rglob("*.md")))
    missing = [name for name in writing_commands(app) if f"cistron {name}" not in shown]
    assert not missing
