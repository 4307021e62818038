"""A design as tables: wanted against achieved, and where the marks were edited."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from cistron.chromatin.design_penalties import blocks_of
from cistron.chromatin.settings import DesignSettings
from cistron.formats.designed_epigenome import (
    EDIT_COLUMNS,
    MEMBER_COLUMNS,
    OUTCOME_COLUMNS,
    PLACE_COLUMNS,
)
from cistron.formats.gene_tracks import GeneTracks

_REAL_GENES = 300  # whose kilobases say how common a value is


@dataclass(frozen=True)
class Design:
    """Designed marks of some genes.

    Attributes
    ----------
    genes
        Rows of the genes in the store.
    original, designed
        Marks before and after, float32 [gene, cell type, mark, bin], in the order of the model's marks.
    measured
        bool [cell type, mark].
    start, wanted, achieved, judged
        Expression predicted for the original, wanted, predicted by the optimised networks, and by the judge (NaN without one),
        float32 [gene, cell type].
    target
        Which cell types were to reach it, bool [cell type].
    price
        Price of an edit at the end, float32 [gene].
    settings
        What was asked for.
    members
        Predictions of each network before and after, float32 [network, 2, gene, cell type]; the optimised ones come first.
    judges
        Number of networks that took no part, the last of ``members``.
    """

    genes: np.ndarray
    original: np.ndarray
    designed: np.ndarray
    measured: np.ndarray
    start: np.ndarray
    wanted: np.ndarray
    achieved: np.ndarray
    judged: np.ndarray
    target: np.ndarray
    price: np.ndarray
    settings: DesignSettings
    members: np.ndarray
    judges: int

    def share(self, predicted: np.ndarray) -> np.ndarray:
        """Share of the wanted change that a prediction shows, mean over the target cell types, [gene]."""
        wanted = (self.wanted - self.start)[:, self.target]
        moved = (predicted - self.start)[:, self.target]
        return (moved * wanted).sum(axis=1) / np.maximum((wanted**2).sum(axis=1), 1e-12)

    @property
    def size(self) -> np.ndarray:
        """Sum of absolute changes, kb x log signal, [gene] (bins of 100 bp)."""
        return np.abs(self.designed - self.original).sum(axis=(1, 2, 3)) / 10


def outcome_table(design: Design, store: GeneTracks) -> pd.DataFrame:
    """One row a gene and cell type: where it started, what was wanted, what the networks and the judge say."""
    cells = len(store.cell_types)
    by_gene: dict[str, Any] = {
        "gene": [store.genes[gene] for gene in design.genes],
        "share": design.share(design.achieved),
        "judged_share": design.share(design.judged),
        "edit_size": design.size,
        "edited_blocks": edited_blocks(design),
    }
    table = pd.DataFrame({name: np.repeat(values, cells) for name, values in by_gene.items()})
    table["cell_type"] = np.tile(store.cell_types, len(design.genes))
    table["role"] = np.tile(np.where(design.target, "target", "held"), len(design.genes))
    for name in ("start", "wanted", "achieved", "judged"):
        table[name] = getattr(design, name).ravel()
    return table[list(OUTCOME_COLUMNS)]


def member_table(design: Design, store: GeneTracks) -> pd.DataFrame:
    """One row a gene, cell type and network: what it predicts before and after, and whether it took part or judged."""
    number, _, genes, cells = design.members.shape
    roles = np.where(np.arange(number) < number - design.judges, "optimised", "judge")
    before, after = np.moveaxis(design.members, 0, -1).reshape(2, -1)  # [gene, cell type, network]
    table = pd.DataFrame(
        {
            "gene": np.repeat([store.genes[gene] for gene in design.genes], cells * number),
            "cell_type": np.tile(np.repeat(store.cell_types, number), genes),
            "member": np.tile(np.arange(1, number + 1), genes * cells),
            "role": np.tile(roles, genes * cells),
            "before": before,
            "after": after,
        }
    )
    return table[list(MEMBER_COLUMNS)]


def edit_table(design: Design, store: GeneTracks, marks: list[str]) -> pd.DataFrame:
    """List what was edited: one row per gene, cell type, mark and kilobase, with its place in the genome.

    Parameters
    ----------
    design
        The design.
    store
        Data that it started from.
    marks
        Marks of the model.

    Returns
    -------
    DataFrame
        Columns ``EDIT_COLUMNS`` and ``PLACE_COLUMNS`` of :mod:`cistron.formats.designed_epigenome`: coordinates 0-based, half-open,
        and the share of real kilobases of the mark (of at most 300 genes of the store) that are not above the edited value.
    """
    size = max(1, 1000 // store.tracks.bin_size)
    rows = []
    place = store.positions()
    real = _real_kilobases(design, store, marks, size)
    sequences = store.tracks.sequences
    for number, gene in enumerate(design.genes):
        before, after = design.original[number], design.designed[number]
        for start in range(0, store.bins, size):
            part = slice(start, start + size)
            touched = np.abs(after[..., part] - before[..., part]).max(axis=-1) > 1e-6
            for cell, mark in np.argwhere(touched):
                old, new = (float(values[cell, mark, part].mean()) for values in (before, after))
                first = int(place[start])
                last = int(place[min(start + size, store.bins) - 1]) + store.tracks.bin_size
                window = sequences.iloc[gene]
                here = (start * store.tracks.bin_size, min(start + size, store.bins) * store.tracks.bin_size)
                low, high = (
                    (window["end"] - here[1], window["end"] - here[0])
                    if window["strand"] == "-"
                    else (window["start"] + here[0], window["start"] + here[1])
                )
                share = np.searchsorted(real[mark], new, side="right") / max(len(real[mark]), 1)
                where = (store.genes[gene], store.cell_types[cell], marks[mark], first, last)
                genome = (str(window["chromosome"]), int(low), int(high), float(share))
                rows.append((*where, new - old, old, new, *genome))
    return pd.DataFrame(rows, columns=[*EDIT_COLUMNS, *PLACE_COLUMNS])


def _real_kilobases(design: Design, store: GeneTracks, marks: list[str], size: int) -> list[np.ndarray]:
    """Sorted means of the kilobases of each mark in genes of the store, evenly drawn."""
    rows = np.unique(np.linspace(0, len(store.genes) - 1, _REAL_GENES).round().astype(int))
    values = store.tracks.values.take(rows)
    order = [store.marks.index(mark) if mark in store.marks else -1 for mark in marks]
    whole = store.bins // size * size
    found = []
    for number, mark in enumerate(order):
        known = design.measured[:, number]
        taken = values[:, known, mark, :whole] if mark >= 0 else np.zeros((0, 0, whole), np.float32)
        found.append(np.sort(taken.reshape(-1, size).mean(axis=1)))
    return found


def mean_edit(design: Design, store: GeneTracks, marks: list[str]) -> pd.DataFrame:
    """Average the edits over genes and target cell types.

    Parameters
    ----------
    design
        The design.
    store
        Data that it started from.
    marks
        Marks of the model.

    Returns
    -------
    DataFrame
        One row per mark and kilobase: ``mark, start, end, change``.
    """
    size = max(1, 1000 // store.tracks.bin_size)
    change = (design.designed - design.original)[:, design.target].mean(axis=(0, 1))  # [mark, bin]
    place = store.positions()
    starts = range(0, store.bins - size + 1, size)
    rows = [
        (
            mark,
            int(place[start]),
            int(place[start]) + size * store.tracks.bin_size,
            float(change[m, start : start + size].mean()),
        )
        for m, mark in enumerate(marks)
        for start in starts
    ]
    return pd.DataFrame(rows, columns=["mark", "start", "end", "change"])


def shortfall(design: Design, store: GeneTracks) -> str | None:
    """Report how far the worst gene got, if some gene missed its target; ``None`` if all reached it."""
    share = design.share(design.achieved)
    short = share < design.settings.tolerance - 1e-3
    if not short.any():
        return None
    row = int(np.argmin(share))
    target = design.target
    moved = (design.achieved - design.start)[row, target].mean()
    wanted = (design.wanted - design.start)[row, target].mean()
    return (
        f"the constraints do not allow the target for {int(short.sum())} of {len(share)} genes; {store.genes[design.genes[row]]} got "
        f"{moved:+.2f} of {wanted:+.2f} ({share[row]:.0%}, wanted at least {design.settings.tolerance:.0%})"
    )


def edited_blocks(design: Design, size: int = 10) -> np.ndarray:
    """Number of mark x kilobase x cell type that an edit touches, [gene]."""
    parts = blocks_of(torch.from_numpy(design.designed - design.original), size)
    return (parts.abs().amax(dim=-1) > 1e-6).sum(dim=(1, 2, 3)).numpy()
