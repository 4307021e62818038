"""Shards of variants: windows with their alleles in, arrays out. All arguments are plain values, so that they run anywhere."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cistron.genome import Genome, one_hot, open_genome
from cistron.genome.sequence import Ambiguous
from cistron.sequence.enformer import Enformer
from cistron.sequence.saving import load_weights
from cistron.sequence.settings import InferenceSettings
from cistron.sequence.tower_gradients import input_gradients, tower_gradient
from cistron.sequence.tower_parts import bins_reached
from cistron.sequence.variant_effects import Allele, AlleleWindow, EffectScorer

# Chromosome, start, end; then position, reference, alternative of each allele.
PlainWindow = tuple[str, int, int, Sequence[tuple[int, str, str]]]


@lru_cache(maxsize=1)
def open_once(
    model: str, genome: str, build: str | None, ambiguous: Ambiguous, precision: str, device: str
) -> tuple[Enformer, Genome]:
    """Load the model, whose weights then need no gradient, and open the genome; once a process.

    Parameters
    ----------
    model
        Model folder.
    genome, build, ambiguous
        As of :func:`cistron.genome.open_genome`.
    precision, device
        As of :func:`cistron.sequence.saving.load_weights`.
    """
    return load_weights(model, precision, device).requires_grad_(False), open_genome(genome, build, ambiguous)


def _windows(plain: Sequence[PlainWindow]) -> list[AlleleWindow]:
    return [
        AlleleWindow(
            name, start, end, tuple(Allele(at, ref.encode(), alt.encode()) for at, ref, alt in alleles)
        )
        for name, start, end, alleles in plain
    ]


def _inference(values: Mapping[str, Any]) -> InferenceSettings:
    return InferenceSettings(**{**values, "shifts": tuple(values["shifts"])})


def score_shard(
    path: Path,
    *,
    windows: Sequence[PlainWindow],
    model: str,
    genome: str,
    build: str | None,
    ambiguous: Ambiguous,
    organism: str,
    tracks: Sequence[int],
    pairs: Sequence[int],
    inference: Mapping[str, Any],
) -> None:
    """Score the alleles of a shard and write ``sad`` and ``log_ratio``, float32 [allele, track], as .npz.

    Parameters
    ----------
    path
        File to write.
    windows
        Windows with their alleles.
    model, genome, build, ambiguous
        Model folder; the reference, as of :func:`cistron.genome.open_genome`.
    organism, tracks, pairs
        Tracks, and the partner of every track of the organism on the other strand.
    inference
        Fields of :class:`cistron.sequence.settings.InferenceSettings`.
    """
    settings = _inference(inference)
    loaded, opened = open_once(
        model, genome, build, ambiguous, settings.precision, str(settings.torch_device())
    )
    scorer = EffectScorer(loaded, opened, organism, np.array(tracks), settings, np.array(pairs))
    before, after = scorer.sums(_windows(windows))
    np.savez(
        path,
        sad=(after - before).astype(np.float32),
        log_ratio=(np.log2(after + 1) - np.log2(before + 1)).astype(np.float32),
    )


def screen_shard(
    path: Path,
    *,
    windows: Sequence[PlainWindow],
    model: str,
    genome: str,
    build: str | None,
    ambiguous: Ambiguous,
    organism: str,
    tracks: Sequence[int],
    pairs: Sequence[int],
    inference: Mapping[str, Any],
) -> None:
    """Give the first-order effect of the substitutions of a shard, float32 [allele], as .npz.

    It is the gradient of the mean over tracks of log2(sum over bins + 1), at the letters that change, times the change: one
    backward pass a window, whatever the number of alleles. Neither strand nor shifts are averaged.

    Parameters
    ----------
    path
        File to write.
    windows, model, genome, build, ambiguous, organism, tracks, pairs, inference
        As of :func:`score_shard`.
    """
    settings = _inference(inference)
    loaded, opened = open_once(
        model, genome, build, ambiguous, settings.precision, str(settings.torch_device())
    )
    device, chosen = next(loaded.parameters()).device, torch.tensor(list(tracks))
    found: list[float] = []
    for window in _windows(windows):
        encoded = torch.from_numpy(one_hot(opened.codes(window.chromosome, window.start, window.end)))[
            None
        ].to(device)
        with torch.no_grad():
            tower = loaded.convolve(encoded)[0]
        gradients, _ = tower_gradient(
            loaded, tower, organism, chosen, [lambda predicted: torch.log2(predicted.sum(0) + 1).mean()]
        )
        places = [
            allele.position - window.start + offset
            for allele in window.alleles
            for offset in range(len(allele.reference))
        ]
        runs = bins_reached(loaded, np.array(places), encoded.shape[1])
        gradient = input_gradients(loaded, encoded, gradients, runs)[0].cpu().numpy()  # [length, 4]
        found += [_first_order(gradient, allele, allele.position - window.start) for allele in window.alleles]
    np.savez(path, first_order=np.array(found, np.float32))


def _first_order(gradient: np.ndarray, allele: Allele, first: int) -> float:
    total = 0.0
    for offset, (old, new) in enumerate(zip(allele.reference, allele.alternative)):
        for letter, sign in ((old, -1), (new, 1)):
            if letter in b"ACGT":
                total += sign * float(gradient[first + offset, b"ACGT".index(letter)])
    return total
