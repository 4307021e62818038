"""Coverage of the intervals of gains beyond trivial columns, on planted worlds of four tasks.

In a world of noise the embedding is independent of what is predicted, in a world of signal it tells a part of it that trivial
columns do not. An interval is held to cover the mean gain over the worlds of its kind. Beside it: the deviation of the gain over
worlds, that which the intervals say (half of their mean width / 1.96), and how often the interval lies above 0, which is
what "knows" rests on and in a world of noise must be at most 2.5%.

``CISTRON_WORLDS=100`` makes fewer than 300 worlds of each kind; ``CISTRON_TASKS=pairs,labels`` only some tasks.
"""

import os
import time
from collections.abc import Callable, Iterator

import numpy as np

from cistron.evaluation.expression.comparison import compare, gene_draws
from cistron.evaluation.expression.rival import beside
from cistron.evaluation.expression.rows import gain_draws
from cistron.evaluation.pairs.gains import group_pairs, occurrence_columns, pair_gain, trivial_pair_columns
from cistron.evaluation.rivals import gain_beyond, gain_beyond_in_numbers
from cistron.genes.splits import chromosome_groups
from cistron.statistics import percentile_interval

_FIRST_SEED = 5000  # those below were used while the method was chosen
_SHARES = np.array([10, 7, 6, 4, 5, 5, 5, 4, 4, 4, 7, 5, 2, 3, 3, 4, 6, 2, 7, 3, 1, 2])
Found = tuple[float, float, float]  # value, low, high
World = Callable[[np.random.Generator, bool], Iterator[tuple[str, Found]]]


