"""What files of other commands say of one gene, in plain values: the same for the page of a gene and for the report."""

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
        self.tables = {key: tables[key] for key in _READERS if key in tables}
        self._rows = {key: table.groupby("gene", sort=False).indices for key, table in self.tables.items()}

    def genes(self, key: str) -> list[str]:
        """Genes that a kind of file tells of."""
        return list(self._rows.get(key, {}))

    def of(self, gene: str, key: str) -> list[Any]:
        """What a kind of file says of a gene; empty where it does not have it.

        Parameters
        ----------
        gene
            Id.
        key
            Key of :data:`cistron.study.gene_files.GENE_FILES`.
        """
        rows = self._rows.get(key, {}).get(gene)
        return [] if rows is None else _READERS[key](self.tables[key].iloc[rows])


def _tracks(rows: pd.DataFrame) -> list[Any]:
    """``file, build, track, start, bin, top, values``: values in steps of the maximum, ``None`` beyond the window."""
    found = []
    for row in rows.itertuples():
        values = np.asarray(row.values, dtype=np.float64)
        top = float(np.nanmax(values, initial=0.0)) if np.isfinite(values).any() else 0.0
        steps = np.round(np.clip(np.nan_to_num(values) / (top or 1.0), 0, 1) * _STEPS).astype(int)
        found.append(
            {
                "file": row.file,
                "build": row.build,
                "track": row.track,
                "start": int(row.start),
                "bin": int(row.bin_size),
                "top": _number(top),
                "values": [
                    None if not known else int(step) for step, known in zip(steps, np.isfinite(values))
                ],
            }
        )
    return found


def height(track: Mapping[str, Any], step: int) -> float:
    """Value of a step of a track."""
    return float(step / _STEPS * track["top"])


def _enhancers(rows: pd.DataFrame) -> list[Any]:
    return [
        {
            "element": one.element,
            "place": f"{one.chromosome}:{int(one.start) + 1:,}-{int(one.end):,}",
            "distance": None if not np.isfinite(one.distance) else int(one.distance),
            "method": one.method,
            "score": _number(one.score),
            "file": one.file,
        }
        for one in rows.itertuples()
    ]


def _variants(rows: pd.DataFrame) -> list[Any]:
    return [
        {
            "variant": f"{one.chromosome}:{one.position:,} {one.ref[:20]}>{one.alt[:20]}",
            "id": "" if one.id in (".", None) else one.id,
            "distance": int(one.distance),
            "track": one.track,
            "change": _number(one.change),
            "scale": one.scale,
            "file": one.file,
        }
        for one in rows.itertuples()
    ]


def _epigenesis(rows: pd.DataFrame) -> list[Any]:
    """One map a file: ``file, peak_in, scale, marks, starts, width, effect`` [mark][place]."""
    found = []
    for file, part in rows.groupby("file", sort=False):
        wide = part.pivot_table(index="mark", columns="start", values="effect", sort=False)
        wide = wide[sorted(wide.columns)]
        first = part.iloc[0]
        found.append(
            {
                "file": str(file),
                "peak_in": first["peak_in"],
                "scale": first["scale"],
                "marks": [str(one) for one in wide.index],
                "starts": [int(one) for one in wide.columns],
                "width": int(first["end"] - first["start"]),
                "effect": [[_number(one) for one in row] for row in wide.to_numpy()],
            }
        )
    return found


def _designs(rows: pd.DataFrame) -> list[Any]:
    """One design a file: ``file, outcome, edits``."""
    numbers = ("before", "wanted", "after", "judged")
    return [
        {
            "file": str(file),
            "outcome": [
                {"cell_type": row["cell_type"], "role": row["role"]}
                | {name: _number(row[name]) for name in numbers}
                for row in part[part["kind"] == "outcome"].to_dict("records")
            ],
            "edits": [
                {
                    "cell_type": row["cell_type"],
                    "mark": row["mark"],
                    "start": int(row["start"]),
                    "end": int(row["end"]),
                    "before": _number(row["before"]),
                    "after": _number(row["after"]),
                }
                for row in part[part["kind"] == "edit"].to_dict("records")
            ],
        }
        for file, part in rows.groupby("file", sort=False)
    ]


def _number(value: Any) -> float | None:
    """Four significant digits; ``None`` where there is no number."""
    return None if value is None or not np.isfinite(value) else float(f"{value:.4g}")


_READERS: dict[str, Callable[[pd.DataFrame], list[Any]]] = {
    "tracks": _tracks,
    "enhancers": _enhancers,
    "variants": _variants,
    "epigenesis": _epigenesis,
    "designs": _designs,
}
