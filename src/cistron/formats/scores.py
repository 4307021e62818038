"""The scores table: one tidy Parquet table for all tasks (page ``docs/formats/scores.md``)."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cistron.errors import InputError
from cistron.runtime.files import atomic_path

SCHEMA_VERSION = 1

# column: (type, meaning). The page of the format and the checker are made from this.
SCORE_COLUMNS: dict[str, tuple[str, str]] = {
    "task": (
        "text",
        "gwas, genesets, labels, pairs, expression, epigenesis, edges, enhancers, variants, eqtl, sldp, folds or tracks",
    ),
    "dataset": ("text", "what was predicted, for example the name of the trait collection"),
    "target": ("text", "one trait, gene set, cell type, ...; or a summary such as 'median of 30 traits'"),
    "embedding": ("text", "name of the embedding, network or prediction that is scored"),
    "model": ("text", "regressor or method between embedding and target"),
    "metric": ("text", "what value is, for example delta_r2"),
    "stratum": ("text", "which genes, cells or chromosomes the value is over"),
    "value": ("number", "the score"),
    "low": ("number", "lower end of the interval"),
    "high": ("number", "upper end of the interval"),
    "interval": ("text", "what the interval is, for example '95% bootstrap over chromosomes'"),
    "n": ("integer", "number of genes, cells or targets behind value"),
    "null_model": ("text", "what the value is compared with"),
    "null_value": ("number", "the same metric of the null model"),
    "control_value": ("number", "the same metric of the negative control"),
    "p_value": ("number", "p-value of value against its null, as the task's page defines it"),
    "seed": ("integer", "seed of the run"),
    "run_id": ("text", "run_id of run.json"),
}
_REQUIRED = (
    "task",
    "dataset",
    "target",
    "embedding",
    "model",
    "metric",
    "stratum",
    "value",
    "seed",
    "run_id",
)
_PANDAS = {"text": "string", "number": "float64", "integer": "Int64"}
_ARROW = {"text": pa.string(), "number": pa.float64(), "integer": pa.int64()}


def score_frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Make a scores table of rows; columns that a row does not name are empty.

    Raises
    ------
    InputError
        If a row names a column that the format does not have, lacks one that it needs, or holds another type.
    """
    rows = list(rows)
    for row in rows:
        unknown = set(row) - set(SCORE_COLUMNS)
        if unknown:
            raise InputError(
                f"scores have no column {sorted(unknown)[0]!r}; expected of {', '.join(SCORE_COLUMNS)}"
            )
    frame = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
    for column, (kind, _) in SCORE_COLUMNS.items():
        try:
            frame[column] = frame[column].astype(_PANDAS[kind])
        except (TypeError, ValueError) as error:
            raise InputError(f"scores break their format: column {column!r} does not hold {kind}s") from error
    problems = check_scores(frame)
    if problems:
        raise InputError(f"scores break their format: {problems[0]}")
    return frame


def check_scores(frame: pd.DataFrame) -> list[str]:
    """List what breaks the format; an empty list means that the table is valid."""
    problems = [f"column {column!r} is absent" for column in SCORE_COLUMNS if column not in frame]
    problems += [
        f"column {column!r} is not part of the format" for column in frame if column not in SCORE_COLUMNS
    ]
    if problems:
        return problems
    problems += [
        f"column {column!r} does not hold {kind}s"
        for column, (kind, _) in SCORE_COLUMNS.items()
        if kind != "text" and not pd.api.types.is_numeric_dtype(frame[column])
    ]
    if problems:
        return problems
    problems += [f"column {column!r} has empty cells" for column in _REQUIRED if frame[column].isna().any()]
    low, value, high = (frame[column].to_numpy(np.float64) for column in ("low", "value", "high"))
    crossed = low > high
    if crossed.any():
        problems.append(f"{int(crossed.sum())} rows have low > high")
    if np.isinf(value).any():
        problems.append("value has infinite cells")
    p_value = frame["p_value"].to_numpy(np.float64)
    if ((p_value < 0) | (p_value > 1)).any():
        problems.append("p_value leaves [0, 1]")
    keys = ["task", "dataset", "target", "embedding", "model", "metric", "stratum", "run_id"]
    doubled = frame.duplicated(keys)
    if doubled.any():
        row = frame.loc[doubled, keys].iloc[0]
        problems.append(f"{int(doubled.sum())} rows occur twice, for example {' / '.join(map(str, row))}")
    return problems


def write_scores(frame: pd.DataFrame, path: str | Path) -> None:
    """Check a scores table and write it as Parquet.

    Raises
    ------
    InputError
        If the table breaks the format.
    """
    problems = check_scores(frame)
    if problems:
        raise InputError(f"scores for {Path(path).name} break their format: {problems[0]}")
    schema = pa.schema([(column, _ARROW[kind]) for column, (kind, _) in SCORE_COLUMNS.items()])
    schema = schema.with_metadata({"cistron.kind": "scores", "cistron.schema_version": str(SCHEMA_VERSION)})
    table = pa.Table.from_pandas(frame[list(SCORE_COLUMNS)], schema=schema, preserve_index=False)
    with atomic_path(path) as partial:
        pq.write_table(table.replace_schema_metadata(schema.metadata), partial)


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read a scores table.

    Raises
    ------
    InputError
        If the file is not a scores table of a known version.
    """
    path = Path(path)
    try:
        table = pq.read_table(path)
        metadata = table.schema.metadata or {}
        frame = table.to_pandas()
        version = int(metadata.get(b"cistron.schema_version", b"0"))
    # Damaged metadata makes pyarrow raise nearly anything (KeyError, TypeError, its own errors).
    except Exception as error:
        raise InputError(f"{path} is not a readable scores table; make it with 'cistron evaluate'") from error
    if metadata.get(b"cistron.kind") != b"scores":
        raise InputError(f"{path} is a Parquet table but not of scores; make it with 'cistron evaluate'")
    if version > SCHEMA_VERSION:
        raise InputError(f"{path} has scores schema {version}, newer than {SCHEMA_VERSION}; update cistron")
    return score_frame(frame.replace({np.nan: None}).to_dict("records"))
