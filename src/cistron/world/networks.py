"""Planted gene networks with knock-out cells: the truth that network methods are measured on.

Fixed before the methods: a change of parameters or code here raises ``WORLD_VERSION`` and is a CHANGELOG line.
Development seeds are below 1000; figures are quoted on seeds from 1000 on, which no method was tuned on.

Each cell is brought to the steady state of

    log x_t = sum_r log((1 + a_rt h_rt) / (1 + a_rt h0_rt)) + noise_t + knock-down_t

over its regulators r, where x is expression relative to the unperturbed gene, h_rt the Hill function
x_r^n / (k_rt^n + x_r^n) of an activator (one minus it for a repressor), h0 its value at rest and a_rt its
strength. The noise differs by cell and passes on to targets, which is what co-variation can see; two hidden
factors (cell state) move many genes at once and mislead it. Counts are negative binomial around capture
efficiency x baseline x expression.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from cistron.errors import InputError
from cistron.formats.anndata_files import write_anndata
from cistron.methods import Count, CountOrZero, NotNegative, Positive, Range, Share, check_settings
from cistron.runtime.files import atomic_directory, atomic_path
from cistron.runtime.seeds import random_generator
from cistron.world.topologies import Shape, Topology, random_topology

WORLD_VERSION = 1
CONTROL = "non-targeting"


@dataclass(frozen=True)
class NetworkWorldSettings:
    """What a planted network and its cells look like.

    Attributes
    ----------
    genes, shape, regulators_per_gene, feedback, repressors
        Of the random topology; see :func:`cistron.world.topologies.random_topology`.
    control_cells
        Unperturbed cells.
    cells_per_knockout
        Cells in which a gene is perturbed.
    perturbed_fraction
        Share of the genes that are perturbed at all.
    double_knockouts, cells_per_double
        Pairs of perturbed genes, drawn at random, that are perturbed together in further cells, and the number of these a pair.
    guides
        Guides a gene; each has its own efficiency.
    knock_down
        Mean share of a target's expression that a guide takes away.
    escaping
        Share of the perturbed cells in which the guide does nothing.
    counts_per_gene
        Mean UMI count of a gene in an unperturbed cell: 1 is shallow (about half zeros), 12 is deep (a tenth).
    library_spread
        Standard deviation of the logarithm of the capture efficiency.
    dispersion
        Of the negative binomial; variance = mean + dispersion * mean^2.
    noise
        Standard deviation of the logarithmic noise that passes on to targets.
    hidden_scale
        Standard deviation of the loadings on the two hidden factors.
    dropout
        Share of the counts that are lost on top of sampling.
    """

    genes: Count = 100
    shape: Shape = "hubs"
    regulators_per_gene: Positive = 2.0
    feedback: Share = 0.1
    repressors: Share = 0.4
    control_cells: Count = 2000
    cells_per_knockout: CountOrZero = 30
    perturbed_fraction: Share = 1.0
    double_knockouts: CountOrZero = 0
    cells_per_double: Count = 30
    guides: Count = 2
    knock_down: Share = 0.8
    escaping: Share = 0.05
    counts_per_gene: Positive = 1.0
    library_spread: NotNegative = 0.35
    dispersion: Positive = 0.2
    noise: NotNegative = 0.3
    hidden_scale: NotNegative = 0.15
    dropout: Annotated[float, Range(0, 1, open_high=True)] = 0.0

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class NetworkWorld:
    """Cells of a planted network and its truth.

    Attributes
    ----------
    cells
        AnnData: X int32 counts (sparse); ``obs``: ``perturbation`` (target gene or ``non-targeting``), ``guide``.
    truth
        Columns source, target, weight (strength), sign; one row a direct edge.
    settings, seed
        What made them.
    """

    cells: anndata.AnnData
    truth: pd.DataFrame
    settings: NetworkWorldSettings
    seed: int


def _design(
    topology: Topology, settings: NetworkWorldSettings, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give for each cell its two target genes (-1 where there is none), guide number and the two logarithmic knock-downs."""
    count = len(topology.genes)
    chosen = np.sort(random.permutation(count)[: max(1, round(count * settings.perturbed_fraction))])
    target = np.concatenate(
        [np.full(settings.control_cells, -1), np.repeat(chosen, settings.cells_per_knockout)]
    )
    partner = np.full(len(target), -1)
    if settings.double_knockouts:
        pairs = np.array([random.choice(chosen, 2, replace=False) for _ in range(settings.double_knockouts)])
        pairs = np.repeat(pairs, settings.cells_per_double, axis=0)
        target, partner = np.append(target, pairs[:, 0]), np.append(partner, pairs[:, 1])
    guide = np.arange(len(target)) % settings.guides
    concentration = 12.0
    efficiency = random.beta(
        concentration * settings.knock_down,
        concentration * (1 - settings.knock_down),
        size=(count, settings.guides),
    )
    works = random.random(len(target)) >= settings.escaping
    fall = np.log1p(-np.minimum(efficiency, 0.99))
    logarithm = np.zeros((len(target), 2))
    for place, gene in enumerate((target, partner)):
        logarithm[:, place] = np.where((gene >= 0) & works, fall[gene, guide], 0.0)
    return np.column_stack([target, partner]), guide, logarithm


