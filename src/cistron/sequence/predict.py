"""Regions to a tracks store: resumable, batch by batch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.store import seal_store
from cistron.formats.tracks import Tracks, create_tracks, open_tracks
from cistron.genome import Genome, centred_windows
from cistron.runtime import Progress, check_writable, run_each, say, sha256_of
from cistron.runtime.files import destination_of, replace_directory, require_own_folder
from cistron.runtime.shards import fingerprint
from cistron.sequence.enformer import Enformer
from cistron.sequence.inference import Place, predict_windows
from cistron.sequence.inputs_tracks import strand_pairs, track_rows
from cistron.sequence.settings import BIN, InferenceSettings, check_length

_FINISHED = "finished.txt"


def predict_regions(
    model: Enformer,
    genome: Genome,
    regions: pd.DataFrame,
    output: str | Path,
    *,
    track_table: pd.DataFrame,
    tracks: Mapping[str, np.ndarray],
    settings: InferenceSettings | None = None,
    length: int | None = None,
    model_path: str | Path | None = None,
) -> Tracks:
    """Predict tracks around the middle of each region and write them as a store.

    A run that was interrupted goes on where it stopped when it is started again with the same model, genome,
    regions and settings; the batch size may change.

    Parameters
    ----------
    model
        Model in evaluation mode, on its device.
    genome
        Where the DNA is; its build must be known.
    regions
        Regions as of :func:`cistron.genome.read_regions`, checked against the genome.
    output
        Folder of the store.
    track_table
        What the model's tracks are.
    tracks
        Tracks of each organism that are computed.
    settings
        Batches, precision, augmentation.
    length
        Base pairs of input; that of the model when absent.
    model_path
        Folder of the model: its weights are told apart by their SHA-256.

    Returns
    -------
    Tracks
        The finished store, open for reading.
    """
    settings = settings or InferenceSettings()
    length = length or model.settings.length
    check_length(length, model.settings.crop)
    output = destination_of(check_writable(output))
    if output.is_file():
        raise InputError(f"cannot write {output}: it is a file; give the path of a folder")
    require_own_folder(output, output)
    windows = centred_windows(regions, length)
    crop = model.settings.crop * BIN
    binned = windows.assign(start=windows["start"] + crop, end=windows["end"] - crop)
    chosen = track_rows(track_table, tracks)
    parameters = {
        "model": sha256_of(Path(model_path) / "model.safetensors") if model_path else "not on disk",
        "genome": genome.path.name,
        "length": length,
        "precision": settings.precision,
        "passes": [list(step) for step in settings.passes()],
        "settings": asdict(model.settings),
        **genome.person_facts(),
    }
    tag = fingerprint([parameters, windows.to_json(), chosen.to_json(), dict(genome.lengths)])
    partial = output.parent / f".{output.name}.partial-{tag}"
    finished = partial / _FINISHED
    if finished.exists():
        store = open_tracks(partial, writable=True)
    else:
        used = set(windows["chromosome"])
        store = create_tracks(
            partial,
            name=output.stem,
            method="enformer",
            sequences=binned,
            tracks=chosen,
            bins=length // BIN - 2 * model.settings.crop,
            bin_size=BIN,
            genome_build=genome.require_build(),
            parameters=parameters,
            chromosomes={name: size for name, size in genome.lengths.items() if name in used},
        )
        finished.touch()
    _fill(store, model, genome, windows, track_table, tracks, settings, finished)
    finished.unlink()
    seal_store(partial)
    replace_directory(partial, output)
    return open_tracks(output)


def _fill(
    store: Tracks,
    model: Enformer,
    genome: Genome,
    windows: pd.DataFrame,
    table: pd.DataFrame,
    tracks: Mapping[str, np.ndarray],
    settings: InferenceSettings,
    finished: Path,
) -> None:
    done = {int(line) for line in finished.read_text().split()}
    todo = [number for number in range(len(windows)) if number not in done]
    if done:
        say(f"predicting: {len(done):,} of {len(windows):,} regions were finished before")
    pairs = {organism: strand_pairs(table, organism) for organism in tracks}
    places = list(windows[["chromosome", "start", "end"]].itertuples(index=False, name=None))
    with Progress("predicting", total=len(todo), unit="regions") as progress:
        batches = _batches(todo, settings.batch_size)
        items = [{"places": [places[number] for number in batch]} for batch in batches]
        shared = {"model": model, "genome": genome, "tracks": tracks, "settings": settings, "pairs": pairs}
        for batch, joined in zip(batches, run_each(_of_batch, items, shared)):
            for row, number in enumerate(batch):
                store.values[number, 0] = joined[row].T  # [tracks, bins]
            with finished.open("a") as handle:  # after the values: a line means that they are there
                handle.writelines(f"{number}\n" for number in batch)
            progress.advance(len(batch))


def _of_batch(
    model: Enformer,
    genome: Genome,
    places: Sequence[Place],
    tracks: Mapping[str, np.ndarray],
    settings: InferenceSettings,
    pairs: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Tracks of all organisms, float [window, bin, track]."""
    predicted = predict_windows(model, genome, places, tracks, settings, pairs)
    return np.concatenate(list(predicted.values()), axis=2)


def _batches(numbers: Sequence[int], size: int) -> list[Sequence[int]]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]
