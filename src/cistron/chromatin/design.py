"""Design an epigenome: the smallest plausible change of the marks at which the networks predict a wanted expression.

Batra, Spence and Song minimise ||f(W) - y||^2 from the gene's own marks W0 by gradient descent (equation 1). Here
W = W0 + D with D sparse and W inside what the training data show; some cell types are held; the ensemble is optimised
and a third of it only judges; edits that are not needed are taken back.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cistron.chromatin.design_descent import DesignDescent
from cistron.chromatin.design_pruning import prune_edits
from cistron.chromatin.design_tables import (
    Design,
    edit_table,
    edited_blocks,
    member_table,
    outcome_table,
    shortfall,
)
from cistron.chromatin.estimator import read_marks
from cistron.chromatin.fitted_model import ChromatinModel
from cistron.chromatin.saving import load_chromatin_model
from cistron.chromatin.settings import DesignSettings
from cistron.errors import InputError
from cistron.formats.designed_epigenome import write_designed_epigenome
from cistron.formats.gene_tracks import GeneTracks, open_gene_tracks
from cistron.runtime import RunRecord, atomic_path, check_writable, limit_threads, record_path, run_each, say

__all__ = ["Design", "design_epigenome", "design_files", "edited_blocks"]


_TOGETHER = 8  # genes whose edits are sought at once; one by one costs six times as much with a small network


def design_epigenome(
    model: ChromatinModel, store: GeneTracks, genes: np.ndarray, settings: DesignSettings | None = None
) -> Design:
    """Design the marks of some genes, each on its own.

    Parameters
    ----------
    model
        Networks.
    store
        Marks to start from.
    genes
        Rows of the genes.
    settings
        What is wanted, what may be touched, what it costs.

    Returns
    -------
    Design
        Marks and predictions, also where the target was not reached (:meth:`Design.share` tells).

    Raises
    ------
    InputError
        If a name is unknown, or nothing may be edited.
    """
    settings = settings or DesignSettings()
    store.require_start_site_bins("a design")
    model.require_networks("design")
    items = [{"genes": genes[start : start + _TOGETHER]} for start in range(0, len(genes), _TOGETHER)]
    shared = {"model": model, "store": store, "settings": settings}
    parts = list(run_each(_design, items, shared, description="design", unit=f"times {_TOGETHER} genes"))
    first = parts[0]
    by_gene = ("genes", "original", "designed", "start", "wanted", "achieved", "judged", "price")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in by_gene}
    members = np.concatenate([part.members for part in parts], axis=2)
    return replace(first, **joined, members=members)


def _design(model: ChromatinModel, store: GeneTracks, genes: np.ndarray, settings: DesignSettings) -> Design:
    """Design the marks of some genes, all at once."""
    networks = list(model.require_networks("design"))
    judges = max(1, len(networks) // 3) if settings.judge and len(networks) > 1 else 0
    networks, kept_out = networks[: len(networks) - judges], networks[len(networks) - judges :]
    values, measured = read_marks(model, store, np.asarray(genes))
    target = _chosen(store.cell_types, settings.cell_types, "cell type")
    editable = _editable(model, store, measured, target, settings)
    descent = DesignDescent(
        model, networks, values, measured, target, editable, store.tracks.bin_size, settings
    )
    edit, price = descent.solve()
    if settings.prune:
        descent.settle(edit)
        descent.allow_drift(edit)
        edit = prune_edits(edit, descent.reached, descent.block)
    designed = descent.original + edit
    with torch.no_grad():
        members = torch.stack(
            [
                torch.stack([network(marks, descent.mask) for marks in (descent.original, designed)])
                for network in (*networks, *kept_out)
            ]
        )
        achieved = descent.predict(designed)
        judged = torch.full_like(descent.start, torch.nan)
        if judges:
            # judges have their own view of where the gene starts; what counts is by how much they see it move
            moved = members[-judges:, 1] - members[-judges:, 0]
            judged = descent.start + moved.mean(dim=0)
    return Design(
        genes=np.asarray(genes),
        original=values,
        designed=designed.numpy(),
        measured=measured,
        start=descent.start.numpy(),
        wanted=descent.wanted.numpy(),
        achieved=achieved.numpy(),
        judged=judged.numpy(),
        target=target,
        price=price.numpy(),
        settings=settings,
        members=members.numpy(),
        judges=judges,
    )


def _chosen(names: Sequence[str], chosen: Sequence[str], what: str) -> np.ndarray:
    """Mask of the chosen names, bool [name]; all true if none is chosen."""
    unknown = [name for name in chosen if name not in names]
    if unknown:
        raise InputError(f"there is no {what} {unknown[0]!r}; there are {', '.join(names)}")
    return np.isin(names, list(chosen)) if chosen else np.ones(len(names), bool)


def _editable(
    model: ChromatinModel,
    store: GeneTracks,
    measured: np.ndarray,
    target: np.ndarray,
    settings: DesignSettings,
) -> np.ndarray:
    """Where an edit may be, bool [cell type, mark, bin]: never in a track that was not measured."""
    cells = (
        _chosen(store.cell_types, settings.edit_cell_types, "cell type")
        if settings.edit_cell_types
        else target
    )
    near = [mark for mark, far in zip(model.marks, model.distal) if not far]
    _chosen(near, settings.marks, "mark")
    marks = (
        _chosen(model.marks, settings.marks, "mark") & ~model.distal
    )  # elements elsewhere stay as they are
    place = store.positions()
    inside = (place >= settings.region[0]) & (place < settings.region[1])
    mask = (cells[:, None] & marks[None] & measured)[:, :, None] & inside
    if not mask.any():
        raise InputError(
            f"nothing may be edited: no measured track of the marks and cell types lies in {settings.region[0]:,} to "
            f"{settings.region[1]:,} bp; allow more"
        )
    return mask


def design_files(
    model: str | Path,
    data: str | Path,
    output: str | Path,
    genes: Sequence[str],
    settings: DesignSettings | None = None,
    *,
    allow_shortfall: bool = False,
    threads: int | None = None,
) -> pd.DataFrame:
    """Design the marks of genes of a store; write the designed epigenome and its tables.

    The tables of what was wanted, achieved and edited also stand beside the store as ``.outcome.tsv`` and ``.edits.tsv``.

    Parameters
    ----------
    model
        Folder of a model.
    data
        Store of :func:`cistron.chromatin.build.build_gene_tracks`.
    output
        Designed epigenome (.zarr).
    genes
        Genes to design, by identifier or symbol.
    settings
        What is wanted, what may be touched, what it costs.
    allow_shortfall
        Write what was reached where the target is not; an error otherwise.
    threads
        Threads of numerical libraries.

    Returns
    -------
    DataFrame
        Table of :func:`outcome_table`.

    Raises
    ------
    InputError
        If no gene is given, one is unknown, or the constraints do not allow the target.
    """
    if not genes:
        raise InputError("no gene was given; name at least one with --gene")
    model, output, settings = Path(model), check_writable(output), settings or DesignSettings()
    fitted, store = load_chromatin_model(model), open_gene_tracks(data)
    rows = store.gene_numbers(list(genes))
    run = RunRecord("chromatin design", settings, [model / "model.safetensors"], 0)
    with limit_threads(threads):
        found = design_epigenome(fitted, store, rows, settings)
    short = shortfall(found, store)
    if short is not None and not allow_shortfall:
        raise InputError(
            f"{short}; allow more marks, a wider region or a higher quantile, ask for less, or keep it with --allow-shortfall"
        )
    if short is not None:
        say(short)
        run.warn(short)
    outcome, edits = outcome_table(found, store), edit_table(found, store, fitted.marks)
    shown = ~fitted.distal
    write_designed_epigenome(
        output,
        found.designed[:, :, shown],
        found.original[:, :, shown],
        found.measured[:, shown],
        sequences=store.tracks.sequences.iloc[rows].reset_index(drop=True),
        cell_types=store.cell_types,
        marks=[mark for mark, near in zip(fitted.marks, shown) if near],
        bin_size=store.tracks.bin_size,
        outcome=outcome,
        edits=edits,
        name=output.stem,
        genome_build=str(store.tracks.header["genome_build"]),
        parameters=run.settings,
        members=member_table(found, store),
        chromosomes=store.tracks.header.get("chromosomes", {}),
    )
    for name, table in (("outcome", outcome), ("edits", edits)):
        with atomic_path(output.with_name(f"{output.stem}.{name}.tsv")) as partial:
            table.to_csv(partial, sep="\t", index=False, float_format="%.4f")
    run.write(record_path(output))
    return outcome
