"""Every chromatin method on planted marks of reserved seeds: single fits and ensembles, arithmetic, CPU seconds, and what the rules allow.

Two worlds: all tracks measured, and 6% of the tracks missing. Each network is fitted five times a seed (DeepChrome's form
twice, Chromoformer's once); the spread is that of fits.
"""

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from cistron.chromatin import BuildSettings, ExpressionPredictor, NetworkSettings, build_gene_tracks
from cistron.chromatin.estimator import read_marks
from cistron.chromatin.fitted_model import ChromatinModel
from cistron.chromatin.settings import MarkRidgeSettings
from cistron.chromatin.settings_peers import BoostingSettings, ChromoformerSettings, DeepChromeSettings
from cistron.chromatin.splits import choose_split
from cistron.formats.gene_tracks import GeneTracks
from cistron.world.chromatin import (
    MARKS,
    RULES,
    ChromatinWorld,
    ChromatinWorldSettings,
    chromatin_world,
    rule_effects,
    softplus,
    write_binned,
)

SEEDS, GENES, FITS, TOGETHER = (1000, 1001), 1100, 5, 3
MISSING = (0.0, 0.06)
FEWER = {"deepchrome": 2, "chromoformer": 1}  # fits of what takes long
METHODS = {
    "network": ("network", NetworkSettings()),
    "network, 8 filters, 64 units": ("network", NetworkSettings(channels=8, hidden=64)),
    "per-cell": ("per-cell", NetworkSettings.per_cell()),
    "per-cell, plain squared error": (
        "per-cell",
        dataclasses.replace(NetworkSettings.per_cell(), level_weight=1.0),
    ),
    "network, convolutional": ("network", NetworkSettings.convolutional()),
    "deepchrome": ("deepchrome", DeepChromeSettings()),
    "chromoformer": ("chromoformer", ChromoformerSettings()),
    "boosting": ("boosting", BoostingSettings()),
    "boosting, other cell types": ("boosting", BoostingSettings(other_cell_types=True)),
    "ridge, 20 bins": ("ridge", MarkRidgeSettings(bins=20)),
    "ridge, promoter": ("ridge", MarkRidgeSettings()),
}


def correlations(predicted: np.ndarray, observed: np.ndarray) -> tuple[float, float]:
    """Of arrays [gene, cell type]: across genes, mean over cell types; across cell types within a gene, mean over genes."""
    across = np.mean([np.corrcoef(p, o)[0, 1] for p, o in zip(predicted.T, observed.T)])
    return float(across), float(np.nanmean([np.corrcoef(p, o)[0, 1] for p, o in zip(predicted, observed)]))


def planted(seed: int, missing: float, folder: Path) -> tuple[ChromatinWorld, GeneTracks]:
    """A world and its store."""
    world = chromatin_world(ChromatinWorldSettings(genes=GENES, missing=missing), seed=seed)
    files = write_binned(world, folder / f"world_{seed}_{missing}")
    store = build_gene_tracks(
        folder / f"{seed}_{missing}.zarr",
        binned=files["marks"],
        annotation=files["genes"],
        expression=files["expression"],
        settings=BuildSettings(transform="logged"),
    )
    return world, store


def _activities(values: np.ndarray) -> np.ndarray:
    """What each rule reads, [gene, cell type, rule]."""
    read = [values[:, :, MARKS.index(rule.mark), rule.bins].mean(axis=-1) / rule.scale for rule in RULES]
    return np.tanh(np.stack(read, axis=-1))


