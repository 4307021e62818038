"""The whole GWAS table of the report: ten embeddings x 30 traits x XGBoost, each chromosome left out, over both null models.

The published null model has the MHC, as printed; the positional one leaves it out. Both models of a pair are fitted and
scored on the genes that the embedding covers; null models on the same genes are fitted once. One part is an embedding, a null
model and a few traits; features are binned once a fold and serve all traits of a part. Finished parts are lines of
``benchmarks/results/gwas_report_parts.tsv``, which is committed, so that the run can be carried on anywhere: each call does
what is missing until ``CISTRON_BENCHMARK_SECONDS`` are over, and then prints the table and writes the chapter of what is there
(``$CISTRON_BENCHMARK_FOLDER/gwas_report/report.html``). Embeddings are those of ``functional_embeddings``, fitted where they are missing.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.functional_embeddings import (
    COMBINATIONS,
    KEPT,
    REPORTED,
    combine_missing,
    fit_missing,
    path_of,
)
from benchmarks.real_matrices import TRAITS
from cistron.evaluation.gwas import GwasSettings, predict, read_traits
from cistron.evaluation.gwas.coverage import prepare_embeddings
from cistron.evaluation.gwas.facts import trait_facts, trait_subsets
from cistron.evaluation.gwas.tasks import NULLS, PUBLISHED, Task, build_tasks
from cistron.evaluation.gwas.variants import Variant, null_of, variant_problem, variant_rows
from cistron.evaluation.result_folder import write_folder
from cistron.formats import read_gene_embedding
from cistron.formats.scores import score_frame
from cistron.report import build_report
from cistron.runtime import set_progress
from cistron.runtime.provenance import RunRecord
from cistron.statistics import pearson, signed_square

PARTS = Path(__file__).parent / "results" / "gwas_report_parts.tsv"
COLUMNS = ["embedding", "null", "genes_key", "trait", "genes", "r2", "cpu_seconds"]
NAMES = (*REPORTED, *(name for name in COMBINATIONS if name not in REPORTED))
TRAITS_AT_ONCE = 5
NULL_ONLY = "covariates alone"


def needed(names: tuple[str, ...]) -> list[str]:
    """Embeddings that have to be fitted: those that are scored, and the parts of the combinations."""
    parts = [COMBINATIONS.get(name, (name,)) for name in names]
    return list(dict.fromkeys(one for part in parts for one in part))


def wanted(name: str, tasks: list[Task]) -> Iterator[tuple[str, Task, Variant, tuple[int, ...], str]]:
    """Parts of an embedding, its null models first: who, design, model, traits, key of the genes."""
    embeddings = prepare_embeddings([_read(name)], pd.Index(tasks[0].design.genes["GENE"]), "30 traits")
    for null in NULLS:
        full = Variant("full", 0, null, mhc=null == PUBLISHED)
        for task in tasks:
            rows, _ = variant_rows(task, full, embeddings)
            key = hashlib.sha256(rows.tobytes()).hexdigest()[:10]
            for start in range(0, len(task.design.traits), TRAITS_AT_ONCE):
                chunk = tuple(range(start, min(start + TRAITS_AT_ONCE, len(task.design.traits))))
                yield NULL_ONLY, task, null_of(full), chunk, key
                yield name, task, full, chunk, key


def _read(name: str):  # type: ignore[no-untyped-def]  # an AnnData
    return read_gene_embedding(path_of(name))


def main() -> None:
    """Do what is missing until the time is over, print the table, write the chapter."""
    set_progress(False)
    torch.set_num_threads(1)
    stop = time.monotonic() + float(os.environ.get("CISTRON_BENCHMARK_SECONDS", "1e9"))
    tasks = build_tasks(read_traits(TRAITS), null="positional", projection="none", folds=None)
    names = tuple(os.environ.get("CISTRON_BENCHMARK_ONLY", ",".join(NAMES)).split(","))
    done = _done()
    for name in names:
        if time.monotonic() > stop or fit_missing(stop - time.monotonic(), needed((name,))):
            break
        combine_these(name)
        embeddings = prepare_embeddings([_read(name)], pd.Index(tasks[0].design.genes["GENE"]), "30 traits")
        for who, task, variant, chunk, key in wanted(name, tasks):
            traits = [task.design.traits[number] for number in chunk]
            if all((who, variant.null, key, trait) in done for trait in traits):
                continue
            if time.monotonic() > stop:
                break
            started = time.process_time()
            problem = variant_problem(task, variant, embeddings, chunk, 1)
            r2 = signed_square(pearson(predict(problem, "xgboost", seed=1), problem.z))
            seconds = (time.process_time() - started) / len(traits)
            with PARTS.open("a") as handle:
                for trait, value in zip(traits, r2):
                    handle.write(
                        f"{who}\t{variant.null}\t{key}\t{trait}\t{len(problem.z)}\t{value:.6f}\t{seconds:.1f}\n"
                    )
                    done.add((who, variant.null, key, trait))
    _print(_pairs(), tasks)


def combine_these(name: str) -> None:
    """Concatenate a combination from its parts, where it is one."""
    if name in COMBINATIONS:
        combine_missing((name,))


def _done() -> set[tuple[str, ...]]:
    if not PARTS.exists():
        PARTS.write_text("\t".join(COLUMNS) + "\n")
    table = pd.read_csv(PARTS, sep="\t")
    return set(
        table[["embedding", "null", "genes_key", "trait"]].astype(str).itertuples(index=False, name=None)
    )


def _pairs() -> pd.DataFrame:
    """Finished pairs of a full and a null model: columns of the parts, ``null_r2`` and ``gain``."""
    table = pd.read_csv(PARTS, sep="\t")
    null = table[table["embedding"] == NULL_ONLY].set_index(["null", "genes_key", "trait"])["r2"]
    full = table[table["embedding"] != NULL_ONLY]
    full = full.join(null.rename("null_r2"), on=["null", "genes_key", "trait"]).dropna(subset=["null_r2"])
    return full.assign(gain=full["r2"] - full["null_r2"])


def _print(pairs: pd.DataFrame, tasks: list[Task]) -> None:
    spent = pd.read_csv(PARTS, sep="\t")["cpu_seconds"].sum()
    print(
        f"{len(pairs)} of {len(NAMES) * len(NULLS) * 30} pairs of models are done, {spent / 3600:.2f} CPU hours so far"
    )
    print("| embedding | null model | traits | genes | median null R2 | median delta R2 | above 0 |")
    print("|---|---|---|---|---|---|---|")
    for (name, null), rows in pairs.groupby(["embedding", "null"], sort=False):
        print(
            f"| {name} | {null} | {len(rows)} | {rows['genes'].max():,} | {rows['null_r2'].median():.4f} | "
            f"{rows['gain'].median():+.4f} | {(rows['gain'] > 0).sum()} |"
        )
    if len(pairs):
        print(f"chapter: {_chapter(pairs, tasks)}")


def _chapter(pairs: pd.DataFrame, tasks: list[Task]) -> Path:
    """Figures of what is done, a section a null model, on one page."""
    folders = []
    facts = {"traits": trait_facts(tasks, trait_subsets(read_traits(TRAITS).z_frame()))}
    for null, rows in pairs.groupby("null", sort=False):
        folder = KEPT.parent / "gwas_report" / str(null)
        settings = GwasSettings(model="xgboost", null=null)  # type: ignore[arg-type]
        record = RunRecord("evaluate gwas", settings, [], 1)
        frame = score_frame(_score_rows(rows, str(null), record.run_id))
        write_folder(
            folder,
            record,
            frame,
            tables={},
            facts=facts,
            warnings=["no intervals and controls: XGBoost alone"],
        )
        folders.append(folder)
    return build_report(folders, KEPT.parent / "gwas_report" / "report.html")


def _score_rows(rows: pd.DataFrame, null: str, run_id: str) -> Iterator[dict[str, object]]:
    common = {
        "task": "gwas",
        "dataset": "30 traits",
        "model": "xgboost",
        "stratum": "all genes",
        "seed": 1,
        "run_id": run_id,
    }
    for name, own in rows.groupby("embedding", sort=False):
        base = common | {"embedding": name, "null_model": f"xgboost, {null} covariates"}
        for row in own.itertuples():
            both = {"target": row.trait, "n": row.genes}
            yield base | both | {"metric": "r2", "value": row.r2, "null_value": row.null_r2}
            yield (
                base
                | both
                | {"metric": "r", "value": np.sign(row.r2) * np.sqrt(abs(row.r2)), "null_value": 0.0}
            )
            yield base | both | {"metric": "delta_r2", "value": row.gain, "null_value": 0.0}
        target = {"target": f"median of {len(own)} traits", "n": len(own)}
        yield base | target | {"metric": "delta_r2", "value": own["gain"].median(), "null_value": 0.0}
