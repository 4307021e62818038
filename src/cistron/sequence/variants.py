"""Score the variants of a VCF: windows, shards, one table. Resumable; memory is that of a shard and of a row group."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cistron.errors import InputError
from cistron.formats.variant_scores import (
    CHOSEN,
    COMPONENT,
    FIRST_ORDER,
    LOG_RATIO,
    SAD,
    SITE_COLUMNS,
    VariantScoreWriter,
    track_names,
)
from cistron.genome import Genome
from cistron.genome.vcf_sites import Sites, read_sites
from cistron.runtime import atomic_path, check_writable, random_generator, say, sha256_of
from cistron.sequence.gene_shards import discard_shards
from cistron.sequence.inputs_tracks import choose_tracks, load_track_table, strand_pairs
from cistron.sequence.saving import read_description
from cistron.sequence.settings import settings_from
from cistron.sequence.settings_variants import VariantSettings
from cistron.sequence.variant_components import Components, principal_components
from cistron.sequence.variant_shards import score_shard, screen_shard
from cistron.sequence.variant_windows import ShardRunner, random_substitutions, windows_of

SAMPLE = 0.1  # screened variants that are scored beside the chosen ones, drawn from the rest, as a share of the chosen
_LEAST_SAMPLE = 20
_LISTED = 10_000  # left-out alleles that the header lists

_Shards = list[tuple[np.ndarray, Path]]


@dataclass(frozen=True)
class ScoredVariants:
    """What a run gave, for people; the table itself lies in the file.

    Attributes
    ----------
    sites
        What was read, and what was left out.
    frame
        Variants that were scored, in the order of the file, with ``magnitude`` (mean over tracks of the absolute log2 ratio),
        ``direction`` (mean over tracks of the log2 ratio), ``track`` (the one that changes most) and ``log_ratio`` (its log2
        ratio).
    tracks
        Tracks in the order of the columns: ``name``, ``identifier``, ``description``.
    header
        Header of the file.
    controls
        ``magnitude`` of random substitutions near the variants, float64; empty where none were asked for.
    trained
        False where the model says that its weights are random.
    """

    sites: Sites
    frame: pd.DataFrame
    tracks: pd.DataFrame
    header: Mapping[str, Any]
    controls: np.ndarray
    trained: bool


def score_variants(
    weights: str | Path,
    genome: Genome,
    variants: str | Path,
    output: str | Path,
    *,
    tracks: Sequence[str] = (),
    settings: VariantSettings | None = None,
    region: str | None = None,
    skip_mismatch: bool = False,
    controls: int = 0,
    seed: int = 0,
    shard_size: int = 32,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
) -> ScoredVariants:
    """Score variants and write them as a table (page ``docs/formats/variant_scores.md``).

    Parameters
    ----------
    weights
        Model folder.
    genome
        The reference.
    variants
        VCF or BCF.
    output
        ``.parquet`` to write; finished shards are kept in a hidden folder beside it until then.
    tracks
        What :func:`cistron.sequence.inputs_tracks.choose_tracks` understands; all tracks of the organism when empty.
    settings
        Windows, columns, screen, inference.
    region, skip_mismatch
        As of :func:`cistron.genome.vcf_sites.read_sites`.
    controls
        Random substitutions near the variants that are scored as well, as a negative control; they are not in the table.
    seed
        Of the controls, and of the sample by which a screen is judged.
    shard_size
        Variants of a shard, the unit that is never redone.
    workers, threads, scheduler
        As of :func:`cistron.runtime.run_shards`.

    Raises
    ------
    InputError
        If an input cannot be used.
    """
    settings, weights = settings or VariantSettings(), Path(weights)
    output = check_writable(output)
    if output.suffix != ".parquet":
        raise InputError(f"variant scores are written as .parquet. Given: {output.name}")
    description = read_description(weights)
    model = settings_from(description["settings"])
    length, table = settings.input_length(model), load_track_table(weights, model.tracks)
    chosen = choose_tracks(table, settings.organism, tracks)
    if settings.top_components > len(chosen):
        raise InputError(
            f"--top-components {settings.top_components}: there are {len(chosen):,} tracks; ask for at most as many"
        )
    described = _described(table, settings.organism).iloc[chosen].reset_index(drop=True)
    sites = read_sites(variants, genome, region, skip_mismatch)
    say(sites.summary())
    header = _header(settings, length, sha256_of(weights / "model.safetensors"), genome, described, sites)
    common = {
        "model": str(weights),
        "genome": str(genome.path),
        "build": genome.build or None,
        "ambiguous": genome.ambiguous,
        "organism": settings.organism,
        "tracks": chosen.tolist(),
        "pairs": strand_pairs(table, settings.organism).tolist(),
        "inference": asdict(settings.inference),
    }
    parameters = {**header, "tracks": common["tracks"], "pairs": common["pairs"], "skipped": None}
    runner = ShardRunner(common, output, parameters, shard_size, workers, threads, scheduler)
    frame = sites.frame[list(SITE_COLUMNS)]
    if settings.screen:
        frame = _screened(runner, frame, settings, length, seed)
    drawn = random_substitutions(frame, genome, controls, seed)
    if len(drawn) < controls:
        say(
            f"{len(drawn):,} of {controls:,} random substitutions were found: the variants lie close together or beside N"
        )
    both = pd.concat([frame.assign(near=frame["position"]), drawn], ignore_index=True)
    windows = windows_of(both, settings, length)
    shards = runner.run(score_shard, both, windows, "scoring variants")
    summary = _summarised(shards, both, described)
    rows = np.concatenate([rows for rows, _ in shards])
    kept = summary.iloc[rows[rows < len(frame)]]
    found = kept.drop(columns="near").reset_index(drop=True)
    if settings.screen:
        header["screen"] = _judged(found, len(sites.frame), settings.screen)
    components = None
    if settings.top_components:
        components = principal_components(
            (sad[rows < len(frame)] for rows, sad, _ in _arrays(shards)), settings.top_components
        )
        header["components_explained"] = components.explained.round(6).tolist()
    _write(output, shards, both, len(frame), described["name"].tolist(), settings, components, header)
    discard_shards(output)
    control = summary["magnitude"].to_numpy(np.float64)[len(frame) :]
    trained = "random" not in str(description["origin"].get("weights", ""))
    return ScoredVariants(sites, found, described, header, control, trained)


def _described(table: pd.DataFrame, organism: str) -> pd.DataFrame:
    """Tracks of an organism with the names of their columns."""
    rows = table[table["organism"] == organism].reset_index(drop=True)
    return rows.assign(name=track_names(rows["identifier"].astype(str).tolist()))[
        ["name", "identifier", "description"]
    ]


def _header(
    settings: VariantSettings, length: int, model: str, genome: Genome, described: pd.DataFrame, sites: Sites
) -> dict[str, Any]:
    skipped = sites.skipped.head(_LISTED).to_dict("records")
    return {
        "organism": settings.organism,
        "genome_build": genome.build,
        "genome": genome.path.name,
        "chromosomes": {name: genome.lengths[name] for name in sites.frame["chromosome"].unique()},
        "model": model,
        "length": length,
        "shared_windows": settings.shared_windows,
        "precision": settings.inference.precision,
        "passes": [list(step) for step in settings.inference.passes()],
        "tracks": described.to_dict("list"),
        "variants": sites.path.name,
        "left_out": dict(sites.counts),
        "skipped": skipped,
    }


def _screened(
    runner: ShardRunner, frame: pd.DataFrame, settings: VariantSettings, length: int, seed: int
) -> pd.DataFrame:
    """Rank substitutions by their first-order effect; keep the strongest and a sample of the rest."""
    same = (frame["ref"].str.len() == frame["alt"].str.len()).to_numpy()
    if not same.all():
        say(
            f"--screen ranks substitutions; {int((~same).sum()):,} insertions and deletions are set aside: score them without it"
        )
    if not same.any():
        raise InputError(
            "--screen: the file holds insertions and deletions only, which have no first-order effect; score them without it"
        )
    frame = frame[same].reset_index(drop=True)
    first_order = np.zeros(len(frame), np.float32)
    # One pass of the model whatever the augmentation; the shards say so by their settings.
    plain = replace(settings.inference, augment=False)
    quick = replace(runner, common={**runner.common, "inference": asdict(plain)})
    for rows, path in quick.run(
        screen_shard, frame, windows_of(frame, settings, length), "screening variants"
    ):
        with np.load(path) as arrays:
            first_order[rows] = arrays["first_order"]
    order = np.argsort(-np.abs(first_order), kind="stable")
    strongest, rest = order[: settings.screen], order[settings.screen :]
    size = min(len(rest), max(_LEAST_SAMPLE, round(SAMPLE * settings.screen)))
    sample = random_generator(seed, "sample of a screen").permutation(rest)[:size]
    chosen = np.full(len(frame), "", object)
    chosen[strongest], chosen[sample] = "screen", "sample"
    found = frame.assign(**{FIRST_ORDER: first_order, CHOSEN: chosen})
    return found[found[CHOSEN] != ""].reset_index(drop=True)


def _judged(frame: pd.DataFrame, given: int, wanted: int) -> dict[str, Any]:
    """Correlate first-order and exact effects, over the chosen and over the sample of the rest."""
    facts: dict[str, Any] = {"variants": given, "asked": wanted}
    for name, rows in (
        ("screen", frame[frame[CHOSEN] == "screen"]),
        ("sample", frame[frame[CHOSEN] == "sample"]),
    ):
        varied = len(rows) > 2 and rows[FIRST_ORDER].nunique() > 1 and rows["direction"].nunique() > 1
        facts[name] = {
            "variants": len(rows),
            "pearson": float(stats.pearsonr(rows[FIRST_ORDER], rows["direction"])[0]) if varied else None,
            "spearman": float(stats.spearmanr(rows[FIRST_ORDER], rows["direction"])[0]) if varied else None,
        }
    return facts


def _arrays(shards: _Shards) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Rows, differences and log2 ratios of one shard after the other."""
    for rows, path in shards:
        with np.load(path) as arrays:
            yield rows, arrays["sad"], arrays["log_ratio"]


