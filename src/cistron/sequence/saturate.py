"""In-silico saturation mutagenesis: every base of a region changed to every other, written as tracks of one base pair a bin."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.store import seal_store
from cistron.formats.tracks import Tracks, create_tracks, open_tracks
from cistron.genome import Genome, centred_windows, check_regions, read_regions
from cistron.runtime import atomic_directory, check_writable, say, sha256_of
from cistron.sequence.gene_shards import discard_shards
from cistron.sequence.inputs_tracks import choose_tracks, load_track_table, strand_pairs, track_rows
from cistron.sequence.saving import read_description
from cistron.sequence.settings import InferenceSettings, settings_from
from cistron.sequence.settings_variants import VariantSettings
from cistron.sequence.variant_shards import score_shard
from cistron.sequence.variant_windows import RowWindow, ShardRunner

LETTERS = "ACGT"


@dataclass(frozen=True)
class SaturationMap:
    """A finished map.

    Attributes
    ----------
    store
        Tracks store: [region, 1, track x letter, base pair]; a value is the change of the sum of a track when the letter is put
        there, 0 for the letter that stands there and where the reference is N.
    tracks
        Names of the model's tracks.
    reference
        Letters of each region.
    """

    store: Tracks
    tracks: list[str]
    reference: list[str]

    def effects(self, region: int) -> np.ndarray:
        """Give the map of a region, float32 [track, letter A C G T, base pair]."""
        return np.asarray(self.store.values[region, 0]).reshape(len(self.tracks), len(LETTERS), -1)

    def contributions(self, region: int) -> np.ndarray:
        """Give what the letter that stands there is worth: minus the mean change to the three others, float64 [track, base pair]."""
        return -self.effects(region).astype(np.float64).sum(1) / (len(LETTERS) - 1)


def saturate_regions(
    weights: str | Path,
    genome: Genome,
    regions: str | Path,
    output: str | Path,
    *,
    tracks: Sequence[str] = (),
    organism: str = "human",
    length: int | None = None,
    span: int | None = None,
    inference: InferenceSettings | None = None,
    shard_size: int = 96,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
) -> SaturationMap:
    """Mutate every base of each region and write the map as a tracks store.

    The window of the model lies around the middle of the region, and is the same for all its bases.

    Parameters
    ----------
    weights
        Model folder.
    genome
        The reference.
    regions
        BED of regions of one width, or of any where ``span`` is given.
    output
        Folder of the store; finished shards are kept in a hidden folder beside it until then.
    tracks, organism
        Tracks of the model.
    length
        Base pairs of input; that of the model when absent.
    span
        Base pairs that are mutated around the middle of each region; the whole region when absent.
    inference
        Batches, precision, augmentation, device.
    shard_size
        Changes of a shard, the unit that is never redone.
    workers, threads, scheduler
        As of :func:`cistron.runtime.run_shards`.

    Raises
    ------
    InputError
        If regions differ in width, or do not fit into what the model predicts.
    """
    weights, output, inference = Path(weights), check_writable(output), inference or InferenceSettings()
    settings = VariantSettings(organism, length, inference=inference)
    model = settings_from(read_description(weights)["settings"])
    length, table = settings.input_length(model), load_track_table(weights, model.tracks)
    chosen = choose_tracks(table, organism, tracks)
    places = check_regions(read_regions(regions), genome)
    places = _of_one_width(places, span, length - 2 * model.crop * 128)
    windows = centred_windows(places, length)
    frame, rows = _changes(places, genome)
    row_windows = [
        RowWindow(window.chromosome, window.start, window.end, tuple(rows[number]))
        for number, window in enumerate(windows.itertuples())
        if rows[number]
    ]
    if not row_windows:
        raise InputError(
            f"{Path(regions).name}: all regions are N in {genome.path.name}; there is nothing to change"
        )
    common = {
        "model": str(weights),
        "genome": str(genome.path),
        "build": genome.build or None,
        "ambiguous": genome.ambiguous,
        "organism": organism,
        "tracks": chosen.tolist(),
        "pairs": strand_pairs(table, organism).tolist(),
        "inference": asdict(inference),
    }
    parameters: dict[str, Any] = {
        "model": sha256_of(weights / "model.safetensors"),
        "genome": genome.path.name,
        "length": length,
        "precision": inference.precision,
        "passes": [list(step) for step in inference.passes()],
    }
    tag = {**parameters, "tracks": chosen.tolist(), "organism": organism, "pairs": common["pairs"]}
    runner = ShardRunner(common, output, tag, shard_size, workers, threads, scheduler)
    shards = runner.run(score_shard, frame, row_windows, "mutating bases")
    described = track_rows(table, {organism: chosen})
    lettered = described.loc[described.index.repeat(len(LETTERS))].reset_index(drop=True)
    lettered["track"] = lettered["name"]
    lettered["letter"] = list(LETTERS) * len(described)
    lettered["name"] = lettered["track"] + ">" + lettered["letter"]
    used = set(places["chromosome"])
    width = int(places["end"].iloc[0] - places["start"].iloc[0])
    reference = [
        "".join("ACGTN"[code] for code in genome.codes(row.chromosome, row.start, row.end))
        for row in places.itertuples()
    ]
    with atomic_directory(output) as partial:
        store = create_tracks(
            partial,
            name=output.stem,
            method="enformer, saturation mutagenesis",
            sequences=places.assign(reference=reference),
            tracks=lettered,
            bins=width,
            bin_size=1,
            genome_build=genome.build,
            parameters=parameters,
            chromosomes={name: size for name, size in genome.lengths.items() if name in used},
        )
        _fill(store, frame, shards, len(described))
        seal_store(partial)
    discard_shards(output)
    return open_saturation_map(output)


def _of_one_width(places: pd.DataFrame, span: int | None, predicted: int) -> pd.DataFrame:
    """Cut regions to one width around their middles, or demand that they have one."""
    if span is not None:
        places = centred_windows(places, span)
    widths = sorted((places["end"] - places["start"]).unique().tolist())
    if len(widths) > 1:
        raise InputError(
            f"regions are {widths[0]:,} to {widths[-1]:,} bp wide; a map needs one width: give --span, which cuts them around their middles"
        )
    if widths[0] > predicted:
        raise InputError(
            f"regions are {widths[0]:,} bp wide, the model predicts the middle {predicted:,} bp of a window; give --span"
        )
    return places.reset_index(drop=True)


def _changes(places: pd.DataFrame, genome: Genome) -> tuple[pd.DataFrame, list[list[int]]]:
    """List all substitutions of all regions, and the rows of each region."""
    parts, rows, count, unknown = [], [], 0, 0
    for number, place in enumerate(places.itertuples()):
        codes = genome.codes(place.chromosome, place.start, place.end)
        offsets, letters = np.meshgrid(np.flatnonzero(codes < 4), np.arange(4), indexing="ij")
        kept = letters != codes[offsets]
        offsets, letters = offsets[kept], letters[kept]
        unknown += int((codes == 4).sum())
        parts.append(
            pd.DataFrame(
                {
                    "region": number,
                    "offset": offsets,
                    "letter": letters,
                    "position": place.start + offsets + 1,
                    "ref": [LETTERS[code] for code in codes[offsets]],
                    "alt": [LETTERS[code] for code in letters],
                }
            )
        )
        rows.append(list(range(count, count + len(offsets))))
        count += len(offsets)
    if unknown:
        say(f"{unknown:,} base pairs of the regions are N in {genome.path.name}; their values are 0")
    return pd.concat(parts, ignore_index=True), rows


def _fill(store: Tracks, frame: pd.DataFrame, shards: list[tuple[np.ndarray, Path]], tracks: int) -> None:
    """Write the map region by region; shards are in the order of the regions."""
    region, offset, letter = (frame[name].to_numpy() for name in ("region", "offset", "letter"))
    span = store.values.shape[3]
    held: dict[int, np.ndarray] = {}

    def write(finished: int) -> None:
        for number in [one for one in held if one < finished]:
            store.values[number, 0] = held.pop(number).reshape(tracks * len(LETTERS), span)

    for rows, path in shards:
        with np.load(path) as arrays:
            sad = arrays["sad"]
        for number in np.unique(region[rows]).tolist():
            write(number)
            values = held.setdefault(number, np.zeros((tracks, len(LETTERS), span), np.float32))
            mine = region[rows] == number
            values[:, letter[rows[mine]], offset[rows[mine]]] = sad[mine].T
    write(store.values.shape[0])
    for number in np.setdiff1d(np.arange(store.values.shape[0]), region).tolist():  # all N
        store.values[number, 0] = np.zeros((tracks * len(LETTERS), span), np.float32)


def open_saturation_map(path: str | Path) -> SaturationMap:
    """Open a map.

    Raises
    ------
    InputError
        If the store is absent, damaged, or of another kind.
    """
    store = open_tracks(path)
    if "letter" not in store.tracks or "reference" not in store.sequences:
        raise InputError(
            f"{path} holds tracks, but no saturation map; make one with 'cistron sequence saturate'"
        )
    names = list(dict.fromkeys(store.tracks["track"].astype(str)))
    if len(store.tracks) != len(names) * len(LETTERS):
        raise InputError(f"{path} is no saturation map: its tracks are not four letters each; it is damaged")
    return SaturationMap(store, names, store.sequences["reference"].astype(str).tolist())
