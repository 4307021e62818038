"""The folder of an epigenesis run: map, table, scores, record."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cistron.formats.epigenesis import EpigenesisMap, write_epigenesis
from cistron.formats.gene_tracks import GeneTracks
from cistron.formats.scores import score_frame, write_scores
from cistron.runtime import RunRecord, atomic_path

TASK = "epigenesis"


def main_table(found: EpigenesisMap) -> pd.DataFrame:
    """Rows of the table in which expression is predicted in the cell types that have the peak."""
    return found.table[found.table["read_in"] == found.facts["peak_in"]]


def strongest(found: EpigenesisMap) -> pd.DataFrame:
    """The strongest effect of each mark, read where the peak is."""
    table = main_table(found)
    return table.loc[table["effect"].abs().groupby(table["mark"], sort=False).idxmax()]


def gene_places(found: EpigenesisMap, store: GeneTracks) -> list[dict[str, Any]]:
    """Where the genes of a map lie: chromosome, start site (0-based) and strand; empty where no gene was read, and where
    gene bodies are scaled, so that a place on the map is another distance in each gene."""
    table = store.tracks.sequences.set_index("name")
    rows = table.loc[[gene for gene in found.genes if gene in table.index]]
    before = store.bins // 2 * store.tracks.bin_size
    return [
        {
            "gene": str(row.Index),
            "chromosome": str(row.chromosome),
            "start_site": int(row.end - before - 1 if row.strand == "-" else row.start + before),
            "strand": str(row.strand),
        }
        for row in rows.itertuples()
        if str(row.chromosome) and not store.gene_body_bins
    ]


def write_epigenesis_folder(
    found: EpigenesisMap,
    output: Path,
    run: RunRecord,
    model: str,
    *,
    quality: Sequence[Mapping[str, Any]] = (),
    places: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write ``map.zarr``, ``effects.parquet``, ``scores.parquet`` and, last, ``run.json``.

    Parameters
    ----------
    found
        The map.
    output
        Folder to write to.
    run
        Record of the run.
    model
        Name of the model, as the scores have it.
    quality
        How well the model predicts, of :func:`cistron.chromatin.model_quality.model_quality`.
    places
        Where the genes lie, of :func:`gene_places`.
    """
    write_epigenesis(output / "map.zarr", found)
    with atomic_path(output / "effects.parquet") as partial:
        found.table.to_parquet(partial, index=False)
    table = main_table(found)
    run_facts = {
        "task": TASK,
        "dataset": str(found.facts["dataset"]),
        "embedding": model,
        "model": str(found.facts["method"]),
        "seed": run.seed,
        "run_id": run.run_id,
    }
    rows = [
        run_facts
        | {
            "target": row.mark,
            "metric": metric,
            "stratum": f"{row.start:+,} to {row.end:+,} bp",
            "value": row.effect,
            "low": row.low,
            "high": row.high,
            "interval": row.interval,
            "n": row.n,
        }
        for metric, sign in (("largest_rise", 1), ("largest_fall", -1))
        for row in table.loc[
            (sign * table["effect"]).groupby(table["mark"], sort=False).idxmax()
        ].itertuples()
    ]
    rows += [
        run_facts | {"target": "expression", "stratum": "genes held out of the fit"} | dict(row)
        for row in quality
    ]
    write_scores(score_frame(rows), output / "scores.parquet")
    run.record("facts", dict(found.facts))
    run.record("genes", len(found.genes))
    run.record("places", [dict(place) for place in places])
    run.write(output / "run.json")
