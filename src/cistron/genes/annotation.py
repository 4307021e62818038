"""Gene annotation: from a GTF to one row a gene and one row a transcription start site."""

import gzip
import re
import zlib
from pathlib import Path

import pandas as pd

from cistron.errors import InputError

_ATTRIBUTE = re.compile(r'(\w+) "([^"]*)"')
_CANONICAL = ("Ensembl_canonical", "MANE_Select", "appris_principal_1")


def _rows(path: Path, features: tuple[str, ...]) -> list[dict[str, object]]:
    rows = []
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as handle:
        for number, line in enumerate(handle, 1):
            if line.startswith("#") or not line.strip():
                continue
            fields = line.rstrip("\n").split("\t")
            if len(fields) != 9:
                raise InputError(
                    f"{path.name} line {number}: a GTF row has 9 tab-separated fields. Given: {len(fields)}"
                )
            if fields[2] not in features:
                continue
            attributes: dict[str, str] = {}
            tags = []
            for key, value in _ATTRIBUTE.findall(fields[8]):
                if key == "tag":
                    tags.append(value)
                attributes[key] = value
            try:
                start, end = int(fields[3]) - 1, int(fields[4])
                gene = attributes["gene_id"]
            except (ValueError, KeyError) as error:
                raise InputError(f"{path.name} line {number}: no gene_id or no coordinates") from error
            rows.append(
                {
                    "gene": gene,
                    "symbol": attributes.get("gene_name", ""),
                    "biotype": attributes.get("gene_type", attributes.get("gene_biotype", "")),
                    "chromosome": fields[0],
                    "start": start,
                    "end": end,
                    "strand": fields[6],
                    "transcript": attributes.get("transcript_id", ""),
                    "canonical": any(tag in _CANONICAL for tag in tags),
                }
            )
    return rows


def _read(path: str | Path, features: tuple[str, ...]) -> pd.DataFrame:
    path = Path(path)
    if not path.exists():
        raise InputError(f"annotation {path} does not exist")
    try:
        rows = _rows(path, features)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(f"annotation {path.name} cannot be read ({error}); it may be truncated") from error
    if not rows:
        raise InputError(
            f"annotation {path.name} has no {' or '.join(features)} rows; expected a GENCODE or Ensembl GTF"
        )
    frame = pd.DataFrame(rows)
    frame["gene"] = frame["gene"].str.replace(r"\.\d+", "", regex=True)
    return frame


def read_annotation(path: str | Path) -> pd.DataFrame:
    """Read the genes of a GTF.

    Parameters
    ----------
    path
        GTF of GENCODE or Ensembl, plain or gzip.

    Returns
    -------
    DataFrame
        Columns ``gene`` (no version), ``symbol``, ``biotype``, ``chromosome``, ``start``, ``end`` (0-based,
        half-open), ``strand``.

    Raises
    ------
    InputError
        If the file is absent, truncated or not a GTF.
    """
    frame = _read(path, ("gene",))
    columns = ["gene", "symbol", "biotype", "chromosome", "start", "end", "strand"]
    return frame[columns].drop_duplicates("gene", ignore_index=True)


def read_transcription_start_sites(path: str | Path) -> pd.DataFrame:
    """Read the transcription start sites of a GTF, one row a transcript.

    The start site is the 5' end of the transcript: its start on the plus strand, its end on the minus strand.

    Returns
    -------
    DataFrame
        Columns ``gene``, ``symbol``, ``biotype``, ``chromosome``, ``position`` (0-based), ``strand``,
        ``transcript``, ``canonical`` (True for Ensembl canonical, MANE select or APPRIS principal).

    Raises
    ------
    InputError
        If the file is absent, truncated or not a GTF.
    """
    frame = _read(path, ("transcript",))
    plus = frame["strand"] != "-"
    frame["position"] = frame["start"].where(plus, frame["end"] - 1)
    columns = ["gene", "symbol", "biotype", "chromosome", "position", "strand", "transcript", "canonical"]
    return frame[columns]
