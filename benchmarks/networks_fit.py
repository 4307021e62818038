"""Fit the networks that turn the evidence of the default method into probabilities, on random screens of development seeds.

Seeds 201 to 320 are narrow designs, 401 to 480 small ones, 501 to 532 thin ones, the others below 1000 wide ones (``networks_designs``).
Every screen counts by the root of its number of edges. Where cells have states, the mean of two log-odds is fitted, as the method
uses it. What a fit on some screens is worth on others is found by leaving out every other group of four screens in turn.
Writes src/cistron/networks/calibration.json.

The evidence of each screen is kept in the folder that ``CISTRON_FIT_FOLDER`` names, so that a run that was cut goes on and a fit
with other settings costs no simulation.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import cistron.networks
from benchmarks.networks_designs import narrow_design, screen_of, small_design, thin_design, wide_design
from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.calibration import FORMS, SCREEN, inputs_of
from cistron.networks.combined import gather_evidence
from cistron.networks.evidence import unperturbed_pairs
from cistron.networks.settings import DefaultSettings

SEEDS = (
    *range(1, 27),
    *range(101, 144),
    *range(201, 321),
    *range(401, 481),
    *range(501, 533),
    *range(601, 901),
)
NETWORKS = {"with direct": 8, "total only": 4, "unperturbed": 4}  # their mean log-odds are used
HIDDEN = {"with direct": 12, "total only": 8, "unperturbed": 4}
EPOCHS = 40
FILE = Path(cistron.networks.__file__).parent / "calibration.json"

# inputs over all cells, within states (NaN where there are none), truth, weight
Part = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def sampled(
    inputs: list[np.ndarray], true: np.ndarray, random: np.random.Generator, most: int = 3000
) -> Part:
    """Keep all edges and at most ``most`` other pairs, which count for those left out."""
    edges, others = np.flatnonzero(true), np.flatnonzero(~true)
    chosen = random.choice(others, min(most, len(others)), replace=False)
    weight = np.concatenate([np.ones(len(edges)), np.full(len(chosen), len(others) / max(len(chosen), 1))])
    rows = np.concatenate([edges, chosen])
    first = inputs[0][rows]
    within = inputs[1][rows] if len(inputs) > 1 else np.full_like(first, np.nan)
    return first, within, true[rows], weight / np.sqrt(len(edges) + 20)


def design_of(seed: int) -> dict[str, Any]:
    """Design of a seed."""
    if 201 <= seed <= 320:
        return narrow_design(seed)
    if 401 <= seed <= 480:
        return small_design(seed)
    return thin_design(seed) if 501 <= seed <= 532 else wide_design(seed)


def parts_of(cells: PerturbedCells, true: np.ndarray, seed: int) -> dict[str, Part]:
    """Inputs and truth of the pairs of a screen, by form."""
    random = np.random.default_rng(seed)
    evidences = gather_evidence(cells, DefaultSettings(resamples=0))
    sources, genes = evidences[0].effects.sources, len(true)
    off, edges = ~np.eye(genes, dtype=bool), true != 0
    found = {}
    shape, inside = evidences[0].effects.shift.shape, off[sources]
    name = "with direct" if evidences[0].determined else "total only"
    if edges[sources][inside].sum() >= 5:
        inputs = []
        for one in evidences:
            pairs = {key: np.broadcast_to(value, shape)[inside] for key, value in one.pairs().items()}
            inputs.append(inputs_of(FORMS[name], pairs, one.screen()))
        found[name] = sampled(inputs, edges[sources][inside], random)
    others = np.setdiff1d(np.arange(genes), sources)
    if len(others) and edges[others].any():
        inside, inputs = off[others], []
        for one in evidences:
            pairs = {key: value[others][inside] for key, value in unperturbed_pairs(one.partial).items()}
            inputs.append(inputs_of(FORMS["unperturbed"], pairs, one.screen()))
        found["unperturbed"] = sampled(inputs, edges[others][inside], random)
    return found


def few_perturbations(cells: PerturbedCells, seed: int, number: int = 12) -> PerturbedCells:
    """Set all but some perturbations aside: screens of few genes, whose direct effects are not determined."""
    kept = np.random.default_rng([seed, 1]).choice(cells.perturbed, number, replace=False)
    other = (cells.perturbation >= 0) & ~np.isin(cells.perturbation, kept)
    return replace(cells, perturbation=np.where(other, -2, cells.perturbation))


def _version() -> str:
    """Digest of the code that makes evidence, so that old evidence is not read by newer code."""
    names = ("cell_states", "combined", "covariation", "deconvolution", "direction", "effects", "evidence")
    names += ("double_perturbations", "fold_changes", "normalisation", "shrinkage")
    digest = hashlib.sha256()
    for name in names:
        digest.update((FILE.parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:10]


def gathered(
    seed: int, folder: Path, screens: Callable[[int], tuple[PerturbedCells, np.ndarray]]
) -> dict[str, Part]:
    """Parts of one screen, from the folder or computed and kept there."""
    file = folder / f"{_version()}_{seed}.npz"
    if not file.exists():
        cells, true = screens(seed)
        parts = parts_of(cells, true, seed)
        if len(cells.perturbed) > 20:
            few = parts_of(few_perturbations(cells, seed), true, seed)
            parts |= {"few": few["total only"]} if "total only" in few else {}
        np.savez(
            file.with_suffix(".part.npz"),
            **{f"{name}/{place}": one for name, part in parts.items() for place, one in enumerate(part)},
        )
        file.with_suffix(".part.npz").rename(file)
    with np.load(file) as stored:
        names = sorted({key.rsplit("/", 1)[0] for key in stored})
        return {name: tuple(stored[f"{name}/{place}"] for place in range(4)) for name in names}


def fit(parts: list[Part], name: str, seed: int) -> dict[str, Any]:
    """Fit one form: ranges, standardisation and ``NETWORKS[name]`` networks of two hidden layers."""
    inputs, within, true, weight = (np.concatenate(part) for part in zip(*parts))
    weight = weight / weight.mean()
    mean, scale = np.average(inputs, axis=0, weights=weight), inputs.std(axis=0)
    scale = np.where(scale < 1e-3, 1.0, scale)  # an input that is the same in all screens
    x, again = (torch.tensor((part - mean) / scale, dtype=torch.float32) for part in (inputs, within))
    y, w = torch.tensor(true, dtype=torch.float32), torch.tensor(weight, dtype=torch.float32)
    networks = []
    hidden = HIDDEN[name]
    for number in range(NETWORKS[name]):
        torch.manual_seed(1000 * seed + number)
        network = torch.nn.Sequential(
            torch.nn.Linear(x.shape[1], hidden),
            torch.nn.SiLU(),
            torch.nn.Linear(hidden, hidden),
            torch.nn.SiLU(),
            torch.nn.Linear(hidden, 1),
        )
        torch.nn.init.constant_(network[-1].bias, -4.0)
        optimiser = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=1e-4)
        batches = len(x) // 8192 + 1
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.02, total_steps=EPOCHS * batches)
        for _ in range(EPOCHS):
            for rows in torch.tensor_split(torch.randperm(len(x)), batches):
                optimiser.zero_grad()
                loss = torch.nn.functional.binary_cross_entropy_with_logits(
                    _mean_of_two(network, name, x[rows], again[rows]), y[rows], weight=w[rows]
                )
                loss.backward()
                optimiser.step()
                schedule.step()
        networks.append(
            [(layer.weight.detach(), layer.bias.detach()) for layer in network if hasattr(layer, "bias")]
        )
    return {
        "low": np.fmin(inputs.min(axis=0), np.nanmin(within, axis=0)),
        "high": np.fmax(inputs.max(axis=0), np.nanmax(within, axis=0)),
        "mean": mean,
        "scale": scale,
        "networks": networks,
    }


def _mean_of_two(
    network: Callable[[torch.Tensor], torch.Tensor], name: str, x: torch.Tensor, within: torch.Tensor
) -> torch.Tensor:
    """Log-odds; where cells have states, their mean over both kinds of co-variation."""

    def odds_of(values: torch.Tensor) -> torch.Tensor:
        odds = network(values)[:, 0]
        # as in cistron.networks.calibration: at most 0.5 where the direction is not known
        return -torch.nn.functional.softplus(-odds) if name == "unperturbed" else odds

    odds = odds_of(x)
    states = torch.nonzero(~torch.isnan(within[:, 0]))[:, 0]
    if not len(states):
        return odds
    return odds.index_add(0, states, (odds_of(within[states]) - odds[states]) / 2)


def _predicted(fitted: dict[str, Any], name: str, inputs: np.ndarray, within: np.ndarray) -> np.ndarray:
    x, again = (
        torch.tensor(
            (np.clip(part, fitted["low"], fitted["high"]) - fitted["mean"]) / fitted["scale"]
        ).float()
        for part in (inputs, within)
    )

    def network(values: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(len(values), 1)
        for layers in fitted["networks"]:
            hidden = values
            for weight, bias in layers[:-1]:
                hidden = torch.nn.functional.silu(hidden @ weight.T + bias)
            total += hidden @ layers[-1][0].T + layers[-1][1]
        return total / len(fitted["networks"])

    return _mean_of_two(network, name, x, again).numpy().astype(np.float64)


def slope_and_intercept(log_odds: np.ndarray, true: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Logistic regression of the truth on log-odds; 1 and 0 where they are right."""
    slope, intercept = 1.0, 0.0
    x = np.column_stack([log_odds, np.ones(len(true))])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-(slope * log_odds + intercept)))
        curvature = (x * (weight * chance * (1 - chance))[:, None]).T @ x
        step = np.linalg.solve(curvature, x.T @ (weight * (true - chance)))
        slope, intercept = slope + step[0], intercept + step[1]
    return slope, intercept


