"""What files of other commands say of one gene, in plain values: the same for the page of a gene and for the report."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

_STEPS = 99  # heights of a track are whole numbers from 0 to this, of its own maximum


class GeneEvidence:
    """The tables of a study by gene.

    Parameters
    ----------
    tables
        Tables of :attr:`cistron.study.genes.GeneBook.evidence`.
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self._records: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for key in _READERS:
            if key not in tables:
                continue
            records = self._records.setdefault(key, {})
            for record in tables[key].to_dict("records"):
                records.setdefault(str(record["gene"]), []).append(record)

    def genes(self, key: str) -> list[str]:
        """Genes that a kind of file tells of."""
        return list(self._records.get(key, {}))

    def of(self, gene: str, key: str) -> list[Any]:
        """What a kind of file says of a gene; empty where it does not have it.

        Parameters
        ----------
        gene
            Id.
        key
            Key of :data:`cistron.study.gene_files.GENE_FILES`.
        """
        records = self._records.get(key, {}).get(gene)
        return [] if records is None else _READERS[key](records)


_Records = list[dict[str, Any]]


def _by_file(records: _Records) -> dict[str, _Records]:
    found: dict[str, _Records] = {}
    for record in records:
        found.setdefault(str(record["file"]), []).append(record)
    return found


def _tracks(records: _Records) -> list[Any]:
    """``file, build, track, start, bin, top, values``: values in steps of the maximum, ``None`` beyond the window."""
    found = []
    for row in records:
        values = np.asarray(row["values"], dtype=np.float64)
        known = np.isfinite(values)
        top = float(values[known].max()) if known.any() else 0.0
        steps: list[int | None] = (
            np.clip(np.nan_to_num(values) / (top if top > 0 else 1.0) * _STEPS, 0, _STEPS)
            .round()
            .astype(int)
            .tolist()
        )
        for place in np.flatnonzero(~known):
            steps[place] = None
        found.append(
            {name: row[name] for name in ("file", "build", "track")}
            | {"start": int(row["start"]), "bin": int(row["bin_size"]), "top": _number(top), "values": steps}
        )
    return found


def height(track: Mapping[str, Any], step: int) -> float:
    """Value of a step of a track."""
    return float(step / _STEPS * track["top"])


def _enhancers(records: _Records) -> list[Any]:
    return [
        {
            "element": one["element"],
            "place": f"{one['chromosome']}:{int(one['start']) + 1:,}-{int(one['end']):,}",
            "distance": int(one["distance"]) if math.isfinite(one["distance"]) else None,
            "method": one["method"],
            "score": _number(one["score"]),
            "file": one["file"],
        }
        for one in records
    ]


def _variants(records: _Records) -> list[Any]:
    return [
        {
            "variant": f"{one['chromosome']}:{one['position']:,} {one['ref'][:20]}>{one['alt'][:20]}",
            "id": "" if one["id"] in (".", None) else one["id"],
            "distance": int(one["distance"]),
            "track": one["track"],
            "change": _number(one["change"]),
            "scale": one["scale"],
            "file": one["file"],
        }
        for one in records
    ]


def _epigenesis(records: _Records) -> list[Any]:
    """One map a file: ``file, peak_in, scale, marks, starts, width, effect`` [mark][place]."""
    found = []
    for file, rows in _by_file(records).items():
        effect = {(row["mark"], int(row["start"])): _number(row["effect"]) for row in rows}
        marks = list(dict.fromkeys(str(row["mark"]) for row in rows))
        starts = sorted({int(row["start"]) for row in rows})
        found.append(
            {
                "file": file,
                "peak_in": rows[0]["peak_in"],
                "scale": rows[0]["scale"],
                "marks": marks,
                "starts": starts,
                "width": int(rows[0]["end"] - rows[0]["start"]),
                "effect": [[effect.get((mark, start)) for start in starts] for mark in marks],
            }
        )
    return found


def _designs(records: _Records) -> list[Any]:
    """One design a file: ``file, outcome, edits``."""
    return [
        {
            "file": file,
            "outcome": [
                {"cell_type": row["cell_type"], "role": row["role"]}
                | {name: _number(row[name]) for name in ("before", "wanted", "after", "judged")}
                for row in rows
                if row["kind"] == "outcome"
            ],
            "edits": [
                {"cell_type": row["cell_type"], "mark": row["mark"]}
                | {"start": int(row["start"]), "end": int(row["end"])}
                | {name: _number(row[name]) for name in ("before", "after")}
                for row in rows
                if row["kind"] == "edit"
            ],
        }
        for file, rows in _by_file(records).items()
    ]


def _number(value: Any) -> float | None:
    """Four significant digits; ``None`` where there is no number."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.4g}")


_READERS: dict[str, Callable[[_Records], list[Any]]] = {
    "tracks": _tracks,
    "enhancers": _enhancers,
    "variants": _variants,
    "epigenesis": _epigenesis,
    "designs": _designs,
}
