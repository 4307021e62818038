"""What the functions behind the list of methods are given to fit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cistron.chromatin.signal import Signal
from cistron.chromatin.splits import TwoAxisSplit
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
