"""Coverage of the intervals of the gene-set task and uniformity of its p-values, on planted worlds.

A world has 3,600 genes on 22 chromosomes of human proportions and eight latent functions; sets of 20 to 300 genes follow a
direction among them, strongly or weakly. In worlds with families, five neighbours share most of their functions and
most of their membership. Measured for the true functions and for noise that has families of its own: how often the
interval holds the mean score over worlds, and how often p falls below a level.

There are 250 worlds of each of four kinds; ``CISTRON_WORLDS=100`` makes fewer. The p-values of average precision need 100
reflected and 100 permuted embeddings a world and are measured on 60 worlds of two kinds.
"""

import os
import time

import numpy as np
from scipy import stats

from cistron.genes.splits import chromosome_groups
from cistron.statistics import permute_within
from cistron.statistics.held_out_ranks import LeftOutModel, Members
from cistron.statistics.set_scores import drawn_scores, set_estimates

_CHROMOSOMES = np.repeat(
    np.arange(22),
    2
    * np.array(
        [200, 130, 110, 80, 90, 105, 95, 70, 80, 78, 130, 100, 35, 62, 60, 85, 120, 30, 140, 55, 25, 45]
    ),
)
_SIZES, _DIRECTIONS, _FUNCTIONS, _DRAWS = (20, 40, 80, 300), 3, 8, 100
_FIRST_SEED = 1000  # those below were used while the method was chosen


def _functions(generator: np.random.Generator, families: bool) -> np.ndarray:
    genes = len(_CHROMOSOMES)
    own = generator.normal(size=(genes, _FUNCTIONS))
    if not families:
        return own
    return 0.9 * generator.normal(size=(genes // 5 + 1, _FUNCTIONS))[np.arange(genes) // 5] + 0.45 * own


def _sets(
    generator: np.random.Generator,
    functions: np.ndarray,
    directions: np.ndarray,
    families: bool,
    strength: float,
) -> np.ndarray:
    genes = len(functions)
    member = np.zeros((genes, len(directions) * len(_SIZES)), dtype=bool)
    for number, direction in enumerate(directions):
        for place, size in enumerate(_SIZES):
            chance = generator.gumbel(size=genes)
            if families:
                chance = generator.gumbel(size=genes // 5 + 1)[np.arange(genes) // 5] + 0.3 * chance
            pull = strength * functions @ direction + chance
            member[np.argsort(-pull)[:size], number * len(_SIZES) + place] = True
    return member


def _measure(families: bool, strength: float, worlds: int, null_worlds: int) -> dict[str, np.ndarray]:
    directions = np.random.default_rng(7).normal(size=(_DIRECTIONS, _FUNCTIONS))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    groups = np.asarray(chromosome_groups([str(one) for one in _CHROMOSOMES], 10))
    found: dict[str, list[np.ndarray]] = {}

    def keep(name: str, value: np.ndarray) -> None:
        found.setdefault(name, []).append(value)

    for world in range(worlds):
        generator = np.random.default_rng(_FIRST_SEED + world)
        functions = _functions(generator, families)
        members = Members.of(_sets(generator, functions, directions, families, strength), groups)
        for name, values in (("true", functions), ("noise", _functions(generator, families))):
            model = LeftOutModel.fit(np.empty((len(values), 0)), values, members)
            estimate = set_estimates(model)
            low, high = estimate["auroc"].interval()
            for part, value in (("value", estimate["auroc"].value), ("low", low), ("high", high)):
                keep(f"{name} {part}", value)
            keep(f"{name} p", estimate["auroc"].p_value(0.5))
        if world < null_worlds:  # of the noise, which was fitted last
            orders = np.array([permute_within(_CHROMOSOMES, world, draw) for draw in range(_DRAWS)])
            drawn = {
                "permuted": model.rearranged_ranks(orders),
                "reflected": model.reflected_ranks(_DRAWS, generator),
            }
            for kind, ranks in drawn.items():
                logs = np.log(drawn_scores(members, ranks)["auprc"])
                spread = logs.std(axis=0, ddof=1) * np.sqrt(1 + 1 / _DRAWS)
                distance = (np.log(estimate["auprc"].value) - logs.mean(axis=0)) / spread
                keep(f"{kind} p", 2 * stats.t.sf(np.abs(distance), _DRAWS - 1))
    return {name: np.array(values) for name, values in found.items()}


def main() -> None:
    """Print coverage and p-values by kind of world, embedding and size of the sets."""
    worlds = int(os.environ.get("CISTRON_WORLDS", "250"))
    null_worlds = min(60, worlds)
    started = time.process_time()
    sizes = np.tile(_SIZES, _DIRECTIONS)
    print(f"{worlds} worlds of each kind; coverage of 95% intervals of AUROC at sets of {_SIZES} genes, all")
    for families in (False, True):
        for strength in (0.4, 0.8):
            found = _measure(families, strength, worlds, null_worlds if strength > 0.5 else 0)
            kind = f"{'families' if families else 'no families'}, strength {strength}"
            for name in ("true", "noise"):
                value = found[f"{name} value"]
                mean = value.mean(axis=0)
                held = (found[f"{name} low"] <= mean) & (mean <= found[f"{name} high"])
                parts = " ".join(f"{held[:, sizes == size].mean():.3f}" for size in _SIZES)
                print(f"{kind:28s} {name:6s} mean {value.mean():.3f}  {parts}  {held.mean():.3f}", flush=True)
            _print_p(f"{kind}: AUROC of noise", found["noise p"])
            for null in ("permuted", "reflected"):
                if f"{null} p" in found:
                    _print_p(f"{kind}: AUPRC of noise, {null}", found[f"{null} p"])
    print(f"{time.process_time() - started:.0f} CPU s")


def _print_p(what: str, p: np.ndarray) -> None:
    shares = " ".join(f"p<{level:g} {(p < level).mean():.3f}" for level in (0.01, 0.05, 0.2, 0.5))
    print(
        f"{what:56s} {shares}  largest distance from uniform {stats.kstest(p.ravel(), 'uniform').statistic:.3f}"
    )


if __name__ == "__main__":
    main()
