"""Figures 3 to 5 of the report, by XGBoost, for the embeddings of ``functional_embeddings`` (real data).

The report leaves out one chromosome at a time and scores 12 embeddings. Here six groups of chromosomes are left out in
turn (``reported``, ``combinations``); two small embeddings have both negative controls (``controls``), and are scored
with each of the 22 chromosomes left out, to show what the groups change (``chromosomes``). An XGBoost fit on one
core takes 0.35 s at 32 dimensions, 1.6 s at 128 and 3 s at 256. Finished shards are kept, so that a run can be cut into
pieces. ``CISTRON_BENCHMARK_ONLY=reported`` makes one part.
"""

import os
from dataclasses import replace

import pandas as pd
import torch

from benchmarks.functional_embeddings import (
    COMBINATIONS,
    KEPT,
    REPORTED,
    _median,
    combine_missing,
    fit_missing,
    path_of,
)
from benchmarks.real_matrices import TRAITS
from cistron.evaluation.gwas import GwasSettings, run_gwas
from cistron.report import build_report

FEW = ("hpa_fpkm pca 32", "tabula_sapiens pca 32")
SIX = GwasSettings(model="xgboost", folds=6, controls=0, draws=200)
PARTS = {
    "reported": (REPORTED, SIX),
    "small": (("tabula_sapiens vdtf paper 32",), SIX),  # does a smaller dimension mend it?
    "controls": (FEW, replace(SIX, controls=1)),
    "combinations": (tuple(name for name in COMBINATIONS if name not in REPORTED), SIX),
    "chromosomes": (FEW, replace(SIX, folds=None)),
}


def needed() -> list[str]:
    """Embeddings that have to be fitted: those that are scored, and the parts of the combinations."""
    scored = [*REPORTED, *PARTS["small"][0]]
    single = [name for name in scored if name not in COMBINATIONS]
    return list(dict.fromkeys([*single, *(part for parts in COMBINATIONS.values() for part in parts)]))


def main() -> None:
    """Fit what is missing, score, print the table and write one page with the figures of all models."""
    torch.set_num_threads(1)
    if left := fit_missing(float(os.environ.get("CISTRON_BENCHMARK_SECONDS", "1e9")), needed()):
        print(f"{left} embeddings are still to be fitted; run again")
        return
    combine_missing()
    only = os.environ.get("CISTRON_BENCHMARK_ONLY", "")
    for part, (names, settings) in PARTS.items():
        if only and part != only:
            continue
        files = [path_of(name) for name in names]
        table = run_gwas(files, TRAITS, KEPT / f"gwas_xgboost_{part}", settings, seed=1, workers=1)
        folds = settings.folds or 22
        print(f"xgboost, {folds} folds: embedding, delta R2 [95%], control, null R2, over all genes")
        for name in names:
            print(_line(name, table), flush=True)
    folders = sorted(path.parent for path in KEPT.glob("gwas_*/run.json"))
    print(f"figures 3 to 5 in one page: {build_report(folders, KEPT / 'report.html')}")


def _line(name: str, table: pd.DataFrame) -> str:
    row, filled = _median(table, name), _median(table, name, "uncovered genes filled")
    null = table[
        (table["embedding"] == name) & (table["metric"] == "r2") & (table["stratum"] == "all genes")
    ]["null_value"].median()
    return (
        f"{name:44s} {row['value']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}] {row['control_value']:+.4f} "
        f"{null:.4f} {filled['value']:+.4f}"
    )
