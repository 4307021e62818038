"""A study on the real data: eight embeddings x six tasks, time and memory, second run, one embedding more.

Embeddings of expression (principal components of each public matrix and of all joined), of chromatin (ChIP-Atlas K562: which factors
bind near a gene), of DNA (3-mers of the promoter), and a combination. Tasks: 30 GWAS traits, 600 GO terms of the experimental
collection, the 56 published GO terms with their parts, synthetic-lethal pairs, TRRUST edges, expression of unseen genes in
1,020 gut cells. Real data: CISTRON_TEST_DATA. Files go to ``$CISTRON_BENCHMARK_FOLDER/study_real``.
"""

import itertools
import os
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.labels_zhong import GENE_MAPS, PUBLISHED, joined_components
from benchmarks.real_matrices import DATA, TRAITS, real_matrix
from cistron.formats import build_gene_embedding, write_gene_embedding
from cistron.genes.gene_map import read_gene_map
from cistron.omics import OmicsEmbedder, PcaSettings
from cistron.runtime import set_progress
from cistron.study import add_to_study, run_study

FOLDER = Path(os.environ.get("CISTRON_BENCHMARK_FOLDER", "build/benchmarks")) / "study_real"
SYMBOLS = DATA / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz"
MOST_TERMS = 600

STUDY = """
[study]
name = "Real data"
annotation = "genes.tsv"
gene_map = [{maps}]
annotation_sets = "go.gmt"
added = ["permuted", "covariates", "annotations"]

[embeddings."joined 256"]
file = "joined_256.h5ad"
[embeddings."joined 64"]
file = "joined_64.h5ad"
[embeddings."HPA FPKM"]
file = "hpa_fpkm.h5ad"
[embeddings."HPA consensus"]
file = "hpa_consensus.h5ad"
[embeddings.Uhlen]
file = "uhlen.h5ad"
[embeddings."Tabula Sapiens"]
file = "tabula_sapiens.h5ad"
[embeddings."ChIP-Atlas K562"]
file = "chipatlas.h5ad"
[embeddings."joined and ChIP"]
combine = ["joined 256", "ChIP-Atlas K562"]

[tasks.go]
kind = "genesets"
sets = "go.gmt"
[tasks.go56]
kind = "gene_labels"
labels = "{published}/gene_level_go.parquet"
protocol = "zhong2025"
[tasks.lethal]
kind = "pairs"
pairs = "{published}/gene_pair_sl.parquet"
combinations = ["product", "sum"]
repeats = 3
[tasks.trrust]
kind = "edges"
truth = "trrust.tsv"
repeats = 2
evidence = ["literature"]
[tasks.gut]
kind = "expression"
cells = "gut.h5ad"
cell_type = "Celltype"
[tasks.gwas]
kind = "gwas"
traits = "traits.parquet"
"""


def promoter_words(length: int = 3) -> pd.DataFrame:
    """Frequencies of short words in the promoters of each gene."""
    folder = DATA / "cells/promoter_dna_epd"
    sequence = pd.read_csv(folder / "promoter_sequence.txt.gz", sep="\t", header=None, index_col=0)[
        1
    ].str.upper()
    gene = pd.read_csv(folder / "promoter_ensmbl.txt.gz", sep="\t", header=None, index_col=0)[1]
    sequence, gene = (one[~one.index.duplicated()] for one in (sequence, gene))
    words = ["".join(letters) for letters in itertools.product("ACGT", repeat=length)]
    counts = np.array([[text.count(word) for word in words] for text in sequence])
    frame = pd.DataFrame(counts, index=sequence.index, columns=words)
    return frame.groupby(gene.reindex(frame.index)).mean()


def chipatlas() -> pd.DataFrame:
    """Logarithm of the binding score of each factor near each gene, Ensembl ids."""
    edges = pd.read_csv(DATA / "networks/human_networks/chipatlas_K562.csv.xz")
    wide = np.log1p(edges.pivot_table(index="target", columns="source", values="weight", fill_value=0.0))
    genes, _ = read_gene_map(SYMBOLS).map([str(gene) for gene in wide.index], "symbol", "ensembl")
    kept = [gene is not None for gene in genes]
    return wide[kept].set_axis([gene for gene in genes if gene])


def components(frame: pd.DataFrame, size: int) -> np.ndarray:
    """Principal components of a table, by singular values."""
    values = frame.to_numpy(float)
    left, singular, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    return left[:, :size] * singular[:size]


