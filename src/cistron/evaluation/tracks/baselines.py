"""What predicts tracks without a network: a ridge on k-mers, GC and CpG; and DNA that keeps nothing but its pairs of letters."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cistron.errors import InputError
from cistron.runtime import random_generator

K = 5  # letters of the k-mers of a bin
WIDE = 3  # letters of those of its surroundings
PENALTIES = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6)


def _canonical(k: int) -> tuple[np.ndarray, int]:
    """Number of each k-mer's canonical form (the smaller of itself and its reverse complement), and how many there are."""
    codes = np.arange(4**k)
    digits = (codes[:, None] // 4 ** np.arange(k)[::-1]) % 4
    reverse = ((3 - digits[:, ::-1]) * 4 ** np.arange(k)[::-1]).sum(axis=1)
    _, number = np.unique(np.minimum(codes, reverse), return_inverse=True)
    return number, int(number.max()) + 1


_FORMS = {k: _canonical(k) for k in (WIDE, K)}


def _counts(codes: np.ndarray, k: int, bins: int) -> np.ndarray:
    """Canonical k-mers that begin in each bin, float32 [bin, k-mer]; those with N are not counted."""
    forms, number = _FORMS[k]
    length = len(codes)
    word = np.zeros(length - k + 1, np.int64)
    valid = np.ones(length - k + 1, bool)
    for offset in range(k):
        part = codes[offset : length - k + 1 + offset]
        word = word * 4 + np.minimum(part, 3)
        valid &= part < 4
    place = np.arange(len(word)) * bins // length
    flat = place[valid] * number + forms[word[valid]]
    return np.bincount(flat, minlength=bins * number).reshape(bins, number).astype(np.float32)


def kmer_features(codes: np.ndarray, crop: int, bins: int) -> np.ndarray:
    """Features of the output bins of one sequence.

    Parameters
    ----------
    codes
        uint8 [base pair], the input of a model; 4 is N.
    crop
        Bins cut from either side.
    bins
        Output bins.

    Returns
    -------
    ndarray
        float32 [bin, feature]: canonical 5-mers of the bin, canonical 3-mers, GC and CpG within 1, 5, and 21 bins and in the whole input, a
        constant. Both strands give the same.
    """
    whole = bins + 2 * crop
    near = _counts(codes, K, whole)
    wide = _counts(codes, WIDE, whole)
    per_bin = len(codes) // whole
    base = codes[: per_bin * whole].reshape(whole, per_bin)
    gc = ((base == 1) | (base == 2)).sum(axis=1).astype(np.float32)
    following = np.r_[codes[1:], np.uint8(4)][: per_bin * whole].reshape(whole, per_bin)
    cpg = ((base == 1) & (following == 2)).sum(axis=1).astype(np.float32)
    local = np.column_stack([wide, gc, cpg])  # [bin, feature]
    parts = [near]
    sums = np.vstack([np.zeros((1, local.shape[1]), np.float32), np.cumsum(local, axis=0)])
    here = np.arange(whole)
    for reach in (0, 2, 10):
        low, high = np.maximum(here - reach, 0), np.minimum(here + reach + 1, whole)
        parts.append((sums[high] - sums[low]) / (high - low)[:, None])
    parts.append(np.broadcast_to(local.mean(axis=0), local.shape))
    parts.append(np.ones((whole, 1), np.float32))
    found: np.ndarray = np.hstack(parts)[crop : crop + bins].astype(np.float32)
    return found


@dataclass(frozen=True)
class KmerRidge:
    """A fitted ridge.

    Attributes
    ----------
    weights
        float64 [feature, track], for standardised features.
    mean, spread
        float64 [feature].
    penalty
        That was chosen.
    crop, bins
        Of the output.
    """

    weights: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    penalty: float
    crop: int
    bins: int

    def predict(self, codes: np.ndarray) -> np.ndarray:
        """Predict sequences.

        Parameters
        ----------
        codes
            uint8 [batch, base pair].

        Returns
        -------
        ndarray
            float32 [batch, bin, track].
        """
        features = [kmer_features(line, self.crop, self.bins) for line in codes]
        return np.stack([((one - self.mean) / self.spread) @ self.weights for one in features]).astype(
            np.float32
        )


def fit_kmer_ridge(
    training: Iterable[tuple[np.ndarray, np.ndarray]],
    validation: Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]],
    crop: int,
    penalties: Sequence[float] = PENALTIES,
) -> KmerRidge:
    """Fit ridges by their normal equations, and choose the penalty by the mean Pearson on the validation fold.

    Parameters
    ----------
    training
        Blocks of codes uint8 [batch, base pair] and targets float32 [batch, bin, track], gone through once.
    validation
        Gives the same of the validation fold.
    crop
        Bins cut from either side.
    penalties
        To choose from.

    Returns
    -------
    KmerRidge
        The fitted ridge.

    Raises
    ------
    InputError
        If there is nothing to fit on.
    """
    gram, moments, sums, targets_sum = (np.zeros(()) for _ in range(4))
    count, bins = 0, 0
    for codes, targets in training:
        bins = targets.shape[1]
        x = np.concatenate([kmer_features(line, crop, bins) for line in codes]).astype(np.float64)
        y = targets.reshape(-1, targets.shape[2]).astype(np.float64)
        gram, moments = gram + x.T @ x, moments + x.T @ y
        sums, targets_sum = sums + x.sum(axis=0), targets_sum + y.sum(axis=0)
        count += len(x)
    if not count:
        raise InputError("the k-mer ridge has no training sequences")
    mean, level = sums / count, targets_sum / count
    spread = np.sqrt(np.maximum(np.diag(gram) / count - mean**2, 0))
    kept = spread > 1e-9
    spread = np.where(kept, spread, 1.0)
    centred = (gram - count * np.outer(mean, mean)) / np.outer(spread, spread)
    cross = (moments - count * np.outer(mean, level)) / spread[:, None]
    values, vectors = np.linalg.eigh(np.where(np.outer(kept, kept), centred, 0))
    turned = vectors.T @ np.where(kept[:, None], cross, 0)
    models = []
    for penalty in penalties:
        weights = vectors @ (turned / (np.maximum(values, 0) + penalty)[:, None])
        models.append(KmerRidge(_with_level(weights, level), mean * kept, spread, penalty, crop, bins))
    return _best(models, validation)


