"""Folds that respect homology: what two genomes share by an alignment net lies in one fold (Kelley 2020; Avsec et al. 2021, methods).

Contigs (chromosomes without gaps, halved) and the aligned blocks of a net are joined to a graph. Its connected components are
assigned to folds whole. With one genome and no net, every contig is a component.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genome.intervals import overlapping_rows
from cistron.runtime import random_generator, say
from cistron.runtime.text_files import open_text

LEAST_FILL = 100_000  # base pairs of an aligned block, on both sides
LEAST_OVERLAP = 1024  # base pairs of a contig and a block that join them, exclusive
FILL_COLUMNS = ("chromosome", "start", "end", "other_chromosome", "other_start", "other_end")
_NET, _FILL = re.compile(r"net (\S+) (\d+)"), re.compile(r" fill (\d+) (\d+) (\S+) ([+-]) (\d+) (\d+)")


def read_net(
    path: str | Path, lengths: Mapping[str, int], other_lengths: Mapping[str, int], least: int = LEAST_FILL
) -> pd.DataFrame:
    """Read the top-level blocks of an alignment net (UCSC's format), as ``hg38.mm10.syn.net.gz``.

    Parameters
    ----------
    path
        Net, plain or packed. Only ``fill`` lines with one leading blank are read; nested ones are parts of them.
    lengths, other_lengths
        Base pairs of each chromosome of the first and of the other genome.
    least
        Fewest base pairs of a block, on either side.

    Returns
    -------
    DataFrame
        :data:`FILL_COLUMNS`, 0-based and half-open, both sides on the forward strand; chromosomes as ``lengths`` spell them.
        Blocks on chromosomes that a genome lacks are left out, and counted in a remark.

    Raises
    ------
    InputError
        If the file is no net, or is of other genomes.
    """
    path = Path(path)
    own, other = _spelling(lengths), _spelling(other_lengths)
    rows, small, absent, chromosome = [], 0, set(), ""
    with open_text(path, "alignment") as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith("net "):
                found = _NET.match(line)
                if found is None:
                    raise InputError(
                        f"{path.name} line {number}: expected 'net CHROMOSOME LENGTH'. Given: {line[:60]!r}"
                    )
                chromosome = own.get(normalise_chromosome(found[1]), "")
                if chromosome and lengths[chromosome] != int(found[2]):
                    raise InputError(
                        f"{path.name} is of another genome build: {found[1]} has {int(found[2]):,} bp there and "
                        f"{lengths[chromosome]:,} bp in the first genome; give the net of these two genomes, target first"
                    )
                if not chromosome:
                    absent.add(found[1])
            elif line.startswith(" fill "):
                found = _FILL.match(line)
                if found is None:
                    raise InputError(
                        f"{path.name} line {number}: expected ' fill START SIZE CHROMOSOME STRAND START SIZE'. "
                        f"Given: {line[:60]!r}"
                    )
                if not chromosome:
                    continue
                start, size, other_start, other_size = (int(found[place]) for place in (1, 2, 5, 6))
                if min(size, other_size) < least:
                    small += 1
                    continue
                partner = other.get(normalise_chromosome(found[3]), "")
                if not partner:
                    absent.add(found[3])
                    continue
                if start + size > lengths[chromosome] or other_start + other_size > other_lengths[partner]:
                    raise InputError(
                        f"{path.name} line {number}: the block ends behind its chromosome ({chromosome} {lengths[chromosome]:,} bp, "
                        f"{partner} {other_lengths[partner]:,} bp); is the net of other genome builds, or are the genomes exchanged?"
                    )
                rows.append((chromosome, start, start + size, partner, other_start, other_start + other_size))
    if not chromosome and not rows and not absent:
        raise InputError(
            f"{path.name} is not an alignment net: it has no line 'net CHROMOSOME LENGTH'; expected UCSC's .net or .net.gz"
        )
    if not rows:
        raise InputError(
            f"{path.name} has no block of {least:,} bp or more between these genomes ({small:,} are shorter"
            f"{', and ' + ', '.join(sorted(absent)[:3]) + ' are chromosomes of neither' if absent else ''}); "
            "give the net of these two genomes, that of --human first"
        )
    if absent:
        say(
            f"{path.name}: blocks of {len(absent):,} chromosomes that a genome lacks are left out, for example {sorted(absent)[0]}"
        )
    return pd.DataFrame(rows, columns=list(FILL_COLUMNS))


def _spelling(lengths: Mapping[str, int]) -> dict[str, str]:
    return {normalise_chromosome(name): name for name in reversed(list(lengths))}


def make_contigs(
    lengths: Mapping[str, int], gaps: pd.DataFrame | None, *, shortest: int, longest: int = 1_000_000
) -> tuple[pd.DataFrame, int]:
    """Cut chromosomes at gaps, drop what is shorter than a sequence, and halve what is longer than 1 Mb.

    Parameters
    ----------
    lengths
        Base pairs of each chromosome.
    gaps
        Regions without sequence: ``chromosome``, ``start``, ``end``; ``None`` for none.
    shortest
        Base pairs of a sequence; shorter contigs are dropped before the halving and behind it.
    longest
        Contigs are halved until none is longer.

    Returns
    -------
    contigs : DataFrame
        ``chromosome``, ``start``, ``end``, in the order of the genome.
    dropped : int
        Base pairs that were dropped.
    """
    rows, dropped = [], 0
    of_chromosome = {} if gaps is None else dict(list(gaps.groupby("chromosome", sort=False)))
    for name, length in lengths.items():
        cuts = of_chromosome.get(name)
        for start, end in _between(cuts, length):
            parts = [(start, end)]
            if end - start >= shortest:
                while parts[0][1] - parts[0][0] > longest or parts[-1][1] - parts[-1][0] > longest:
                    middles = [(low, (low + high) // 2, high) for low, high in parts]
                    parts = [piece for low, mid, high in middles for piece in ((low, mid), (mid, high))]
            kept = [(low, high) for low, high in parts if high - low >= shortest]
            dropped += (end - start) - sum(high - low for low, high in kept)
            rows += [(name, low, high) for low, high in kept]
    return pd.DataFrame(rows, columns=["chromosome", "start", "end"]), dropped


def _between(cuts: pd.DataFrame | None, length: int) -> list[tuple[int, int]]:
    """Stretches of a chromosome between its gaps."""
    if cuts is None or not len(cuts):
        return [(0, length)]
    found, position = [], 0
    for start, end in cuts[["start", "end"]].sort_values("start").itertuples(index=False):
        if start > position:
            found.append((position, int(start)))
        position = max(position, int(end))
    return found + ([(position, length)] if position < length else [])


def components(contigs: Sequence[pd.DataFrame], net: pd.DataFrame | None) -> list[np.ndarray]:
    """Label the connected components of contigs and aligned blocks.

    Parameters
    ----------
    contigs
        Contigs of one genome or of two.
    net
        Blocks of :func:`read_net`; ``None`` for none.

    Returns
    -------
    list of ndarray
        For each genome the number of each contig's component, int64 [contig].
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sizes = [len(table) for table in contigs]
    blocks = 0 if net is None else len(net)
    first, second = [], []
    if net is not None:
        # a block is one node: its two sides are always joined
        sides = (net[["chromosome", "start", "end"]], net[["other_chromosome", "other_start", "other_end"]])
        offset = blocks
        for table, side in zip(contigs, sides):
            side = side.set_axis(["chromosome", "start", "end"], axis=1)
            block, contig = overlapping_rows(side, table, more_than=LEAST_OVERLAP)
            first.append(block)
            second.append(contig + offset)
            offset += len(table)
    nodes = blocks + sum(sizes)
    rows = np.concatenate(first) if first else np.zeros(0, np.int64)
    columns = np.concatenate(second) if second else np.zeros(0, np.int64)
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(nodes, nodes))
    labels = connected_components(graph, directed=False)[1][blocks:].astype(np.int64)
    # numbered in the order of the genome, whatever the order in which the graph was walked
    _, first_seen, inverse = np.unique(labels, return_index=True, return_inverse=True)
    labels = np.argsort(np.argsort(first_seen))[inverse]
    return np.split(labels, np.cumsum(sizes)[:-1])


