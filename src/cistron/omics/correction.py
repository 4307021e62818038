"""Corrections of dependency matrices (Wainberg et al., Nature Genetics 2021): olfactory bias, collinear cell lines."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from cistron.errors import IdentifierError, InputError


def subtract_olfactory_bias(
    values: np.ndarray,
    genes: Sequence[str],
    olfactory: Collection[str],
    components: int = 4,
    drop_last: int = 4,
) -> np.ndarray:
    """Subtract what genes share with olfactory receptors, which no cell line depends on.

    A PCA of ``components`` is fitted on the rows of olfactory receptor genes; every gene loses its
    reconstruction by it, the mean of the olfactory rows included. The last ``drop_last`` columns are left out:
    the correction takes that many dimensions from the matrix, so that as many columns follow from the others.

    Parameters
    ----------
    values
        Gene effects, float [gene, cell line], no missing entries.
    genes
        Gene of each row, in the namespace of ``olfactory``.
    olfactory
        Olfactory receptor genes.
    components
        Components of the PCA.
    drop_last
        Columns to leave out at the end.

    Returns
    -------
    ndarray
        float32 [gene, cell line - drop_last].

    Raises
    ------
    IdentifierError
        If fewer olfactory genes are in the matrix than the PCA needs.
    InputError
        If entries are missing or too few columns are left.
    """
    if not np.isfinite(values).all():
        raise InputError(
            "the olfactory correction needs a matrix without missing values; fill or drop them first"
        )
    if values.shape[1] - drop_last < 2 or components >= values.shape[1]:
        raise InputError(
            f"the olfactory correction takes {components} components and {drop_last} columns. Given: {values.shape[1]} columns"
        )
    known = set(olfactory)
    rows = np.array([gene in known for gene in genes])
    if rows.sum() <= components:
        raise IdentifierError(
            f"{int(rows.sum())} of {len(known):,} olfactory genes are in the matrix, for example {min(known)}; more than "
            f"{components} are needed: check that both use the same kind of ids"
        )
    controls = values[rows].astype(np.float64)
    mean = controls.mean(axis=0)
    _, _, directions = np.linalg.svd(controls - mean, full_matrices=False)
    directions = directions[:components]
    centred = values - mean
    corrected = centred - (centred @ directions.T) @ directions
    return corrected[:, : values.shape[1] - drop_last].astype(np.float32)


@dataclass(frozen=True)
class WhitenedSamples:
    """A matrix whose columns are uncorrelated.

    Attributes
    ----------
    values
        X W', float32 [gene, sample]; the covariance of its columns over genes is the identity.
    intercept
        What an intercept of ones becomes, float64 [sample]; generalised least squares uses it in its place.
    """

    values: np.ndarray
    intercept: np.ndarray


def whiten_samples(values: np.ndarray) -> WhitenedSamples:
    """Whiten across samples with W such that W cov W' = 1, W' the Cholesky factor of the inverse covariance.

    Parameters
    ----------
    values
        float [gene, sample], no missing entries, more genes than samples.

    Raises
    ------
    InputError
        If entries are missing or the samples are collinear.
    """
    if not np.isfinite(values).all():
        raise InputError("whitening needs a matrix without missing values; fill or drop them first")
    covariance = np.atleast_2d(np.cov(values.astype(np.float64), rowvar=False))
    spectrum = linalg.eigvalsh(covariance)
    if values.shape[0] <= values.shape[1] or spectrum[0] <= 1e-8 * spectrum[-1]:
        raise InputError(
            f"the {values.shape[1]} samples of {values.shape[0]:,} genes are collinear (smallest eigenvalue {spectrum[0]:.1e}): "
            "whitening needs more genes than samples and no sample that follows from others; drop the last samples first"
        )
    factor = linalg.cholesky(linalg.inv(covariance), lower=True)
    return WhitenedSamples((values @ factor).astype(np.float32), factor.sum(axis=0))
