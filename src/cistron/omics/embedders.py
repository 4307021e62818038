"""The functions behind the list of methods: prepared matrices in, values of an embedding out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cistron.omics.pca import principal_components
from cistron.omics.preprocessing import PreparedMatrix
from cistron.omics.settings import AutoencoderSettings, PcaSettings, SoftImputeSettings, VdtfSettings
from cistron.omics.soft_impute import soft_impute

if TYPE_CHECKING:
    from cistron.training import FitReport


@dataclass(frozen=True)
class EmbeddingValues:
    """Result of a method: values of the embedding, and what was found while fitting.

    Attributes
    ----------
    values
        float32 [gene, dimension].
    facts
        Facts about the fit, plain JSON types.
    remark
        One sentence about the fit.
    standard_deviation
        Posterior standard deviation, float32 [gene, dimension], or None.
    genes
        Genes of the rows; those of the prepared matrix when absent.
    """

    values: np.ndarray
    facts: dict[str, Any]
    remark: str
    standard_deviation: np.ndarray | None = None
    genes: list[str] | None = None


def embed_pca(
    matrices: Sequence[PreparedMatrix], settings: PcaSettings, seed: int, directory: Path | None
) -> EmbeddingValues:
    """Principal components of one matrix.

    Parameters
    ----------
    matrices
        Prepared matrices: one.
    settings
        Settings of the method.
    seed
        Seed of everything random.
    directory
        Folder for record and checkpoint; not used.
    """
    result = principal_components(matrices[0], settings, seed)
    explained = float(result.explained.sum())
    return EmbeddingValues(
        result.scores,
        {"explained_variance": [round(float(share), 6) for share in result.explained]},
        f"{result.scores.shape[1]} components explain {explained:.1%} of the variance",
    )


def embed_soft_impute(
    matrices: Sequence[PreparedMatrix], settings: SoftImputeSettings, seed: int, directory: Path | None
) -> EmbeddingValues:
    """Iterated shrunken principal components of one or several matrices.

    Parameters
    ----------
    matrices
        Prepared matrices: one or several.
    settings
        Settings of the method.
    seed
        Seed of everything random.
    directory
        Folder for record and checkpoint; not used.
    """
    result = soft_impute(matrices, settings, seed)
    each = ", ".join(f"{name} {value:.1%}" for name, value in result.held_out_r2_of.items())
    remark = (
        f"penalty {result.penalty:.3g} of the largest singular value, chosen by entries of its own; {result.held_out_r2:.1%} of the "
        f"variance of held-out entries about the gene means explained{f' ({each})' if len(matrices) > 1 else ''}"
    )
    facts: dict[str, Any] = {"held_out_r2": round(result.held_out_r2, 6), "penalty": round(result.penalty, 6)}
    facts |= {f"held_out_r2 {name}": round(value, 6) for name, value in result.held_out_r2_of.items()}
    return EmbeddingValues(result.scores, facts, remark, genes=result.genes)


def embed_autoencoder(
    matrices: Sequence[PreparedMatrix], settings: AutoencoderSettings, seed: int, directory: Path | None
) -> EmbeddingValues:
    """Latent variables of an autoencoder of one matrix.

    Parameters
    ----------
    matrices
        Prepared matrices: one.
    settings
        Settings of the method.
    seed
        Seed of everything random.
    directory
        Folder for record and checkpoint, or ``None``.
    """
    from cistron.omics.autoencoder import encode  # loads torch

    result = encode(matrices[0], settings, directory=directory, seed=seed)
    facts: dict[str, Any] = {"held_out_r2": round(result.held_out_r2, 6)}
    if settings.tested:
        facts["test_r2"] = round(result.test_r2, 6)
    return EmbeddingValues(
        result.values,
        {**facts, **_fit_facts(result.report)},
        f"{result.report.epochs} epochs on {result.report.device}; {result.held_out_r2:.1%} of the variance of "
        "held-out entries about the gene means explained",
        genes=result.genes,
    )


def embed_vdtf(
    matrices: Sequence[PreparedMatrix], settings: VdtfSettings, seed: int, directory: Path | None
) -> EmbeddingValues:
    """Posterior of the gene embedding of variational deep tensor factorisation.

    Parameters
    ----------
    matrices
        Prepared matrices: one or several.
    settings
        Settings of the method.
    seed
        Seed of everything random.
    directory
        Folder for record and checkpoint, or ``None``.
    """
    from cistron.omics.factorise import factorise  # loads torch

    result = factorise(matrices, settings, directory=directory, seed=seed)
    each = ", ".join(f"{name} {value:.1%}" for name, value in result.held_out_r2_of.items())
    remark = (
        f"{result.report.epochs} epochs on {result.report.device}; {result.held_out_r2:.1%} of the variance of held-out "
        f"entries about the gene means explained{f' ({each})' if len(matrices) > 1 else ''}; {result.active} of "
        f"{result.mean.shape[1]} dimensions are determined by the data"
    )
    if result.dropped:
        remark += f"; {len(result.dropped):,} genes without an entry left out"
    facts = {"held_out_r2": round(result.held_out_r2, 6), "active_dimensions": result.active}
    facts |= {f"held_out_r2 {name}": round(value, 6) for name, value in result.held_out_r2_of.items()}
    if settings.tested:
        facts["test_r2"] = round(result.test_r2, 6)
    return EmbeddingValues(
        result.mean,
        {**facts, **_fit_facts(result.report)},
        remark,
        genes=result.genes,  # sigma is not written: it falls short of the error by 1.1 to 2.7 (docs/decisions.md)
    )


def _fit_facts(report: "FitReport") -> dict[str, Any]:
    return {"epochs_done": report.epochs, "best_epoch": report.best_epoch, "device": report.device}
