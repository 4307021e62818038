"""From training data and settings to a fitted model: the functions behind the list of methods."""

from typing import Any

import numpy as np

from cistron.chromatin.fitted_model import SUMMARY
from cistron.chromatin.fitting_data import FittingData, validation_examples
from cistron.chromatin.linear_path import bin_means, fit_linear, promoter_means
from cistron.chromatin.settings import GeneMeanSettings, MarkRidgeSettings, NetworkSettings
from cistron.chromatin.settings_peers import SingleCellTypeSettings
from cistron.errors import InputError


def fit_network(
    data: FittingData, settings: NetworkSettings | SingleCellTypeSettings
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fit an ensemble; stop each member on the validation part."""
    from cistron.chromatin.training import Examples, fit_ensemble, summarise

    signal = data.signal("train")
    held = validation_examples(data)
    training = Examples(signal, data.training_expression(signal))
    summary = summarise(signal, data.seed)
    networks, reports = fit_ensemble(
        training,
        None if held is None else Examples(*held),
        summary,
        settings,
        identity=data.identity,
        directory=data.directory,
        seed=data.seed,
    )
    parts = {
        "networks": tuple(network.eval() for network in networks),
        "summary": {name: getattr(summary, name) for name in SUMMARY},
    }
    facts = {
        "validation_losses": [report.best_loss for report in reports],
        "epochs": [report.epochs for report in reports],
        "seconds": [report.seconds for report in reports],
    }
    return parts, facts


def fit_ridge_method(data: FittingData, settings: MarkRidgeSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fit ridge on promoter means, or on means in coarse bins; each gene in each cell type is an example."""
    signal = data.signal("train")
    width = settings.promoter // data.store.tracks.bin_size
    blocks = [
        bin_means(values, settings.bins) if settings.bins else promoter_means(values, width)
        for _, values in signal.blocks()
    ]
    known = np.repeat(signal.measured, settings.bins or 1, axis=1)[None]
    fitted = fit_linear(np.concatenate(blocks), known, data.training_expression(signal), per_cell=True)
    return {"linear": fitted}, {}


def fit_gene_mean(data: FittingData, settings: GeneMeanSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take the mean of each gene over the training cell types: for held-out cell types only."""
    if not data.split.cell_types.test:
        raise InputError(
            "gene-mean predicts held-out cell types from the others; give --held-out cell-types and --test-cell-types"
        )
    genes = data.split.gene_rows(data.store, "train")
    cells = data.split.cell_numbers(data.store, "train")
    expression = data.store.require_expression()[genes][:, cells]
    seen = np.isfinite(expression)
    kept = seen.any(axis=1)
    means = np.where(seen, expression, 0).sum(axis=1)[kept] / seen.sum(axis=1)[kept]
    names = [data.store.genes[row] for row in genes[kept]]
    return {"gene_means": dict(zip(names, means.tolist()))}, {}


Task = FittingData  # its name until 0.3
