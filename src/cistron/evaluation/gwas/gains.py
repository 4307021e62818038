"""The gain of a model over its null model, with an interval that covers training and testing."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from cistron.evaluation.gwas.measures import Agreement
from cistron.runtime.seeds import random_generator
from cistron.statistics import bootstrap_p_value, percentile_interval

INTERVAL = "95%, chromosomes drawn again, training and testing"
TEST_ONLY = "95%, chromosomes drawn again, testing only"
_FEW_DRAWS = 10
_SMOOTHING = 0.3
_GATE = 2.0


@dataclass(frozen=True)
class Gain:
    """A difference of R2 for each trait, with samples of what it could have been.

    Attributes
    ----------
    value
        The difference, float64 [trait].
    linear
        Deviations that come from each chromosome by itself, float64 [draw, trait].
    chance
        Deviations that a useless embedding has too, float64 [draw, trait].
    kind
        What the interval is.
    """

    value: np.ndarray
    linear: np.ndarray
    chance: np.ndarray
    kind: str

    @property
    def samples(self) -> np.ndarray:
        """Samples of the gain, float64 [draw, trait]."""
        return self.value + self.linear - self.chance

    @classmethod
    def between(
        cls,
        full: Agreement,
        null: Agreement,
        *,
        ratio: np.ndarray | None = None,
        controls: np.ndarray | None = None,
        seed: int = 0,
    ) -> "Gain":
        """R2 of ``full`` less R2 of ``null``.

        Parameters
        ----------
        full, null
            Agreement of both models on the same genes.
        ratio
            Deviation of the linear part over that of the bootstrap, float64 [trait]
            (:func:`cistron.evaluation.gwas.training_variance.linear_ratio`).
        controls
            Gains of the controls on these genes, float64 [control draw, trait].
        seed
            Seed of the draws of controls.
        """
        value = full.r2 - null.r2
        deviations = full.sampled_r2 - null.sampled_r2
        deviations = deviations - deviations.mean(axis=0)
        sizes = full.sums.sums[0].max(axis=1)
        effective = sizes.sum() ** 2 / (sizes**2).sum()  # chromosomes, were they of one size
        # Few chromosomes deviate less than their population, and Student's t says by how much more to allow.
        deviations *= stats.t.ppf(0.975, max(effective - 1, 1.0)) / stats.norm.ppf(0.975)
        if ratio is None:
            widened = deviations * np.sqrt(effective / max(effective - 1, 1.0))
            return cls(value, widened, np.zeros_like(deviations), TEST_ONLY)
        if controls is None or len(controls) < 2:
            least = np.sqrt(effective / max(effective - 1, 1.0))
            return cls(value, deviations * np.maximum(ratio, least), np.zeros_like(deviations), INTERVAL)
        chance = _chance(controls, len(deviations), seed)
        # A gain no larger than what controls reach has no part of its own: where there is nothing to learn, the
        # jackknife mistakes chance for signal.
        above = (value - controls.mean(axis=0)) / (_GATE * np.maximum(controls.std(axis=0, ddof=1), 1e-12))
        return cls(value, deviations * ratio * np.sqrt(np.clip(above, 0.0, 1.0)), chance, INTERVAL)

    def minus(self, controls: np.ndarray) -> "Gain":
        """This gain less the mean of a control, float64 [control draw, trait].

        The control deviates by chance alone, and its mean less the more draws it has.
        """
        chance = self.chance * np.sqrt(1.0 + 1.0 / len(controls))
        return replace(self, value=self.value - controls.mean(axis=0), chance=chance)

    def of(self, traits: np.ndarray) -> "Gain":
        """The gain of some of the traits."""
        return replace(
            self, value=self.value[traits], linear=self.linear[:, traits], chance=self.chance[:, traits]
        )

    def median(self) -> "Gain":
        """The median over traits, as a gain of one trait."""
        value = np.median(self.value, keepdims=True)
        samples = np.median(self.samples, axis=1, keepdims=True)
        return replace(self, value=value, linear=samples - value, chance=np.zeros_like(samples))

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """95% interval, two float64 [trait]."""
        return percentile_interval(self.samples)

    def p_value(self) -> np.ndarray:
        """Two-sided p-value that the gain is 0, float64 [trait]."""
        return bootstrap_p_value(self.samples)


def _chance(controls: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Draw deviations of controls from their mean, all traits together, float64 [draw, trait].

    With ten or more controls they are drawn with replacement and smoothed; with fewer they are mixed as normal
    deviations, widened as Student's t demands.
    """
    generator = random_generator(seed, "chance")
    number = len(controls)
    deviations = controls - controls.mean(axis=0)
    mixed = generator.standard_normal((draws, number)) @ deviations / np.sqrt(number - 1)
    if number < _FEW_DRAWS:
        return mixed * stats.t.ppf(0.975, number - 1) / stats.norm.ppf(0.975)
    drawn = deviations[generator.integers(number, size=draws)] * np.sqrt(number / (number - 1))
    return (drawn + _SMOOTHING * mixed) / np.sqrt(1 + _SMOOTHING**2)
