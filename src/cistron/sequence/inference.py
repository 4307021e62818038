"""Run a model on windows of a genome: batches, both strands and small shifts, the device."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from cistron.genome import Dna, Genome, one_hot
from cistron.sequence.enformer import Enformer
from cistron.sequence.settings import InferenceSettings

Place = tuple[str, int, int]  # chromosome, start, end


def read_windows(genome: Dna, places: Sequence[Place], margin: int = 0) -> np.ndarray:
    """Read windows of one length as codes.

    Parameters
    ----------
    genome
        Where the DNA is.
    places
        Chromosome, start and end of each window.
    margin
        Base pairs read in addition on either side.

    Returns
    -------
    ndarray
        uint8 [window, length]: 0 to 3 for A, C, G, T, 4 for N.
    """
    return np.stack([genome.codes(name, start - margin, end + margin) for name, start, end in places])


def distinct_copies(genome: Genome, places: Sequence[Place], margin: int = 0) -> tuple[Dna, ...]:
    """Give the copies of a genome whose windows differ; a person without a variant in them has one.

    Parameters
    ----------
    genome
        A reference has one copy, a person two.
    places, margin
        As of :func:`read_windows`.
    """
    first, *others = genome.copies
    if not others:
        return (first,)
    codes = read_windows(first, places, margin)
    differ = [copy for copy in others if not np.array_equal(read_windows(copy, places, margin), codes)]
    return (first, *differ)


def _one_hot_batch(codes: np.ndarray, shift: int, reverse: bool, margin: int, device: torch.device) -> Tensor:
    length = codes.shape[1] - 2 * margin
    window = codes[:, margin + shift : margin + shift + length]
    batch = torch.from_numpy(one_hot(window)).to(device)  # [B, length, 4]
    return batch.flip(1, 2) if reverse else batch


@torch.inference_mode()
def predict_windows(
    model: Enformer,
    genome: Genome,
    places: Sequence[Place],
    tracks: Mapping[str, np.ndarray],
    settings: InferenceSettings,
    strand_pairs: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Predict tracks of a batch of windows; of a person with two haplotypes their mean.

    Parameters
    ----------
    model
        Model in evaluation mode, on its device.
    genome
        Where the DNA is.
    places
        Chromosome, start and end of each window, all of one length.
    tracks
        Tracks to compute of each organism.
    settings
        Augmentation.
    strand_pairs
        Of each organism, the partner of every track on the other strand (itself where it has none).

    Returns
    -------
    dict of str to ndarray
        Organism to float32 [window, bins, tracks].
    """
    margin = max(abs(shift) for shift, _ in settings.passes())
    device = next(model.parameters()).device
    copies = distinct_copies(genome, places, margin)
    total: dict[str, Tensor] = {}
    for copy in copies:
        codes = read_windows(copy, places, margin)
        for shift, reverse in settings.passes():
            chosen = {
                organism: torch.from_numpy(
                    strand_pairs[organism][numbers] if reverse and strand_pairs else numbers
                )
                for organism, numbers in tracks.items()
            }
            batch = _one_hot_batch(codes, shift, reverse, margin, device)
            predicted = model(batch, organisms=list(tracks), tracks=chosen)
            for organism, values in predicted.items():
                values = values.flip(1) if reverse else values  # [B, bins, tracks]
                total[organism] = total[organism] + values if organism in total else values
    number = len(settings.passes()) * len(copies)
    return {organism: (values / number).cpu().numpy() for organism, values in total.items()}


@torch.inference_mode()
def embed_windows(
    model: Enformer,
    copy: Dna,
    places: Sequence[Place],
    organism: str,
    tracks: np.ndarray,
    settings: InferenceSettings,
    strand_pairs: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Give the trunk's output and chosen tracks of a batch of windows of one copy of a genome.

    Parameters
    ----------
    model
        Model in evaluation mode, on its device.
    copy
        One of :attr:`cistron.genome.Genome.copies`.
    places
        Chromosome, start and end of each window, all of one length.
    organism, tracks
        Tracks to compute.
    settings
        Augmentation.
    strand_pairs
        Partner of every track of the organism on the other strand.

    Returns
    -------
    trunk : ndarray
        float32 [window, bins, 2 x channels].
    predicted : ndarray
        float32 [window, bins, tracks].
    """
    margin = max(abs(shift) for shift, _ in settings.passes())
    codes = read_windows(copy, places, margin)
    device = next(model.parameters()).device
    trunks, predictions = [], []
    for shift, reverse in settings.passes():
        trunk = model.embed(_one_hot_batch(codes, shift, reverse, margin, device))  # [B, bins, 2C]
        chosen = tracks if strand_pairs is None or not reverse else strand_pairs[tracks]
        values = model.predict(trunk, [organism], {organism: torch.from_numpy(chosen)})[organism]
        trunks.append(trunk.flip(1) if reverse else trunk)
        predictions.append(values.flip(1) if reverse else values)
    number = len(trunks)
    return (sum(trunks) / number).float().cpu().numpy(), (sum(predictions) / number).cpu().numpy()  # type: ignore[union-attr]