def left_out(parts: list[Part], kinds: list[str], name: str) -> str:
    """Say what a fit is worth on screens that it has not seen, over all and by simulator."""
    found = []
    for fold in range(2):
        fitted = fit([part for place, part in enumerate(parts) if place // 4 % 2 != fold], name, fold + 1)
        for place, (inputs, within, true, weight) in enumerate(parts):
            if place // 4 % 2 == fold:
                kind = np.full(len(true), kinds[place])
                found.append((_predicted(fitted, name, inputs, within), true, weight, kind))
    log_odds, true, weight, kind = (np.concatenate(part) for part in zip(*found))
    slope, intercept = slope_and_intercept(log_odds, true, weight)
    lines = [f"left out: slope {slope:.3f}, intercept {intercept:+.3f}, stated/observed by bin"]
    for shown in ("all", *sorted(set(kinds))):
        part = (kind == shown) | (shown == "all")
        lines.append(f"{shown:8}" + _bins(1 / (1 + np.exp(-log_odds[part])), true[part], weight[part]))
    return "\n  ".join(lines)


def _bins(chance: np.ndarray, true: np.ndarray, weight: np.ndarray) -> str:
    said = ""
    for low, high in ((0.05, 0.2), (0.2, 0.5), (0.5, 0.9), (0.9, 1.01)):
        here = (chance >= low) & (chance < high)
        if not here.any():
            said += "  none"
            continue
        stated, observed = (np.average(values[here], weights=weight[here]) for values in (chance, true))
        said += f"  {stated:.2f}/{observed:.2f}"
    return said


def _rounded(values: Any) -> Any:
    return (
        [round(float(value), 4) for value in values]
        if np.ndim(values) == 1
        else [_rounded(one) for one in values]
    )


def main(screens: Callable[[int], tuple[PerturbedCells, np.ndarray]] | None = None) -> None:
    """Fit the three forms and write their networks."""
    torch.set_num_threads(1)
    screens = screens or (lambda seed: screen_of(design_of(seed), seed))
    folder = Path(os.environ.get("CISTRON_FIT_FOLDER") or tempfile.mkdtemp())
    parts: dict[str, list[Part]] = {name: [] for name in FORMS}
    kinds: dict[str, list[str]] = {name: [] for name in FORMS}
    for seed in SEEDS:
        for name, part in gathered(seed, folder, screens).items():
            form = "total only" if name == "few" else name
            parts[form].append(part)
            kinds[form].append(design_of(seed)["kind"])
    written: dict[str, Any] = {}
    for name, inputs in FORMS.items():
        print(f"{name}: {len(parts[name])} screens; {left_out(parts[name], kinds[name], name)}", flush=True)
        fitted = fit(parts[name], name, 0)
        networks = [
            [(_rounded(weight), _rounded(bias)) for weight, bias in one] for one in fitted.pop("networks")
        ]
        written[name] = {
            "pair_inputs": inputs,
            **{key: _rounded(value) for key, value in fitted.items()},
            "networks": networks,
        }
    FILE.write_text(json.dumps(written) + "\n", encoding="utf-8")
    print(f"wrote {FILE.name}; inputs of the screen: {', '.join(SCREEN)}")