def _steady_state(
    topology: Topology,
    strength: np.ndarray,
    threshold: np.ndarray,
    drive: np.ndarray,
    steps: int = 80,
    tolerance: float = 1e-3,
) -> np.ndarray:
    """Relax log expression relative to rest, float [cell, gene], under ``drive`` (noise and knock-down)."""
    exponent = 2.0
    count = len(topology.source)
    scatter = sparse.csr_array(
        (np.ones(count), (np.arange(count), topology.target)), shape=(count, drive.shape[1])
    )
    sign = topology.sign

    def regulation(level: np.ndarray) -> np.ndarray:
        hill = 1 / (1 + np.exp(-sign * exponent * (level - threshold)))
        return np.log1p(strength * hill)

    rest = regulation(np.zeros((1, count)))
    state = drive.copy()
    for _ in range(steps):
        moved = (regulation(state[:, topology.source]) - rest) @ scatter + drive
        change = np.abs(moved - state).max()
        state = 0.4 * state + 0.6 * moved
        if change < tolerance:
            break
    return state


def _counts(
    expression: np.ndarray, baseline: np.ndarray, settings: NetworkWorldSettings, random: np.random.Generator
) -> sparse.csr_matrix:
    library = np.exp(random.normal(0, settings.library_spread, size=(len(expression), 1)))
    mean = library * baseline * np.exp(np.minimum(expression, 5.0))
    shape = 1 / settings.dispersion
    counts = random.poisson(random.gamma(shape, mean / shape))
    if settings.dropout:
        counts = np.where(random.random(counts.shape) < settings.dropout, 0, counts)
    return sparse.csr_matrix(counts.astype(np.int32))


def network_world(
    settings: NetworkWorldSettings | None = None, *, seed: int = 0, topology: Topology | None = None
) -> NetworkWorld:
    """Plant a network and draw its cells.

    Parameters
    ----------
    settings
        Size, shape and noise; the shallow hub world of 100 genes when absent.
    seed
        Below 1000 for development, from 1000 on for figures.
    topology
        A network to use instead of a random one.
    """
    settings = settings or NetworkWorldSettings()
    if topology is None:
        topology = random_topology(
            settings.genes,
            settings.shape,
            random_generator(seed, "network topology", WORLD_VERSION),
            regulators_per_gene=settings.regulators_per_gene,
            feedback=settings.feedback,
            repressors=settings.repressors,
        )
    if not len(topology.source):
        raise InputError("the topology has no edges; give at least one")
    random = random_generator(seed, "network cells", WORLD_VERSION)
    edges, genes = len(topology.source), len(topology.genes)
    strength = np.exp(random.normal(np.log(3.0), 0.5, edges))
    threshold = random.normal(0, 0.3, edges)
    baseline = np.exp(random.normal(0, 1.0, genes))
    baseline *= settings.counts_per_gene / baseline.mean()
    target, guide, knock_down = _design(topology, settings, random)
    loadings = random.normal(0, settings.hidden_scale, size=(2, genes))
    parts = []
    for start in range(0, len(target), 5000):  # bounds memory; the draws follow the order of the cells
        part = slice(start, start + 5000)
        size = len(target[part])
        drive = random.normal(0, settings.noise, (size, genes)) + random.normal(0, 1, (size, 2)) @ loadings
        for gene, fall in zip(target[part].T, knock_down[part].T):
            hit = np.flatnonzero(gene >= 0)
            drive[hit, gene[hit]] += fall[hit]
        state = _steady_state(topology, strength, threshold, drive)
        parts.append(_counts(state, baseline, settings, random))
    names = np.array([*topology.genes, CONTROL])
    labels = np.array([names[a] if b < 0 else f"{names[a]}+{names[b]}" for a, b in target.tolist()])
    observations = pd.DataFrame(
        {
            "perturbation": pd.Categorical(labels),
            "guide": pd.Categorical([f"{label}-{number + 1}" for label, number in zip(labels, guide)]),
        },
        index=[f"cell{number:06d}" for number in range(len(target))],
    )
    cells = anndata.AnnData(
        sparse.vstack(parts, format="csr"), obs=observations, var=pd.DataFrame(index=list(topology.genes))
    )
    truth = pd.DataFrame(
        {
            "source": names[topology.source],
            "target": names[topology.target],
            "weight": strength,
            "sign": topology.sign,
        }
    )
    return NetworkWorld(cells, truth, settings, seed)


def write_network_world(world: NetworkWorld, directory: str | Path) -> dict[str, Path]:
    """Write ``cells.h5ad`` and ``truth.tsv`` into ``directory``, whole or not at all, and give their paths."""
    with atomic_directory(directory) as partial:
        write_anndata(world.cells, partial / "cells.h5ad")
        with atomic_path(partial / "truth.tsv") as table:
            world.truth.to_csv(table, sep="\t", index=False, float_format="%.4f")
    return {"cells": Path(directory) / "cells.h5ad", "truth": Path(directory) / "truth.tsv"}
