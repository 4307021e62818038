"""The list of embedding methods. A new one is a file and an entry here (page ``docs/guide/adding_an_embedder.md``)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cistron.errors import InputError
from cistron.omics.pca import PcaSettings, principal_components
from cistron.omics.preprocessing import PreparedMatrix
from cistron.omics.settings import AutoencoderSettings, VdtfSettings
from cistron.training import FitReport


@dataclass(frozen=True)
class EmbeddingValues:
    """What a method gives.

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


@dataclass(frozen=True)
class EmbeddingMethod:
    """One way from a matrix to an embedding.

    Attributes
    ----------
    name
        Name on the command line.
    settings
        Frozen data class of its settings.
    fit
        ``fit(matrices, settings, seed, directory) -> EmbeddingValues``: a list of prepared matrices, and a
        folder for checkpoints or None.
    reference
        Where it comes from.
    meaning
        What a dimension means.
    joint
        Whether it takes several matrices at once.
    """

    name: str
    settings: type
    fit: Callable[[Sequence[PreparedMatrix], Any, int, Path | None], EmbeddingValues]
    reference: str
    meaning: str
    joint: bool = False


def _pca(
    matrices: Sequence[PreparedMatrix], settings: PcaSettings, seed: int, directory: Path | None
) -> EmbeddingValues:
    result = principal_components(matrices[0], settings, seed)
    explained = float(result.explained.sum())
    return EmbeddingValues(
        result.scores,
        {"explained_variance": [round(float(share), 6) for share in result.explained]},
        f"{result.scores.shape[1]} components explain {explained:.1%} of the variance",
    )


def _autoencoder(
    matrices: Sequence[PreparedMatrix], settings: AutoencoderSettings, seed: int, directory: Path | None
) -> EmbeddingValues:
    from cistron.omics.autoencoder import encode  # loads torch

    result = encode(matrices[0], settings, directory=directory, seed=seed)
    return EmbeddingValues(
        result.values,
        {"held_out_r2": round(result.held_out_r2, 6), **_fit_facts(result.report)},
        f"{result.report.epochs} epochs on {result.report.device}; {result.held_out_r2:.1%} of the variance of "
        "held-out entries about the gene means explained",
        genes=result.genes,
    )


def _vdtf(
    matrices: Sequence[PreparedMatrix], settings: VdtfSettings, seed: int, directory: Path | None
) -> EmbeddingValues:
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
    return EmbeddingValues(
        result.mean,
        {**facts, **_fit_facts(result.report)},
        remark,
        standard_deviation=result.deviation,
        genes=result.genes,
    )


def _fit_facts(report: FitReport) -> dict[str, Any]:
    return {"epochs_done": report.epochs, "best_epoch": report.best_epoch, "device": report.device}


METHODS = {
    method.name: method
    for method in (
        EmbeddingMethod(
            "pca",
            PcaSettings,
            _pca,
            "Hotelling 1933; randomised for many samples: Halko, Martinsson and Tropp 2011",
            "score of the gene on a principal component of the samples",
        ),
        EmbeddingMethod(
            "autoencoder",
            AutoencoderSettings,
            _autoencoder,
            "Hinton and Salakhutdinov 2006, in the form of the functional gene embeddings report (TUM, 2024)",
            "latent variable of a network that reconstructs the gene's row",
        ),
        EmbeddingMethod(
            "vdtf",
            VdtfSettings,
            _vdtf,
            "Brechtmann et al., NAR Genomics and Bioinformatics 2023 (lqad095)",
            "posterior mean of a latent variable of the gene, shared by all matrices",
            joint=True,
        ),
    )
}


def embedding_method(name: str) -> EmbeddingMethod:
    """Find a method by name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in METHODS:
        raise InputError(f"there is no embedding method {name!r}; expected {', '.join(METHODS)}")
    return METHODS[name]
