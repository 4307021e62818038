"""A drawn network: arrows between named genes, colour by sign, width by weight."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch

from cistron.errors import InputError
from cistron.plots.style import AXIS, PALETTE, TEXT

ACTIVATES, REPRESSES, UNSIGNED = PALETTE[0], PALETTE[1], AXIS


def spring_layout(
    source: np.ndarray, target: np.ndarray, nodes: int, *, steps: int = 300, seed: int = 0
) -> np.ndarray:
    """Place nodes so that neighbours are close and all others apart (Fruchterman and Reingold 1991).

    Parameters
    ----------
    source, target
        Node numbers of each edge.
    nodes
        Number of nodes.
    steps
        Steps of the relaxation.
    seed
        Seed of the first positions.

    Returns
    -------
    ndarray
        Positions float64 [node, 2] within the unit square.
    """
    random = np.random.default_rng(seed)
    place = random.uniform(-0.5, 0.5, (nodes, 2))
    ideal = 1 / np.sqrt(max(nodes, 1))
    for step in range(steps):
        apart = place[:, None] - place[None]
        distance = np.maximum(np.sqrt((apart**2).sum(axis=2)), 1e-3)
        push = (apart * (ideal**2 / distance**2)[:, :, None]).sum(axis=1)
        along = place[source] - place[target]
        pull = along * (np.sqrt((along**2).sum(axis=1)) / ideal)[:, None]
        np.add.at(push, source, -pull)
        np.add.at(push, target, pull)
        push -= 0.3 * place  # gravity keeps separate parts on the page
        length = np.maximum(np.sqrt((push**2).sum(axis=1, keepdims=True)), 1e-9)
        place += push / length * np.minimum(length, 0.1 * (1 - step / steps) + 1e-3)
    place -= place.min(axis=0)
    return place / np.maximum(place.max(axis=0), 1e-9)


def network_plot(table: pd.DataFrame, ax: Axes, *, seed: int = 0) -> Axes:
    """Draw edges as arrows from source to target.

    Parameters
    ----------
    table
        Columns source, target, weight and, where known, sign (+1 blue arrow, -1 orange bar).
    ax
        Where to draw.
    seed
        Seed of the layout.

    Returns
    -------
    Axes
        ``ax``. Arrow ``i`` has the gid ``edge-i``.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if table.empty:
        raise InputError("network plot: the table has no edges")
    genes = pd.unique(table[["source", "target"]].to_numpy().ravel())
    number = {gene: position for position, gene in enumerate(genes)}
    source = table["source"].map(number).to_numpy()
    target = table["target"].map(number).to_numpy()
    place = spring_layout(source, target, len(genes), seed=seed)
    rank = table["weight"].rank(pct=True).to_numpy()
    signs = table["sign"].to_numpy() if "sign" in table else np.zeros(len(table))
    for edge, (start, end, sign) in enumerate(zip(source, target, signs)):
        arrow = FancyArrowPatch(
            place[start],
            place[end],
            arrowstyle="|-|,widthA=0,widthB=3" if sign < 0 else "-|>",
            mutation_scale=9 if sign >= 0 else 1.4,
            color=ACTIVATES if sign > 0 else REPRESSES if sign < 0 else UNSIGNED,
            linewidth=0.6 + 1.4 * rank[edge],
            shrinkA=7,
            shrinkB=9,
            connectionstyle="arc3,rad=0.12",
            alpha=0.85,
            zorder=1,
        )
        arrow.set_gid(f"edge-{edge}")
        ax.add_patch(arrow)
    targets = np.bincount(source, minlength=len(genes))
    ax.scatter(
        place[:, 0], place[:, 1], s=26 + 22 * np.sqrt(targets), color="white", edgecolor=AXIS, zorder=2
    )
    for gene, (x, y), children in zip(genes, place, targets):
        ax.annotate(
            str(gene),
            (x, y),
            xytext=(0, 7 + np.sqrt(children)),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=TEXT,
            fontweight="bold" if children >= 3 else "normal",
            zorder=3,
        )
    ax.set_xlim(-0.08, 1.08)
    ax.set_ylim(-0.06, 1.1)
    ax.set_axis_off()
    return ax
