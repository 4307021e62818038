"""What knocking out each gene did to every gene: shifts, their errors, and baselines made of them alone."""

from dataclasses import dataclass
from importlib import import_module

import numpy as np
from scipy import sparse

from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.direction import Direction, Directions, read_directions, regulation_sign
from cistron.networks.network import Network
from cistron.networks.normalisation import normalise

MODERATION = 100.0  # degrees of freedom with which the control's variance moderates that of perturbed cells


@dataclass(frozen=True)
class KnockOutEffects:
    """Effects of perturbations in units of a gene's standard deviation over control cells.

    Attributes
    ----------
    sources
        Numbers of the perturbed genes, int [perturbation].
    shift
        Mean of the perturbed cells minus mean of the control cells, float64 [perturbation, gene].
    error
        Standard error of ``shift`` [perturbation, gene].
    scale
        Standard deviation of each gene over control cells [gene].
    cells
        Cells of each perturbation [perturbation].
    """

    sources: np.ndarray
    shift: np.ndarray
    error: np.ndarray
    scale: np.ndarray
    cells: np.ndarray

    @property
    def z(self) -> np.ndarray:
        """``shift / error`` [perturbation, gene]."""
        return self.shift / self.error

    @property
    def own(self) -> np.ndarray:
        """Shift of the perturbed gene itself [perturbation]."""
        return self.shift[np.arange(len(self.sources)), self.sources]


@dataclass(frozen=True)
class PerturbationMoments:
    """Mean and variance (with n - 1) of each gene in each group, group 0 is the control.

    ``baseline`` is the mean of the control cells that each perturbation is compared with, that of its batches where there
    are batches, and ``control_error`` one over their number [perturbation]; ``skewness`` is that of control cells.
    """

    sources: np.ndarray
    cells: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    skewness: np.ndarray
    baseline: np.ndarray
    control_error: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """Mean of the perturbed cells less that of their control cells [perturbation, gene]."""
        return self.mean[1:] - self.baseline


def perturbation_moments(
    values: sparse.csr_matrix,
    perturbation: np.ndarray,
    weights: np.ndarray | None = None,
    batch: np.ndarray | None = None,
) -> PerturbationMoments:
    """Compute moments of each gene by perturbation in a few sparse products.

    Parameters
    ----------
    values
        [cell, gene], log-normalised.
    perturbation
        Perturbed gene of each cell, -1 control, -2 not used.
    weights
        Whole number of times that each cell counts (a bootstrap); once when absent.
    batch
        Batch of each cell: perturbed cells are compared with control cells of their own batches.
    """
    sources = np.unique(perturbation[perturbation >= 0])
    group = np.searchsorted(sources, perturbation) + 1
    group[perturbation == -1] = 0
    used = np.flatnonzero(perturbation >= -1)
    weight = np.ones(len(used)) if weights is None else weights[used].astype(np.float64)
    indicator = sparse.csr_matrix((weight, (group[used], used)), shape=(len(sources) + 1, len(perturbation)))
    count = np.asarray(indicator.sum(axis=1), dtype=np.float64).ravel()
    squares = values.copy()
    squares.data = squares.data**2
    mean = (indicator @ values).toarray().astype(np.float64) / np.maximum(count, 1)[:, None]
    second = (indicator @ squares).toarray().astype(np.float64) / np.maximum(count, 1)[:, None]
    spread = np.maximum(second - mean**2, 0)
    squares.data *= values.data
    third = (indicator[:1] @ squares).toarray().astype(np.float64)[0] / max(count[0], 1)
    central = third - 3 * mean[0] * second[0] + 2 * mean[0] ** 3
    skewness = central / np.maximum(spread[0], 1e-12) ** 1.5
    variance = spread * (count / np.maximum(count - 1, 1))[:, None]
    skewness = np.where(spread[0] > 1e-9, skewness, 0.0)
    baseline = np.broadcast_to(mean[0], mean[1:].shape)
    control_error = np.full(len(sources), 1 / max(count[0], 1))
    if batch is not None:
        baseline, control_error, between = _batch_baseline(values, group, used, weight, batch, len(sources))
        variance[0] = np.maximum(variance[0] - between[0], 0)
        variance[1:] = np.maximum(variance[1:] - between[1], 0)
    return PerturbationMoments(sources, count, mean, variance, skewness, baseline, control_error)


