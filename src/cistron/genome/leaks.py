"""What the folds of sequences share: input of neighbours, aligned blocks, orthologous genes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cistron.genome.intervals import overlapping_rows


@dataclass(frozen=True)
class SharedInput:
    """Sequences of different folds that share input once their windows are extended.

    Attributes
    ----------
    pairs
        Number of such pairs of two folds, int64 [fold, fold], symmetric.
    sequences
        Number of sequences of each fold that share input with a sequence of another, int64 [fold].
    boundaries
        Places where neighbours along a chromosome are of different folds.
    close_boundaries
        Those at which the two share input.
    """

    pairs: np.ndarray
    sequences: np.ndarray
    boundaries: int
    close_boundaries: int

    @property
    def total(self) -> int:
        """Number of pairs."""
        return int(np.triu(self.pairs, 1).sum())


def shared_input(sequences: pd.DataFrame, folds: Sequence[str], input_length: int) -> SharedInput:
    """Count the pairs of sequences of different folds whose windows of ``input_length`` overlap.

    Parameters
    ----------
    sequences
        ``chromosome``, ``start``, ``end``, ``fold``.
    folds
        Names of the folds, in order.
    input_length
        Base pairs that a model reads around the middle of a sequence.

    Returns
    -------
    SharedInput
        The counts.
    """
    number = {name: place for place, name in enumerate(folds)}
    pairs = np.zeros((len(folds), len(folds)), np.int64)
    affected, boundaries, close = np.zeros(len(folds), np.int64), 0, 0
    for _, rows in sequences.groupby("chromosome", sort=False):
        middle = (rows["start"].to_numpy() + rows["end"].to_numpy()) // 2
        order = np.argsort(middle, kind="stable")
        start = middle[order] - input_length // 2
        end = start + input_length
        fold = rows["fold"].map(number).to_numpy()[order]
        until = np.searchsorted(start, end, side="left")  # rows behind each that begin before its end
        is_of = fold[:, None] == np.arange(len(folds))  # [sequence, fold]
        seen = np.vstack([np.zeros((1, len(folds)), np.int64), np.cumsum(is_of, axis=0)])
        here = np.arange(len(start))
        after = seen[until] - seen[here + 1]  # later partners by fold
        steps = np.zeros((len(start) + 1, len(folds)), np.int64)
        np.add.at(steps, (here + 1, fold), 1)
        np.add.at(steps, (until, fold), -1)
        earlier = np.cumsum(steps, axis=0)[:-1]  # earlier partners by fold
        np.add.at(pairs, fold, after)
        other = (after + earlier) * ~is_of
        affected += (is_of & (other.sum(axis=1) > 0)[:, None]).sum(axis=0)
        change = fold[1:] != fold[:-1]
        boundaries += int(change.sum())
        close += int((change & (start[1:] < end[:-1])).sum())
    pairs = pairs + pairs.T
    np.fill_diagonal(pairs, 0)
    return SharedInput(pairs, affected, boundaries, close)


@dataclass(frozen=True)
class SharedBlocks:
    """Aligned blocks whose sequences lie in more than one fold.

    Attributes
    ----------
    blocks
        Blocks with a sequence in any genome.
    divided
        Those whose sequences are of several folds.
    """

    blocks: int
    divided: int


def shared_blocks(genomes: Sequence[pd.DataFrame], net: pd.DataFrame, more_than: int) -> SharedBlocks:
    """Count aligned blocks whose sequences, of either genome, lie in more than one fold.

    Parameters
    ----------
    genomes
        Sequences of the first and, where there is one, of the other genome: ``chromosome``, ``start``, ``end``, ``fold``.
    net
        Blocks, as of :func:`cistron.genome.homology.read_net`.
    more_than
        Base pairs of a block that a sequence must exceed to count.

    Returns
    -------
    SharedBlocks
        The counts.
    """
    sides = (net[["chromosome", "start", "end"]], net[["other_chromosome", "other_start", "other_end"]])
    found = []
    for sequences, side in zip(genomes, sides):
        side = side.set_axis(["chromosome", "start", "end"], axis=1)
        block, row = overlapping_rows(side, sequences, more_than=more_than)
        found.append(pd.DataFrame({"block": block, "fold": sequences["fold"].to_numpy()[row]}))
    folds = pd.concat(found).drop_duplicates().groupby("block").size()
    return SharedBlocks(len(folds), int((folds > 1).sum()))


@dataclass(frozen=True)
class OrthologPairs:
    """Orthologous genes by fold.

    Attributes
    ----------
    pairs
        Pairs in the table.
    placed
        Those with both genes inside sequences.
    together
        Share of these whose genes are in one fold.
    chance
        The same share if the folds of the two genomes were independent.
    """

    pairs: int
    placed: int
    together: float
    chance: float


def ortholog_pairs(first: pd.DataFrame, other: pd.DataFrame, pairs: pd.DataFrame) -> OrthologPairs:
    """Count orthologous genes whose folds agree.

    Parameters
    ----------
    first, other
        Sequences of the two genomes: ``chromosome``, ``start``, ``end``, ``fold``.
    pairs
        ``chromosome``, ``position``, ``other_chromosome``, ``other_position``, 0-based.

    Returns
    -------
    OrthologPairs
        The counts.
    """
    own = _fold_at(first, pairs["chromosome"], pairs["position"])
    partner = _fold_at(other, pairs["other_chromosome"], pairs["other_position"])
    both = own.notna() & partner.notna()
    own, partner = own[both], partner[both]
    if not len(own):
        return OrthologPairs(len(pairs), 0, float("nan"), float("nan"))
    shares = pd.concat([own.value_counts(normalize=True), partner.value_counts(normalize=True)], axis=1)
    chance = float(shares.fillna(0).prod(axis=1).sum())
    return OrthologPairs(len(pairs), len(own), float((own == partner).mean()), chance)


def _fold_at(sequences: pd.DataFrame, chromosomes: pd.Series, positions: pd.Series) -> pd.Series:
    points = pd.DataFrame(
        {"chromosome": chromosomes.to_numpy(), "start": positions.to_numpy(), "end": positions.to_numpy() + 1}
    )
    row, sequence = overlapping_rows(points, sequences)
    folds = pd.Series(sequences["fold"].to_numpy()[sequence], index=row)
    return folds[~folds.index.duplicated()].reindex(range(len(points))).reset_index(drop=True)
