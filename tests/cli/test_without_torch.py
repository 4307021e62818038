"""The base installation has no PyTorch: what works without it, and what is said of the rest."""

import subprocess
import sys

import pytest

from cistron.world.sample_data import write_sample_data

ABSENT = ("torch", "lightning", "safetensors", "optuna")
PROGRAM = f"""
import shlex, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from cistron.cli import main
for line in sys.argv[1:]:
    code = main(shlex.split(line) + ["--quiet"])
    if code:
        sys.exit(code)
"""


def _run(folder, *lines):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *lines], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "data"
    write_sample_data(folder, genes=220, seed=3)
    return folder


def test_matrices_networks_and_evaluation_work(folder):
    done = _run(
        folder,
        "world write sandbox --gene-count 220",
        "omics embed hpa.parquet --dimensions 8 -o e.h5ad",
        "evaluate gwas e.h5ad --traits magma_results --no-report -o gwas",
        "networks infer screen.h5ad --perturbation gene -o edges.tsv",
        "evaluate edges edges.tsv --cells screen.h5ad --perturbation gene --truth known.tsv -o edge_scores",
        "sequence embed --help",
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "edge_scores" / "report.html").exists()
    assert (folder / "sandbox" / "hg38.fa").exists()
    assert not (folder / "sandbox" / "enformer-pytorch.safetensors").exists()


@pytest.mark.parametrize(
    "line", ["omics embed hpa.parquet --method vdtf -o v.h5ad", "sequence initialise model"]
)
def test_what_needs_it_says_so(folder, line):
    done = _run(folder, line)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        "cistron: error: this needs the package torch, which is not installed: pip install '.[torch]' in the checkout "
        "(docs/start/install.md)"
    ]
