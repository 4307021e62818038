"""What alleles change in predicted tracks: sums over bins of the window with and without each, exactly.

The tower is run once a window, and again only for the bins that an allele reaches (:mod:`cistron.sequence.tower_parts`); the
transformer and the heads are run for every allele, the last block of the transformer only for the bins that are summed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cistron.genome import Dna, one_hot
from cistron.genome.alleles import allele_window, anchors, reverse_complement_codes
from cistron.sequence.enformer import Enformer
from cistron.sequence.settings import InferenceSettings
from cistron.sequence.tower_parts import alternative_tower


@dataclass(frozen=True)
class Allele:
    """A change of DNA: position of the first letter (0-based), letters before and after, as in a VCF."""

    position: int
    reference: bytes
    alternative: bytes


@dataclass(frozen=True)
class AlleleWindow:
    """A window of the reference and the alleles that are scored in it.

    Attributes
    ----------
    chromosome, start, end
        The window, 0-based, half-open.
    alleles
        Alleles, each alone.
    """

    chromosome: str
    start: int
    end: int
    alleles: tuple[Allele, ...]


class ReadOut:
    """Runs transformer and heads on towers, as many at a time as asked for.

    Parameters
    ----------
    model
        Model in evaluation mode.
    organism
        Head.
    batch_size
        Towers at a time.
    """

    def __init__(self, model: Enformer, organism: str, batch_size: int) -> None:
        self.model, self.organism, self.batch_size = model, organism, batch_size
        self.waiting: list[tuple[Tensor, Callable[[np.ndarray], None]]] = []
        self.tracks = torch.zeros(0, dtype=torch.long)

    def add(self, tower: Tensor, give: Callable[[np.ndarray], None]) -> None:
        """Take a tower [T, channels]; ``give`` gets its sums over bins, float64 [tracks], by the next :meth:`flush`."""
        self.waiting.append((tower, give))
        if len(self.waiting) >= self.batch_size:
            self.flush()

    def flush(self) -> None:
        """Run what is waiting."""
        if not self.waiting:
            return
        towers = torch.stack([tower for tower, _ in self.waiting])  # [B, T, C]
        trunk = self.model.read_out(towers)  # [B, bins, 2C]
        predicted = self.model.predict(trunk, [self.organism], {self.organism: self.tracks})[self.organism]
        sums = predicted.sum(1, dtype=torch.float64).cpu().numpy()  # [B, tracks]
        for row, (_, give) in zip(sums, self.waiting):
            give(row)
        self.waiting.clear()


class EffectScorer:
    """Sums of predicted tracks with and without alleles.

    Parameters
    ----------
    model
        Model in evaluation mode, on its device.
    genome
        The reference.
    organism
        Whose tracks.
    tracks
        Numbers of the tracks, int64 [track].
    settings
        Batches, augmentation.
    strand_pairs
        Partner of every track of the organism on the other strand.
    """

    def __init__(
        self,
        model: Enformer,
        genome: Dna,
        organism: str,
        tracks: np.ndarray,
        settings: InferenceSettings,
        strand_pairs: np.ndarray | None = None,
    ) -> None:
        self.model, self.genome, self.tracks = model, genome, tracks
        self.settings, self.strand_pairs = settings, strand_pairs
        self.read_out = ReadOut(model, organism, settings.batch_size)
        self.margin = max(abs(shift) for shift, _ in settings.passes())
        self.device = next(model.parameters()).device

    @torch.inference_mode()
    def sums(self, windows: Sequence[AlleleWindow]) -> tuple[np.ndarray, np.ndarray]:
        """Predict each window with the reference and with each of its alleles.

        Parameters
        ----------
        windows
            Windows of one length.

        Returns
        -------
        reference, alternative : ndarray
            Sums over the predicted bins, float64 [allele, track], alleles of all windows one after the other; means over the
            passes of the augmentation, and of an insertion or deletion over its two anchors.
        """
        number = sum(len(window.alleles) for window in windows)
        reference, alternative = np.zeros((2, number, len(self.tracks)))
        firsts = np.cumsum([0, *(len(window.alleles) for window in windows)])
        passes, size = self.settings.passes(), self.settings.batch_size
        for shift, reverse in passes:
            chosen = (
                self.tracks if self.strand_pairs is None or not reverse else self.strand_pairs[self.tracks]
            )
            self.read_out.tracks = torch.from_numpy(np.asarray(chosen, np.int64))
            for low in range(0, len(windows), size):
                self._run(windows[low : low + size], firsts[low:], shift, reverse, reference, alternative)
            self.read_out.flush()
        return reference / len(passes), alternative / len(passes)

    def _run(
        self,
        windows: Sequence[AlleleWindow],
        firsts: np.ndarray,
        shift: int,
        reverse: bool,
        reference: np.ndarray,
        alternative: np.ndarray,
    ) -> None:
        """Add one pass of a few windows to the sums."""
        wide = [self._wide(window) for window in windows]
        codes = [self._seen(self.genome.codes(*place), shift, reverse) for place in wide]
        towers = self.model.convolve(self._encoded(np.stack(codes)))  # [B, T, C]
        for window, place, before, tower, first in zip(windows, wide, codes, towers, firsts):
            rows = slice(int(first), int(first) + len(window.alleles))

            def give(sums: np.ndarray, rows: slice = rows) -> None:
                reference[rows] += sums

            self.read_out.add(tower, give)
            for row, allele in enumerate(window.alleles, int(first)):
                sides = anchors(allele.reference, allele.alternative)
                moved = (len(allele.alternative) - len(allele.reference)) * (-1 if reverse else 1)
                for side in sides:
                    letters = (allele.position, allele.reference, allele.alternative)
                    after = self._seen(allele_window(self.genome, place, *letters, side), shift, reverse)
                    changed = alternative_tower(
                        self.model, tower, before, after, self._encoded(after[None]), (moved, -moved)
                    )

                    def give_one(sums: np.ndarray, row: int = row, share: int = len(sides)) -> None:
                        alternative[row] += sums / share

                    self.read_out.add(changed, give_one)

    def _wide(self, window: AlleleWindow) -> tuple[str, int, int]:
        return window.chromosome, window.start - self.margin, window.end + self.margin

    def _seen(self, codes: np.ndarray, shift: int, reverse: bool) -> np.ndarray:
        """Cut a pass out of a window with its margins."""
        cut = codes[self.margin + shift : len(codes) - self.margin + shift]
        return reverse_complement_codes(cut) if reverse else cut

    def _encoded(self, codes: np.ndarray) -> Tensor:
        return torch.from_numpy(one_hot(codes)).to(self.device)
