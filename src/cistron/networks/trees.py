"""Per-gene boosted trees: the idea of GRNBoost2 (Moerman et al. 2019, Bioinformatics 35, 2159) on histograms.

Each gene is predicted from all others by gradient boosting; an edge weighs what its source gains in the trees of the
target. Cells are binned once for all genes, which is where the time of the original goes.
"""

from collections.abc import Sequence

import numpy as np

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.network import Network
from cistron.networks.normalisation import normalise
from cistron.networks.settings import TreesSettings
from cistron.runtime.seeds import random_generator, seed_for
from cistron.runtime.shards import run_each

_TARGETS = 64  # genes that are predicted with one binning of the cells


def boosted_trees(
    values: np.ndarray, targets: Sequence[int], settings: TreesSettings, seed: int
) -> np.ndarray:
    """Fit the trees of some targets.

    Parameters
    ----------
    values
        Log-normalised float32 [cell, gene].
    targets
        Numbers of the genes to predict.
    settings
        Size of the trees.
    seed
        Seed of rows and columns drawn.

    Returns
    -------
    ndarray
        Share of the source in the total gain of the target's trees, float32 [source, target of ``targets``]; 0 for a
        target that does not vary.
    """
    import xgboost

    genes = values.shape[1]
    data = xgboost.QuantileDMatrix(
        values, label=values[:, 0], max_bin=settings.bins, nthread=settings.threads
    )
    parameters = {
        "tree_method": "hist",
        "max_depth": settings.depth,
        "eta": settings.learning_rate,
        "subsample": settings.rows,
        "colsample_bytree": settings.columns,
        "max_bin": settings.bins,
        "nthread": settings.threads,
        "base_score": 0.0,
        "seed": seed_for(seed, "trees") % 2**31,
    }
    weight = np.zeros((genes, len(targets)), dtype=np.float32)
    for column, target in enumerate(targets):
        outcome = values[:, target]
        spread = float(outcome.std())
        if spread == 0:
            continue
        allowed = np.ones(genes, dtype=np.float32)
        allowed[target] = 0  # a tree draws its genes by these weights, so never the target itself
        data.set_info(label=(outcome - outcome.mean()) / spread, feature_weights=allowed)
        booster = xgboost.train(parameters, data, settings.rounds)
        for feature, gain in booster.get_score(importance_type="total_gain").items():
            weight[int(feature[1:]), column] = gain
    # well predicted targets gain more from every source, also from false ones: only the shares compare
    return weight / np.maximum(weight.sum(axis=0), 1e-12)


def infer_trees(cells: PerturbedCells, settings: TreesSettings, seed: int) -> Network:
    """Score an edge by the share of the source in the gain of the trees that predict the target.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        Size of the trees.
    seed
        Seed of everything random.
    """
    used = np.flatnonzero(cells.perturbation >= -1)
    if len(used) > settings.most_cells:
        random = random_generator(seed, "cells for trees")
        used = np.sort(random.choice(used, settings.most_cells, replace=False))
    values = normalise(cells)[used].toarray()
    genes = values.shape[1]
    items = [{"targets": range(start, min(start + _TARGETS, genes))} for start in range(0, genes, _TARGETS)]
    shared = {"values": values, "settings": settings, "seed": seed}
    parts = run_each(boosted_trees, items, shared, description="trees", unit=f"times {_TARGETS} genes")
    weight = np.hstack(list(parts))
    np.fill_diagonal(weight, np.nan)
    return Network(cells.genes, weight)
