"""``cistron sequence evaluate``: the wing predicts, the task scores."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cistron.cli.options import Output, Scheduler, Seed, Threads, Workers
from cistron.cli.sequence_options import BatchSize, Device
from cistron.methods import Count
from cistron.runtime import say, show

_SHOWN_BINS = 4096


def evaluate(
    model: Path,
    store: Path,
    *,
    output: Output,
    fold: str = "test",
    allow_leak: Annotated[bool, Parameter(negative=())] = False,
    annotation: Path | None = None,
    baselines: bool = True,
    draws: Count = 1000,
    batch_size: BatchSize = 4,
    device: Device = "auto",
    report: bool = True,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = None,
) -> None:
    """Compare a model's tracks with measured ones on sequences that it has not seen.

    Writes scores.parquet (Pearson over bins and sequences and of the means of windows, of all tracks, of each assay, with intervals over sequences;
    beside the mean of training, a ridge on k-mers, and the model on dinucleotide-shuffled DNA; where tracks have replicates, these as the
    ceiling), tracks.parquet (each track), run.json and report.html. With --annotation also CAGE at start sites, across genes and within
    genes across tracks.

    Parameters
    ----------
    model
        Model folder.
    store
        Store of 'cistron sequence data'.
    fold
        Fold that is scored.
    allow_leak
        Score a fold that the model was trained on, and say so in the report.
    annotation
        Where genes lie (GTF, GFF3, BED or a table, of the build of the store), to score CAGE at their start sites.
    baselines
        Score the mean of training, the ridge and the shuffled DNA as well.
    draws
        Bootstrap samples over sequences.
    report
        Write figures and the HTML report.
    """
    import numpy as np
    import pandas as pd

    from cistron.evaluation.result_folder import require_folder, write_folder
    from cistron.evaluation.tracks import (
        Predictor,
        TrackData,
        dinucleotide_shuffle,
        replicate_predictor,
        replicates_of,
        score_start_sites,
        score_tracks,
        site_table,
    )
    from cistron.formats.scores import score_frame
    from cistron.runtime import RunRecord, limit_threads
    from cistron.sequence.evaluating import open_evaluated

    folder, inputs = require_folder(output, [model, store, annotation])
    record = RunRecord(
        "sequence evaluate", {"fold": fold, "draws": draws, "baselines": baselines}, inputs, seed
    )
    with limit_threads(threads):
        found = open_evaluated(model, store, fold, allow_leak=allow_leak, device=device)
        if found.seen:
            record.warn(
                f"{found.seen:,} of {len(found.rows):,} sequences were seen in training: these scores say nothing of new sequence"
            )
        if found.chosen:
            record.warn(
                f"{found.chosen:,} of {len(found.rows):,} sequences stopped the training, so that these scores are a little too high"
            )
        name = model.resolve().name
        predictors = [Predictor(name, lambda: found.blocks(batch_size))]
        reference = control = None
        if baselines:
            reference, control = "k-mer ridge", f"{name}, shuffled DNA"
            predictors += _baselines(found, batch_size)

            def shuffled(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
                return np.stack(
                    [dinucleotide_shuffle(line, seed, int(row)) for line, row in zip(codes, rows)]
                )

            predictors.append(Predictor(control, lambda: found.blocks(batch_size, shuffled)))
        table = found.store.tracks.tracks
        replicates = replicates_of(table)
        paired = np.array([len(one) > 0 for one in replicates])
        if paired.any():
            predictors.append(replicate_predictor(predictors[0], replicates))
        data = TrackData(
            found.store.path.stem, fold, len(found.rows), table, {"tracks that have replicates": paired}
        )
        sites = None if annotation is None else _sites(annotation, found)
        scores, by_track = score_tracks(
            data,
            predictors if sites is None else [sites.gathering(one) for one in predictors],
            reference=reference or "",
            control=control,
            draws=draws,
            seed=seed,
            run_id=record.run_id,
        )
        if sites is not None:
            rows = score_start_sites(sites, data, draws=draws, seed=seed, run_id=record.run_id)
            scores = pd.concat([scores, score_frame(rows)], ignore_index=True)
        example, tracks = _example(found, by_track, name)
    record.record("sequences", len(found.rows))
    record.record("example", example)
    for text in record.warnings:
        say(text)
    folder.mkdir(parents=True, exist_ok=True)
    write_folder(
        folder,
        record,
        scores,
        tables={"tracks": by_track, "example": tracks}
        | ({} if sites is None else {"start_sites": site_table(sites, name)}),
        facts={},
        warnings=(),
    )
    for row in scores[scores["metric"] != "pearson_of_means"].itertuples():
        show(f"{row.embedding}: {row.metric} {row.value:.3f} [{row.low:.3f}, {row.high:.3f}], {row.target}")
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")


def _sites(annotation: Path, found: Any) -> Any:
    """Start sites of the fold and the CAGE tracks that are compared there."""
    from cistron.evaluation.tracks import SiteValues, expression_tracks, place_start_sites
    from cistron.genes.places import read_gene_places

    genes, remarks = read_gene_places(annotation).start_sites()
    for remark in remarks:
        say(remark)
    places = found.store.tracks.sequences.iloc[found.rows]
    middle = (places["start"] + places["end"]) // 2
    half = found.data.crop.bins // found.data.crop.pool * 128 // 2
    spans = places.assign(start=middle - half, end=middle + half)
    sites = SiteValues(place_start_sites(genes, spans), *expression_tracks(found.store.tracks.tracks))
    say(
        f"start sites: {len(sites.places):,} of {len(genes):,} genes lie in the {len(found.rows):,} sequences"
    )
    return sites


def _baselines(found: Any, batch_size: int) -> list[Any]:
    """The mean of training and the k-mer ridge."""
    import numpy as np

    from cistron.evaluation.tracks import Predictor, fit_kmer_ridge
    from cistron.runtime import track

    number = {int(row): place for place, row in enumerate(found.rows)}
    crop = found.data.crop.crop
    fitted = track(
        found.sequences(found.training_folds, batch_size), "fitting the k-mer ridge", unit="batches"
    )
    total, count = np.zeros(()), 0

    def training() -> Iterator[tuple[Any, Any]]:
        nonlocal total, count
        for _, codes, targets in fitted:
            total = total + targets.mean(axis=1).sum(axis=0)
            count += len(codes)
            yield codes, targets

    ridge = fit_kmer_ridge(
        training(),
        lambda: (part[1:] for part in found.sequences((found.validation_fold,), batch_size)),
        crop,
    )

    def by_ridge() -> Iterator[tuple[Any, Any, Any]]:
        for rows, codes, targets in found.sequences((found.fold,), batch_size):
            yield np.array([number[int(row)] for row in rows]), targets, ridge.predict(codes)

    def by_mean() -> Iterator[tuple[Any, Any, Any]]:
        mean = total / count
        for rows, _, targets in found.sequences((found.fold,), batch_size):
            places = np.array([number[int(row)] for row in rows])
            yield places, targets, np.broadcast_to(mean, targets.shape)

    return [Predictor("k-mer ridge", by_ridge), Predictor("mean of training", by_mean)]


def _example(found: Any, by_track: Any, name: str) -> tuple[dict[str, Any], Any]:
    """Measured and predicted tracks of the sequence with most signal, of the best predicted track of each assay."""
    import numpy as np
    import pandas as pd

    own = by_track[by_track["predictor"] == name].reset_index(drop=True)
    shown = own.sort_values("pearson", ascending=False).drop_duplicates("assay").head(4)
    numbers = [int(number) for number in shown.index]
    best, kept = -1.0, (0, np.zeros((1, 1)), np.zeros((1, 1)))
    for places, observed, predicted in found.blocks(4):
        signal = observed[:, :, numbers].std(axis=1).mean(axis=1)
        place = int(signal.argmax())
        if signal[place] > best:
            best = float(signal[place])
            kept = (int(places[place]), observed[place][:, numbers], predicted[place][:, numbers])
    row = found.store.tracks.sequences.iloc[found.rows[kept[0]]]
    bins = min(len(kept[1]), _SHOWN_BINS)
    middle = (int(row["start"]) + int(row["end"])) // 2
    start = middle - len(kept[1]) * 128 // 2
    table = pd.concat(
        [
            pd.DataFrame(
                {
                    "track": own["track"].iloc[number],
                    "description": own["description"].iloc[number],
                    "position": start + 128 * np.arange(bins) + 64,
                    "observed": kept[1][:bins, place].astype(float),
                    "predicted": kept[2][:bins, place].astype(float),
                }
            )
            for place, number in enumerate(numbers)
        ],
        ignore_index=True,
    )
    return {"chromosome": str(row["chromosome"]), "start": start, "end": start + 128 * bins}, table