def _families(generator: np.random.Generator, genes: int, columns: int, families: bool) -> np.ndarray:
    own = generator.normal(size=(genes, columns))
    if not families:
        return own
    shared = generator.normal(size=(genes // 5 + 1, columns))[np.arange(genes) // 5]
    return np.asarray(0.9 * shared + 0.45 * own)


def _sets(families: bool) -> World:
    def world(generator: np.random.Generator, signal: bool) -> Iterator[tuple[str, Found]]:
        chromosomes = np.repeat(np.arange(22), 18 * _SHARES)
        genes, sizes = len(chromosomes), (20, 60, 200)
        functions, trivial = (_families(generator, genes, columns, families) for columns in (8, 5))
        member = np.zeros((genes, len(sizes)), dtype=bool)
        for place, size in enumerate(sizes):
            pull = functions[:, place] + trivial[:, place] + generator.gumbel(size=genes)
            member[np.argsort(-pull)[:size], place] = True
        embedding = functions if signal else _families(generator, genes, 8, families)
        groups = np.asarray(chromosome_groups([str(one) for one in chromosomes], 10))
        for metric, gain in gain_beyond(trivial, embedding, member, groups).items():
            low, high = gain.beyond.interval()
            for place, size in enumerate(sizes):
                yield (
                    f"{metric}, {size} genes",
                    (float(gain.beyond.value[place]), float(low[place]), float(high[place])),
                )

    return world


def _labels(generator: np.random.Generator, signal: bool) -> Iterator[tuple[str, Found]]:
    genes = 500
    functions, trivial = generator.normal(size=(genes, 16)), generator.normal(size=(genes, 5))
    pull = functions[:, 0] + trivial[:, 0] + generator.normal(size=genes)
    embedding = functions if signal else generator.normal(size=(genes, 16))
    groups = generator.permutation(genes) % 10
    member = pull > np.quantile(pull, 0.85)
    found = {
        "member, auroc": gain_beyond(trivial, embedding, member[:, None], groups)["auroc"],
        "number, r": gain_beyond_in_numbers(trivial, embedding, pull[:, None], groups),
    }
    for name, gain in found.items():
        low, high = gain.beyond.interval()
        yield name, (float(gain.beyond.value[0]), float(low[0]), float(high[0]))


def _pairs(generator: np.random.Generator, signal: bool) -> Iterator[tuple[str, Found]]:
    genes, listed = 300, 800
    functions, trivial = generator.normal(size=(genes, 8)), generator.normal(size=(genes, 3))
    popular = np.log(generator.gamma(1.0, size=genes) + 1e-3)
    a, b = np.triu_indices(genes, 1)
    pull = 0.4 * (functions[a] * functions[b]).sum(axis=1) + 0.5 * (trivial[a, 0] + trivial[b, 0])
    pull += popular[a] + popular[b] + generator.gumbel(size=len(a))
    order = np.argsort(-pull)
    positives, negatives = order[:listed], generator.choice(order[listed:], listed, replace=False)
    embedding = functions if signal else generator.normal(size=functions.shape)
    for balanced in (True, False):
        chosen = positives if balanced else np.r_[positives, negatives]
        label = np.arange(len(chosen)) < listed
        seed = int(generator.integers(1 << 30))
        pairs = group_pairs(a[chosen], b[chosen], label, genes, balanced=balanced, directed=False, seed=seed)
        assert pairs is not None
        columns = (
            trivial if balanced else np.hstack([trivial, occurrence_columns(a[chosen], b[chosen], genes)])
        )
        gain = pair_gain(embedding, trivial_pair_columns(columns, pairs, False), pairs, "product", seed)
        low, high = gain.beyond.interval()
        name = "exchanged negatives" if balanced else "given negatives"
        yield name, (float(gain.beyond.value[0]), float(low[0]), float(high[0]))


def _expression(generator: np.random.Generator, signal: bool) -> Iterator[tuple[str, Found]]:
    """Unseen genes: the prediction tells a part of a gene's expression, or nothing, beside what trivial columns tell."""
    cells, genes = 30, 300
    part, own, rival = (generator.normal(size=(4, genes)) for _ in range(3))
    loadings = np.random.default_rng(7).normal(
        1.0, 0.3, size=(3, cells, 4)
    )  # the same cells: intervals are over genes
    truth, told, trivial = (one @ two for one, two in zip(loadings, (own, part, rival)))
    observed = truth + told + trivial + generator.normal(size=(cells, genes))
    predicted = told if signal else loadings[1] @ generator.normal(size=(4, genes))
    predicted = predicted + generator.normal(size=(cells, genes))
    files = [one.astype(np.float32) for one in (trivial, predicted, observed)]
    weights = gene_draws(genes, 200, generator)
    mixed = beside(*files)
    whole, full = (compare(one, files[2], weights) for one in (files[0], mixed))
    for metric in ("pearson_across_genes", "pooled_doubly_centred"):
        value = full.values[metric] - whole.values[metric]
        low, high = percentile_interval(gain_draws(full.draws[metric], whole.draws[metric], genes))
        yield metric, (value, float(low), float(high))


_WORLDS: dict[str, tuple[str, World]] = {
    "genesets": ("gene sets, no families", _sets(False)),
    "families": ("gene sets, families of five", _sets(True)),
    "labels": ("labels", _labels),
    "pairs": ("pairs", _pairs),
    "expression": ("expression of unseen genes", _expression),
}


def main() -> None:
    """Print coverage by task, world and figure."""
    worlds = int(os.environ.get("CISTRON_WORLDS", "300"))
    wanted = os.environ.get("CISTRON_TASKS", ",".join(_WORLDS)).split(",")
    started = time.process_time()
    print(f"{worlds} worlds of each kind; 95% intervals of the gain beyond trivial columns")
    print(
        f"{'task':28s} {'figure':24s} {'world':6s} {'mean':>7s} {'sd':>6s} {'said':>6s} {'covered':>8s} {'above 0':>8s}"
    )
    for task in wanted:
        title, world = _WORLDS[task]
        found: dict[tuple[str, str], list[Found]] = {}
        for number in range(worlds):
            for signal in (False, True):
                generator = np.random.default_rng([_FIRST_SEED + number, signal])
                for name, one in world(generator, signal):
                    found.setdefault((name, "signal" if signal else "noise"), []).append(one)
        for (name, kind), rows in sorted(found.items()):
            value, low, high = np.array(rows).T
            mean = value.mean()
            held = ((low <= mean) & (mean <= high)).mean()
            said = (high - low).mean() / 3.92
            print(
                f"{title:28s} {name:24s} {kind:6s} {mean:+7.3f} {value.std():6.4f} {said:6.4f} {held:8.3f} {(low > 0).mean():8.3f}",
                flush=True,
            )
    print(f"{time.process_time() - started:.0f} CPU s")


if __name__ == "__main__":
    main()
