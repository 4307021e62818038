"""How well a model predicts genes that it never saw, beside a null and a control: what a what-if question rests on."""

from typing import Any

import numpy as np

from cistron.chromatin.estimator import ExpressionPredictor, model_parts, read_marks
from cistron.chromatin.fitted_model import ChromatinModel
from cistron.chromatin.splits import TwoAxisSplit
from cistron.formats.gene_tracks import GeneTracks
from cistron.genes.splits import Split
from cistron.runtime import random_generator, track
from cistron.statistics.bootstrap import block_draws, percentile_interval
from cistron.statistics.correlation import BlockSums

ACROSS, WITHIN = "pearson_across_genes", "pearson_within_genes"
NULL = "ridge on promoter means"
MOST_GENES = 1000  # a correlation over as many is known to .02; more would cost more than the question itself
_FEWEST_GENES = 10


def model_quality(
    model: ChromatinModel, store: GeneTracks, *, seed: int = 0, draws: int = 1000
) -> list[dict[str, Any]]:
    """Score a model on the genes that were held out of its fit.

    The null is a ridge regression on promoter means, fitted on the same genes; the control is the model itself, given the marks
    of another gene.

    Parameters
    ----------
    model
        Fitted model.
    store
        Marks and expression.
    seed
        Seed of the draw of genes, of the exchange of marks and of the bootstrap.
    draws
        Bootstrap draws over genes.

    Returns
    -------
    list of dict
        One a metric, ``pearson_across_genes`` (mean over cell types) and ``pearson_within_genes`` (across cell types, the mean of
        each gene removed), with ``value``, ``low``, ``high``, ``n``, ``null_value`` and ``control_value``. Empty where the store
        has no expression, or fewer than ten genes that were held out.
    """
    if store.expression is None:
        return []
    rows = np.flatnonzero(np.array(model_parts(model, store.genes, "genes")) == "test")
    if len(rows) < _FEWEST_GENES:
        return []
    generator = random_generator(seed, "genes of model quality")
    rows = np.sort(generator.permutation(rows)[:MOST_GENES])
    observed = store.expression[rows].astype(np.float64)
    draw = block_draws(len(rows), draws, seed)
    own = _predicted(model, store, rows, rows)
    order, source = generator.permutation(len(rows)), np.empty_like(rows)
    source[order] = rows[np.roll(order, 1)]  # no gene keeps its own marks
    control = _predicted(model, store, rows, source)
    null_model = _ridge(model, store)
    null = None if null_model is None else _predicted(null_model, store, rows, rows)
    found = []
    for metric in (ACROSS, WITHIN):
        if metric == WITHIN and observed.shape[1] < 2:
            continue
        value, samples = _score(own, observed, metric, draw)
        low, high = percentile_interval(samples)
        found.append(
            {
                "metric": metric,
                "value": value,
                "low": float(low),
                "high": float(high),
                "interval": "95% bootstrap over genes",
                "n": len(rows),
                "null_model": "" if null is None else NULL,
                "null_value": np.nan if null is None else _score(null, observed, metric, draw[:1])[0],
                "control_value": _score(control, observed, metric, draw[:1])[0],
            }
        )
    return found


def _predicted(model: ChromatinModel, store: GeneTracks, rows: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Predictions float64 [gene, cell type] from the marks of ``source``."""
    parts = []
    for start in track(range(0, len(rows), 256), "predicting", unit="blocks of 256 genes"):
        values, measured = read_marks(model, store, source[start : start + 256])
        parts.append(model.predict_each(values, measured).mean(axis=0))
    return np.concatenate(parts).astype(np.float64)


def _score(
    predicted: np.ndarray, observed: np.ndarray, metric: str, draw: np.ndarray
) -> tuple[float, np.ndarray]:
    """Correlation and its bootstrap samples [draw]."""
    if metric == WITHIN:
        seen = np.isfinite(predicted) & np.isfinite(observed)
        predicted, observed = (np.where(seen, values, np.nan) for values in (predicted, observed))
        counts = np.maximum(seen.sum(axis=1, keepdims=True), 1)
        genes = np.repeat(np.arange(len(observed)), observed.shape[1])
        predicted, observed = (
            (values - np.nansum(values, axis=1, keepdims=True) / counts).reshape(-1, 1)
            for values in (predicted, observed)
        )
    else:
        genes = np.arange(len(observed))
    sums = BlockSums.collect(predicted, observed, genes)
    # a prediction that does not vary says nothing: 0
    value, samples = (np.nan_to_num(found, nan=0.0) for found in (sums.correlation(), sums.correlation(draw)))
    return float(value.mean()), samples.mean(axis=-1)


def _ridge(model: ChromatinModel, store: GeneTracks) -> ChromatinModel | None:
    """The null, fitted on the genes and cell types of the model; ``None`` where the store lacks them."""
    parts = {
        axis: {part: frozenset(names) for part, names in model.facts[axis].items()}
        for axis in ("genes", "cell_types")
    }
    known = set(store.genes)
    if not all(parts["genes"][part] <= known for part in ("train", "validation")):
        return None
    if not parts["cell_types"]["train"] <= set(store.cell_types):
        return None
    split = TwoAxisSplit(*(Split(**parts[axis], how="of the model") for axis in ("genes", "cell_types")))
    return ExpressionPredictor(method="ridge", seed=int(model.facts["seed"])).fit(store, split=split)
