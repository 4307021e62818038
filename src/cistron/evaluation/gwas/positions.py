"""Where genes lie: covariates made from places alone, and the region that is left out.

Expression follows the density of genes along the chromosome, and so does a gene's z-score: neighbours share
variants. What an embedding knows about places is therefore part of the null model by default.
"""

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes import density

DENSITY_SCALES = (30_000, 100_000, 300_000)  # base pairs
POSITION_NAMES = (*(f"log density at {scale // 1000} kb" for scale in DENSITY_SCALES), "log gene length")

# The major histocompatibility complex: its linkage reaches over the whole region and its associations are among
# the strongest of the genome. The bounds hold for GRCh37 and GRCh38, and were fixed before anything was chosen.
MHC_CHROMOSOME, MHC_START, MHC_STOP = "6", 25_000_000, 36_000_000


def has_positions(genes: pd.DataFrame) -> bool:
    """Tell whether every gene has ``START`` and ``STOP``."""
    return {"START", "STOP"} <= set(genes) and bool(genes[["START", "STOP"]].notna().all(axis=None))


def log_densities(genes: pd.DataFrame, scales: tuple[int, ...] = DENSITY_SCALES) -> np.ndarray:
    """Logarithm of how many genes lie near each gene: log of the sum of exp(-distance / scale).

    Distances are between the middles of genes; the sum is over all genes of the chromosome, the gene itself
    included, so that a gene alone has 0.

    Parameters
    ----------
    genes
        Columns ``CHR``, ``START``, ``STOP``.
    scales
        Scales in base pairs.

    Returns
    -------
    ndarray
        float64 [gene, scale].
    """
    middle = ((genes["START"] + genes["STOP"]) / 2).to_numpy(np.float64)
    return density.log_densities(genes["CHR"].to_numpy(dtype=str), middle, scales)


def position_covariates(genes: pd.DataFrame, what: str) -> np.ndarray:
    """Covariates of the positional null model: log density at three scales and log length.

    Parameters
    ----------
    genes
        Columns ``GENE``, ``CHR``, ``START``, ``STOP``.
    what
        Name of the traits, for messages.

    Returns
    -------
    ndarray
        float64 [gene, 4], columns as in ``POSITION_NAMES``, each of mean 0 and variance 1.

    Raises
    ------
    InputError
        If places are absent or a gene does not end behind its start.
    """
    if not has_positions(genes):
        raise InputError(
            f"traits {what}: the positional null model needs START and STOP of every gene, and they are not given: "
            "name a gene table with --annotation TABLE (GENE CHR START STOP), or use --null published"
        )
    length = (genes["STOP"] - genes["START"]).to_numpy(np.float64)
    if (length <= 0).any():
        first = genes[length <= 0].iloc[0]
        raise InputError(
            f"traits {what}: {int((length <= 0).sum()):,} genes do not end behind their start, for example {first['GENE']} "
            f"(START {first['START']:.0f}, STOP {first['STOP']:.0f}); mend the table or use --null published"
        )
    columns = np.column_stack([log_densities(genes), np.log(length)])
    spread = columns.std(axis=0)
    return (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def in_mhc(genes: pd.DataFrame) -> np.ndarray:
    """Genes that overlap the human MHC (chromosome 6, 25 to 36 Mb), bool [gene]; none where places are not known."""
    if not has_positions(genes):
        return np.zeros(len(genes), dtype=bool)
    inside = (genes["STOP"] >= MHC_START) & (genes["START"] <= MHC_STOP)
    return ((genes["CHR"] == MHC_CHROMOSOME) & inside).to_numpy(bool)