def assign_folds(
    sizes: np.ndarray, fractions: Sequence[float], seed: int, free: int | None = None
) -> np.ndarray:
    """Assign components to folds, largest first, at random in proportion to what each fold still lacks.

    A component longer than half of what a fold lacks does not enter it.

    Parameters
    ----------
    sizes
        Base pairs of each component, int64 [component].
    fractions
        Share of each fold.
    seed
        Seed.
    free
        Fold that takes components of any size (the training fold); where no fold may take one and there is none, the fold
        that lacks most takes it.

    Returns
    -------
    ndarray
        Number of the fold of each component, int64 [component].
    """
    aims = np.asarray(fractions, float) * sizes.sum()
    filled, folds = np.zeros(len(aims)), np.zeros(len(sizes), np.int64)
    random = random_generator(seed, "homology folds")
    for component in np.argsort(-sizes, kind="stable"):
        lacking = np.maximum(aims - filled, 0)
        allowed = sizes[component] <= lacking / 2
        if free is not None:
            allowed[free] = True
        weights = np.where(allowed, lacking, 0)
        draw = random.random()  # one a component, so that a choice moves no later draw
        if weights.sum() > 0:
            chosen = int(np.searchsorted(np.cumsum(weights) / weights.sum(), draw, side="right"))
        else:
            chosen = int(np.argmax(aims - filled)) if free is None else free
        folds[component] = chosen
        filled[chosen] += sizes[component]
    return folds


