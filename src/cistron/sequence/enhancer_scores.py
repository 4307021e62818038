"""How much elements contribute to a gene: gradient times input, attention, replacement of the element; one gene at a time.

Source: Avsec et al. 2021, contribution scores of enhancers. All elements of a gene share one window, one tower and one backward pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cistron.genome import Genome, one_hot
from cistron.genome.shuffling import dinucleotide_shuffle
from cistron.runtime import random_generator
from cistron.sequence.enformer import Enformer, TransformerBlock
from cistron.sequence.settings import BIN
from cistron.sequence.settings_enhancers import EnhancerScoreSettings
from cistron.sequence.tower_gradients import input_gradients, tower_gradient
from cistron.sequence.tower_parts import alternative_tower, bins_reached

METHODS = ("gradient", "attention", "ism")


@dataclass(frozen=True)
class GeneElements:
    """A gene and the elements that were tested for it.

    Attributes
    ----------
    chromosome
        As the genome spells it.
    canonical
        Canonical start site, 0-based; the window that chooses the start site lies around it.
    sites
        Annotated start sites.
    middles
        Middle of each element, 0-based.
    """

    chromosome: str
    canonical: int
    sites: tuple[int, ...]
    middles: tuple[int, ...]


@dataclass(frozen=True)
class GeneContributions:
    """Scores of the elements of one gene.

    Attributes
    ----------
    site
        Start site that was chosen, 0-based; -1 where the window holds no base.
    inside
        Whether the element lies within the window, bool [element].
    specific, agnostic
        Scores of each method, float64 [element]; NaN outside of the window, and for attention, which knows no tracks, in agnostic.
    """

    site: int
    inside: np.ndarray
    specific: dict[str, np.ndarray]
    agnostic: dict[str, np.ndarray]


class EnhancerScorer:
    """Scores elements with one model.

    Parameters
    ----------
    model
        Model in evaluation mode whose weights need no gradient, on its device.
    genome
        The reference.
    organism
        Head.
    specific, agnostic
        Numbers of the chosen CAGE tracks, and of all.
    settings
        Methods, sizes, shuffles, seed.
    length
        Base pairs of input.
    """

    def __init__(
        self,
        model: Enformer,
        genome: Genome,
        organism: str,
        specific: np.ndarray,
        agnostic: np.ndarray,
        settings: EnhancerScoreSettings,
        length: int,
    ) -> None:
        self.model, self.genome, self.organism = model, genome, organism
        self.settings, self.length = settings, length
        tracks = np.union1d(specific, agnostic)
        self.tracks = torch.from_numpy(tracks)
        self.groups = [torch.from_numpy(np.searchsorted(tracks, group)) for group in (specific, agnostic)]
        self.device = next(model.parameters()).device

    def score(self, gene: GeneElements) -> GeneContributions:
        """Score all elements of a gene."""
        site = self._most_active(gene)
        start = self._start(gene, site)
        codes = self.genome.codes(gene.chromosome, start, start + self.length)
        encoded = self._encoded(codes)
        middle = (site - start) // BIN
        bins = slice(middle - self.settings.neighbours, middle + self.settings.neighbours + 1)
        half = self.settings.window // 2
        places = np.array(gene.middles) - start
        inside = (places - half >= 0) & (places + half <= self.length)
        spans = [(place - half, place + half) for place in places[inside].tolist()]
        found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        if spans:
            with torch.no_grad():
                tower = self.model.convolve(encoded)[0]
            if "gradient" in self.settings.methods:
                found["gradient"] = self._gradient(encoded, tower, bins, spans)
            if "attention" in self.settings.methods:
                attention = self._attention(tower, bins, spans)
                found["attention"] = attention, np.full(len(spans), np.nan)
            if "ism" in self.settings.methods:
                found["ism"] = self._ism(codes, tower, bins, spans, gene)
        specific, agnostic = (
            {name: self._placed(inside, parts[kind]) for name, parts in found.items()} for kind in (0, 1)
        )
        for name in self.settings.methods:
            specific.setdefault(name, np.full(len(inside), np.nan))
            agnostic.setdefault(name, np.full(len(inside), np.nan))
        return GeneContributions(site, inside, specific, agnostic)

    def _start(self, gene: GeneElements, site: int) -> int:
        """First base of the window: the start site in its middle, or moved to hold more elements."""
        centred = site - self.length // 2
        if self.settings.placement == "site":
            return centred
        margin = (self.model.settings.crop + self.settings.neighbours + 1) * BIN
        half, middles = self.settings.window // 2, np.array(gene.middles)
        edges = np.concatenate([[centred], middles - half, middles + half - self.length])
        starts = np.clip(edges, site + margin - self.length, site - margin)
        held = (middles - half >= starts[:, None]) & (middles + half <= starts[:, None] + self.length)
        best = np.lexsort((np.abs(starts - centred), -held.sum(1)))[0]  # of equal ones the least moved
        return int(starts[best])

    def _placed(self, inside: np.ndarray, values: np.ndarray) -> np.ndarray:
        whole = np.full(len(inside), np.nan)
        whole[inside] = values
        return whole

    def _encoded(self, codes: np.ndarray) -> Tensor:
        return torch.from_numpy(one_hot(codes))[None].to(self.device)

    def _sums(self, predicted: Tensor) -> np.ndarray:
        """Sum over the bins at the start site of the mean over tracks, of the chosen and of all: float64 [2]."""
        values = predicted.double().sum(0)
        return np.array([float(values[group].mean()) for group in self.groups])

    @torch.inference_mode()
    def _most_active(self, gene: GeneElements) -> int:
        """Choose the annotated start site with the highest predicted signal of the chosen tracks in its bin."""
        start = gene.canonical - self.length // 2
        sites = [site for site in gene.sites if self._predicted_bin(site - start) is not None]
        if len(sites) < 2:
            return gene.canonical
        encoded = self._encoded(self.genome.codes(gene.chromosome, start, start + self.length))
        trunk = self.model.embed(encoded)
        chosen = self.tracks[self.groups[0]]
        values = self.model.predict(trunk, [self.organism], {self.organism: chosen})[self.organism][0].mean(1)
        # Equally active sites: the one nearest to the canonical one.
        return max(
            sites,
            key=lambda site: (float(values[self._predicted_bin(site - start)]), -abs(site - gene.canonical)),
        )

    def _predicted_bin(self, offset: int) -> int | None:
        number = offset // BIN - self.model.settings.crop
        return number if 0 <= number < self.length // BIN - 2 * self.model.settings.crop else None

    def _gradient(
        self, encoded: Tensor, tower: Tensor, bins: slice, spans: Sequence[tuple[int, int]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sum over the element of the absolute gradient at the letters that stand there; one backward pass for all elements."""
        scores = [lambda predicted, group=group: predicted[:, group].mean(1).sum() for group in self.groups]
        gradients, _ = tower_gradient(self.model, tower, self.organism, self.tracks, scores, bins)
        places = np.unique(np.concatenate([np.arange(low, high) for low, high in spans]))
        runs = bins_reached(self.model, places, self.length)
        found = []
        for gradient in input_gradients(self.model, encoded, gradients, runs):
            letters = (gradient * encoded[0]).sum(1).abs().double().cpu().numpy()  # [length]
            total = np.concatenate([[0.0], np.cumsum(letters)])
            found.append(np.array([total[high] - total[low] for low, high in spans]))
        return found[0], found[1]

    @torch.no_grad()
    def _attention(self, tower: Tensor, bins: slice, spans: Sequence[tuple[int, int]]) -> np.ndarray:
        """Sum over the bins of an element of the attention that the start site pays them, mean over heads and blocks."""
        x, total = tower.clone()[None], torch.zeros(tower.shape[0], dtype=torch.float64)
        for block in self.model.transformer:
            assert isinstance(block, TransformerBlock)
            weights = block.attention.weights(block.attention_norm(x), bins)  # [1, H, bins, T]
            total += weights[0].double().mean((0, 1)).cpu()
            x = block(x)
        mean = (total / len(self.model.transformer)).numpy()
        return np.array([mean[low // BIN : -(-high // BIN)].sum() for low, high in spans])

    @torch.inference_mode()
    def _ism(
        self,
        codes: np.ndarray,
        tower: Tensor,
        bins: slice,
        spans: Sequence[tuple[int, int]],
        gene: GeneElements,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Signal at the start site minus its mean with the element shuffled, every pair of neighbouring letters kept."""
        before = self._at_site(tower, bins)
        found = []
        for low, high in spans:
            total = np.zeros(2)
            for draw in range(self.settings.shuffles):
                random = random_generator(self.settings.seed, gene.chromosome, low, high, draw)
                after = codes.copy()
                after[low:high] = dinucleotide_shuffle(codes[low:high], random)
                changed = alternative_tower(self.model, tower, codes, after, self._encoded(after))
                total += self._at_site(changed, bins)
            found.append(before - total / self.settings.shuffles)
        differences = np.array(found)  # [element, 2]
        return differences[:, 0], differences[:, 1]

    def _at_site(self, tower: Tensor, bins: slice) -> np.ndarray:
        trunk = self.model.read_out(tower[None], bins)
        return self._sums(
            self.model.predict(trunk, [self.organism], {self.organism: self.tracks})[self.organism][0]
        )
