"""The planted files for trying commands: they are of the same genes and fit together."""

import gzip

import anndata
import numpy as np
import pandas as pd
import pytest

from cistron.formats import read_genes_out
from cistron.genes import read_gene_map, read_gene_places
from cistron.genome import Genome
from cistron.world.sample_data import write_sample_data


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "data"
    write_sample_data(folder, genes=220, seed=5)
    return folder


@pytest.fixture(scope="module")
def places(folder):
    return read_gene_places(folder / "gencode.gtf.gz").genes.set_index("gene")


def test_all_files_are_of_the_same_genes(folder, places):
    genes = set(places.index)
    assert len(genes) == 220
    assert set(anndata.read_h5ad(folder / "cells.h5ad").var_names) == genes
    assert set(pd.read_csv(folder / "TPM.tsv", sep="\t", index_col=0).index) == genes
    assert set(pd.read_csv(folder / "mine.tsv", sep="\t", index_col=0).index) == genes
    assert set(read_genes_out(folder / "magma_results" / "HDL.genes.out")["GENE"]) == genes
    assert set(anndata.read_h5ad(folder / "tissues.h5ad").obs_names) < genes
    screen = anndata.read_h5ad(folder / "screen.h5ad")
    assert set(screen.var_names) <= set(places["symbol"])
    assert set(screen.obs["gene"]) - {"non-targeting"} <= set(screen.var_names)
    assert "GATA1" in set(screen.var_names) & set(places["symbol"])
    assert set(read_gene_map(folder / "hgnc.tsv").table["ensembl"]) == genes


def test_genes_lie_in_the_genome_and_a_motif_tells_their_level(folder, places):
    with Genome(folder / "hg38.fa") as genome:
        assert genome.build == "planted"
        copies, level = [], []
        expression = pd.read_csv(folder / "expression.tsv.gz", sep="\t", index_col=0).median(axis=1)
        for gene, place in places.iterrows():
            site = place["start"] if place["strand"] == "+" else place["end"] - 1
            codes = genome.codes(place["chromosome"], int(site) - 200, int(site) + 200)
            letters = "".join("ACGTN"[code] for code in codes)
            if gene in expression.index:
                copies.append(letters.count("TATAAAAGGC") + letters.count("GCCTTTTATA"))
                level.append(np.log2(expression[gene] + 1))
    assert max(copies) >= 3
    assert np.corrcoef(copies, level)[0, 1] > 0.6


def test_variants_fit_the_genome(folder):
    rows = [
        line.split("\t")
        for line in gzip.decompress((folder / "cohort.vcf.gz").read_bytes()).decode().splitlines()
        if not line.startswith("#")
    ]
    assert len(rows) > 20
    with Genome(folder / "hg38.fa") as genome:
        for chromosome, position, _, reference, *_ in rows:
            assert "ACGTN"[genome.codes(chromosome, int(position) - 1, int(position))[0]] == reference


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    write_sample_data(tmp_path / "again", genes=220, seed=5)
    write_sample_data(tmp_path / "other", genes=220, seed=6)
    names = (
        "hg38.fa",
        "gencode.gtf.gz",
        "cohort.vcf.gz",
        "expression.tsv.gz",
        "TPM.tsv",
        "go_bp.gmt",
        "known.tsv",
    )
    for name in names:
        bytes_of = [(where / name).read_bytes() for where in (folder, tmp_path / "again", tmp_path / "other")]
        assert bytes_of[0] == bytes_of[1]
        assert bytes_of[0] != bytes_of[2]


def test_data_fetch_reads_the_mirror(folder, tmp_path, monkeypatch):
    from cistron.datasets import FetchSettings, fetch

    monkeypatch.setenv("CISTRON_CACHE", str(tmp_path / "cache"))
    (path,) = fetch(
        "hgnc_complete_set",
        settings=FetchSettings(output=tmp_path / "got", mirror=str(folder / "mirror"), offline=True),
    )
    assert path.read_bytes() == (folder / "hgnc.tsv").read_bytes()
