"""Principal components of a matrix of genes x samples, streamed.

Source: Hotelling 1933; for tall matrices through the covariance of the samples, for wide ones by the
randomised method of Halko, Martinsson and Tropp 2011, both reading the matrix in blocks of genes.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from cistron.errors import InputError
from cistron.omics.preprocessing import PreparedMatrix
from cistron.omics.settings import PcaSettings
from cistron.runtime.progress import Progress
from cistron.runtime.seeds import random_generator
from cistron.runtime.shards import run_each

_COVARIANCE_LIMIT = 6000  # samples; above, the covariance costs more than passes over the matrix
_MANY_SAMPLES = 256  # samples; below, the exact way costs nothing
_FEW_COMPONENTS = 0.25  # share of the samples up to which single eigenvectors cost less than all of them


@dataclass(frozen=True)
class PcaResult:
    """Scores of the genes.

    Attributes
    ----------
    scores
        float32 [gene, component].
    explained
        Share of the variance of each component, float64 [component].
    """

    scores: np.ndarray
    explained: np.ndarray


def principal_components(
    prepared: PreparedMatrix, settings: PcaSettings | None = None, seed: int = 0
) -> PcaResult:
    """Compute principal component scores of genes.

    Parameters
    ----------
    prepared
        Transformed matrix; it is read in blocks and never held whole.
    settings
        Number of components or share of variance; 0.9 of the variance when neither is given.
    seed
        Seed of the randomised method.

    Returns
    -------
    PcaResult
        Scores and explained variance. Unscaled scores are divided by one number, so that the first component has
        unit variance. The sign of a component is fixed so that the loading of largest
        magnitude is positive.

    Raises
    ------
    InputError
        If more components are asked for than there are samples or genes.
    """
    settings = settings or PcaSettings()
    samples, genes = len(prepared.matrix.samples), int(prepared.kept.sum())
    most = min(samples, genes)
    if settings.dimensions is not None and settings.dimensions > most:
        raise InputError(
            f"{settings.dimensions} dimensions were asked for, but matrix {prepared.matrix.name} has {samples:,} samples "
            f"and {genes:,} genes; at most {most} are possible"
        )
    if settings.dimensions is None or samples <= _COVARIANCE_LIMIT:
        directions, variance, total = _from_covariance(prepared, settings.dimensions)
    else:
        directions, variance, total = _randomised(prepared, settings.dimensions, settings.passes, seed)
    explained = variance / total
    if settings.dimensions is not None:
        number = settings.dimensions
    else:
        share = 0.9 if settings.variance is None else settings.variance
        number = min(int(np.searchsorted(np.cumsum(explained), share - 1e-12) + 1), most)
    largest = np.abs(directions[:, :number]).argmax(axis=0)
    directions = directions[:, :number] * np.sign(directions[largest, np.arange(number)])
    shared = {"prepared": prepared, "directions": directions.astype(np.float32)}
    scores = np.vstack(list(run_each(_scores, prepared.matrix.shards(), shared)))
    scores -= scores.mean(axis=0)
    deviation = scores.std(axis=0)
    if settings.scale:
        scores /= np.where(deviation > 1e-6 * deviation.max(), deviation, 1.0)
    else:
        scores /= deviation.max()
    return PcaResult(scores.astype(np.float32), explained[:number])


def _scores(prepared: PreparedMatrix, directions: np.ndarray, first: int, last: int) -> np.ndarray:
    """Scores of a part of the genes, float32 [gene, component]."""
    return np.vstack([block @ directions for block in prepared.blocks(first=first, last=last)])


def _products(
    prepared: PreparedMatrix, shift: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Products of the samples [sample, sample] and their sums over a part of the genes, and how many these are."""
    size = len(shift)
    gram, total, count = np.zeros((size, size)), np.zeros(size), 0
    for block in prepared.blocks(first=first, last=last):
        wide = block.astype(shift.dtype, copy=False) - shift
        gram += wide.T @ wide
        total += wide.sum(axis=0, dtype=np.float64)
        count += len(wide)
    return gram, total, count


def _image(
    prepared: PreparedMatrix, basis: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray, float, int]:
    """What a part of the genes adds to the image of the basis, sums of samples, sum of squares, and how many genes it has."""
    image, total, square, count = np.zeros(basis.shape), np.zeros(len(basis)), 0.0, 0
    for block in prepared.blocks(first=first, last=last):
        image += block.T @ (block @ basis)
        total += block.sum(axis=0, dtype=np.float64)
        square += float(np.einsum("ij,ij->", block, block, dtype=np.float64))
        count += len(block)
    return image, total, square, count


def _from_covariance(prepared: PreparedMatrix, number: int | None) -> tuple[np.ndarray, np.ndarray, float]:
    """Directions [sample, component], variances and total variance from the covariance of the samples.

    The leading ``number`` components, or all where it is absent.
    """
    size = len(prepared.matrix.samples)
    few = number is not None and size >= _MANY_SAMPLES and number <= size * _FEW_COMPONENTS
    # Leading components need no more than single precision in the products of a block, which costs half the time;
    # sums over blocks stay in double precision, and a shift to about the mean keeps what is multiplied small.
    precision = np.float32 if few else np.float64
    gram, total, count = np.zeros((size, size)), np.zeros(size), 0
    shift = next(prepared.blocks()).mean(axis=0, dtype=np.float64).astype(precision)
    with Progress("reading the matrix", total=int(prepared.kept.sum()), unit="genes") as progress:
        for products, sums, genes in run_each(
            _products, prepared.matrix.shards(), {"prepared": prepared, "shift": shift}
        ):
            gram += products
            total += sums
            count += genes
            progress.advance(genes)
    mean = total / count
    covariance = gram / count - np.outer(mean, mean)
    values, vectors = linalg.eigh(
        covariance,
        driver="evr" if few else "evd",
        subset_by_index=(size - int(number or 0), size - 1) if few else None,
        check_finite=False,
    )
    return vectors[:, ::-1], np.maximum(values[::-1], 0.0), max(float(np.trace(covariance)), 0.0)


def _randomised(
    prepared: PreparedMatrix, number: int, passes: int, seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """The same for many samples: a random sketch of the covariance, refined by a pass over the matrix each."""
    samples, genes = len(prepared.matrix.samples), int(prepared.kept.sum())
    width = min(number + 16, samples, genes)
    basis = random_generator(seed, "pca").standard_normal((samples, width)).astype(np.float32)
    mean, total_variance = np.zeros(samples), 0.0
    with Progress("passes over the matrix", total=genes * (passes + 2), unit="genes") as progress:
        for step in range(passes + 2):
            basis = np.linalg.qr(basis)[0].astype(np.float32)
            product, column_sum, square, count = np.zeros((samples, width)), np.zeros(samples), 0.0, 0
            shared = {"prepared": prepared, "basis": basis}
            for image, sums, squares, number_of in run_each(_image, prepared.matrix.shards(), shared):
                product += image
                column_sum += sums
                square += squares
                count += number_of
                progress.advance(number_of)
            if step == 0:
                mean = column_sum / count
                total_variance = square / count - float(mean @ mean)
            # The mean is taken out here, so that blocks need not be centred again.
            product = product / count - np.outer(mean, mean @ basis)
            last_basis, basis = basis, product.astype(np.float32)
    small = last_basis.T.astype(np.float64) @ product  # (width, width), the covariance on the basis
    values, vectors = linalg.eigh((small + small.T) / 2)
    order = np.argsort(-values)
    return last_basis @ vectors[:, order], np.maximum(values[order], 0.0), total_variance
