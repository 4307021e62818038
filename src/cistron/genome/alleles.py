"""A window of DNA with one allele put in: length kept, and what stands on one side of the change stays in its place."""

from typing import Literal

import numpy as np

from cistron.genome.sequence import Dna, encode
from cistron.genome.variants import trimmed

Anchor = Literal["left", "right"]
_COMPLEMENT = np.array([3, 2, 1, 0, 4], np.uint8)


def anchors(reference: bytes, alternative: bytes) -> tuple[Anchor, ...]:
    """Give the windows that an allele needs: one where lengths are equal, else one with each side kept in its place."""
    return ("left",) if len(reference) == len(alternative) else ("left", "right")


def allele_window(
    genome: Dna,
    place: tuple[str, int, int],
    position: int,
    reference: bytes,
    alternative: bytes,
    anchor: Anchor = "left",
) -> np.ndarray:
    """Read a window in which the reference allele is replaced.

    What an insertion pushes out on the moved side falls off, what a deletion leaves open is filled from beyond.

    Parameters
    ----------
    genome
        The reference.
    place
        Chromosome, start and end of the window, 0-based, half-open.
    position
        Of the first letter of ``reference``, 0-based.
    reference, alternative
        Letters of both alleles, as in a VCF.
    anchor
        Side of the change that stays in its place.

    Returns
    -------
    ndarray
        Codes uint8 [end - start].
    """
    chromosome, start, end = place
    low, removed, added = trimmed(position, reference, alternative)
    high, letters = low + len(removed), encode(added)
    # where the added letters stand, in the coordinates of the window
    first = low if anchor == "left" else high - len(letters)
    last = first + len(letters)
    result = np.full(end - start, 4, np.uint8)
    before, behind = min(first, end), max(last, start)
    if before > start:
        moved = low - first
        result[: before - start] = genome.codes(chromosome, start + moved, before + moved)
    if end > behind:
        moved = high - last
        result[behind - start :] = genome.codes(chromosome, behind + moved, end + moved)
    cut = slice(max(first, start), min(last, end))
    if cut.stop > cut.start:
        result[cut.start - start : cut.stop - start] = letters[cut.start - first : cut.stop - first]
    return result


def reverse_complement_codes(codes: np.ndarray) -> np.ndarray:
    """Reverse and complement codes [..., length]; N stays N."""
    return _COMPLEMENT[codes[..., ::-1]]
