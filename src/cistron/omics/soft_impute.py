"""Iterated shrunken principal components of one or several matrices with missing entries.

Missing entries are filled with what the components say of them, and the components are computed again, until nothing
changes. Singular values are shrunk by a penalty, which is chosen by entries of its own. Source: Mazumder, Hastie and
Tibshirani 2010 (Journal of Machine Learning Research 11, 2287); with the number of components bounded as in Hastie et al. 2015 (JMLR 16, 3367).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from cistron.errors import InputError
from cistron.omics.preprocessing import PreparedMatrix
from cistron.omics.scaling import draw_held_out, scaled_entries
from cistron.omics.settings import SoftImputeSettings
from cistron.runtime.progress import Progress
from cistron.runtime.seeds import random_generator

_LARGEST_SHARE, _FALL = 0.3, 0.65  # of the penalty path, in shares of the largest singular value
_EXACT = 1000  # samples up to which all singular vectors are computed
_PATIENCE = 2  # penalties without a better choosing error before the path ends
_SPARE = 8  # components beyond those asked for, by which a sketch converges faster


@dataclass(frozen=True)
class SoftImputed:
    """Result of a fit.

    Attributes
    ----------
    genes
        Genes with an observed entry.
    scores
        float32 [gene, dimension]; the first has unit variance, and the others keep their ratios to it.
    penalty
        Penalty in force, in shares of the largest singular value.
    held_out_r2
        Share of the variance of held-out entries about the gene means that is explained.
    held_out_r2_of
        The same for each matrix.
    iterations
        Iterations of the last fit.
    """

    genes: list[str]
    scores: np.ndarray
    penalty: float
    held_out_r2: float
    held_out_r2_of: dict[str, float]
    iterations: int


def soft_impute(
    matrices: Sequence[PreparedMatrix], settings: SoftImputeSettings | None = None, seed: int = 0
) -> SoftImputed:
    """Fit.

    Three sets of entries are kept apart: a test mask that nothing sees but the reported R2, a mask by which the penalty is
    chosen, and the rest. The embedding is fitted last, on all entries with the chosen penalty.

    Parameters
    ----------
    matrices
        Prepared matrices; several are laid side by side, and a gene that one lacks is filled from the others. Their scales are
        computed without the test mask.
    settings
        Settings of the method.
    seed
        Seed of the masks.

    Raises
    ------
    InputError
        If there are more dimensions than genes or samples.
    """
    settings = settings or SoftImputeSettings()
    parts = [scaled_entries(one, settings.held_out, settings.held_out_entries, seed) for one in matrices]
    genes = list(dict.fromkeys(gene for part in parts for gene in part.genes))
    place = {gene: row for row, gene in enumerate(genes)}
    widths = [part.values.shape[1] for part in parts]
    most = min(len(genes), sum(widths))
    if settings.dimensions > most:
        raise InputError(
            f"{settings.dimensions} dimensions were asked for, but there are {sum(widths):,} samples and {len(genes):,} genes; "
            f"at most {most} are possible"
        )
    values = np.full((len(genes), sum(widths)), np.nan, dtype=np.float32)
    test = np.zeros(values.shape, dtype=bool)
    edges = np.r_[0, np.cumsum(widths)]
    for number, part in enumerate(parts):
        rows = np.array([place[gene] for gene in part.genes])
        values[rows, edges[number] : edges[number + 1]] = part.values
        test[rows, edges[number] : edges[number + 1]] = part.held_out
    training = np.where(test, np.float32(np.nan), values)
    chosen = draw_held_out(training, settings.choosing, settings.held_out_entries, seed, "soft-impute")
    penalty = _choose(np.where(chosen, np.float32(np.nan), training), values, chosen, settings, seed)
    fitted = _fit(training, penalty, settings, seed)
    r2, r2_of = _explained(fitted.filled, values, test, training, edges, [part.name for part in parts])
    last = _fit(values, penalty, settings, seed, fitted.directions)
    scores = last.scores
    scores = scores - scores.mean(axis=0)
    spread = scores.std(axis=0)
    scores = (scores / max(float(spread.max()), 1e-30)).astype(np.float32)
    return SoftImputed(genes, scores, penalty, r2, r2_of, last.iterations)


@dataclass(frozen=True)
class _Fit:
    filled: np.ndarray  # the low-rank matrix, gene means included, float32 [gene, sample]
    scores: np.ndarray  # float64 [gene, dimension]
    directions: np.ndarray  # float64 [sample, dimension]
    iterations: int


def _choose(
    training: np.ndarray, values: np.ndarray, chosen: np.ndarray, settings: SoftImputeSettings, seed: int
) -> float:
    """The penalty with the least squared error on entries that its fits do not see, from large to small."""
    best, least, since = _LARGEST_SHARE, np.inf, 0
    directions = None
    with Progress("choosing the penalty", settings.shrinkages, "fits") as progress:
        for number in range(settings.shrinkages):
            penalty = _LARGEST_SHARE * _FALL**number
            fitted = _fit(training, penalty, settings, seed, directions)
            directions = fitted.directions
            error = float(np.square(fitted.filled[chosen] - values[chosen], dtype=np.float64).mean())
            progress.advance()
            since = 0 if error < least else since + 1
            if error < least:
                best, least = penalty, error
            if since >= _PATIENCE:
                break
    return best


def _fit(
    values: np.ndarray,
    penalty: float,
    settings: SoftImputeSettings,
    seed: int,
    directions: np.ndarray | None = None,
) -> _Fit:
    """Iterate filling and shrinking from the gene means, or from earlier directions, until the filling stays."""
    missing = ~np.isfinite(values)
    number = (~missing).sum(axis=1, keepdims=True)
    mean = np.where(missing, 0.0, values).sum(axis=1, keepdims=True) / np.maximum(number, 1)
    overall = float(mean[number[:, 0] > 0].mean())
    filled = np.where(missing, mean.astype(np.float32), values)
    if directions is not None:
        centred = filled - np.float32(overall)
        filled = np.where(missing, centred @ directions @ directions.T + np.float32(overall), values)
    before = filled[missing]
    width = min(settings.dimensions + _SPARE, *values.shape)
    sketch = _first_sketch(values.shape[1], width, seed, directions)
    iterations = 0
    for _ in range(settings.iterations):
        iterations += 1
        centred = filled - np.float32(overall)
        singular, vectors, sketch = _leading(centred, width, sketch)
        shrunk = np.maximum(singular - penalty * singular[0], 0.0)
        kept = slice(0, settings.dimensions)
        factor = np.where(singular > 0, shrunk / np.maximum(singular, 1e-30), 0.0)[kept]
        directions = vectors[:, kept]
        scores = (centred @ directions.astype(np.float32)) * factor.astype(np.float32)
        low_rank = scores @ directions.T.astype(np.float32) + np.float32(overall)
        if not missing.any():
            break
        after = low_rank[missing]
        moved = float(np.linalg.norm(after - before) / max(float(np.linalg.norm(after)), 1e-12))
        filled[missing] = before = after
        if moved < settings.tolerance:
            break
    assert directions is not None
    return _Fit(low_rank, scores.astype(np.float64), directions, iterations)


def _first_sketch(samples: int, width: int, seed: int, directions: np.ndarray | None) -> np.ndarray:
    sketch = random_generator(seed, "soft-impute").standard_normal((samples, width))
    if directions is not None:
        sketch[:, : directions.shape[1]] = directions
    return sketch


def _leading(
    centred: np.ndarray, width: int, sketch: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Leading singular values, right vectors [sample, width], and the sketch to go on from.

    Exact where samples are few; otherwise two power steps from the sketch, which later iterations sharpen.
    """
    if centred.shape[1] <= _EXACT:
        values, vectors = linalg.eigh(centred.T.astype(np.float64) @ centred, check_finite=False)
        return np.sqrt(np.maximum(values[::-1][:width], 0.0)), vectors[:, ::-1][:, :width], sketch
    for _ in range(2):
        sketch = np.linalg.qr(sketch)[0]
        sketch = (centred.T @ (centred @ sketch.astype(np.float32))).astype(np.float64)
    basis = np.linalg.qr(sketch)[0]
    left = (centred @ basis.astype(np.float32)).astype(np.float64)
    values, turned = linalg.eigh(left.T @ left, check_finite=False)
    return np.sqrt(np.maximum(values[::-1], 0.0)), basis @ turned[:, ::-1], basis


def _explained(
    low_rank: np.ndarray,
    values: np.ndarray,
    test: np.ndarray,
    training: np.ndarray,
    edges: np.ndarray,
    names: Sequence[str],
) -> tuple[float, dict[str, float]]:
    """R2 of the test entries about the training means of their genes in their matrix, over all and by matrix."""
    sums = np.zeros((len(names), 2))
    for number in range(len(names)):
        columns = slice(edges[number], edges[number + 1])
        known = np.isfinite(training[:, columns])
        mean = np.where(known, training[:, columns], 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        rows, places = np.nonzero(test[:, columns])
        truth = values[:, columns][rows, places].astype(np.float64)
        sums[number] = (
            np.square(low_rank[:, columns][rows, places] - truth).sum(),
            np.square(mean[rows] - truth).sum(),
        )
    total = sums.sum(axis=0)
    share = 1.0 - sums[:, 0] / np.maximum(sums[:, 1], 1e-300)
    return float(1.0 - total[0] / max(total[1], 1e-300)), dict(zip(names, map(float, share)))
