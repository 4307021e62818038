"""From training data and settings to a fitted model: the functions behind the list of methods."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cistron.chromatin.fitted_model import SUMMARY
from cistron.chromatin.linear_path import bin_means, fit_linear, promoter_means
from cistron.chromatin.settings import GeneMeanSettings, MarkRidgeSettings, NetworkSettings
from cistron.chromatin.settings_peers import SingleCellTypeSettings
from cistron.chromatin.signal import Signal
from cistron.chromatin.splits import TwoAxisSplit
from cistron.errors import InputError
from cistron.formats.gene_tracks import GeneTracks


@dataclass(frozen=True)
class FittingData:
    """What a method is given to fit.

    Attributes
    ----------
    store, split
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
    split: TwoAxisSplit
    seed: int
    directory: Path | None
    memory: int
    permutation: np.ndarray | None
    identity: dict[str, Any]

    @property
    def parts(self) -> TwoAxisSplit:
        """Name of ``split`` until 0.3."""
        return self.split

    def signal(self, *parts: str) -> Signal:
        """Marks of the genes of some parts in the training cell types."""
        genes = self.split.gene_rows(self.store, *parts)
        cells = self.split.cell_numbers(self.store, "train")
        return Signal(self.store, genes, cells, memory=self.memory, permutation=self.permutation)

    def training_expression(self, signal: Signal) -> np.ndarray:
        """Expression of a signal's genes and cell types, float32 [gene, cell type]; genes must be of the training part."""
        names = [self.store.genes[row] for row in signal.genes]
        self.split.genes.require_training(names, "fitting on expression")
        return self.store.require_expression()[signal.genes][:, signal.cell_types]


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


def validation_examples(data: FittingData) -> tuple[Signal, np.ndarray] | None:
    """Marks and expression to stop by; ``None`` if nothing is held out for it.

    Validation genes in the training cell types; all training genes in validation cell types where only these are held out.
    """
    store, split = data.store, data.split
    expression = store.require_expression()
    genes = split.gene_rows(store, "validation")
    cells = split.cell_numbers(store, "train")
    if len(split.cell_numbers(store, "validation")):
        genes = genes if len(genes) else split.gene_rows(store, "train")
        cells = split.cell_numbers(store, "train", "validation")
    if not len(genes):
        return None
    targets = expression[genes][:, cells].copy()
    held = split.cell_numbers(store, "validation")
    if len(held):
        targets[:, ~np.isin(cells, held)] = np.nan
    signal = Signal(store, genes, cells, memory=data.memory, permutation=data.permutation)
    return signal, targets


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
