"""Fit the coefficients of the default network method on random screens of development seeds, all simulators.

Every screen counts by the root of its number of edges. What a fit on some screens is worth on others is found by leaving
out every fourth group of screens in turn; the slope and intercept by which those left-out log-odds are off (they are too
bold) are put into the coefficients. Writes src/cistron/networks/calibration.json.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks_designs import random_design, screen_of
from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.calibration import TOTAL_ONLY, UNPERTURBED, WITH_DIRECT, design, term_names
from cistron.networks.combined import gather_evidence
from cistron.networks.evidence import unperturbed_pairs
from cistron.networks.settings import DefaultSettings

SEEDS = range(201, 321)
RIDGE = 1.0
FORMS = {"with direct": WITH_DIRECT, "total only": TOTAL_ONLY, "unperturbed": UNPERTURBED}
FILE = Path(__file__).parents[1] / "src/cistron/networks/calibration.json"

Part = tuple[np.ndarray, np.ndarray, np.ndarray]  # terms, truth, weight


def sampled(terms: np.ndarray, true: np.ndarray, random: np.random.Generator, most: int = 3000) -> Part:
    """Keep all edges and at most ``most`` other pairs, which count for those left out."""
    edges, others = np.flatnonzero(true), np.flatnonzero(~true)
    chosen = random.choice(others, min(most, len(others)), replace=False)
    weight = np.concatenate([np.ones(len(edges)), np.full(len(chosen), len(others) / max(len(chosen), 1))])
    rows = np.concatenate([edges, chosen])
    return terms[rows], true[rows], weight / np.sqrt(len(edges) + 20)


def parts_of(cells: PerturbedCells, true: np.ndarray, seed: int) -> dict[str, Part]:
    """Terms and truth of the pairs of a screen, by form."""
    settings = DefaultSettings(resamples=0)
    random = np.random.default_rng(seed)
    evidence = gather_evidence(cells, settings)
    sources, genes = evidence.effects.sources, len(true)
    off = ~np.eye(genes, dtype=bool)
    screen = evidence.screen()
    found = {}
    edges = true != 0
    shape = evidence.effects.shift.shape
    inside = off[sources]
    pairs = {key: np.broadcast_to(value, shape)[inside] for key, value in evidence.pairs().items()}
    name = "with direct" if evidence.determined else "total only"
    if edges[sources][inside].sum() >= 5:
        found[name] = sampled(design(FORMS[name], pairs, screen), edges[sources][inside], random)
    others = np.setdiff1d(np.arange(genes), sources)
    if len(others) and edges[others].any():
        inside = off[others]
        pairs = {key: value[others][inside] for key, value in unperturbed_pairs(evidence.partial).items()}
        found["unperturbed"] = sampled(design(UNPERTURBED, pairs, screen), edges[others][inside], random)
    return found


def few_perturbations(cells: PerturbedCells, seed: int, number: int = 12) -> PerturbedCells:
    """Set all but some perturbations aside: screens of few genes, whose direct effects are not determined."""
    kept = np.random.default_rng([seed, 1]).choice(cells.perturbed, number, replace=False)
    other = (cells.perturbation >= 0) & ~np.isin(cells.perturbation, kept)
    return replace(cells, perturbation=np.where(other, -2, cells.perturbation))


def logistic_regression(parts: Iterable[Part], ridge: float) -> np.ndarray:
    """Fit by Newton's method with halved steps; the first term is the intercept. Coefficients [term]."""
    terms, true, weight = (np.concatenate(part) for part in zip(*parts))
    weight = weight * len(true) / weight.sum()
    scale = np.maximum(terms.std(axis=0), 1e-9)
    scale[0] = 1.0
    scaled = terms / scale
    penalty = np.full(terms.shape[1], ridge * 100)
    penalty[0] = 1e-6
    coefficients = np.zeros(terms.shape[1])
    coefficients[0] = np.log((weight * true).sum() / (weight * ~true).sum())

    def loss(values: np.ndarray) -> float:
        score = scaled @ values
        return float(
            (weight * (np.logaddexp(0, score) - true * score)).sum() + (penalty * values**2).sum() / 2
        )

    before = loss(coefficients)
    for _ in range(40):
        chance = 1 / (1 + np.exp(-np.clip(scaled @ coefficients, -30, 30)))
        slope = scaled.T @ (weight * (true - chance)) - penalty * coefficients
        curvature = (scaled * (weight * chance * (1 - chance))[:, None]).T @ scaled + np.diag(penalty)
        step, size = np.linalg.solve(curvature, slope), 1.0
        while size > 1e-4 and loss(coefficients + size * step) > before:
            size /= 2
        coefficients = coefficients + size * step
        after = loss(coefficients)
        if before - after < 1e-7 * len(true):
            break
        before = after
    return coefficients / scale


def fit(parts: list[Part]) -> tuple[np.ndarray, float, float]:
    """Fit all screens, tempered by what left-out screens say; also gives slope and intercept of that."""
    left_out = []
    for fold in range(4):
        training = [part for place, part in enumerate(parts) if place // 4 % 4 != fold]
        coefficients = logistic_regression(training, RIDGE)
        left_out += [
            (np.column_stack([np.ones(len(part[1])), part[0] @ coefficients]), part[1], part[2])
            for place, part in enumerate(parts)
            if place // 4 % 4 == fold
        ]
    intercept, slope = logistic_regression(left_out, 0.0)
    coefficients = slope * logistic_regression(parts, RIDGE)
    coefficients[0] += intercept
    return coefficients, slope, intercept


def main(screens: Callable[[int], tuple[PerturbedCells, np.ndarray]] | None = None) -> None:
    """Fit the three forms and write their coefficients."""
    screens = screens or (lambda seed: screen_of(random_design(seed), seed))
    gathered: dict[str, list[Part]] = {name: [] for name in FORMS}
    for seed in SEEDS:
        cells, true = screens(seed)
        for name, part in parts_of(cells, true, seed).items():
            gathered[name].append(part)
        if len(cells.perturbed) > 20:
            few = parts_of(few_perturbations(cells, seed), true, seed)
            gathered["total only"] += [few["total only"]] if "total only" in few else []
    written: dict[str, Any] = {}
    for name, form in FORMS.items():
        coefficients, slope, intercept = fit(gathered[name])
        written[name] = {
            term: round(float(value), 4) for term, value in zip(term_names(form), coefficients, strict=True)
        }
        print(
            f"{name}: {len(gathered[name])} screens, {len(coefficients)} terms; left out: slope {slope:.3f}, intercept {intercept:+.3f}"
        )
    FILE.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {FILE.name}")
