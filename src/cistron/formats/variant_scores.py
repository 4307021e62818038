"""Scores of variants: one row a variant, one column a track (page ``docs/formats/variant_scores.md``).

Tables may be wide (5,313 tracks) and long, so they are written and checked piece by piece.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import cistron
from cistron.errors import InputError

KIND = "variant_scores"
SCHEMA_VERSION = 1
SITE_COLUMNS = ("chromosome", "position", "ref", "alt", "id")
SAD, LOG_RATIO, COMPONENT = "sad:", "log_ratio:", "component:"
FIRST_ORDER, CHOSEN = "first_order", "chosen"
CHOICES = ("screen", "sample")
_TEXT = ("chromosome", "ref", "alt", "id", CHOSEN)
_VALUES = 16_000_000  # float32 values of a row group: 64 MB


@dataclass(frozen=True)
class VariantScores:
    """A table that was read.

    Attributes
    ----------
    frame
        One row a variant: :data:`SITE_COLUMNS` and the columns that were asked for.
    header
        How it was made: model, genome, window, tracks, what was left out.
    """

    frame: pd.DataFrame
    header: Mapping[str, Any]

    def scores(self, kind: str = SAD) -> pd.DataFrame:
        """Give the columns of one kind, without the kind in their names."""
        columns = [name for name in self.frame if str(name).startswith(kind)]
        return self.frame[columns].rename(columns=lambda name: str(name).removeprefix(kind))


def track_names(identifiers: Sequence[str]) -> list[str]:
    """Name each track by its identifier, with ``#index`` behind it where an identifier repeats."""
    repeated = pd.Series(list(identifiers)).duplicated(keep=False)
    return [
        f"{name}#{index}" if again else name for index, (name, again) in enumerate(zip(identifiers, repeated))
    ]


def column_type(name: str) -> pa.DataType | None:
    """Give the type of a column of the format; None where the format has no such column."""
    if name == "position":
        return pa.int64()
    if name in _TEXT:
        return pa.string()
    known = name == FIRST_ORDER or name.startswith((SAD, LOG_RATIO, COMPONENT))
    return pa.float32() if known else None


