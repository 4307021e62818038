"""What the DNA of each gene predicts: tracks at its start site, variants in its window, elements that contribute."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.tracks import Tracks, open_tracks
from cistron.formats.variant_scores import LOG_RATIO, SAD, variant_score_groups
from cistron.genes.chromosomes import normalise_chromosomes
from cistron.runtime.tables import read_text_table

TRACKS, BINS = 8, 64  # tracks shown of a gene, bins around its start site
VARIANTS, ELEMENTS = 15, 12  # listed of a gene, of each file
_AT_ONCE = 20_000  # variants that are compared with all genes at a time


def read_tracks(path: Path, genes: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Predicted tracks around the start site of each gene.

    A gene is read in the sequence whose middle is nearest to its start site; a gene without a known start site in the sequence
    that has its name, around the middle.

    Parameters
    ----------
    path
        Store of ``cistron sequence predict``.
    genes
        ``gene, chromosome, strand, site`` (0-based; -1 where it is not known).
    names
        Names in lower case (ids, symbols, aliases) to ids.

    Returns
    -------
    DataFrame
        One row a gene and track: ``gene, file, build, track, start`` (left end of the first bin, base pairs from the start site in the
        direction of transcription), ``bin_size, values`` (list). The :data:`TRACKS` tracks that are highest at the start site.
    """
    store = open_tracks(path)
    sequences = store.sequences
    chosen = _sequence_of(sequences, genes, names)
    labels = [
        f"{cell} {track}".strip() if cell else str(track)
        for cell in store.cell_types
        for track in _track_labels(store)
    ]
    measured = np.flatnonzero(store.measured.ravel())
    site_of = dict(zip(genes["gene"], zip(genes["site"], genes["strand"])))
    rows = []
    for number, members in chosen.items():
        values = np.asarray(store.values[number]).reshape(-1, store.values.shape[3])[measured]
        first, last = int(sequences["start"].iloc[number]), int(sequences["end"].iloc[number])
        for gene in members:
            site, strand = site_of[gene]
            site = int(site) if site >= 0 else (first + last) // 2
            window, start = _around(values, (site - first) // store.bin_size, site - first, store.bin_size)
            if strand == "-":
                window = window[:, ::-1]
                start = -(start + BINS * store.bin_size) + 1
            middle = window[:, BINS // 2 - 1 : BINS // 2 + 2]
            height = np.nan_to_num(np.nanmax(np.nan_to_num(middle, nan=-np.inf), axis=1), neginf=-1e30)
            rows += [
                {
                    "gene": gene,
                    "file": path.name,
                    "build": str(store.header.get("genome_build", "")),
                    "track": labels[measured[row]],
                    "start": start,
                    "bin_size": store.bin_size,
                    "values": window[row].astype(np.float32),
                }
                for row in np.argsort(-height, kind="stable")[:TRACKS]
            ]
    return pd.DataFrame(rows, columns=["gene", "file", "build", "track", "start", "bin_size", "values"])


def _track_labels(store: Tracks) -> list[str]:
    if "description" not in store.tracks:
        return store.tracks["name"].astype(str).tolist()
    return [
        str(row.description) or str(row.name)
        for row in store.tracks[["name", "description"]].itertuples(index=False)
    ]


def _sequence_of(
    sequences: pd.DataFrame, genes: pd.DataFrame, names: Mapping[str, str]
) -> dict[int, list[str]]:
    """Genes of each sequence, by the number of the sequence."""
    middles = ((sequences["start"] + sequences["end"]) // 2).to_numpy()
    chromosomes = np.array(normalise_chromosomes(sequences["chromosome"].astype(str).tolist()))
    found: dict[int, list[str]] = {}
    own = np.array(normalise_chromosomes(genes["chromosome"].astype(str).tolist()))
    placed: set[str] = set()
    for chromosome in dict.fromkeys(chromosomes):
        here = np.flatnonzero(chromosomes == chromosome)
        here = here[np.argsort(middles[here], kind="stable")]
        rows = genes[(own == chromosome) & (genes["site"] >= 0).to_numpy()]
        for gene, site in zip(rows["gene"], rows["site"]):
            near = np.searchsorted(middles[here], site)
            candidates = here[max(0, near - 1) : near + 1]
            best = int(candidates[np.argmin(np.abs(middles[candidates] - site))])
            if sequences["start"].iloc[best] <= site < sequences["end"].iloc[best]:
                found.setdefault(best, []).append(str(gene))
                placed.add(str(gene))
    unplaced = set(genes.loc[genes["site"] < 0, "gene"].astype(str))
    for number, name in enumerate(sequences["name"].astype(str)):
        gene = names.get(name.strip().lower())
        if gene is not None and gene in unplaced and gene not in placed:
            found.setdefault(number, []).append(gene)
            placed.add(gene)
    return found


def _around(values: np.ndarray, middle: int, offset: int, size: int) -> tuple[np.ndarray, int]:
    """Values [track, :data:`BINS`] around a bin, NaN beyond the window, and where they begin from the start site."""
    window = np.full((len(values), BINS), np.nan, dtype=np.float32)
    first = middle - BINS // 2
    low, high = max(0, first), min(values.shape[1], first + BINS)
    window[:, low - first : high - first] = values[:, low:high]
    return window, first * size - offset


def read_variants(path: Path, genes: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Variants whose window, as long as that of the model, holds the start site of a gene; those that change most.

    Parameters
    ----------
    path
        Table of ``cistron sequence variants``.
    genes, names
        As of :func:`read_tracks`.

    Returns
    -------
    DataFrame
        ``gene, file, chromosome, position`` (counted from 1), ``ref, alt, id, distance`` (base pairs from the start site in the direction of
        transcription), ``track`` (that changes most), ``change`` and ``scale`` (``log2 ratio``, or ``difference of sums``).
    """
    sites = genes[genes["site"] >= 0]
    by_chromosome = {}
    own = np.array(normalise_chromosomes(sites["chromosome"].astype(str).tolist()))
    for chromosome in dict.fromkeys(own):
        rows = sites[own == chromosome].sort_values("site", kind="stable")
        by_chromosome[chromosome] = (
            rows["site"].to_numpy(),
            rows["gene"].to_numpy(),
            np.where(rows["strand"] == "-", -1, 1),
        )
    kept = pd.DataFrame()
    for frame, header in variant_score_groups(path):
        half = int(header.get("length", 0)) // 2
        if half < 1:
            raise InputError(f"{path.name}: its header does not say the window of the model; write it again")
        for low in range(0, len(frame), _AT_ONCE):
            new = _near(_strongest(frame.iloc[low : low + _AT_ONCE]), by_chromosome, half)
            kept = _largest(pd.concat([kept, new]) if len(kept) else new, VARIANTS)
    if kept.empty:
        return pd.DataFrame(columns=["gene"])
    return kept.assign(file=path.name).reset_index(drop=True)


def _strongest(frame: pd.DataFrame) -> pd.DataFrame:
    ratio = [name for name in frame if str(name).startswith(LOG_RATIO)]
    prefix = LOG_RATIO if ratio else SAD
    columns = ratio or [name for name in frame if str(name).startswith(SAD)]
    values = frame[columns].to_numpy(np.float32)
    best = np.abs(values).argmax(axis=1)
    return frame[["chromosome", "position", "ref", "alt", "id"]].assign(
        track=np.array([str(name).removeprefix(prefix) for name in columns])[best],
        change=values[np.arange(len(values)), best],
        scale="log2 ratio" if ratio else "difference of sums",
    )


def _near(
    frame: pd.DataFrame, sites: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], half: int
) -> pd.DataFrame:
    names = np.array(normalise_chromosomes(frame["chromosome"].astype(str).tolist()))
    parts = []
    for chromosome in dict.fromkeys(names):
        if chromosome not in sites:
            continue
        places, genes, directions = sites[chromosome]
        own = frame[names == chromosome]
        position = own["position"].to_numpy() - 1
        low = np.searchsorted(places, position - half, side="left")
        high = np.searchsorted(places, position + half, side="right")
        count = high - low
        row = np.repeat(np.arange(len(own)), count)
        gene = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
        parts.append(
            own.iloc[row].assign(gene=genes[gene], distance=(position[row] - places[gene]) * directions[gene])
        )
    return pd.concat(parts) if parts else pd.DataFrame()


def _largest(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    """The rows of each gene that change most."""
    if frame.empty:
        return frame
    order = frame.iloc[np.argsort(-frame["change"].abs().to_numpy(), kind="stable")]
    return order.groupby("gene", sort=False).head(number)


def read_enhancers(path: Path, genes: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Elements that contribute most to each gene.

    Parameters
    ----------
    path
        Table of ``cistron sequence enhancers``.
    genes, names
        As of :func:`read_tracks`.

    Returns
    -------
    DataFrame
        ``gene, file, element, chromosome, start, end`` (0-based, half-open), ``distance`` (base pairs), ``method, score``; the largest of each
        gene and method. Elements outside of the window of the model have no score and are not in it.
    """
    table = read_text_table(path, "contributions")
    absent = [
        name
        for name in ("name", "chromosome", "start", "end", "gene", "method", "score", "distance")
        if name not in table
    ]
    if absent:
        raise InputError(f"{path.name} has no column {absent[0]!r}; 'cistron sequence enhancers' writes it")
    frame = pd.DataFrame(
        {
            name: list(table.text(name))
            for name in ("name", "chromosome", "start", "end", "gene", "method", "score", "distance")
        }
    )
    for name in ("start", "end", "score", "distance"):
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    frame["gene"] = [names.get(one.strip().lower(), "") for one in frame["gene"]]
    frame = frame[
        (frame["gene"] != "") & frame["score"].notna() & frame["start"].notna() & frame["end"].notna()
    ]
    frame = (
        frame.sort_values("score", ascending=False, kind="stable").groupby(["gene", "method"]).head(ELEMENTS)
    )
    return frame.rename(columns={"name": "element"}).assign(file=path.name).reset_index(drop=True)
