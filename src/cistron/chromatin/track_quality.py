"""What the tracks of a store look like around start sites, and which of them look wrong."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.formats.gene_tracks import GeneTracks, open_gene_tracks
from cistron.formats.scores import score_frame, write_scores
from cistron.runtime import RunRecord, atomic_path, check_writable, track

TASK = "track_quality"
GROUPS, PLACES = 25, 50  # groups of genes and places of the heat map
# Limits of the flags; each is far outside of what tracks of one assay differ by.
_MOSTLY_ZERO, _UNLIKE, _ALIKE, _SAME, _FOLD, _FLAT = 0.98, 0.3, 0.6, 0.9999, 8.0, 0.05
_BLOCK = 256


@dataclass(frozen=True)
class TrackQuality:
    """Tracks in numbers.

    Attributes
    ----------
    tracks
        One row a measured track: ``cell_type``, ``mark``, ``kind``, ``source``, ``mean``, ``zero`` (share of bins),
        ``enrichment`` (mean within 1 kb of the start site over that of the outermost 2 kb), ``like_others`` (median
        correlation over genes of its mean around the start site with the same mark in other cell types), ``expression`` (with
        expression) and ``flags``, in words.
    profiles
        Mean by ``cell_type``, ``mark`` and ``position`` (middle of the bin in base pairs from the start site).
    heat
        Mean over cell types by ``mark``, ``group`` (genes in the order of their expression, the highest first; without expression,
        of their signal) and ``position``.
    """

    tracks: pd.DataFrame
    profiles: pd.DataFrame
    heat: pd.DataFrame


def track_quality(store: GeneTracks) -> TrackQuality:
    """Go once through a store, and describe each track."""
    genes, cells, marks, bins = store.tracks.values.shape
    measured, size = store.tracks.measured, store.tracks.bin_size
    near = np.abs(store.positions() + size / 2) <= 1000
    places = min(PLACES, bins)
    cuts = np.linspace(0, bins, places + 1).round().astype(int)
    profile, zero = np.zeros((cells, marks, bins)), np.zeros((cells, marks))
    promoter = np.zeros((genes, cells, marks), np.float32)
    coarse = np.zeros((genes, marks, places), np.float32)
    weights = measured / np.maximum(measured.sum(axis=0), 1)
    for start in track(range(0, genes, _BLOCK), "reading tracks", unit="blocks"):
        rows = np.arange(start, min(start + _BLOCK, genes))
        values = np.where(measured[None, :, :, None], store.tracks.values.take(rows), np.float32(0))
        profile += values.sum(axis=0, dtype=np.float64)
        zero += (values == 0).sum(axis=(0, 3))
        promoter[rows] = values[..., near].mean(axis=-1)
        mean = np.einsum("gcmb,cm->gmb", values, weights)
        coarse[rows] = np.add.reduceat(mean, cuts[:-1], axis=-1) / np.diff(cuts)
    profile, zero = profile / genes, zero / (genes * bins)
    edge = max(1, 2000 // size)
    outside = np.concatenate([profile[..., :edge], profile[..., -edge:]], axis=-1).mean(axis=-1)
    enrichment = profile[..., near].mean(axis=-1) / np.maximum(outside, 1e-9)
    level = profile.mean(axis=-1)
    like = _like_others(promoter, measured)
    numbers = np.argwhere(measured & ~store.distal)  # tracks over distal elements have no profile
    kinds = store.origin.set_index(["cell_type", "mark"])
    rows_of = []
    for cell, mark in numbers:
        place = (store.cell_types[cell], store.marks[mark])
        origin = kinds.loc[place]
        with_expression = (
            np.nan
            if store.expression is None
            else _correlation(promoter[:, cell, mark], store.expression[:, cell])
        )
        found = like[cell, mark][measured[:, mark]]
        rows_of.append(
            {
                "cell_type": place[0],
                "mark": place[1],
                "kind": str(origin["kind"]),
                "source": str(origin["source"]),
                "mean": level[cell, mark],
                "zero": zero[cell, mark],
                "enrichment": enrichment[cell, mark],
                "like_others": float(np.nanmedian(found)) if np.isfinite(found).any() else np.nan,
                "expression": with_expression,
                "flags": "; ".join(
                    _flags(cell, mark, store, level, zero, enrichment, like, str(origin["kind"]))
                ),
            }
        )
    middle = store.positions() + size // 2
    profiles = pd.DataFrame(
        {
            "cell_type": np.repeat([store.cell_types[cell] for cell, _ in numbers], bins),
            "mark": np.repeat([store.marks[mark] for _, mark in numbers], bins),
            "position": np.tile(middle, len(numbers)),
            "mean": profile[numbers[:, 0], numbers[:, 1]].ravel(),
        }
    )
    return TrackQuality(
        pd.DataFrame(rows_of), profiles, _heat(store, coarse[:, ~store.distal], (cuts[:-1] + cuts[1:]) / 2)
    )


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    seen = np.isfinite(first) & np.isfinite(second)
    first, second = first[seen], second[seen]
    if len(first) < 3 or first.std() == 0 or second.std() == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _like_others(promoter: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Correlation over genes of each track with the same mark of each cell type, [cell type, mark, cell type]; NaN with itself."""
    _, cells, marks = promoter.shape
    found = np.full((cells, marks, cells), np.nan)
    for mark in range(marks):
        known = np.flatnonzero(measured[:, mark])
        for number, first in enumerate(known):
            for second in known[number + 1 :]:
                value = _correlation(promoter[:, first, mark], promoter[:, second, mark])
                found[first, mark, second] = found[second, mark, first] = value
    return found


