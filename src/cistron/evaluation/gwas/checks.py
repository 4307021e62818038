"""What would make a GWAS evaluation wrong without a word: marker values, filtered files, rows cut from a file."""

import numpy as np

from cistron.errors import InputError
from cistron.evaluation.gwas.traits import TraitCollection, TraitDesign
from cistron.formats.magma import GeneCorrelations

LARGEST_Z = 40.0  # MAGMA's p-values end near 1e-300, which is z = 37
_FEWEST_FOR_FILTER = 100  # genes; fewer can all be above 0 by chance or on purpose
_FEWEST_ON_A_SIDE = (
    0.01  # share of the genes; the strongest gene analyses have a tenth of their z-scores below 0
)
_NEAR_ZERO = 0.5  # a filter by p-value keeps no gene below this, absolute values keep the most there


def check_z_scores(collection: TraitCollection) -> list[str]:
    """Refuse z-scores that no study gives and remark on files that lost a half or a sign.

    Parameters
    ----------
    collection
        The traits.

    Returns
    -------
    list of str
        One remark a trait whose z-scores lie on one side of 0: filtered, absolute values, or turned round.

    Raises
    ------
    InputError
        If a z-score is larger than 40 in magnitude: a marker such as -999 for a missing value.
    """
    remarks = []
    for design in collection.designs:
        for trait, z in zip(design.traits, design.z.T):
            worst = int(np.abs(z).argmax())
            if abs(z[worst]) > LARGEST_Z:
                number = int((np.abs(z) > LARGEST_Z).sum())
                raise InputError(
                    f"trait {trait}: ZSTAT of gene {design.genes['GENE'].iloc[worst]} is {z[worst]:g} ({number:,} genes beyond "
                    f"+-{LARGEST_Z:g}); no gene analysis gives that, so it marks a missing value: remove these rows"
                )
            if len(z) >= _FEWEST_FOR_FILTER and (remark := _one_sided(z)):
                remarks.append(f"{trait}: {remark}")
    return remarks


def _one_sided(z: np.ndarray) -> str:
    """What is wrong with z-scores that lie on one side of 0, or nothing; z is float64 [gene]."""
    if z.min() >= _NEAR_ZERO:
        return (
            f"every z-score is at least {z.min():.3g}, so the file was filtered by p-value; use all genes of "
            "the MAGMA run, because covariates predict which genes pass a filter and R2 of the null model is inflated"
        )
    if (z < 0).mean() < _FEWEST_ON_A_SIDE:
        return (
            f"{(z < 0).mean():.1%} of the z-scores are below 0, where a gene analysis has a tenth to a half: they are absolute "
            "values of two-sided p-values, or genes of large p-value are missing; use ZSTAT of MAGMA, the one-sided "
            "z-score of each gene's p-value"
        )
    if (z > 0).mean() < _FEWEST_ON_A_SIDE:
        return (
            f"{(z > 0).mean():.1%} of the z-scores are above 0: their sign is turned round, so that associated genes have the "
            "lowest; use ZSTAT of MAGMA, which is high where a gene is associated"
        )
    return ""


def check_no_rows_cut(design: TraitDesign, correlations: GeneCorrelations, name: str) -> None:
    """Refuse a ``.genes.raw`` file from which rows were deleted.

    MAGMA writes ``.genes.out`` and ``.genes.raw`` with the same genes. The correlations of a row belong to the
    genes before it by their order, so a deleted row makes those of the rows that follow point at wrong genes.

    Parameters
    ----------
    design
        Traits of the same run.
    correlations
        Contents of the ``.genes.raw`` file.
    name
        Name of that file.

    Raises
    ------
    InputError
        If a gene of the traits is absent from the file.
    """
    absent = design.genes["GENE"][~design.genes["GENE"].isin(correlations.genes["GENE"])]
    if len(absent):
        raise InputError(
            f"{name}: {len(absent):,} of {len(design.genes):,} genes of {design.traits[0]} are absent, for example {absent.iloc[0]}; "
            "MAGMA writes both files with the same genes, so rows were removed from it and its correlations point at wrong "
            "genes. Use the file as MAGMA wrote it, or leave out --covariance to go on without whitening"
        )
