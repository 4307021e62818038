"""Further simulators of planted networks, to check that the ranking of methods does not depend on one simulator.

Three kinds of regulation and three of perturbation, all on the same topologies:

- ``hill``: effects multiply, as in :mod:`cistron.world.networks`;
- ``linear``: log expression is linear in that of the regulators, ``x = W' x + noise + perturbation``;
- ``sergio``: production rates are sums of Hill functions, cells are snapshots of a chemical Langevin equation in
  several cell states whose master regulators differ (after Dibaeinia and Sinha 2020, Cell Systems 11, 252), with counts on top.

A perturbation lowers the expression of a gene (``knock-down``), raises it (``activation``), or lowers what its product
does and not how much of it there is (``inhibition``). Seeds below 1000 are for development, others for figures.
"""

from dataclasses import dataclass
from typing import Literal

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from cistron.methods import Count, NotNegative, Positive, Share, check_settings
from cistron.runtime.seeds import random_generator
from cistron.world.networks import CONTROL
from cistron.world.topologies import Shape, Topology, random_topology

SIMULATOR_VERSION = 1


@dataclass(frozen=True)
class SimulatorSettings:
    """What a simulated screen looks like.

    Attributes
    ----------
    kind
        ``hill``, ``linear`` or ``sergio``.
    perturbation
        ``knock-down``, ``activation`` or ``inhibition``.
    genes, shape, regulators_per_gene, feedback, repressors
        Of the random topology; see :func:`cistron.world.topologies.random_topology`. that of `sergio` has hardly any feedback.
    control_cells, cells_each, perturbed_fraction
        Unperturbed cells, cells of a perturbation, share of the genes that are perturbed.
    size
        Mean share of the expression (or activity) that a knock-down takes away; an activation multiplies by
        ``1 / (1 - size)``.
    escaping
        Share of the perturbed cells in which nothing happens.
    counts_per_gene
        Mean count of a gene in an unperturbed cell.
    library_spread, dispersion, noise
        As in :class:`cistron.world.networks.NetworkWorldSettings`.
    cell_states
        Cell states of the ``sergio`` kind.
    """

    kind: Literal["hill", "linear", "sergio"] = "hill"
    perturbation: Literal["knock-down", "activation", "inhibition"] = "knock-down"
    genes: Count = 100
    shape: Shape = "hubs"
    regulators_per_gene: Positive = 2.0
    feedback: Share = 0.1
    repressors: Share = 0.4
    control_cells: Count = 1000
    cells_each: Count = 30
    perturbed_fraction: Share = 1.0
    size: Share = 0.8
    escaping: Share = 0.05
    counts_per_gene: Positive = 1.0
    library_spread: NotNegative = 0.35
    dispersion: Positive = 0.2
    noise: NotNegative = 0.3
    cell_states: Count = 2

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class SimulatedScreen:
    """Counts, labels and truth.

    Attributes
    ----------
    counts
        int32 [cell, gene], sparse.
    genes, labels
        Identifiers; perturbed gene of each cell or ``non-targeting``.
    truth
        Columns source, target, weight, sign.
    """

    counts: sparse.csr_matrix
    genes: tuple[str, ...]
    labels: list[str]
    truth: pd.DataFrame

    def cells(self) -> anndata.AnnData:
        """Give the screen as an AnnData with ``obs["perturbation"]``."""
        return anndata.AnnData(
            self.counts,
            obs=pd.DataFrame(
                {"perturbation": pd.Categorical(self.labels)},
                index=[f"cell{number:06d}" for number in range(len(self.labels))],
            ),
            var=pd.DataFrame(index=list(self.genes)),
        )

    def true_signs(self) -> np.ndarray:
        """Give the signs of the true edges, int [source, target]."""
        number = {gene: position for position, gene in enumerate(self.genes)}
        signs = np.zeros((len(number),) * 2, dtype=np.int64)
        signs[self.truth["source"].map(number), self.truth["target"].map(number)] = self.truth["sign"]
        return signs