def _flags(
    cell: int,
    mark: int,
    store: GeneTracks,
    level: np.ndarray,
    zero: np.ndarray,
    enrichment: np.ndarray,
    like: np.ndarray,
    kind: str,
) -> list[str]:
    """What is odd about a track, in words."""
    if zero[cell, mark] == 1:
        return ["no signal at all"]
    found = []
    if kind == "imputed":
        found.append("imputed, not measured")
    if zero[cell, mark] > _MOSTLY_ZERO:
        found.append(f"{zero[cell, mark]:.1%} of its bins are 0")
    known = np.flatnonzero(store.tracks.measured[:, mark])
    others = known[known != cell]
    if abs(np.log2(max(enrichment[cell, mark], 1e-9))) < _FLAT:
        found.append("flat around start sites")
    if len(others) >= 2:
        usual = float(np.median(level[others, mark]))
        if usual > 0 and not usual / _FOLD <= level[cell, mark] <= usual * _FOLD:
            found.append(
                f"its mean is {level[cell, mark] / usual:.2g} times that of the other cell types: another scale?"
            )
        values = like[cell, mark, others]
        among = like[np.ix_(others, [mark], others)]
        agree = np.isfinite(among).any() and np.nanmedian(among) > _ALIKE
        if agree and np.isfinite(values).any() and np.nanmedian(values) < _UNLIKE:
            found.append(
                f"unlike this mark in other cell types (r = {np.nanmedian(values):.2f}): another mark or assembly?"
            )
    found += [
        f"the same as in {store.cell_types[other]}: one file given twice?"
        for other in others
        if like[cell, mark, other] > _SAME
    ]
    return found


def _heat(store: GeneTracks, coarse: np.ndarray, middle: np.ndarray) -> pd.DataFrame:
    """Groups of genes x places; ``middle`` in bins from the left end."""
    order = np.argsort(-_rank_by(store, coarse), kind="stable")
    groups = np.array_split(order, min(GROUPS, len(order)))
    means = np.stack([coarse[group].mean(axis=0) for group in groups])  # [group, mark, place]
    at = (middle - store.bins // 2) * store.tracks.bin_size
    names = [mark for mark, far in zip(store.marks, store.distal) if not far]
    marks, places = len(names), len(middle)
    return pd.DataFrame(
        {
            "mark": np.tile(np.repeat(names, places), len(groups)),
            "group": np.repeat(np.arange(len(groups)), marks * places),
            "position": np.tile(at, len(groups) * marks),
            "mean": means.ravel(),
        }
    )


def _rank_by(store: GeneTracks, coarse: np.ndarray) -> np.ndarray:
    if store.expression is None:
        return coarse.mean(axis=(1, 2))
    seen = np.isfinite(store.expression)
    return np.where(seen, store.expression, 0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)


def track_quality_files(data: str | Path, output: str | Path) -> TrackQuality:
    """Describe the tracks of a store and write the folder that the report is made from.

    Parameters
    ----------
    data
        Store of :func:`cistron.chromatin.build.build_gene_tracks`.
    output
        Folder: ``tracks.tsv``, ``profiles.parquet``, ``heat.parquet``, ``tracks.parquet``, ``scores.parquet`` and ``run.json``.

    Returns
    -------
    TrackQuality
        The tables.
    """
    data, output = Path(data), check_writable(output)
    store = open_gene_tracks(data)
    run = RunRecord("chromatin quality", {}, [data / "zarr.json"], 0)
    found = track_quality(store)
    for name in ("tracks", "profiles", "heat"):
        with atomic_path(output / f"{name}.parquet") as partial:
            getattr(found, name).to_parquet(partial, index=False)
    with atomic_path(output / "tracks.tsv") as partial:
        found.tracks.to_csv(partial, sep="\t", index=False, float_format="%.4f")
    shared = {"task": TASK, "dataset": str(store.tracks.header["name"]), "embedding": "marks", "model": ""}
    rows = [
        shared
        | {
            "target": f"{row.mark} of {row.cell_type}",
            "metric": "enrichment_at_start_site",
            "stratum": "all genes",
            "value": row.enrichment,
            "n": len(store.genes),
            "seed": 0,
            "run_id": run.run_id,
        }
        for row in found.tracks.itertuples()
    ]
    write_scores(score_frame(rows), output / "scores.parquet")
    run.record("genes", len(store.genes))
    run.record("sorted_by", "expression" if store.expression is not None else "signal")
    run.record("flagged", int((found.tracks["flags"] != "").sum()))
    run.write(output / "run.json")
    return found