class VariantScoreWriter:
    """Writes a table piece by piece; what is held in memory is one row group.

    Parameters
    ----------
    path
        File to write (inside :func:`cistron.runtime.atomic_path`).
    columns
        All columns in order, :data:`SITE_COLUMNS` first.
    header
        How the scores were made; plain values.
    """

    def __init__(self, path: str | Path, columns: Sequence[str], header: Mapping[str, Any]) -> None:
        unknown = [name for name in columns if column_type(name) is None]
        if unknown or tuple(columns[: len(SITE_COLUMNS)]) != SITE_COLUMNS:
            raise InputError(
                f"variant scores begin with {', '.join(SITE_COLUMNS)}, then sad:TRACK, log_ratio:TRACK and component:NUMBER. "
                f"Given: {', '.join(unknown[:3] or columns[:5])}"
            )
        schema = pa.schema([(name, column_type(name)) for name in columns])
        about = {
            "cistron.kind": KIND,
            "cistron.schema_version": str(SCHEMA_VERSION),
            "cistron.header": json.dumps(
                {"software_version": cistron.__version__, **dict(header)}, sort_keys=True, default=str
            ),
        }
        self.schema = schema.with_metadata(about)
        self.rows = max(1, _VALUES // len(columns))
        self.pieces: list[pa.Table] = []
        self.waiting = 0
        self._writer = pq.ParquetWriter(path, self.schema, compression="zstd")

    def write(self, columns: Mapping[str, Any]) -> None:
        """Append rows.

        Parameters
        ----------
        columns
            Column name to its values.
        """
        arrays = [pa.array(columns[field.name], field.type) for field in self.schema]
        self.pieces.append(pa.Table.from_arrays(arrays, schema=self.schema))
        self.waiting += len(arrays[0])
        if self.waiting >= self.rows:
            self._flush(self.rows)

    def _flush(self, least: int) -> None:
        table = pa.concat_tables(self.pieces)
        whole = len(table) // least * least if least else len(table)
        if whole:
            self._writer.write_table(table.slice(0, whole).combine_chunks(), row_group_size=self.rows)
        rest = table.slice(whole)
        self.pieces, self.waiting = [rest], len(rest)

    def close(self) -> None:
        """Write what is left and finish the file."""
        if self.waiting:
            self._flush(0)
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if value is None:
            self.close()
        else:
            self._writer.close()


def _open(path: str | Path) -> tuple[pq.ParquetFile, dict[str, Any]]:
    path = Path(path)
    if not path.is_file():
        raise InputError(f"variant scores {path} do not exist; make them with 'cistron sequence variants'")
    try:
        file = pq.ParquetFile(path)
        about = file.schema_arrow.metadata or {}
        kind, version = about.get(b"cistron.kind"), int(about.get(b"cistron.schema_version", b"0"))
        header = json.loads(about.get(b"cistron.header", b"{}"))
    # Damaged metadata makes pyarrow raise nearly anything (KeyError, TypeError, its own errors).
    except Exception as error:
        raise InputError(
            f"{path} is no readable Parquet table of variant scores; it may be truncated"
        ) from error
    if kind != KIND.encode():
        raise InputError(
            f"{path} is a Parquet table but not of variant scores; 'cistron sequence variants' writes these"
        )
    if version > SCHEMA_VERSION:
        raise InputError(
            f"{path} has variant scores of schema {version}, newer than {SCHEMA_VERSION}; update cistron"
        )
    return file, header


def read_variant_scores(path: str | Path, kinds: Sequence[str] = (SAD,)) -> VariantScores:
    """Read a table.

    Parameters
    ----------
    path
        File of ``cistron sequence variants``.
    kinds
        Kinds of columns to read beside those of the variant: :data:`SAD`, :data:`LOG_RATIO`, :data:`COMPONENT`.

    Raises
    ------
    InputError
        If there is none, it is of another kind, or damaged.
    """
    file, header = _open(path)
    wanted = [
        name
        for name in file.schema_arrow.names
        if name in (*SITE_COLUMNS, FIRST_ORDER, CHOSEN) or name.startswith(tuple(kinds))
    ]
    absent = [name for name in SITE_COLUMNS if name not in wanted]
    if absent:
        raise InputError(f"{path} has no column {absent[0]!r}; it is damaged, write it again")
    try:
        frame = file.read(columns=wanted).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read ({error}); it is damaged, write it again") from error
    return VariantScores(frame, header)


def variant_score_groups(
    path: str | Path, kinds: Sequence[str] = (SAD, LOG_RATIO)
) -> Iterator[tuple[pd.DataFrame, Mapping[str, Any]]]:
    """Read a table piece by piece: memory is that of a row group.

    Parameters
    ----------
    path
        File of ``cistron sequence variants``.
    kinds
        Kinds of columns to read beside those of the variant.

    Yields
    ------
    tuple
        Rows, and the header of the table.

    Raises
    ------
    InputError
        If there is none, it is of another kind, or damaged.
    """
    file, header = _open(path)
    names = [
        name for name in file.schema_arrow.names if name in SITE_COLUMNS or name.startswith(tuple(kinds))
    ]
    if [name for name in SITE_COLUMNS if name not in names] or not any(n.startswith(SAD) for n in names):
        raise InputError(f"{path} has not all columns of variant scores; it is damaged, write it again")
    for group in range(file.num_row_groups):
        try:
            frame = file.read_row_group(group, columns=names).to_pandas()
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{path} cannot be read ({error}); it is damaged, write it again") from error
        yield frame, header


def check_variant_scores(path: str | Path) -> list[str]:
    """List what breaks the format; an empty list means that the table is valid. Memory is that of a row group.

    Raises
    ------
    InputError
        If it cannot be opened at all.
    """
    file, header = _open(path)
    problems = [f"column {name!r} is absent" for name in SITE_COLUMNS if name not in file.schema_arrow.names]
    for field in file.schema_arrow:
        wanted = column_type(field.name)
        if wanted is None:
            problems.append(f"column {field.name!r} is not part of the format")
        elif field.type != wanted:
            problems.append(f"column {field.name!r} holds {field.type}, not {wanted}")
    names = list(file.schema_arrow.names)
    tracks = [name.removeprefix(SAD) for name in names if name.startswith(SAD)]
    if not tracks:
        problems.append("there is no column sad:TRACK")
    ratios = [name.removeprefix(LOG_RATIO) for name in names if name.startswith(LOG_RATIO)]
    if ratios and ratios != tracks:
        problems.append("the columns log_ratio: are not those of sad:, in the same order")
    problems += [
        f"the header has no {name}"
        for name in ("organism", "genome_build", "model", "length")
        if name not in header
    ]
    return problems or list(_row_problems(file))


def _row_problems(file: pq.ParquetFile) -> Iterator[str]:
    seen: set[tuple[Any, ...]] = set()
    for group in range(file.num_row_groups):
        frame = file.read_row_group(group).to_pandas()
        if frame[list(SITE_COLUMNS)].isna().any(axis=None):
            yield "rows lack chromosome, position, ref, alt or id"
            return
        if (frame["position"] < 1).any():
            yield "positions are counted from 1; some are lower"
        for column in ("ref", "alt"):
            if not frame[column].str.fullmatch("[ACGTN]+").all():
                yield f"{column} holds other letters than A, C, G, T and N"
        keys = list(frame[["chromosome", "position", "ref", "alt"]].itertuples(index=False, name=None))
        if len(set(keys)) < len(keys) or not seen.isdisjoint(keys):
            yield "a variant occurs twice"
        seen.update(keys)
        numbers = frame.select_dtypes("number").to_numpy(np.float64)
        if not np.isfinite(numbers).all():
            yield "scores are missing or infinite"
        if CHOSEN in frame and not frame[CHOSEN].isin(CHOICES).all():
            yield f"{CHOSEN} is not {' or '.join(CHOICES)}"
