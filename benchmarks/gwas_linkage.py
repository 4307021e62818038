"""Does linkage change the noise of gene z-scores or their mean? Real traits beside two simulated worlds.

Genes, places, covariates and embedding (joined 64) are the real ones in all three; the MHC is left out. In the world of
*noise* linkage z = X b + e and e is correlated over 100 kb; in the world of *mean* linkage z = (I + K) X b + e, with K a
kernel over neighbours within 100 kb, and e independent: variants near a gene belong to its neighbours as well. Both
have X explain 2% of the variance of z by itself. Columns: gain of ridge from a gene's own functions; from those of its
neighbours too, as the task does by default; with neighbours of the matched control beside own functions; the whole from the
matched control; by generalised least squares with a covariance that falls with distance, without and with neighbours. Median
over ten traits.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.gwas_nulls import embeddings
from benchmarks.real_matrices import TRAITS
from cistron.evaluation.gwas import Linkage, Problem, predict, read_traits
from cistron.evaluation.gwas.coverage import prepare_embeddings
from cistron.evaluation.gwas.near import mean_over_neighbours
from cistron.evaluation.gwas.tasks import POSITIONAL, build_tasks
from cistron.evaluation.gwas.variants import Variant, variant_problem, variant_rows
from cistron.formats import GeneCorrelations
from cistron.runtime import set_progress
from cistron.statistics import BlockCovariance, pearson, signed_square

SCALE, REACH, NUMBER = 50_000.0, 100_000.0, 10


def kernel(genes: pd.DataFrame, scale: float, reach: float) -> sparse.csr_array:
    """exp(-distance / scale) between the middles of different genes of a chromosome up to a distance."""
    middle = ((genes["START"] + genes["STOP"]) / 2).to_numpy()
    blocks = []
    for rows in genes.groupby("CHR", sort=False).indices.values():
        distance = np.abs(middle[rows][:, None] - middle[rows])
        block = np.where(distance <= reach, np.exp(-distance / scale), 0.0)
        np.fill_diagonal(block, 0.0)
        blocks.append(sparse.csr_array(block))
    return sparse.csr_array(sparse.block_diag(blocks))


def gain(problem: Problem) -> float:
    """Median over traits of the gain of ridge."""
    null = problem.with_features(problem.features[:, :0])
    r2 = [signed_square(pearson(predict(one, "ridge"), one.z)) for one in (problem, null)]
    return float(np.median(r2[0] - r2[1]))


def main() -> None:
    """Print the table."""
    set_progress(False)
    traits = read_traits(TRAITS)
    task = max(
        build_tasks(traits, null=POSITIONAL, projection="none", folds=None),
        key=lambda one: one.design.z.shape[1],
    )
    scored = prepare_embeddings(embeddings()[1:2], traits.genes, traits.name)
    full = Variant("full", 0, POSITIONAL)
    rows = variant_rows(task, full, scored)[0]
    chosen = tuple(range(0, task.design.z.shape[1], 3))[:NUMBER]
    problem = variant_problem(task, full, scored, chosen, 1)
    problem = replace(problem, near=None)
    matched = variant_problem(task, Variant("matched", 0, POSITIONAL), scored, chosen, 1).features
    genes = task.design.genes.iloc[rows].reset_index(drop=True)
    near = kernel(genes, SCALE, REACH)
    mean = mean_over_neighbours(task.blocks[rows], task.middles[rows], 100_000.0)
    linked = sparse.csr_array(kernel(genes, 100_000.0, 1_000_000.0) + sparse.eye_array(len(genes)))
    correlations = GeneCorrelations(genes[["GENE", "CHR"]], linked)
    decomposition = BlockCovariance.decompose(correlations.dense_blocks().values())

    generator = np.random.default_rng(7)
    own = problem.features @ generator.standard_normal((problem.features.shape[1], len(chosen)))
    own = (own - own.mean(axis=0)) / own.std(axis=0) * np.sqrt(0.02 / 0.98)
    white = generator.standard_normal(own.shape)
    correlated = np.empty(own.shape)
    for members, values, vectors in zip(decomposition.rows, decomposition.eigenvalues, decomposition.vectors):
        correlated[members] = vectors @ (np.sqrt(np.maximum(values, 0.0))[:, None] * white[members])
    worlds = {
        "real traits": problem.z,
        "noise linkage": own + correlated,
        "mean linkage": own + near @ own + white,
    }
    print(
        "| z | own functions | and neighbours | own, neighbours of matched | matched, and neighbours | GLS | GLS, and neighbours |"
    )
    print("|---|---|---|---|---|---|---|")
    own, control = problem.features, matched - matched.mean(axis=0)
    for name, z in worlds.items():
        plain = Problem(z, problem.covariates, own, problem.folds)
        linkage = Linkage(correlations, z.var(axis=0))
        linkage._decomposition = decomposition
        whitened = replace(plain, linkage=linkage, projection="whiten")
        found = [
            gain(plain),
            gain(replace(plain, near=mean)),
            gain(plain.with_features(own + 2 * (mean @ control))),
            gain(replace(plain.with_features(control), near=mean)),
            gain(whitened),
            gain(replace(whitened, near=mean)),
        ]
        print(f"| {name} | {' | '.join(f'{value:+.4f}' for value in found)} |", flush=True)
