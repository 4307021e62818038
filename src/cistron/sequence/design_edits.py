"""From a designed epigenome to DNA: base changes after which a sequence model predicts the designed marks."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cistron.errors import InputError
from cistron.formats.designed_epigenome import DesignedEpigenome, read_designed_epigenome
from cistron.genome import Genome
from cistron.genome.intervals import read_intervals
from cistron.runtime import RunRecord, check_writable, say, track
from cistron.runtime.tables import read_text_table
from cistron.sequence.base_edits import TargetError, edit_bases
from cistron.sequence.design_edits_output import (
    GeneEdits,
    Site,
    edit_table,
    outcome_table,
    track_table,
    write_edits_folder,
)
from cistron.sequence.design_views import View, coarse
from cistron.sequence.inputs_tracks import choose_tracks, load_track_table
from cistron.sequence.saving import load_weights
from cistron.sequence.settings import BIN, InferenceSettings
from cistron.sequence.settings_edits import BaseEditSettings


def wanted_change(
    design: DesignedEpigenome, row: int, pairs: pd.DataFrame, start: int, bins: int
) -> np.ndarray:
    """Change of log1p signal that a design wants in a model's bins, float64 [pair, bin]; 0 outside of the design's window.

    Parameters
    ----------
    design
        The design.
    row
        Number of the gene.
    pairs
        ``cell_type`` and ``mark``, one row a track of the model.
    start
        First base pair of the model's first bin.
    bins
        Bins of the model, of 128 bp.
    """
    tracks, window = design.tracks, design.tracks.sequences.iloc[row]
    change = np.nan_to_num(np.asarray(tracks.values[row]) - design.original[row])
    if window["strand"] == "-":
        change = change[..., ::-1]
    cells = {name: number for number, name in enumerate(tracks.cell_types)}
    marks = {name: number for number, name in enumerate(tracks.tracks["name"])}
    own = np.repeat(change, tracks.bin_size, axis=-1)  # a value a base pair
    whole = np.zeros((len(pairs), bins * BIN))
    offset = int(window["start"]) - start
    left, right = max(0, offset), min(whole.shape[1], offset + own.shape[-1])
    for number, pair in enumerate(pairs.itertuples()):
        if right > left:
            whole[number, left:right] = own[
                cells[pair.cell_type], marks[pair.mark], left - offset : right - offset
            ]
    return whole.reshape(len(pairs), bins, BIN).mean(axis=2)


def read_pairs(
    path: str | Path, design: DesignedEpigenome, model: str | Path, organism: str, heads: Mapping[str, int]
) -> pd.DataFrame:
    """Read which track of a model is which mark: a table ``cell_type``, ``mark``, ``track`` (number, identifier, part of the description).

    Parameters
    ----------
    path
        The table.
    design
        Design whose cell types and marks are named.
    model
        Folder of the model.
    organism
        Whose tracks.
    heads
        Tracks of each organism.

    Returns
    -------
    DataFrame
        ``cell_type``, ``mark``, ``track``, ``number``.

    Raises
    ------
    InputError
        If a name is unknown, a track is not one, or no pair changes in the design.
    """
    table = read_text_table(path, "table of tracks", columns=("cell_type", "mark", "track")).frame.astype(str)
    known = {"cell_type": list(design.tracks.cell_types), "mark": list(design.tracks.tracks["name"])}
    for column, names in known.items():
        unknown = sorted(set(table[column]) - set(names))
        if unknown:
            raise InputError(
                f"{Path(path).name}: the design has no {column.replace('_', ' ')} {unknown[0]!r}; it has {', '.join(names)}"
            )
    rows, numbers = load_track_table(model, heads), []
    for name in table["track"]:
        chosen = choose_tracks(rows, organism, (name,))
        if len(chosen) != 1:
            raise InputError(f"{Path(path).name}: {name!r} is {len(chosen):,} tracks of the model; name one")
        numbers.append(int(chosen[0]))
    return table.assign(number=numbers)


def design_edits(
    design: str | Path,
    weights: str | Path,
    genome: Genome,
    tracks: str | Path,
    output: str | Path,
    *,
    settings: BaseEditSettings | None = None,
    judge: str | Path | None = None,
    protected: str | Path | None = None,
    expression: Callable[[DesignedEpigenome, pd.DataFrame], pd.DataFrame] | None = None,
    organism: str = "human",
    device: str = "cpu",
    seed: int = 0,
) -> pd.DataFrame:
    """Propose base changes for each gene of a design, and write ``edits.tsv``, ``edits.bed``, ``edits.vcf`` and ``outcome.tsv``.

    The target is what the model predicts for the DNA as it is, plus the change that the design wants, both as log(1 + signal).

    Parameters
    ----------
    design
        Store of ``cistron chromatin design``.
    weights
        Sequence model whose tracks are the marks.
    genome
        The reference.
    tracks
        Table of :func:`read_pairs`.
    output
        Folder to write.
    settings
        How to search.
    judge
        Another sequence model, with tracks of the same names, that takes no part and says what it predicts for the edited DNA.
    protected
        BED of bases that may not change.
    expression
        Given the design and the table of tracks, what expression follows: ``gene``, ``cell_type``, ``role``, ``start``, ``wanted``, ``designed``
        (of the designed marks), ``edited`` (of the marks that the edited DNA is predicted to have), log1p.
    organism
        Whose tracks.
    device
        Where the model runs.
    seed
        Seed.

    Returns
    -------
    DataFrame
        One row a gene: ``gene``, ``edits``, ``share``, ``judge_share``, ``expression_share``, ``reached``.

    Raises
    ------
    InputError
        If a table or a name does not fit, or no base may change.
    """
    settings, output = settings or BaseEditSettings(), check_writable(output)
    opened = read_designed_epigenome(design)
    run = RunRecord("sequence design", settings, [Path(weights) / "model.safetensors", Path(tracks)], seed)
    device = str(InferenceSettings(device=device).torch_device())
    model = load_weights(weights, device=device).requires_grad_(False).eval()
    other = None if judge is None else load_weights(judge, device=device).requires_grad_(False).eval()
    pairs = read_pairs(tracks, opened, weights, organism, model.settings.tracks)
    judging = (
        None if other is None else read_pairs(tracks, opened, str(judge), organism, other.settings.tracks)
    )
    done: list[GeneEdits] = []
    for row, window in track(
        list(enumerate(opened.tracks.sequences.itertuples())), "editing genes", unit="genes"
    ):
        half = (int(window.end) - int(window.start)) // 2
        minus = window.strand == "-"
        position = int(window.start) + half - minus
        site = Site(str(window.name), genome.chromosome(str(window.chromosome)), str(window.strand), position)
        view = View.of(model, organism, pairs["number"].to_numpy(), genome, site.chromosome, position)
        change = wanted_change(opened, row, pairs, view.first, view.bins)
        near = np.flatnonzero(np.abs(change).max(axis=0) > 1e-6)
        if not len(near):
            raise InputError(
                f"{site.gene}: the design changes none of the marks of {Path(tracks).name} where the model predicts"
            )
        seen = slice(int(near.min()), int(near.max()) + 1)
        editable = _editable(site, view.start, len(view.codes), settings.window, protected, genome)
        together = max(1, round(settings.resolution / BIN))
        fine = change[:, seen].astype(np.float32)
        wanted = coarse(torch.from_numpy(fine)[None], together).numpy().ravel()
        found = edit_bases(view.predictor(seen, together), view.codes, wanted, editable, settings, seed=seed)
        predictions, judged = [view.before_and_after(seen, found.codes)], np.nan
        places = view.first + BIN * np.arange(seen.start, seen.stop)
        if other is not None and judging is not None:
            second = View.of(other, organism, judging["number"].to_numpy(), genome, site.chromosome, position)
            same = second.slice_of(int(places[0]), int(places[-1]) + BIN)
            edited = second.edited(view.start, view.codes, found.codes)
            judged = TargetError(second.predictor(same, together), second.codes, wanted).share(edited)
            predictions.append(second.before_and_after(same, edited))
        done.append(
            GeneEdits(
                site=site,
                found=found,
                judge_share=judged,
                edits=edit_table(site, view.start, view.codes, found),
                tracks=track_table(site, pairs, places, fine.ravel(), predictions),
            )
        )
        if found.share < settings.tolerance:
            short = (
                f"{site.gene}: {found.share:.0%} of the wanted change with {len(found.positions)} changes, {settings.tolerance:.0%} was wanted; "
                "widen --window or allow more changes"
            )
            say(short)
            run.warn(short)
    tracks_of = pd.concat([one.tracks for one in done], ignore_index=True)
    levels = None if expression is None else expression(opened, tracks_of)
    outcome = outcome_table(done, levels, settings.tolerance)
    write_edits_folder(
        output,
        run,
        done,
        outcome,
        levels,
        names=(str(opened.tracks.header["name"]), Path(weights).name),
        build=genome.build,
        tolerance=settings.tolerance,
    )
    return outcome


def _editable(
    site: Site,
    start: int,
    length: int,
    window: tuple[int, int],
    protected: str | Path | None,
    genome: Genome,
) -> np.ndarray:
    """Bases of the model's input that may change, bool [base pair]."""
    place = np.arange(start, start + length) - site.position
    place = -place if site.strand == "-" else place
    allowed = (place >= window[0]) & (place < window[1])
    if protected is not None:
        table = read_intervals(protected, {site.chromosome: 2**31 - 1}, "protected bases")
        for one in table[table["chromosome"] == site.chromosome].itertuples():
            allowed[max(0, int(one.start) - start) : max(0, int(one.end) - start)] = False
    return np.asarray(allowed)
