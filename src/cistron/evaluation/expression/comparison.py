"""All correlations of one predicted with one observed matrix, with bootstrap draws and permuted controls."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from cistron.evaluation.expression.complete import (
    GeneLines,
    ObservedSide,
    cell_lines,
    line_correlations,
    line_sums,
)
from cistron.evaluation.expression.correlations import (
    average_ranks,
    column_sums,
    correlation_of_totals,
    correlations_of,
    permuted_row_correlations,
    pooled_correlation,
    row_correlations,
    two_way_effects,
)

# metric: (family, what it is); the page of the task and the report are made from this
METRICS: dict[str, tuple[str, str]] = {
    "pearson_across_genes": ("across genes", "Pearson r over genes within a cell, mean over cells"),
    "spearman_across_genes": ("across genes", "Spearman's rho over genes within a cell, mean over cells"),
    "pearson_across_cells": (
        "across cells",
        "Pearson r over cells within a gene, mean over genes (Decima's definition)",
    ),
    "spearman_across_cells": ("across cells", "Spearman's rho over cells within a gene, mean over genes"),
    "pooled_across_cells": ("across cells", "one Pearson r over all entries, the mean of each gene removed"),
    "pooled_doubly_centred": (
        "doubly centred",
        "one Pearson r over all entries, the means of genes and cells removed (scooby's definition)",
    ),
    "pearson_doubly_centred": (
        "doubly centred",
        "Pearson r over cells within a gene after both means are removed, mean over genes",
    ),
    "spearman_doubly_centred": (
        "doubly centred",
        "Spearman's rho over cells within a gene after both means are removed, mean over genes",
    ),
}
_ROW_VALUES = 1 << 21  # values of a block of cells
_GENES = 1024  # genes of a block; permutations stay within blocks


@dataclass
class Comparison:
    """Correlations of one prediction in one stratum.

    Attributes
    ----------
    values, draws, counts
        By metric: the value (NaN where undefined), its bootstrap draws float64 [draw], and the number of cells or
        genes with a defined correlation behind it.
    controls
        By metric: mean over permutations of the predicted genes.
    per_cell, per_gene
        By metric: the correlations of which a value is the mean, float64 [cell] or [gene].
    """

    values: dict[str, float] = field(default_factory=dict)
    draws: dict[str, np.ndarray] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    controls: dict[str, float] = field(default_factory=dict)
    per_cell: dict[str, np.ndarray] = field(default_factory=dict)
    per_gene: dict[str, np.ndarray] = field(default_factory=dict)


def gene_draws(genes: int, draws: int, generator: np.random.Generator) -> np.ndarray:
    """Draw genes with replacement: times that each is taken, float32 [gene, draw].

    Parameters
    ----------
    genes
        Number of genes.
    draws
        Number of bootstrap draws.
    generator
        Source of randomness.
    """
    return generator.multinomial(genes, np.full(genes, 1.0 / genes), size=draws).T.astype(np.float32)


def gene_blocks(genes: int) -> Iterator[slice]:
    """Slices of about a thousand genes of similar size."""
    number = max(1, round(genes / _GENES))
    edges = np.linspace(0, genes, number + 1).astype(int)
    for start, stop in pairwise(edges):
        yield slice(int(start), int(stop))


def permuted_genes(predicted: np.ndarray, number: int, generator: np.random.Generator) -> np.ndarray:
    """Permute the genes that have a prediction within blocks, int [permutation, gene].

    Genes are loaded in random order, so blocks are random sets of genes.

    Parameters
    ----------
    predicted
        Predictions, float [cell, gene]; a gene without a finite value stays in its place.
    number
        Number of permutations.
    generator
        Source of randomness.
    """
    defined = np.isfinite(predicted).any(axis=0)
    orders = np.tile(np.arange(predicted.shape[1]), (number, 1))
    for order in orders:
        for block in gene_blocks(predicted.shape[1]):
            places = block.start + np.flatnonzero(defined[block])
            order[places] = generator.permutation(places)
    return orders


def compare(
    predicted: np.ndarray,
    observed: np.ndarray,
    weights: np.ndarray | None = None,
    orders: np.ndarray | None = None,
    threads: int = 1,
    side: ObservedSide | None = None,
) -> Comparison:
    """Compute all correlations.

    Parameters
    ----------
    predicted, observed
        float32 [cell, gene]; entries where either is NaN are left out.
    weights
        Times that each gene is taken, float32 [gene, draw].
    orders
        Permutations of the genes of :func:`permuted_genes`, for the control.
    threads
        Blocks of cells or genes that are worked on at a time.
    side
        What was computed of ``observed`` and ``weights`` before; made here when absent.

    Returns
    -------
    Comparison
        Draws and controls are empty where not asked for. Spearman's rho is resampled with the ranks of the whole
        sample, doubly centred correlations with its cell means.
    """
    result = Comparison()
    orders = np.empty((0, predicted.shape[1]), dtype=np.int64) if orders is None else orders
    side = ObservedSide(observed, weights) if side is None else side
    complete = _complete(predicted, side)
    with ThreadPoolExecutor(threads) as pool:
        _across_genes(result, predicted, side, weights, orders, pool, complete)
        _within_genes(result, predicted, side, weights, orders, pool, complete)
    return result


def _complete(predicted: np.ndarray, side: ObservedSide) -> bool:
    """Whether nothing is missing on either side, so that the short way can be taken."""
    return side.complete and bool(np.isfinite(predicted).all())


def _across_genes(
    result: Comparison,
    predicted: np.ndarray,
    side: ObservedSide,
    weights: np.ndarray | None,
    orders: np.ndarray,
    pool: ThreadPoolExecutor,
    complete: bool,
) -> None:
    cells, genes = predicted.shape
    kinds = ("pearson_across_genes", "spearman_across_genes")
    found = {kind: np.full((1 + len(orders), cells), np.nan) for kind in kinds}
    draws = 0 if weights is None else weights.shape[1]
    total, number = ({kind: np.zeros(draws) for kind in kinds} for _ in range(2))
    step = max(1, _ROW_VALUES // genes)
    blocks = [slice(start, min(start + step, cells)) for start in range(0, cells, step)]

    def correlations(rows: slice) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        if complete:
            for first, second in zip(cell_lines(predicted[rows], weights), side.cells(rows)):
                yield line_correlations(first, second, weights, orders)
            return
        x, y = _jointly_defined(predicted[rows], side.observed[rows])
        for kind in kinds:
            if kind.startswith("spearman"):
                x, y = average_ranks(x, 1), average_ranks(y, 1)
            own, drawn = row_correlations(x, y, weights)
            yield np.vstack([own, permuted_row_correlations(x, y, orders)]), drawn

    def work(rows: slice) -> list[tuple[np.ndarray, ...]]:
        parts: list[tuple[np.ndarray, ...]] = []
        for values, drawn in correlations(rows):
            drawn = np.empty((0, 0)) if drawn is None else drawn
            total_of_block = np.asarray(np.nansum(drawn, axis=0, dtype=np.float64))
            parts.append((values, total_of_block, np.isfinite(drawn).sum(axis=0)))
        return parts

    for rows, parts in zip(blocks, pool.map(work, blocks)):
        for kind, (values, drawn, defined) in zip(kinds, parts):
            found[kind][:, rows] = values
            total[kind] += drawn
            number[kind] += defined
    for kind in kinds:
        result.per_cell[kind] = found[kind][0]
        _record_mean(result, kind, found[kind])
        if weights is not None:
            with np.errstate(invalid="ignore"):
                result.draws[kind] = total[kind] / number[kind]


def _within_genes(
    result: Comparison,
    predicted: np.ndarray,
    side: ObservedSide,
    weights: np.ndarray | None,
    orders: np.ndarray,
    pool: ThreadPoolExecutor,
    complete: bool,
) -> None:
    genes = predicted.shape[1]
    kinds = [
        f"{kind}_{name}" for name in ("across_cells", "doubly_centred") for kind in ("pearson", "spearman")
    ]
    sums = {kind: np.zeros((1 + len(orders), 4, genes)) for kind in kinds}
    if complete:
        row, column = two_way_effects(predicted)
    else:
        effects = _effects_of_pairs(predicted, side.observed)

    def work(block: slice) -> Sequence[np.ndarray]:
        own = np.stack([order[block] - block.start for order in (np.arange(genes), *orders)])
        if not complete:
            return _sums_of_pairs(predicted[:, block], side.observed[:, block], effects, block, own)
        lines = GeneLines(predicted[:, block], (row, column[block]))
        return [line_sums(x, y, own) for x, y in zip(lines.kinds, side.genes(block).kinds)]

    blocks = list(gene_blocks(genes))
    for block, parts in zip(blocks, pool.map(work, blocks)):
        for kind, part in zip(kinds, parts):
            sums[kind][:, :, block] = part
    _record_genes(result, kinds, sums, weights)


def _record_genes(
    result: Comparison, kinds: Sequence[str], sums: dict[str, np.ndarray], weights: np.ndarray | None
) -> None:
    """Record means over genes and pooled correlations, and their draws by one product with all weights."""
    pooled = {f"pooled_{name}": sums[f"pearson_{name}"] for name in ("across_cells", "doubly_centred")}
    products: list[np.ndarray] = []
    for kind in kinds:
        correlations = np.stack([correlations_of(part) for part in sums[kind]])
        result.per_gene[kind] = correlations[0]
        _record_mean(result, kind, correlations)
        defined = np.isfinite(correlations[0])
        products += [np.where(defined, correlations[0], 0.0), defined.astype(np.float64)]
    for kind, own_sums in pooled.items():
        result.values[kind], *permuted = (float(pooled_correlation(part)) for part in own_sums)
        result.counts[kind] = int((own_sums[0][0] > 0).sum())
        result.controls[kind] = _mean(permuted)
        products += list(own_sums[0])
    if weights is None:
        return
    drawn = np.stack(products) @ weights.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        for number, kind in enumerate(kinds):
            result.draws[kind] = drawn[2 * number] / drawn[2 * number + 1]
    for number, kind in enumerate(pooled):
        first = 2 * len(kinds) + 4 * number
        result.draws[kind] = correlation_of_totals(drawn[first : first + 4])


def _effects_of_pairs(predicted: np.ndarray, observed: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Effects of cells and genes on either side, over the entries that both have."""
    seen = np.isfinite(predicted) & np.isfinite(observed)
    return [
        two_way_effects(values if seen.all() else np.where(seen, values, np.nan))
        for values in (predicted, observed)
    ]


