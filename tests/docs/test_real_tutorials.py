"""The tutorials on real data run as they are written, on a mirror made from the real data of the tests."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from cistron.cli import main
from cistron.datasets.catalogue import find_data_set

sys.path.insert(0, str(Path(__file__).parent))
from real_mirror import write_mirror

FOLDER = Path(__file__).parents[2] / "docs/tutorials/real"
PAGES = sorted(FOLDER.glob("*.md"))
NEEDS = {"gut_cells": ("tissues",)}  # pages whose outputs a page goes on with
# Controls, which run by the same commands as what they are controls of.
LEFT_OUT = ("gut_control", "marks_control")
CONTROLS = ("gut_permuted.h5ad", "marks_permuted.h5ad")
RESULTS = {
    "tissues": "gene_lists/report.html",
    "gut_cells": "gut_scores/report.html",
    "tapseq": "tapseq_scores/report.html",
    "two_epigenomes": "marks_map/report.html",
    "reporter_assays": "floor/report.html",
}
# What takes longer than a test should, made small: part of the line, and options behind it.
SMALLER = {
    "evaluate genesets": "--controls 10 --draws 20",
    "chromatin train": "--network.members 2 --network.channels 4 --network.fit.epochs 2",
    "evaluate expression": "--draws 20 --permutations 1 --halvings 0",
    "evaluate edges": "--omission-draws 20 --resamples 20 --null-repeats 1",
    "evaluate variants": "--draws 20 --penalties 3",
}


def test_one_tutorial_a_wing():
    assert {page.stem for page in PAGES} == {
        "tissues",
        "reporter_assays",
        "two_epigenomes",
        "gut_cells",
        "tapseq",
    }
    index = (FOLDER.parents[1] / "index.md").read_text()
    assert "tutorials/real/*" in index


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_sizes_and_licences_are_told(page):
    """Every data set that a page fetches stands in its table (or that of a page before it) with its size."""
    text = "\n".join(
        one.read_text() for one in (page, *(FOLDER / f"{name}.md" for name in NEEDS.get(page.stem, ())))
    )
    for line in re.findall(r"cistron data fetch ([^\n]+?)(?: --|\n)", page.read_text()):
        for name in line.split():
            assert find_data_set(name)
            assert re.search(rf"`{name}` \|.*\| [\d.]+ [kMG]B \|", text) or "GB" in text, name


@pytest.fixture(scope="module")
def ran(tmp_path_factory, test_data):
    """Run a page once, after those that it needs, in one folder."""
    folder = tmp_path_factory.mktemp("real")
    write_mirror(test_data, folder / "mirror")
    done: set[str] = set()

    def run(name: str) -> Path:
        for before in (*NEEDS.get(name, ()), name):
            if before not in done:
                done.add(before)
                _run(FOLDER / f"{before}.md", folder)
        return folder

    return run


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs_as_written(page, ran):
    assert (ran(page.stem) / RESULTS[page.stem]).exists()


def _run(page: Path, folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CISTRON_MIRROR", str(folder / "mirror"))
        for kind, block in re.findall(r"```(sh|python)\n(.*?)```", page.read_text(), re.DOTALL):
            if kind == "python":
                exec(compile(block, str(page), "exec"), {})
                continue
            for line in block.splitlines():
                if any(name in line for name in LEFT_OUT) and "evaluate" not in line:
                    continue
                line = " ".join(word for word in line.split() if word not in CONTROLS)
                line = line.replace("--maximum-genes 60", "--maximum-genes 10")
                more = [options for part, options in SMALLER.items() if part in line]
                assert main(shlex.split(" ".join([line, *more, "--quiet"]))[1:]) == 0, line
