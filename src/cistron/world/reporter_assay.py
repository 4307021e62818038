"""A planted reporter assay: elements with motifs, every base changed to every other, effects by the rule of the planted DNA with noise."""

import numpy as np
import pandas as pd

from cistron.runtime.seeds import random_generator
from cistron.world.variants import BIN, TRACKS, planted_signal, random_planted_dna

VERSION = 1


def planted_assay(
    seed: int = 0, *, elements: int = 6, length: int = 2 * BIN, noise: float = 0.3
) -> tuple[pd.DataFrame, np.ndarray]:
    """Measure elements, each on a chromosome of its own.

    Parameters
    ----------
    seed
        Seed.
    elements
        Number of elements.
    length
        Base pairs of each, a multiple of 128.
    noise
        Standard deviation of the noise of an effect.

    Returns
    -------
    measured : DataFrame
        In the columns of the CAGI5 table: ``element``, ``chrom``, ``pos_grch38_1based``, ``ref``, ``alt``, ``value``, ``confidence``,
        ``split``.
    effects : ndarray
        Change of the log2 signal of each track by the rule, float64 [variant, track].
    """
    random = random_generator(seed, "planted assay", VERSION)
    rows: list[tuple[object, ...]] = []
    effects = []
    for element in range(elements):
        dna = random_planted_dna(random, length, 12.0)
        before = planted_signal(dna).sum(0)
        for place, ref in enumerate(dna):
            for alt in "ACGT":
                if alt == ref:
                    continue
                after = planted_signal(dna[:place] + alt + dna[place + 1 :]).sum(0)
                effects.append(np.log2(after / before))
                split = "train" if place % 30 < 10 else "challenge"
                rows.append((f"planted{element}", str(element + 1), 1_000_000 + place + 1, ref, alt, split))
    frame = pd.DataFrame(rows, columns=["element", "chrom", "pos_grch38_1based", "ref", "alt", "split"])
    known = np.array(effects, np.float64).reshape(-1, len(TRACKS))
    frame["value"] = known[:, 1] + noise * random.standard_normal(len(frame))
    frame["confidence"] = np.abs(frame["value"]).clip(0, 1)
    return frame, known