def _summarised(shards: _Shards, frame: pd.DataFrame, described: pd.DataFrame) -> pd.DataFrame:
    """Add magnitude, direction and the track that changes most to each variant."""
    magnitude, direction, largest = np.zeros((3, len(frame)))
    track = np.zeros(len(frame), np.int64)
    for rows, _, ratio in _arrays(shards):
        wide = ratio.astype(np.float64)
        magnitude[rows], direction[rows] = np.abs(wide).mean(1), wide.mean(1)
        track[rows] = np.abs(wide).argmax(1)
        largest[rows] = wide[np.arange(len(wide)), track[rows]]
    names = described["name"].to_numpy()[track]
    return frame.assign(magnitude=magnitude, direction=direction, track=names, log_ratio=largest)


def _write(
    output: Path,
    shards: _Shards,
    frame: pd.DataFrame,
    number: int,
    names: Sequence[str],
    settings: VariantSettings,
    components: Components | None,
    header: Mapping[str, Any],
) -> None:
    """Write the table, shard by shard; rows from ``number`` on are controls and left out."""
    extra = [column for column in (FIRST_ORDER, CHOSEN) if column in frame]
    columns = [*SITE_COLUMNS, *extra, *(f"{SAD}{name}" for name in names)]
    if settings.log_ratio:
        columns += [f"{LOG_RATIO}{name}" for name in names]
    columns += [f"{COMPONENT}{rank}" for rank in range(1, settings.top_components + 1)]
    with atomic_path(output) as partial, VariantScoreWriter(partial, columns, header) as writer:
        for rows, sad, ratio in _arrays(shards):
            kept = rows < number
            if not kept.any():
                continue
            values = {column: frame[column].to_numpy()[rows[kept]] for column in (*SITE_COLUMNS, *extra)}
            values |= {f"{SAD}{name}": sad[kept, place] for place, name in enumerate(names)}
            if settings.log_ratio:
                values |= {f"{LOG_RATIO}{name}": ratio[kept, place] for place, name in enumerate(names)}
            if components is not None:
                found = components.project(sad[kept])
                values |= {f"{COMPONENT}{rank + 1}": found[:, rank] for rank in range(found.shape[1])}
            writer.write(values)
