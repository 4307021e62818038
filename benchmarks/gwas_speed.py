"""Speed of the GWAS task beside plain loops over scikit-learn and XGBoost, in one process, in CPU seconds.

Real data (CISTRON_TEST_DATA). ``CISTRON_GWAS_PARTS`` chooses parts (``ridge xgboost boosted``).
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeCV

from benchmarks.real_matrices import TRAITS, real_matrix
from cistron.evaluation.gwas import (
    GwasSettings,
    Problem,
    RidgeSettings,
    TraitDesign,
    XgboostSettings,
    evaluate_gwas,
    predict,
    read_traits,
)
from cistron.evaluation.gwas.covariates import gene_covariates
from cistron.formats import read_gene_embedding, write_gene_embedding
from cistron.genes.splits import chromosome_groups
from cistron.omics import OmicsEmbedder, PcaSettings
from cistron.runtime import limit_threads, set_progress
from cistron.statistics import pearson, signed_square

SOURCES = ("hpa_fpkm", "hpa_consensus", "uhlen")


def _problem(design: TraitDesign, path: Path) -> Problem:
    embedding = read_gene_embedding(path)
    rows = embedding.obs_names.get_indexer(design.genes["GENE"])
    kept = rows >= 0
    genes = design.genes[kept].reset_index(drop=True)
    covariates, _ = gene_covariates(genes)
    features = np.asarray(embedding.X, dtype=np.float64)[rows[kept]]
    return Problem(design.z[kept], covariates, features, chromosome_groups(list(genes["CHR"])))


def _plain_ridge(problem: Problem, penalties: tuple[float, ...]) -> np.ndarray:
    """What a user would write: RidgeCV on all traits at once, a penalty each trait, a chromosome left out at a time."""
    columns = np.hstack([problem.covariates, problem.features])
    predictions = np.empty_like(problem.z)
    for fold in range(22):
        train = problem.folds != fold
        mean, deviation = columns[train].mean(axis=0), columns[train].std(axis=0)
        model = RidgeCV(alphas=penalties, alpha_per_target=True).fit(
            (columns[train] - mean) / deviation, problem.z[train]
        )
        found = model.predict((columns[~train] - mean) / deviation)
        predictions[~train] = found.reshape(-1, problem.z.shape[1])
    return predictions


def ridge(paths: list[Path]) -> None:
    """30 traits x 3 embeddings, reading of the files included on both sides."""
    settings = RidgeSettings(penalise_covariates=True, choice="gcv")
    results, seconds = [], []
    for ours in (True, False):
        started, predictions = time.process_time(), []
        traits = read_traits(TRAITS)
        for path in paths:
            for design in traits.designs:
                problem = _problem(design, path)
                found = (
                    predict(problem, "ridge", settings) if ours else _plain_ridge(problem, settings.penalties)
                )
                predictions.append(signed_square(pearson(found, problem.z)))
        results.append(np.concatenate(predictions))
        seconds.append(time.process_time() - started)
    worst = np.abs(results[0] - results[1]).max()
    print(
        f"| ridge, 30 traits x 3 embeddings | {seconds[0]:.1f} | {seconds[1]:.1f} | {seconds[1] / seconds[0]:.1f} | {worst:.1e} |",
        flush=True,
    )


def xgboost(path: Path, traits: int = 2, dimensions: int = 64) -> None:
    """Two traits, a chromosome left out at a time, the report's settings; the plain loop is XGBRegressor."""
    from xgboost import XGBRegressor

    design = next(design for design in read_traits(TRAITS).designs if len(design.traits) > 5)
    problem = _problem(design, path)
    problem = Problem(
        problem.z[:, :traits], problem.covariates, problem.features[:, :dimensions], problem.folds
    )
    columns = np.hstack([problem.covariates, problem.features]).astype(np.float32)
    started = time.process_time()
    ours = predict(problem, "xgboost", XgboostSettings())
    middle = time.process_time()
    plain = np.empty_like(problem.z)
    for trait in range(traits):
        for fold in range(22):
            train = problem.folds != fold
            model = XGBRegressor(tree_method="hist", reg_lambda=1000, reg_alpha=100, n_jobs=1)
            plain[~train, trait] = model.fit(columns[train], problem.z[train, trait]).predict(columns[~train])
    ended = time.process_time()
    r2 = [signed_square(pearson(found, problem.z)) for found in (ours, plain)]
    worst = np.abs(r2[0] - r2[1]).max()
    print(
        f"| xgboost, {traits} traits x {dimensions} dimensions | {middle - started:.0f} | {ended - middle:.0f} | "
        f"{(ended - middle) / (middle - started):.2f} | {worst:.1e} |",
        flush=True,
    )


def boosted(path: Path) -> None:
    """30 traits x 1 embedding of 256 dimensions, null model and both controls apart, two processes, wall seconds."""
    embedding = read_gene_embedding(path)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        evaluate_gwas(
            [embedding], read_traits(TRAITS), GwasSettings("boosted", controls=0), directory=folder, workers=2
        )
    seconds = time.perf_counter() - started
    print(
        f"| boosted, 30 traits x {embedding.n_vars} dimensions, null model included | {seconds:.0f} (wall) | | | |",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    set_progress(False)
    parts = os.environ.get("CISTRON_GWAS_PARTS", "ridge xgboost boosted").split()
    print("| work | ours | plain loop | ratio | largest difference of R2 |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, limit_threads(1):
        paths = []
        for name in SOURCES:
            matrix = real_matrix(name)
            paths.append(Path(folder) / f"{name}.h5ad")
            write_gene_embedding(
                OmicsEmbedder(PcaSettings(dimensions=len(matrix.samples))).embed(matrix), paths[-1]
            )
        if "ridge" in parts:
            ridge(paths)
        if "xgboost" in parts:
            xgboost(paths[1])
    if "boosted" in parts:
        kept = Path(os.environ.get("CISTRON_BENCHMARK_FOLDER", "build/benchmarks")) / "gwas_choice.h5ad"
        if not kept.exists():
            raise SystemExit(
                "run 'python -m benchmarks gwas_choice' first: it writes the embedding of 256 dimensions"
            )
        boosted(kept)