def _batch_baseline(
    values: sparse.csr_matrix,
    group: np.ndarray,
    used: np.ndarray,
    weight: np.ndarray,
    batch: np.ndarray,
    perturbations: int,
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Give the control means of each perturbation's batches, one over their cells, and the variance between batches."""
    batches = int(batch.max()) + 1
    control = group[used] == 0
    rows = used[control]
    indicator = sparse.csr_matrix((weight[control], (batch[rows], rows)), shape=(batches, values.shape[0]))
    number = np.asarray(indicator.sum(axis=1), dtype=np.float64).ravel()
    means = (indicator @ values).toarray().astype(np.float64) / np.maximum(number, 1)[:, None]
    share = np.zeros((perturbations + 1, batches))
    np.add.at(share, (group[used], batch[used]), weight)
    # a resample may leave a batch without control cells; its perturbed cells then lean on the others
    share[:, number == 0] = 0
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-12)
    baseline = share @ means
    between = np.maximum(share @ means**2 - baseline**2, 0)
    error = (share[1:] ** 2 / np.maximum(number, 1)).sum(axis=1)
    return baseline[1:], error, (between[0], between[1:])


def normal_score(z: np.ndarray, skewness: np.ndarray) -> np.ndarray:
    """Turn standardised means of skewed values into normal scores (Wilson and Hilferty 1931, for a shifted gamma).

    Five cells of a gene with few counts are either all zero or not: a mean far above that of the control is then less
    surprising than its standard error says, one below it more.

    Parameters
    ----------
    z
        Mean over its standard error.
    skewness
        Of the mean: that of a cell over the root of the number of cells; broadcast against ``z``.
    """
    g = np.clip(skewness, -1.5, 1.5)
    g = np.where(np.abs(g) < 1e-3, np.copysign(1e-3, g), g)
    base = np.maximum(1 + g * z / 2, 1e-3)
    return 6 / g * (np.cbrt(base) - 1) + g / 6


def knock_out_effects(moments: PerturbationMoments) -> KnockOutEffects:
    """Turn moments into standardised shifts and their errors.

    The error of perturbation p on gene t is ``sqrt(v_0t / n_0 + v'_pt / n_p)`` with the variance of the perturbed cells
    moderated by that of the control, ``v' = (d v_0 + (n_p - 1) v_p) / (d + n_p - 1)``, because a few sparse cells alone
    give variances that are zero by chance (Smyth 2004). It is then set so that ``shift / error`` is a normal score, see
    :func:`normal_score`. A gene without any variance over control cells is given a small one, so that it stays finite.
    """
    control = moments.variance[0]
    floor = max(1e-6, 1e-3 * float(np.median(control)))
    control = np.maximum(control, floor)
    scale = np.sqrt(control)
    number = moments.cells[1:, None]
    freedom = number - 1
    moderated = (MODERATION * control + freedom * moments.variance[1:]) / (MODERATION + freedom)
    error = np.sqrt(control * moments.control_error[:, None] + moderated / number)
    difference = moments.difference
    z = difference / error
    score = normal_score(z, moments.skewness / np.sqrt(number))
    ratio = np.divide(z, score, out=np.ones_like(z), where=np.abs(score) > 0.3)
    error = error * np.clip(ratio, 0.5, 4.0)
    return KnockOutEffects(moments.sources, difference / scale, error / scale, scale, moments.cells[1:])


def effects_of(cells: PerturbedCells) -> KnockOutEffects:
    """Normalise cells and compute the effects of their perturbations."""
    return knock_out_effects(perturbation_moments(normalise(cells), cells.perturbation, batch=cells.batch))


def spread_rows(rows: np.ndarray, sources: np.ndarray, genes: int, fill: float = np.nan) -> np.ndarray:
    """Put rows of perturbations [perturbation, gene] into a [gene, gene] matrix filled with ``fill``.

    Parameters
    ----------
    rows
        float [perturbation, gene].
    sources
        Perturbed gene of each row, int [perturbation].
    genes
        Number of genes.
    fill
        Value of all other entries and of the diagonal.
    """
    full = np.full((genes, genes), fill, dtype=np.float32)
    full[sources] = rows
    np.fill_diagonal(full, fill)
    return full


def screen_directions(effects: KnockOutEffects, given: Direction = "auto") -> Directions:
    """Read from the perturbed genes themselves which way they were moved, or take what is given."""
    return read_directions(effects.z[np.arange(len(effects.sources)), effects.sources], given)