def _sums_of_pairs(
    predicted: np.ndarray,
    observed: np.ndarray,
    effects: list[tuple[np.ndarray, np.ndarray]],
    block: slice,
    own: np.ndarray,
) -> list[np.ndarray]:
    """Sums of the genes of a block where entries are missing: values, ranks, doubly centred values, their ranks."""
    raw = _jointly_defined(predicted, observed)
    scales = [np.nan_to_num(np.abs(values)).max(axis=0, initial=0.0) for values in raw]
    residual = [
        values.astype(np.float64) - row[:, None] - column[block]
        for values, (row, column) in zip(raw, effects)
    ]
    parts = []
    for x, y in (raw, residual):
        parts.append(column_sums(x, y, (scales[0], scales[1]), own))
        # What is rounding only must not get ranks.
        x, y = (
            average_ranks(np.where(_varies(values, limit) | np.isnan(values), values, 0.0), 0)
            for values, limit in ((x, scales[0]), (y, scales[1]))
        )
        parts.append(column_sums(x, y, orders=own))
    return parts


def _jointly_defined(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Copies of both matrices, with NaN wherever one of them has NaN."""
    seen = np.isfinite(first) & np.isfinite(second)
    if seen.all():
        return first, second
    return np.where(seen, first, np.nan), np.where(seen, second, np.nan)


def _varies(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Which columns vary by more than rounding, bool [column]."""
    number, square, _, _ = column_sums(values, values, (scale, scale))
    return (number > 0) & (square > 0)


def _record_mean(result: Comparison, kind: str, correlations: np.ndarray) -> None:
    """Record the first row as the value, the others as its controls."""
    result.values[kind] = _mean(correlations[0])
    result.counts[kind] = int(np.isfinite(correlations[0]).sum())
    result.controls[kind] = _mean([_mean(part) for part in correlations[1:]])


def _mean(values: np.ndarray | list[float]) -> float:
    """Mean of what is defined; NaN where nothing is."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else float("nan")
