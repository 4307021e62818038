"""From the signal of base pairs to the targets of a model: the published transforms, by name.

Versions of the published pipelines differ in the order of scaling, pooling and clipping, in the root, and in what stands where
nothing could be measured, so that a targets table alone does not say what was done. Values are computed in float32 from sums in
float64; the published pipelines round base pairs to float16 first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from cistron.errors import InputError

BLACKLIST_BUFFER = 20  # base pairs added to either side of a blacklisted region


@dataclass(frozen=True)
class TargetPreset:
    """One version of the transform.

    Attributes
    ----------
    name
        Name.
    bin_size, crop, input_length
        Base pairs of a bin, base pairs cut from either side of a sequence, base pairs that a model of it reads.
    scale_first
        Whether base pairs are scaled before pooling; else bins are, behind the clipping.
    offset
        Whether roots are of 1 + x (then minus 1), and the soft clip is c - 1 + sqrt(x - c + 1) in place of c + sqrt(x - c).
    exponent
        Of ``sum_sqrt`` and ``mean_sqrt``; none where the version does not have them.
    blacklist_percentile, unmappable_percentile
        Baseline of blacklisted and missing base pairs among those of the sequence; of unmappable bins among its bins.
    baseline
        Whether blacklisted base pairs and unmappable bins are ``set`` to the baseline or ``clipped`` at it.
    negative
        Whether values below zero stay (clipped at ``-clip``).
    """

    name: str
    bin_size: int
    crop: int
    input_length: int
    scale_first: bool
    offset: bool
    exponent: float | None
    blacklist_percentile: float
    baseline: Literal["set", "clipped"]
    negative: bool
    unmappable_percentile: float = 25.0

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the summary statistics that the version has."""
        plain = ("sum", "mean", "avg", "median", "max", "peak")
        roots = () if self.exponent is None else ("sum_sqrt", "mean_sqrt", "avg_sqrt")
        return (*plain, *roots, *(("sum_exp75",) if self.offset else ()))


PRESETS: Mapping[str, TargetPreset] = MappingProxyType(
    {
        # Basenji2 and Enformer: pool, hard clip, scale
        "enformer": TargetPreset(
            "enformer", 128, 8192, 196_608, False, False, None, 10.0, "set", negative=False
        ),
        # the Borzoi manuscript: pool, power .75, soft clip, clip, scale
        "borzoi": TargetPreset("borzoi", 32, 0, 524_288, False, False, 0.75, 25.0, "clipped", negative=True),
        # Baskerville since: scale, pool, root of 1 + x, soft clip, clip
        "baskerville": TargetPreset(
            "baskerville", 32, 0, 131_072, True, True, 0.5, 50.0, "clipped", negative=True
        ),
    }
)


@dataclass(frozen=True)
class TrackTransform:
    """What the targets table says of a track.

    Attributes
    ----------
    statistic
        ``sum_stat``.
    scale
        Factor.
    clip, clip_soft
        Largest value and where the soft clip begins; ``None`` for none.
    """

    statistic: str
    scale: float = 1.0
    clip: float | None = None
    clip_soft: float | None = None


def fill_baseline(signal: np.ndarray, blacklisted: np.ndarray | None, preset: TargetPreset) -> np.ndarray:
    """Give every base pair of a sequence a value.

    Parameters
    ----------
    signal
        float [base pair], NaN where nothing was measured.
    blacklisted
        bool [base pair], or ``None``.
    preset
        Version.

    Returns
    -------
    ndarray
        float32 [base pair] without NaN. The baseline is a percentile of the sequence in which a missing base pair counts as 0:
        signal of sparse assays (CAGE) is written where there is some only, so that a percentile of the rest would be a read everywhere.
    """
    missing = np.isnan(signal)
    values = np.where(missing, 0, signal).astype(np.float32)
    if not missing.any() and blacklisted is None:
        return values
    baseline = float(np.percentile(values, preset.blacklist_percentile))
    if blacklisted is not None:
        if preset.baseline == "set":
            values[blacklisted] = baseline
        else:
            limit = abs(baseline)
            values[blacklisted] = np.clip(values[blacklisted], -limit, limit)
    values[missing] = baseline
    return values


def transform_targets(values: np.ndarray, track: TrackTransform, preset: TargetPreset) -> np.ndarray:
    """Pool, scale and clip the signal of one track.

    Parameters
    ----------
    values
        float32 [..., base pair], cropped, without NaN.
    track
        Statistic, scale and clips of the track.
    preset
        Version; its order.

    Returns
    -------
    ndarray
        float32 [..., bin].

    Raises
    ------
    InputError
        If the version does not have the statistic.
    """
    if track.statistic not in preset.statistics:
        raise InputError(
            f"statistic {track.statistic!r} is not one of the version {preset.name} ({', '.join(preset.statistics)}); choose another with "
            f"--settings ({', '.join(PRESETS)})"
        )
    pooled = values.reshape(*values.shape[:-1], -1, preset.bin_size).astype(np.float64)
    if preset.scale_first:
        pooled *= track.scale
    name, _, root = track.statistic.partition("_")
    summary = {"sum": np.sum, "median": np.median, "max": np.max}.get(name, np.mean)
    bins: np.ndarray = summary(pooled, axis=-1)  # type: ignore[operator]
    if track.statistic == "peak":
        bins = np.clip(np.sqrt(np.maximum(bins * 4, 0)), 0, 1)
    elif root:
        exponent = 0.75 if root == "exp75" else float(preset.exponent or 1)
        shift = float(preset.offset)
        bins = np.maximum(bins + shift, 0) ** exponent - shift
    if track.clip_soft is not None:
        shift = float(preset.offset)
        above = np.maximum(bins - track.clip_soft, 0)
        bins = np.where(bins > track.clip_soft, track.clip_soft - shift + np.sqrt(above + shift), bins)
    if track.clip is not None:
        bins = np.clip(bins, -track.clip if preset.negative else 0, track.clip)
    if not preset.scale_first:
        bins = bins * track.scale
    return bins.astype(np.float32)


def lower_unmappable(targets: np.ndarray, unmappable: np.ndarray, preset: TargetPreset) -> np.ndarray:
    """Set unmappable bins to a percentile of their track within the sequence, or clip them at it.

    Parameters
    ----------
    targets
        float32 [track, bin] of one sequence.
    unmappable
        bool [bin].
    preset
        Version.
    """
    if not unmappable.any():
        return targets
    limit = np.percentile(targets, preset.unmappable_percentile, axis=-1, keepdims=True).astype(np.float32)
    changed = (
        np.broadcast_to(limit, targets.shape) if preset.baseline == "set" else np.minimum(targets, limit)
    )
    return np.where(unmappable, changed, targets)
