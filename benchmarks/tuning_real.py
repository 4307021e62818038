"""``cistron omics tune`` on a real matrix: does tuning help over defaults, on what tuning did not see?

Real data (CISTRON_TEST_DATA): HPA FPKM, 76 samples, and the 30 GWAS traits. Two searches, each by two processes that
share one study: for held-out reconstruction, and for the median delta R2 on odd chromosomes. Compared are the GWAS
scores on even chromosomes (which the second search leaves out, and the first never looks at), beside the defaults
and principal components of the same dimensions. ``CISTRON_BENCHMARK_TRIALS`` sets the trials of a search. Studies are
kept, so a run that was cut goes on.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import anndata
import pandas as pd
import torch

from benchmarks.real_matrices import DATA, FILES, TRAITS, real_matrix
from cistron.evaluation.gwas import GwasSettings, evaluate_gwas, read_traits
from cistron.omics import OmicsEmbedder, PcaSettings, VdtfSettings
from cistron.runtime import set_progress

KEPT = Path(os.environ.get("CISTRON_BENCHMARK_FOLDER", "build/benchmarks")) / "tuning_real"
TRIALS, EPOCHS, LARGEST = int(os.environ.get("CISTRON_BENCHMARK_TRIALS", "12")), 20, 64
SEEDS = (1, 2)  # of the fits that are compared; the search used another
# The defaults get the longest fit that a trial could have.
DEFAULTS = replace(VdtfSettings(), fit=replace(VdtfSettings().fit, epochs=EPOCHS))


def search(objective: str) -> dict[str, object]:
    """Run two processes of the command on one study; best.toml."""
    folder = KEPT / objective
    command = [
        *(sys.executable, "-m", "cistron.cli", "omics", "tune", str(DATA / "omics" / FILES["hpa_fpkm"])),
        *("--output", str(folder), "--method", "vdtf", "--trials", str(TRIALS), "--epochs", str(EPOCHS)),
        *("--largest", str(LARGEST), "--seed", "11", "--threads", "1", "--quiet"),
        *(("--traits", str(TRAITS), "--chromosomes", "odd") if objective == "gwas" else ()),
    ]
    first, second = subprocess.Popen(command), subprocess.Popen(command)
    if first.wait() or second.wait():
        raise SystemExit("a worker failed")
    return tomllib.loads((folder / "best.toml").read_text())["omics"]["embed"]


def tuned_settings(best: dict[str, object]) -> VdtfSettings:
    """Settings of best.toml, as ``cistron omics embed --config`` reads them."""
    chosen = dict(best["vdtf"])  # type: ignore[call-overload]
    fit = replace(VdtfSettings().fit, **chosen.pop("fit"))
    return replace(VdtfSettings(), gene_dimension=best["dimensions"], fit=fit, **chosen)


def scores(embedding: anndata.AnnData) -> pd.Series:
    """Median delta R2 over 30 traits with all chromosomes, odd ones and even ones."""
    with tempfile.TemporaryDirectory() as folder:
        settings = GwasSettings(controls=0, draws=20)
        table = evaluate_gwas([embedding], read_traits(TRAITS), settings, directory=folder).scores
    rows = table[(table["metric"] == "delta_r2") & ~table["target"].str.startswith("median of")]
    return rows.groupby("stratum")["value"].median()


def main() -> None:
    """Print what was found and the table."""
    set_progress(False)
    torch.set_num_threads(1)
    matrix = real_matrix("hpa_fpkm")
    compared: dict[str, VdtfSettings | PcaSettings] = {"VDTF 32, defaults": DEFAULTS}
    for objective in ("reconstruction", "gwas"):
        started = time.perf_counter()
        best = search(objective)
        print(
            f"search for {objective}: {TRIALS} trials, {time.perf_counter() - started:.0f} s; {best}",
            flush=True,
        )
        settings = tuned_settings(best)
        compared[f"VDTF {settings.gene_dimension}, tuned for {objective}"] = settings
        compared[f"VDTF {settings.gene_dimension}, defaults"] = replace(
            DEFAULTS, gene_dimension=settings.gene_dimension
        )
        compared[f"PCA {settings.gene_dimension}"] = PcaSettings(dimensions=settings.gene_dimension)
    compared["PCA 32"] = PcaSettings(dimensions=32)
    print("embedding, seed: held-out R2; median delta R2 on even (left out), odd, all chromosomes; seconds")
    for name, settings in compared.items():
        for seed in SEEDS[:1] if isinstance(settings, PcaSettings) else SEEDS:
            started = time.process_time()
            embedder = OmicsEmbedder(settings, seed=seed)
            embedding = embedder.embed(matrix, name=name)
            seconds, found = time.process_time() - started, scores(embedding)
            held_out = json.loads(embedding.uns["cistron"]["parameters"]).get("held_out_r2")
            places = (found["even chromosomes"], found["odd chromosomes"], found["all genes"])
            print(
                f"{name:36s} {seed} {'' if held_out is None else f'{held_out:.3f}'}; "
                f"{', '.join(f'{value:+.4f}' for value in places)}; {seconds:.0f}",
                flush=True,
            )