def mean_shift(cells: PerturbedCells, statistic: str) -> Network:
    """Score an edge by how far the target's mean moves when the source is perturbed.

    Parameters
    ----------
    cells
        Perturbed cells.
    statistic
        ``moderated``: |z| with the error of :class:`KnockOutEffects`; ``welch``: |t| of Welch's test;
        ``difference``: absolute difference of the log-normalised means, as CausalBench's baseline.
    """
    cells.require_perturbations("mean-shift")
    # CausalBench's baseline divides by plain totals
    paper = statistic == "difference"
    values = log_normalise(cells.values, cells.scale) if paper else normalise(cells)
    moments = perturbation_moments(values, cells.perturbation, batch=cells.batch)
    effects = knock_out_effects(moments)
    difference = moments.difference
    if statistic == "difference":
        score = np.abs(difference)
    elif statistic == "welch":
        spread = (
            moments.variance[1:] / moments.cells[1:, None]
            + moments.variance[0] * moments.control_error[:, None]
        )
        score = np.abs(difference) / np.sqrt(spread + 1e-9)
    else:
        score = np.abs(effects.z)
    genes = len(cells.genes)
    sign = spread_rows(
        regulation_sign(difference, screen_directions(effects).sign), effects.sources, genes, 0
    )
    return Network(cells.genes, spread_rows(score, effects.sources, genes), sign=sign.astype(np.int8))


def perturbation_sizes(effects: KnockOutEffects, directions: Directions) -> np.ndarray:
    """How far each perturbed gene moved in its direction, in its standard deviations; positive [perturbation].

    At least twice the median error of such a move, because effects are divided by it. Where perturbed genes do not
    visibly move, each is taken to lose one standard deviation of activity.
    """
    if not directions.seen:
        return np.ones(len(effects.sources))
    error = effects.error[np.arange(len(effects.sources)), effects.sources]
    return np.maximum(directions.sign * effects.own, 2 * np.median(error))


def direct_effects(cells: PerturbedCells, cut: float) -> Network:
    """Score an edge by the direct part of its shift, from the inverse of the matrix of total effects.

    With total effects ``T`` in units of each source's own move (unit diagonal) and direct effects ``B``,
    ``T = (I - B)^-1``. Shifts with |z| below ``cut`` are taken as zero, because the inverse spreads noise.
    The score is the smaller of the direct and the total |z|, plus half the total one.
    """
    cells.require_perturbations("direct")
    effects = effects_of(cells)
    genes, sources = len(cells.genes), effects.sources
    directions = screen_directions(effects)
    size = perturbation_sizes(effects, directions)
    moved = (directions.sign * size)[:, None]
    among = effects.shift[:, sources]
    total = np.where(np.abs(effects.z[:, sources]) > cut, among, 0) / moved
    np.fill_diagonal(total, 1.0)
    inverse = np.linalg.pinv(total, rcond=1e-2)
    pivot = np.diag(inverse).copy()
    pivot[np.abs(pivot) < 1e-3] = 1e-3
    z = np.abs(effects.z)
    direct = z.copy()
    # Only perturbed genes can carry an effect on; the effect on a gene that was not perturbed, less what comes
    # through perturbed ones, follows from the same inverse applied to the shifts.
    part = np.abs((np.eye(len(sources)) - inverse / pivot[None, :]) * size[:, None])
    direct[:, sources] = part / effects.error[:, sources]
    others = np.setdiff1d(np.arange(genes), sources)
    if len(others):
        shifts = np.where(z[:, others] > cut, effects.shift[:, others], 0) / moved
        direct[:, others] = np.abs((inverse @ shifts) * size[:, None]) / effects.error[:, others]
    score = np.minimum(direct, z) + 0.5 * z
    sign = spread_rows(regulation_sign(effects.shift, directions.sign), sources, genes, 0).astype(np.int8)
    return Network(cells.genes, spread_rows(score, sources, genes), sign=sign)


def __getattr__(name: str) -> object:
    """Give the names that stood here until 0.2: ``wasserstein`` is in :mod:`cistron.networks.wasserstein_distance`."""
    if name in ("wasserstein", "wasserstein_groups"):
        return getattr(import_module("cistron.networks.wasserstein_distance"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