class _Regulation:
    """The part of a simulation that all cells share."""

    def __init__(self, topology: Topology, settings: SimulatorSettings, random: np.random.Generator) -> None:
        edges = len(topology.source)
        self.topology, self.settings, self.random = topology, settings, random
        self.strength = np.exp(random.normal(np.log(3.0), 0.5, edges))
        self.threshold = random.normal(0, 0.3, edges)
        self.genes = len(topology.genes)
        regulators = np.bincount(topology.target, minlength=self.genes)
        # over the root of their number: a gene with many regulators must not explode
        slope = random.uniform(0.3, 0.9, edges) / np.sqrt(np.maximum(regulators, 1))[topology.target]
        self.slope = topology.sign * slope
        self.scatter = sparse.csr_array(
            (np.ones(edges), (np.arange(edges), topology.target)), shape=(edges, self.genes)
        )
        self.loadings = random.normal(0, 0.15, size=(2, self.genes))
        self.states = np.exp(random.normal(0, 0.5, size=(settings.cell_states, self.genes)))

    def states_of(self, own: np.ndarray, activity: np.ndarray) -> np.ndarray:
        """Log expression relative to rest [cell, gene]; ``own`` moves expression, ``activity`` what a product does."""
        if self.settings.kind == "sergio":
            return self._langevin(own, activity)
        drive = own + self.random.normal(0, self.settings.noise, own.shape)
        drive += self.random.normal(0, 1, (len(own), 2)) @ self.loadings
        source, sign = self.topology.source, self.topology.sign
        if self.settings.kind == "linear":

            def regulation(level: np.ndarray) -> np.ndarray:
                return level * self.slope
        else:

            def regulation(level: np.ndarray) -> np.ndarray:
                return np.log1p(self.strength / (1 + np.exp(-sign * 2.0 * (level - self.threshold))))

        rest = regulation(np.zeros((1, len(source))))
        state = drive.copy()
        for _ in range(60):
            moved = (regulation(state[:, source] + activity[:, source]) - rest) @ self.scatter + drive
            change = np.abs(moved - state).max()
            state = np.clip(0.4 * state + 0.6 * moved, -8, 8)
            if change < 2e-3:
                break
        return state

    def _langevin(self, own: np.ndarray, activity: np.ndarray) -> np.ndarray:
        """Integrate dx = (production - x) dt + noise from each state's rest; expression 1 is that of state 0 at rest."""
        topology, random = self.topology, self.random
        number = np.bincount(topology.target, minlength=self.genes)
        weight = self.strength / np.maximum(self.scatter.T @ self.strength, 1e-9)[topology.target]
        half = np.exp(self.threshold)
        basal = 0.15
        state_of_cell = random.integers(0, self.settings.cell_states, len(own))
        master = np.where(number == 0, self.states[state_of_cell], 1.0)
        lowered, active = np.exp(own), np.exp(activity)
        level = np.ones(own.shape)
        step = 0.15
        noise = self.settings.noise
        for turn in range(60):
            squared = (level[:, topology.source] * active[:, topology.source]) ** 2
            hill = squared / (half**2 + squared)
            hill = np.where(topology.sign > 0, hill, 1 - hill)
            made = basal + (1 - basal) * 2 * ((hill * weight) @ self.scatter)
            made = np.where(number == 0, master, made) * lowered
            level = level + (made - level) * step
            if turn >= 15:  # first to the rest of the state, then noise
                wiggle = random.standard_normal(level.shape) * (noise * np.sqrt(2 * step))
                level = level + wiggle * np.sqrt(np.maximum((made + level) / 2, 0.02))
            level = np.maximum(level, 0.01)
        return np.log(level)


def simulate_screen(
    settings: SimulatorSettings | None = None, *, seed: int = 0, topology: Topology | None = None
) -> SimulatedScreen:
    """Plant a network and draw the cells of a screen.

    Parameters
    ----------
    settings
        What the screen looks like; defaults when absent.
    seed
        Below 1000 for development, from 1000 on for figures.
    topology
        A network to use instead of a random one.
    """
    settings = settings or SimulatorSettings()
    if topology is None:
        topology = random_topology(
            settings.genes,
            settings.shape,
            random_generator(seed, "topology of a simulated screen", SIMULATOR_VERSION),
            regulators_per_gene=settings.regulators_per_gene,
            feedback=0.02 if settings.kind == "sergio" else settings.feedback,
            repressors=settings.repressors,
        )
    random = random_generator(seed, "simulated screen", SIMULATOR_VERSION)
    regulation = _Regulation(topology, settings, random)
    genes = len(topology.genes)
    chosen = np.sort(random.permutation(genes)[: max(1, round(genes * settings.perturbed_fraction))])
    target = np.concatenate([np.full(settings.control_cells, -1), np.repeat(chosen, settings.cells_each)])
    strength = np.minimum(random.beta(12 * settings.size, 12 * (1 - settings.size), genes), 0.97)
    change = np.where(random.random(len(target)) >= settings.escaping, np.log1p(-strength[target]), 0.0)
    if settings.perturbation == "activation":
        change = -change
    baseline = np.exp(random.normal(0, 1.0, genes))
    baseline *= settings.counts_per_gene / baseline.mean()
    shape = 1 / settings.dispersion
    parts = []
    for start in range(0, len(target), 4000):  # bounds memory; the draws follow the order of the cells
        part = slice(start, start + 4000)
        moved = np.zeros((len(target[part]), genes))
        hit = np.flatnonzero(target[part] >= 0)
        moved[hit, target[part][hit]] = change[part][hit]
        none = np.zeros_like(moved)
        own, activity = (none, moved) if settings.perturbation == "inhibition" else (moved, none)
        state = regulation.states_of(own, activity)
        library = np.exp(random.normal(0, settings.library_spread, size=(len(state), 1)))
        mean = library * baseline * np.exp(np.minimum(state, 5.0))
        parts.append(sparse.csr_matrix(random.poisson(random.gamma(shape, mean / shape)).astype(np.int32)))
    names = np.array([*topology.genes, CONTROL])
    truth = pd.DataFrame(
        {
            "source": names[topology.source],
            "target": names[topology.target],
            "weight": np.abs(regulation.slope) if settings.kind == "linear" else regulation.strength,
            "sign": topology.sign,
        }
    )
    return SimulatedScreen(sparse.vstack(parts, format="csr"), topology.genes, names[target].tolist(), truth)
