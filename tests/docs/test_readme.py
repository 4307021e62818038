"""Every command line of the README runs as it is written, on small planted files under the names that it uses."""

import gzip
import re
import shlex
import shutil
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from cistron.cli import main
from cistron.formats import read_gene_embedding
from cistron.world import WorldSettings, write_world
from cistron.world.cells import CellWorldSettings, cell_world, write_cell_world
from cistron.world.chromatin import ChromatinWorldSettings, chromatin_world, write_bigwigs
from cistron.world.networks import NetworkWorldSettings, network_world, write_network_world
from cistron.world.sequence import planted_genome, write_planted_genome

ROOT = Path(__file__).parents[2]
HUMAN_TRACKS = 6  # of the stored weights
ARTEFACTS = ROOT / "tests" / "goldens" / "artefacts"
README = (ROOT / "README.md").read_text()
BLOCKS = [block for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "cistron " in block]


def lines_of(block):
    joined = block.replace("\\\n", " ")
    return [line.partition(" #")[0] for line in joined.splitlines() if line.startswith("cistron ")]


def _pack(source, target):
    target.write_bytes(gzip.compress(Path(source).read_bytes()))


def _gwas(folder):
    paths = write_world(folder / "world", WorldSettings(genes=300, chromosomes=6), 3)
    matrix = anndata.read_h5ad(paths["matrix:tissues"])
    table = pd.DataFrame(np.asarray(matrix.X), matrix.obs_names, matrix.var_names)
    noise = np.random.default_rng(3).normal(
        1, 0.1, table.shape
    )  # enough samples for the dimensions of the README
    pd.concat([table, (table * noise).add_suffix(" again")], axis=1).to_csv(
        folder / "expression.tsv.gz", sep="\t"
    )
    shutil.copytree(paths["traits"], folder / "magma_results")
    shutil.copy(paths["covariance"], folder / "magma_results" / "HDL.genes.raw")
    truth = read_gene_embedding(paths["truth"])
    pd.DataFrame(np.asarray(truth.X), truth.obs_names).to_csv(folder / "mine.tsv", sep="\t")
    return paths


def _two_embeddings(folder):
    shutil.copy(_gwas(folder)["truth"], folder / "expression.h5ad")


def _sequence(folder):
    write_planted_genome(planted_genome(3), folder)
    (folder / "genome.fa").rename(folder / "hg38.fa")
    _pack(folder / "genes.gtf", folder / "gencode.gtf.gz")
    shutil.copy(ARTEFACTS / "enformer_pytorch.safetensors", folder / "enformer-pytorch.safetensors")
    kinds = ["CAGE:liver" if number % 2 else "DNASE:liver" for number in range(HUMAN_TRACKS)]
    table = pd.DataFrame(
        {"identifier": [f"t{number}" for number in range(HUMAN_TRACKS)], "description": kinds}
    )
    table.to_csv(folder / "targets_human.txt", sep="\t", index_label="index")
    shutil.copytree(ARTEFACTS / "esm2", folder / "esm2_t33_650M_UR50D")
    sys.path.insert(0, str(ROOT / "tests" / "goldens"))
    try:
        from inputs import _write_proteins
    finally:
        sys.path.remove(str(ROOT / "tests" / "goldens"))
    _write_proteins(folder / "proteins.fa")
    _pack(folder / "proteins.fa", folder / "gencode.pc_translations.fa.gz")


def _chromatin(folder):
    write_bigwigs(chromatin_world(ChromatinWorldSettings(genes=66, cell_types=2), seed=3), folder)
    for old, new in (("tracks.tsv", "TRACKS.tsv"), ("expression.tsv", "TPM.tsv")):
        (folder / old).rename(folder / new)
    genes = pd.read_csv(folder / "genes.tsv", sep="\t")
    named = str(genes["gene"].iloc[0])
    levels = (folder / "TPM.tsv").read_text().replace(named, "GATA1")
    (folder / "TPM.tsv").write_text(levels)
    rows = [
        f'{row.chromosome}\tplanted\ttranscript\t{row.position + 1}\t{row.position + 1}\t.\t{row.strand}\t.\tgene_id "'
        f'{"GATA1" if row.gene == named else row.gene}"; transcript_id "T{row.Index}";\n'
        for row in genes.itertuples()
    ]
    (folder / "gencode.gtf.gz").write_bytes(gzip.compress("".join(rows).encode()))


def _networks(folder):
    write_network_world(
        network_world(NetworkWorldSettings(genes=20, control_cells=200, cells_per_knockout=20), seed=3),
        folder / "w",
    )
    cells = anndata.read_h5ad(folder / "w" / "cells.h5ad")
    cells.obs = cells.obs.rename(columns={"perturbation": "gene"})
    cells.write_h5ad(folder / "screen.h5ad")


def _cells(folder):
    world = cell_world(
        CellWorldSettings(genes=120, chromosomes=10, cells=120, cell_types=3, donors=3, dimensions=8), seed=3
    )
    files = write_cell_world(world, folder / "w")
    shutil.copy(files["cells"], folder / "cells.h5ad")
    shutil.copy(files["embedding"], folder / "dna.h5ad")
    rows = [
        f'chr{str(row.chromosome).removeprefix("chr")}\tplanted\tgene\t{int(row.start) + 1}\t{int(row.start) + 100}\t.\t+\t.\tgene_id "{row.Index}";\n'
        for row in world.cells.var.itertuples()
    ]
    (folder / "gencode.gtf.gz").write_bytes(gzip.compress("".join(rows).encode()))


def _predictions(folder):
    for name, source in (
        ("ridge", "prediction_ridge"),
        ("gene_mean", "prediction"),
        ("ridge_permuted", "prediction_ridge"),
    ):
        cells = anndata.read_h5ad(ARTEFACTS / f"{source}.h5ad")
        cells.uns["cistron"]["name"] = name
        cells.write_h5ad(folder / f"{name}.h5ad")


# What a block needs, by words in it.
FILES = {
    "omics embed": _gwas,
    "sequence weights": _sequence,
    "chromatin build": _chromatin,
    "networks infer": _networks,
    "cells train": _cells,
    "evaluate expression": _predictions,
    "embedding combine": _two_embeddings,
}
# What takes minutes at its default size, made small, and what real files tell by themselves; the lines stay as they are.
SMALLER = {
    "sequence embed": ["--build", "planted"],
    "chromatin train": ["--network.members", "2", "--network.channels", "4", "--network.fit.epochs", "2"],
    "chromatin design": ["--allow-shortfall", "--steps", "20"],
}


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if "make demo" not in block],
    ids=lambda block: lines_of(block)[0][:40],
)
def test_a_block_runs_as_written(block, tmp_path, monkeypatch, capsys):
    writers = [write for words, write in FILES.items() if f"cistron {words}" in block]
    assert writers, "say in FILES which files this block needs"
    for write in writers[:1]:
        write(tmp_path)
    monkeypatch.chdir(tmp_path)
    lines = lines_of(block)
    assert lines
    for line in lines:
        words = shlex.split(line)[1:]
        more = SMALLER.get(" ".join(words[:2]), [])
        code = main([*words, *more, "--quiet"])
        assert code == 0, f"{line}\n{capsys.readouterr().err}"


def test_no_two_lines_of_the_readme_write_to_one_output():
    outputs = re.findall(r"--output (\S+)", README)
    assert len(outputs) == len(set(outputs))
