"""From a task and settings to the parts of a fitted model: the functions behind the list of methods."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cistron.chromatin.linear_path import bin_means, fit_linear, promoter_means
from cistron.chromatin.settings import GeneMeanSettings, NetworkSettings, RidgeSettings
from cistron.chromatin.signal import Signal
from cistron.chromatin.splits import Parts
from cistron.errors import InputError
from cistron.formats.gene_tracks import GeneTracks


@dataclass(frozen=True)
class Task:
    """What a method is given to fit.

    Attributes
    ----------
    store, parts
        Data and what of it may be fitted on.
    seed
        Seed.
    directory
        Folder for what a killed run is taken up from.
    memory
        Bytes of marks that may be held.
    permutation
        Of the input, for the negative control.
    identity
        What tells this data from other data.
    """

    store: GeneTracks
    parts: Parts
    seed: int
    directory: Path | None
    memory: int
    permutation: np.ndarray | None
    identity: dict[str, Any]

    def signal(self, *parts: str) -> Signal:
        """Marks of the genes of some parts in the training cell types."""
        genes = self.parts.gene_rows(self.store, *parts)
        cells = self.parts.cell_numbers(self.store, "train")
        return Signal(self.store, genes, cells, memory=self.memory, permutation=self.permutation)

    def training_expression(self, signal: Signal) -> np.ndarray:
        """Expression of a signal's genes and cell types, float32 [gene, cell type]; genes must be of the training part."""
        names = [self.store.genes[row] for row in signal.genes]
        self.parts.genes.require_training(names, "fitting on expression")
        return self.store.require_expression()[signal.genes][:, signal.cell_types]


def fit_network(task: Task, settings: NetworkSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fit an ensemble; stop each member on the validation part."""
    from cistron.chromatin.training import Examples, fit_ensemble, summarise

    signal = task.signal("train")
    training = Examples(signal, task.training_expression(signal))
    summary = summarise(signal, task.seed)
    networks, reports = fit_ensemble(
        training,
        _validation(task),
        summary,
        settings,
        identity=task.identity,
        directory=task.directory,
        seed=task.seed,
    )
    parts = {
        "networks": tuple(network.eval() for network in networks),
        "summary": {
            "quantiles": summary.quantiles,
            "profile_mean": summary.profile_mean,
            "profile_precision": summary.profile_precision,
        },
    }
    facts = {
        "validation_losses": [report.best_loss for report in reports],
        "epochs": [report.epochs for report in reports],
        "seconds": [report.seconds for report in reports],
    }
    return parts, facts


def _validation(task: Task) -> Any:
    """Validation genes in the training cell types; all training genes in validation cell types where only these are held out."""
    from cistron.chromatin.training import Examples

    store, parts = task.store, task.parts
    expression = store.require_expression()
    genes = parts.gene_rows(store, "validation")
    cells = parts.cell_numbers(store, "train")
    if len(parts.cell_numbers(store, "validation")):
        genes = genes if len(genes) else parts.gene_rows(store, "train")
        cells = parts.cell_numbers(store, "train", "validation")
    if not len(genes):
        return None
    targets = expression[genes][:, cells].copy()
    held = parts.cell_numbers(store, "validation")
    if len(held):
        targets[:, ~np.isin(cells, held)] = np.nan
    signal = Signal(store, genes, cells, memory=task.memory, permutation=task.permutation)
    return Examples(signal, targets)


def fit_ridge_method(task: Task, settings: RidgeSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fit ridge on promoter means, or on means in coarse bins; each gene in each cell type is an example."""
    signal = task.signal("train")
    width = settings.promoter // task.store.tracks.bin_size
    blocks = [
        bin_means(values, settings.bins) if settings.bins else promoter_means(values, width)
        for _, values in signal.blocks()
    ]
    known = np.repeat(signal.measured, settings.bins or 1, axis=1)[None]
    fitted = fit_linear(np.concatenate(blocks), known, task.training_expression(signal), per_cell=True)
    return {"linear": fitted}, {}


def fit_gene_mean(task: Task, settings: GeneMeanSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take the mean of each gene over the training cell types: for held-out cell types only."""
    if not task.parts.cell_types.test:
        raise InputError(
            "gene-mean predicts held-out cell types from the others; give --held-out cell-types and --test-cell-types"
        )
    genes = task.parts.gene_rows(task.store, "train")
    cells = task.parts.cell_numbers(task.store, "train")
    expression = task.store.require_expression()[genes][:, cells]
    seen = np.isfinite(expression)
    kept = seen.any(axis=1)
    means = np.where(seen, expression, 0).sum(axis=1)[kept] / seen.sum(axis=1)[kept]
    names = [task.store.genes[row] for row in genes[kept]]
    return {"gene_means": dict(zip(names, means.tolist()))}, {}