def _with_level(weights: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The last feature is a constant that does not vary and stays 1, so its weights are the means of the tracks."""
    weights = weights.copy()
    weights[-1] = level
    return weights


def _best(
    models: list[KmerRidge], validation: Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]
) -> KmerRidge:
    from cistron.statistics.streaming_correlation import CorrelationSums

    scores: list[CorrelationSums] = []
    for codes, targets in validation():
        for number, model in enumerate(models):
            if len(scores) <= number:
                scores.append(CorrelationSums(1, targets.shape[2]))
            predicted = model.predict(codes)
            scores[number].add(
                np.zeros(len(codes), int), targets.transpose(0, 2, 1), predicted.transpose(0, 2, 1)
            )
    if not scores:
        return models[len(models) // 2]
    means = [float(np.nan_to_num(score.pearson()).mean()) for score in scores]
    return models[int(np.argmax(means))]


def dinucleotide_shuffle(codes: np.ndarray, seed: int, *names: str | int) -> np.ndarray:
    """Shuffle DNA so that every pair of letters occurs as often as before (Altschul and Erickson 1985).

    An Eulerian path through the pairs is drawn: from each letter the last edge out is drawn by a random walk that ends in the last letter,
    the others are shuffled.

    Parameters
    ----------
    codes
        uint8 [base pair]; stretches between N are shuffled each by itself, N stays.
    seed, *names
        As of :func:`cistron.runtime.seed_for`.

    Returns
    -------
    ndarray
        uint8 [base pair].
    """
    random = random_generator(seed, "dinucleotide shuffle", *names)
    result = codes.copy()
    edges = np.flatnonzero(np.diff(np.r_[False, codes < 4, False].astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        result[start:end] = _shuffled(codes[start:end], random)
    return result


def _shuffled(codes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    if len(codes) < 4:
        return codes
    last = int(codes[-1])
    successors = [codes[1:][codes[:-1] == letter] for letter in range(4)]
    while True:  # drawn again until all letters lead to the last one
        final = [int(random.choice(one)) if len(one) else -1 for one in successors]
        if all(_leads(letter, final, last) for letter in range(4) if len(successors[letter])):
            break
    order: list[list[int]] = []
    for letter, found in enumerate(successors):
        rest = list(found)
        if letter != last and len(found):
            rest.remove(final[letter])
        random.shuffle(rest)
        if letter != last and len(found):
            rest.append(final[letter])
        order.append([int(one) for one in rest][::-1])
    path = [int(codes[0])]
    for _ in range(len(codes) - 1):
        path.append(order[path[-1]].pop())
    return np.array(path, np.uint8)


def _leads(letter: int, final: list[int], last: int) -> bool:
    for _ in range(5):
        if letter == last:
            return True
        letter = final[letter]
        if letter < 0:
            return False
    return False
