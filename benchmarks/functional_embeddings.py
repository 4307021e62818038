"""The report's Table 2 and figures 3 to 6, rebuilt on the sources at hand (real data: CISTRON_TEST_DATA).

Each embedding is fitted once and kept in ``$CISTRON_BENCHMARK_FOLDER`` (``build/benchmarks``), so that the run
can be cut into pieces: ``CISTRON_BENCHMARK_SECONDS=200 python -m benchmarks functional_embeddings`` stops after
that time and goes on at the next call. The scores are the GWAS task's: ridge, 4 covariates, no projection.
Fits are short (10 to 60 epochs, large matrices 2 million entries an epoch); those called long run six times as far.
``functional_xgboost`` makes figures 3 to 5 by XGBoost of the same embeddings.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import torch

from benchmarks.real_matrices import DATA, TRAITS, real_matrix
from cistron.evaluation.gwas import GwasSettings, evaluate_gwas, read_traits, run_gwas
from cistron.formats import (
    build_gene_embedding,
    combine_gene_embeddings,
    read_gene_embedding,
    write_gene_embedding,
)
from cistron.genes.gene_map import read_gene_map
from cistron.omics import (
    AutoencoderSettings,
    OmicsEmbedder,
    OmicsMatrix,
    PcaSettings,
    VdtfSettings,
    join_matrices,
)
from cistron.report import build_report
from cistron.training import FitSettings

KEPT = Path(os.environ.get("CISTRON_BENCHMARK_FOLDER", "build/benchmarks")) / "functional_embeddings"
# Sized for about 20 CPU seconds an embedding on one core.
VDTF_FIT = FitSettings(epochs=15, learning_rate=1.5e-3, patience=10, schedule="cosine")
JOINED_FIT = FitSettings(epochs=10, learning_rate=1.5e-3, patience=10, schedule="cosine")
AE_FIT = FitSettings(epochs=60, learning_rate=1e-3, patience=12, schedule="cosine")
JOINED_AE_FIT = FitSettings(epochs=25, learning_rate=1e-3, patience=12, schedule="cosine")
PAPER_FIT = FitSettings(epochs=30, learning_rate=1.5e-3, patience=10)


MANY = ("hpa_fpkm", "hpa_consensus", "uhlen", "proteome_pandey", "proteome_kuster", "tabula_sapiens")


def joined() -> OmicsMatrix:
    """All sources side by side on one scale; genes that a source lacks are missing in it."""
    data = join_matrices([real_matrix(name) for name in MANY])
    frame = pd.DataFrame(np.asarray(data.X), data.obs_names, data.var_names)
    return OmicsMatrix.from_frame(frame, "joined")


def _fit(
    source: Callable[[], list[OmicsMatrix]], settings: object, seed: int = 1
) -> Callable[[], anndata.AnnData]:
    return lambda: OmicsEmbedder(settings, seed=seed).embed(*source(), name="benchmark")


def _depmap() -> anndata.AnnData:
    factors = pd.read_parquet(DATA / "omics/depmap_23q2_pca/pca_gene_weights_2732genes_x50.parquet")
    table = read_gene_map(DATA / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz")
    genes, _ = table.map([str(symbol) for symbol in factors.index], "symbol", "ensembl")
    kept = [gene is not None for gene in genes]
    return build_gene_embedding(
        factors[kept].to_numpy(),
        [gene for gene in genes if gene],
        name="depmap",
        method="pca",
        evidence="perturbation",
    )


def grid() -> dict[str, Callable[[], anndata.AnnData]]:
    """Every embedding of the benchmark, most telling ones first."""
    made: dict[str, Callable[[], anndata.AnnData]] = {}
    sources: dict[str, Callable[[], list[OmicsMatrix]]] = {
        name: (lambda name=name: [real_matrix(name)])
        for name in ("hpa_fpkm", "hpa_consensus", "tabula_sapiens")
    }
    sources["joined"] = lambda: [joined()]
    vdtf = VdtfSettings(sample_dimension=32, fit=VDTF_FIT)
    for name in ("hpa_fpkm", "hpa_consensus", "tabula_sapiens"):
        for size in (16, 32):
            made[f"{name} pca {size}"] = _fit(sources[name], PcaSettings(dimensions=size))
        made[f"{name} autoencoder 32"] = _fit(sources[name], AutoencoderSettings(dimensions=32, fit=AE_FIT))
        made[f"{name} vdtf 32"] = _fit(sources[name], replace(vdtf, gene_dimension=32))
    # The report's question: its form of the model at its size and at a small one, and the KL weight.
    paper = replace(VdtfSettings.paper(), sample_dimension=32, width=64, fit=PAPER_FIT, tile_entries=8192)
    basis = sources["tabula_sapiens"]
    for size in (32, 256):
        made[f"tabula_sapiens vdtf paper {size}"] = _fit(basis, replace(paper, gene_dimension=size))
    small = replace(vdtf, gene_dimension=32)
    for name in ("hpa_fpkm", "tabula_sapiens"):
        for weight in (0.0, 0.1, 10.0):
            made[f"{name} vdtf 32 kl {weight:g}"] = _fit(sources[name], replace(small, kl_weight=weight))
        for seed in (2, 3, 4, 5):
            made[f"{name} vdtf 32 seed {seed}"] = _fit(sources[name], small, seed)
    joint = replace(vdtf, gene_dimension=128, sample_dimension=128, fit=JOINED_FIT, epoch_entries=2_000_000)
    made["many vdtf 128"] = _fit(lambda: [real_matrix(name) for name in MANY], joint)
    for name, size in zip(MANY, (22, 22, 21, 21, 21, 21)):
        single = lambda name=name: [real_matrix(name)]  # noqa: E731
        made[f"{name} vdtf {size} (part)"] = _fit(
            single, replace(vdtf, gene_dimension=size, fit=JOINED_FIT, epoch_entries=2_000_000)
        )
    made["joined pca 128"] = _fit(sources["joined"], PcaSettings(dimensions=128))
    for size in (128, 256):
        # Many dimensions are better moved slowly.
        wide = replace(joint, gene_dimension=size, gene_rate=2.0)
        made[f"joined vdtf {size}"] = _fit(sources["joined"], wide)
        made[f"joined autoencoder {size}"] = _fit(
            sources["joined"], AutoencoderSettings(dimensions=size, fit=JOINED_AE_FIT)
        )
    long = replace(JOINED_FIT, epochs=60)
    made["many vdtf 128 long"] = _fit(lambda: [real_matrix(name) for name in MANY], replace(joint, fit=long))
    made["joined vdtf 128 long"] = _fit(sources["joined"], replace(joint, gene_rate=2.0, fit=long))
    # Parts of the combinations.
    made["tabula_sapiens pca 5"] = _fit(basis, PcaSettings(dimensions=5))
    made["hpa_consensus autoencoder 128"] = _fit(
        sources["hpa_consensus"], AutoencoderSettings(dimensions=128, fit=JOINED_AE_FIT)
    )
    made["hpa_fpkm autoencoder 72"] = _fit(
        sources["hpa_fpkm"], AutoencoderSettings(dimensions=72, fit=JOINED_AE_FIT)
    )
    made["tabula_sapiens autoencoder 56"] = _fit(basis, AutoencoderSettings(dimensions=56, fit=JOINED_AE_FIT))
    made["joined pca 256"] = _fit(sources["joined"], PcaSettings(dimensions=256))
    made["depmap 23Q2 factors 50 (scoring only)"] = _depmap
    return made


COMBINATIONS = {
    # the report's: GTEx AE 128 + Tabula Sapiens PCs 5 + RNA AE 32, HPA consensus (with GTEx in it) for GTEx
    "report's combination 165": (
        "hpa_consensus autoencoder 128",
        "tabula_sapiens pca 5",
        "hpa_fpkm autoencoder 32",
    ),
    "combination of 256": (
        "hpa_consensus autoencoder 128",
        "hpa_fpkm autoencoder 72",
        "tabula_sapiens autoencoder 56",
    ),
    "concatenated vdtf 128": tuple(
        f"{name} vdtf {size} (part)" for name, size in zip(MANY, (22, 22, 21, 21, 21, 21))
    ),
}


def path_of(name: str) -> Path:
    """File of an embedding of the grid."""
    return KEPT / (name.replace(" ", "_").replace("'", "").replace("/", "_") + ".h5ad")


def fit_missing(seconds: float, names: Sequence[str] = ()) -> int:
    """Fit what is not there yet (of ``names``, or all), until the time is up; the number that is still missing."""
    stop = time.monotonic() + seconds
    every = grid()
    made = {name: every[name] for name in names} if names else every
    for name, build in made.items():
        if path_of(name).exists() or time.monotonic() > stop:
            continue
        started = time.process_time()
        embedding = build()
        embedding.uns["cistron"]["name"] = name
        embedding.uns["cpu_seconds"] = time.process_time() - started
        write_gene_embedding(embedding, path_of(name))
        print(f"fitted {name}: {embedding.shape}, {embedding.uns['cpu_seconds']:.0f} CPU s", flush=True)
    return sum(not path_of(name).exists() for name in made)


REPORTED = (
    "hpa_fpkm pca 32",
    "hpa_fpkm autoencoder 32",
    "hpa_fpkm vdtf 32",
    "tabula_sapiens pca 32",
    "tabula_sapiens vdtf 32",
    "tabula_sapiens vdtf paper 256",
    "many vdtf 128",
    "concatenated vdtf 128",
)


def quick_scores(name: str) -> pd.DataFrame:
    """Ridge on the 30 traits without controls."""
    embedding = read_gene_embedding(path_of(name))
    with tempfile.TemporaryDirectory() as folder:
        settings = GwasSettings(controls=0, draws=100)
        return evaluate_gwas([embedding], read_traits(TRAITS), settings, directory=folder).scores


def combine_missing(names: Sequence[str] = ()) -> None:
    """Concatenate the combinations that are not there yet (of ``names``, or all)."""
    for name, parts in COMBINATIONS.items():
        if (not names or name in names) and not path_of(name).exists():
            read = [read_gene_embedding(path_of(part)) for part in parts]
            write_gene_embedding(combine_gene_embeddings(read, join="outer", name=name), path_of(name))


def report() -> dict[str, pd.DataFrame]:
    """Figures 3 to 6 of the report for one embedding a source and method: one HTML page."""
    tables = {}
    for model in ("ridge", "linear"):
        settings = GwasSettings(model=model, controls=1, draws=200)
        files = [path_of(name) for name in REPORTED]
        tables[model] = run_gwas(files, TRAITS, KEPT / f"gwas_{model}", settings, seed=1)
    folders = sorted(path.parent for path in KEPT.glob("gwas_*/run.json"))  # of functional_xgboost, too
    page = build_report(folders, KEPT / "report.html")
    print(f"figures 3 to 6 in one page: {page}")
    return tables


def main() -> None:
    """Fit what is missing, score everything, write one report, print two tables.

    ``CISTRON_BENCHMARK_ONLY="joined vdtf 256,joined pca 256"`` fits and scores these alone.
    """
    torch.set_num_threads(1)
    only = [name for name in os.environ.get("CISTRON_BENCHMARK_ONLY", "").split(",") if name]
    for name in only:
        if not path_of(name).exists():
            started = time.process_time()
            embedding = grid()[name]()
            embedding.uns["cistron"]["name"] = name
            write_gene_embedding(embedding, path_of(name))
            print(f"fitted {name}: {embedding.shape}, {time.process_time() - started:.0f} CPU s", flush=True)
        print(_row(name, quick_scores(name)), flush=True)
    if only:
        return
    left = fit_missing(float(os.environ.get("CISTRON_BENCHMARK_SECONDS", "1e9")))
    if left:
        print(f"{left} embeddings are still to be fitted; run again")
        return
    combine_missing()
    print("ridge, no control: embedding, genes, dim, held-out R2, delta R2 [95%], over all genes")
    for name in (*grid(), *COMBINATIONS):
        if "(part)" not in name:
            print(_row(name, quick_scores(name)), flush=True)
    tables = report()
    print("ridge and linear with control: embedding, delta R2 [95%], control")
    for model, table in tables.items():
        for name in REPORTED:
            row = _median(table, name)
            print(
                f"{model:7s} {name:44s} {row['value']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}] "
                f"{row['control_value']:+.4f}"
            )


def _median(table: pd.DataFrame, name: str, stratum: str = "all genes") -> pd.Series:
    chosen = table[
        (table["embedding"] == name)
        & (table["metric"] == "delta_r2")
        & (table["stratum"] == stratum)
        & table["target"].str.startswith("median of 30")
    ]
    if chosen.empty:  # every gene is covered, so nothing was filled
        return _median(table, name)
    return chosen.iloc[0]


def _row(name: str, table: pd.DataFrame) -> str:
    embedding = read_gene_embedding(path_of(name))
    r2 = json.loads(embedding.uns["cistron"]["parameters"]).get("held_out_r2")
    row, filled = _median(table, name), _median(table, name, "uncovered genes filled")
    return (
        f"{name:44s} {embedding.n_obs:6d} {embedding.n_vars:4d} {'' if r2 is None else f'{r2:.3f}':>6s} "
        f"{row['value']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}] {filled['value']:+.4f}"
    )