def keep_apart(contigs: pd.DataFrame, distance: int) -> pd.DataFrame:
    """Cut contigs back so that those of different folds are ``distance`` base pairs apart, each side giving half.

    Parameters
    ----------
    contigs
        ``chromosome``, ``start``, ``end``, ``fold``, in the order of the genome.
    distance
        Base pairs.

    Returns
    -------
    DataFrame
        The contigs with new ends; some may be empty or shorter than a sequence.
    """
    start, end = contigs["start"].to_numpy(np.int64).copy(), contigs["end"].to_numpy(np.int64).copy()
    before, behind = start.copy(), end.copy()
    chromosome, fold = contigs["chromosome"].to_numpy(), contigs["fold"].to_numpy()
    for row in range(len(contigs)):
        other = row + 1
        while other < len(contigs) and chromosome[other] == chromosome[row]:
            if before[other] - behind[row] >= distance:
                break
            if fold[other] != fold[row]:
                middle = (behind[row] + before[other]) // 2
                end[row] = min(end[row], middle - distance // 2)
                start[other] = max(start[other], middle - distance // 2 + distance)
            other += 1
    return contigs.assign(start=start, end=np.maximum(end, start))


def rejoin(contigs: pd.DataFrame) -> pd.DataFrame:
    """Join contigs of one fold that were halved, so that sequences may lie across the cut.

    Parameters
    ----------
    contigs
        ``chromosome``, ``start``, ``end``, ``fold``, in the order of the genome.
    """
    same = (
        (contigs["chromosome"] == contigs["chromosome"].shift())
        & (contigs["fold"] == contigs["fold"].shift())
        & (contigs["start"] == contigs["end"].shift())
    )
    grouped = contigs.groupby((~same).cumsum(), sort=False)
    return grouped.agg({"chromosome": "first", "start": "min", "end": "max", "fold": "first"}).reset_index(
        drop=True
    )


def tile(contigs: pd.DataFrame, length: int, stride: int) -> pd.DataFrame:
    """Lay sequences of ``length`` base pairs every ``stride`` base pairs along contigs.

    Parameters
    ----------
    contigs
        ``chromosome``, ``start``, ``end``, ``fold``.
    length, stride
        Base pairs.

    Returns
    -------
    DataFrame
        ``chromosome``, ``start``, ``end``, ``fold``, in the order of the contigs.
    """
    width = (contigs["end"] - contigs["start"]).to_numpy()
    counts = np.maximum((width - length) // stride + 1, 0)
    row = np.repeat(np.arange(len(contigs)), counts)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    start = contigs["start"].to_numpy()[row] + number * stride
    return pd.DataFrame(
        {
            "chromosome": contigs["chromosome"].to_numpy()[row],
            "start": start,
            "end": start + length,
            "fold": contigs["fold"].to_numpy()[row],
        }
    )