def allowed(world: ChromatinWorld, test: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """Scores of the rules themselves: knowing all tracks, and knowing the measured ones.

    For the second, what the rules read in missing tracks is predicted by boosting from all that was measured, fitted on 4,400
    genes of another world; what a gene has of its own is known to neither.
    """
    observed = world.expression[test]
    complete = correlations(softplus(1.5 + rule_effects(world.values[test])), observed)
    if world.measured.all():
        return complete, complete
    measured = np.stack([world.measured[:, MARKS.index(rule.mark)] for rule in RULES], axis=-1)
    other = chromatin_world(ChromatinWorldSettings(genes=4400), seed=901)

    def known(activity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen = np.where(measured, activity, np.nan)
        mean = np.nanmean(seen, axis=1, keepdims=True)
        effect = np.where(measured, activity, 0) * [rule.strength for rule in RULES]
        effect[..., -1] *= 1 - mean[..., -1]
        return effect.sum(axis=-1), np.concatenate([seen, np.broadcast_to(mean, seen.shape)], axis=2)

    (effect, features), (theirs, their_features) = (
        known(_activities(world.values[test])),
        known(_activities(other.values)),
    )
    rest = rule_effects(other.values) - theirs
    for cell_type in np.flatnonzero(np.abs(rest).max(axis=0) > 1e-6):
        trees = lightgbm.LGBMRegressor(
            n_estimators=250, learning_rate=0.05, num_leaves=15, n_jobs=1, verbose=-1
        )
        trees.fit(their_features[:, cell_type], rest[:, cell_type])
        effect[:, cell_type] += trees.predict(features[:, cell_type])
    return complete, correlations(softplus(1.5 + effect), observed)


def millions(model: ChromatinModel, cell_types: int) -> float:
    """Million floating-point operations of one network for one gene, forwards; NaN without a network."""
    if not model.networks:
        return np.nan
    counter = FlopCounterMode(display=False)
    shape = (1, cell_types, len(model.marks))
    with counter, torch.no_grad():
        model.networks[0](torch.zeros(*shape, model.facts["bins"]), torch.ones(shape, dtype=torch.bool))
    return counter.get_total_flops() / 1e6


def main() -> None:
    """Print a table for each world, row by row."""
    torch.set_num_threads(1)
    for missing in MISSING:
        with tempfile.TemporaryDirectory() as folder:
            made = [planted(seed, missing, Path(folder)) for seed in SEEDS]
            print(
                f"{missing:.0%} of the tracks missing; {GENES:,} genes x 6 cell types x 6 marks, chromosomes 15-22 held out; seeds {SEEDS}; "
                "across genes / across cell types within a gene"
            )
            print(
                "method                         fits   one fit (standard deviation of fits)   mean of 3       Mflop a gene   CPU s a fit"
            )
            for name, (method, settings) in METHODS.items():
                _row(name, method, settings, made)
            test = [np.flatnonzero(np.isin(store.genes, _test_genes(store))) for _, store in made]
            both = np.mean([allowed(world, rows) for (world, _), rows in zip(made, test)], axis=0)
            print(f"{'the rules, all tracks known':38} {both[0, 0]:.3f} / {both[0, 1]:.3f}")
            print(f"{'the rules, measured tracks':38} {both[1, 0]:.3f} / {both[1, 1]:.3f}\n", flush=True)


def _test_genes(store: GeneTracks) -> list[str]:
    return sorted(choose_split(store).genes.test)


def _row(name: str, method: str, settings: Any, made: list[tuple[ChromatinWorld, GeneTracks]]) -> None:
    """Fit a method on each world and print its row."""
    fits = FEWER.get(name, FITS) if hasattr(settings, "members") else 1
    if hasattr(settings, "members"):
        settings = dataclasses.replace(settings, members=fits)
    one, three, seconds = [], [], []
    for (world, store), seed in zip(made, SEEDS):
        begun = time.process_time()
        model = ExpressionPredictor(settings, method=method, seed=seed).fit(store)
        seconds.append((time.process_time() - begun) / fits)
        test = np.flatnonzero(np.isin(store.genes, _test_genes(store)))
        each = model.predict_each(*read_marks(model, store, test))
        one.append([correlations(single, world.expression[test]) for single in each])
        three.append(correlations(each[:TOGETHER].mean(axis=0), world.expression[test]))
    singles, apart, together = (
        np.mean(one, axis=(0, 1)),
        np.std(one, axis=1).mean(axis=0),
        np.mean(three, axis=0),
    )
    print(
        f"{name:30} {fits:4}    {singles[0]:.3f} ({apart[0]:.3f}) / {singles[1]:.3f} ({apart[1]:.3f})      {together[0]:.3f} / {together[1]:.3f}   "
        f"{millions(model, len(made[0][1].cell_types)):8.2f}   {np.mean(seconds):8.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