def write_inputs(folder: Path) -> Path:
    """Write embeddings, inputs and the study file; files that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "study.toml").exists():
        return folder / "study.toml"
    for name, embedding in zip(("joined_64", "joined_256"), joined_components((64, 256))):
        write_gene_embedding(embedding, folder / f"{name}.h5ad")
    for name in ("hpa_fpkm", "hpa_consensus", "uhlen", "tabula_sapiens"):
        embedding = OmicsEmbedder(PcaSettings(dimensions=32), seed=1).embed(real_matrix(name), name=name)
        write_gene_embedding(embedding, folder / f"{name}.h5ad")
    for name, frame, size, evidence in (
        ("chipatlas", chipatlas(), 50, "chromatin"),
        ("promoter", promoter_words(), 32, "dna"),
    ):
        values = components(frame, size)
        embedding = build_gene_embedding(
            values, list(frame.index), name=name, method="pca", evidence=evidence
        )
        write_gene_embedding(embedding, folder / f"{name}.h5ad")
    table = pd.read_parquet(TRAITS)
    table.to_parquet(folder / "traits.parquet", index=False)
    places = table.drop_duplicates("GENE")[["GENE", "CHR", "START", "STOP"]]
    places.columns = ["gene", "chromosome", "start", "end"]
    symbols = read_gene_map(SYMBOLS).lookup("ensembl", "symbol")
    places.assign(symbol=places["gene"].map(symbols).fillna("")).to_csv(
        folder / "genes.tsv", sep="\t", index=False
    )
    entrez = read_gene_map(GENE_MAPS[0]).joined_with(read_gene_map(GENE_MAPS[1])).lookup("entrez", "ensembl")
    lines = []
    for line in (DATA / "omics/gene_sets/hsa_EXP_ALL_BP_propagated.gmt").read_text().splitlines():
        name, what, *genes = line.split("\t")
        found = [entrez[gene] for gene in genes if gene in entrez]
        if 30 <= len(found) <= 1000:
            lines.append("\t".join([name, what, *found]) + "\n")
    step = max(1, len(lines) // MOST_TERMS)
    (folder / "go.gmt").write_text("".join(lines[::step]))
    known = read_gene_map(SYMBOLS).lookup("symbol", "ensembl")
    trrust = pd.read_csv(DATA / "networks/human_networks/trrust_rawdata.human.tsv", sep="\t")
    edges = pd.DataFrame(
        {"source": trrust["Gene1"].map(known), "target": trrust["Gene2"].map(known)}
    ).dropna()
    edges = edges[edges["source"] != edges["target"]].drop_duplicates().assign(weight=1.0)
    edges.to_csv(folder / "trrust.tsv", sep="\t", index=False)
    _write_cells(folder / "gut.h5ad", known)
    maps = ", ".join(f'"{path.resolve()}"' for path in GENE_MAPS)
    (folder / "study.toml").write_text(STUDY.format(maps=maps, published=PUBLISHED.resolve()))
    return folder / "study.toml"


def _write_cells(path: Path, known: dict[str, str]) -> None:
    import anndata

    cells = anndata.read_h5ad(DATA / "cells/single_cell_human/bmfm_scp1884_1020x18708.h5ad")
    named = [known.get(str(gene), "") for gene in cells.var_names]
    first = pd.Series(named)
    kept = (first != "") & ~first.duplicated()
    cells = cells[:, kept.to_numpy()].copy()
    cells.var_names = first[kept].to_numpy()
    cells.write_h5ad(path)


def main() -> None:
    """Print the table, times and memory."""
    set_progress(True)
    plan = write_inputs(FOLDER)
    clock, cpu = time.monotonic(), time.process_time()
    result = run_study(plan, FOLDER / "study", workers=int(os.environ.get("CISTRON_BENCHMARK_WORKERS", "2")))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = max(used.ru_maxrss, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 2**20
    print(
        f"{result.computed} cells computed, {result.reused} reused; {(time.monotonic() - clock) / 60:.1f} min of the clock, "
        f"{(time.process_time() - cpu + used.ru_utime + used.ru_stime) / 60:.1f} CPU min; largest process {memory:.1f} GB"
    )
    again = run_study(plan, FOLDER / "study")
    print(f"second run: {again.computed} cells computed, {again.reused} reused")
    more = add_to_study(FOLDER / "study", FOLDER / "promoter.h5ad", name="promoter words", evidence=["dna"])
    print(f"one embedding more: {more.computed} cells computed, {more.reused} reused")
    table = more.table[more.table["part"] == "common genes"]
    wide = table[table["row"] != "together"].pivot(index="embedding", columns="task", values="value")
    print(wide.round(4).to_string())
    best = table[table["best"]].groupby("task")["embedding"].apply(list)
    print("indistinguishable from the best:", best.to_dict())
    print(more.complementarity.round(4).to_string())
