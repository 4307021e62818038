"""How a sequence model sees a gene of a design: its window around the start site, and its chosen tracks in the bins that matter."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cistron.errors import InputError
from cistron.genome import Genome, one_hot
from cistron.sequence.enformer import Enformer
from cistron.sequence.settings import BIN


def coarse(values: Tensor, together: int) -> Tensor:
    """Means over ``together`` neighbouring bins, [sequence, track, group]; the last group may have fewer."""
    if together < 2:
        return values
    return functional.avg_pool1d(values, together, ceil_mode=True, count_include_pad=False)


@dataclass(frozen=True)
class View:
    """A model over a gene.

    Attributes
    ----------
    model
        The model, ready to predict.
    organism
        Whose tracks.
    numbers
        Its chosen tracks, int [track].
    start
        Place of the first base pair of its input.
    codes
        Its input, uint8 [base pair].
    """

    model: Enformer
    organism: str
    numbers: np.ndarray
    start: int
    codes: np.ndarray

    @classmethod
    def of(
        cls,
        model: Enformer,
        organism: str,
        numbers: np.ndarray,
        genome: Genome,
        chromosome: str,
        position: int,
    ) -> "View":
        """Lay the window of a model around a start site.

        Parameters
        ----------
        model, organism, numbers
            As of the class.
        genome
            The reference.
        chromosome, position
            The start site, 0-based.
        """
        length = model.settings.length
        start = position - length // 2
        return cls(model, organism, numbers, start, genome.codes(chromosome, start, start + length))

    @property
    def first(self) -> int:
        """Place of the first base pair of the first bin."""
        return self.start + self.model.settings.crop * BIN

    @property
    def bins(self) -> int:
        """Number of bins."""
        return self.model.settings.length // BIN - 2 * self.model.settings.crop

    def slice_of(self, low: int, high: int) -> slice:
        """Its bins from one place of the genome to another.

        Raises
        ------
        InputError
            If its bins begin elsewhere, or it does not reach as far.
        """
        begin, left = divmod(low - self.first, BIN)
        end = (high - self.first) // BIN
        if left or begin < 0 or end > self.bins:
            raise InputError(
                f"the judge predicts {self.bins:,} bins of {BIN} bp from {self.first:,}, which do not hold those of the design ({low:,} to {high:,}); "
                "give a model with the bins and at least the length of the one that is searched with"
            )
        return slice(begin, end)

    def predictor(self, bins: slice, together: int = 1) -> Callable[[Tensor], Tensor]:
        """log1p of the chosen tracks in some bins, means over ``together`` of them: from one-hot DNA to [sequence, track x bin]."""
        tracks = {self.organism: torch.from_numpy(self.numbers)}

        def predict(sequences: Tensor) -> Tensor:
            device = next(self.model.parameters()).device
            found = self.model(sequences.to(device), organisms=[self.organism], tracks=tracks)[self.organism]
            return coarse(torch.log1p(found[:, bins].clamp(min=0)).transpose(1, 2), together).flatten(1)

        return predict

    def edited(self, start: int, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Its input with the changes of another window, uint8 [base pair].

        Parameters
        ----------
        start
            Place of the first base pair of the other window.
        before, after
            The other window, uint8 [base pair].
        """
        codes = self.codes.copy()
        changed = np.flatnonzero(before != after)
        places = start + changed - self.start
        inside = (places >= 0) & (places < len(codes))
        codes[places[inside]] = after[changed[inside]]
        return codes

    def before_and_after(self, bins: slice, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predicted values of its input as it was and as edited, float32 [track x bin] each."""
        predict = self.predictor(bins)
        with torch.no_grad():
            found = [
                predict(torch.from_numpy(one_hot(one))[None])[0].cpu().numpy() for one in (self.codes, codes)
            ]
        return found[0], found[1]
