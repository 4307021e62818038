"""The folder of an epigenesis run: map, table, scores, record."""

from pathlib import Path

import pandas as pd

from cistron.formats.epigenesis import EpigenesisMap, write_epigenesis
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


def write_epigenesis_folder(found: EpigenesisMap, output: Path, run: RunRecord, model: str) -> None:
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
    write_scores(score_frame(rows), output / "scores.parquet")
    run.record("facts", dict(found.facts))
    run.record("genes", len(found.genes))
    run.write(output / "run.json")
