"""Where the bins of a gene lie: a window around its start site, behind the site of one size or scaled to the gene body."""

import numpy as np
import pandas as pd

from cistron.chromatin.settings import BuildSettings
from cistron.errors import InputError
from cistron.genome.tracks import part_edges

Pieces = list[tuple[pd.DataFrame, int | None]]


def start_site_windows(genes: pd.DataFrame, settings: BuildSettings) -> pd.DataFrame:
    """Windows in which the bin behind the middle begins at the start site, in the direction of transcription."""
    start = genes["position"] - settings.window // 2 + (genes["strand"] == "-").astype(int)
    return pd.DataFrame(
        {
            "name": genes["gene"],
            "chromosome": genes["chromosome"],
            "start": start,
            "end": start + settings.window,
            "strand": genes["strand"],
        }
    ).reset_index(drop=True)


def binned_pieces(genes: pd.DataFrame, settings: BuildSettings) -> Pieces:
    """Windows that are binned side by side, each with its number of parts (``None``: bins of ``bin_size``).

    Without scaling that is one window a gene. With it there are three, as in deepTools' ``scale-regions``: the bins in front of the
    start site, the gene body in as many parts as asked for, and the bins behind its end.

    Parameters
    ----------
    genes
        ``gene``, ``chromosome``, ``position``, ``strand``, and with scaling ``end_site`` (0-based, the last base pair of the body).
    settings
        Size of the window and of its bins.

    Raises
    ------
    InputError
        If the end site of a gene does not lie behind its start site.
    """
    whole = start_site_windows(genes, settings)
    if not settings.gene_body_bins:
        return [(whole, None)]
    site, last = (genes[name].to_numpy(np.int64) for name in ("position", "end_site"))
    minus = (genes["strand"] == "-").to_numpy()
    wrong = np.flatnonzero(np.where(minus, last > site, last < site))
    if len(wrong):
        row = genes.iloc[wrong[0]]
        raise InputError(
            f"{len(wrong):,} genes end in front of their start site, for example {row['gene']} (start site {row['position']:,}, end "
            f"{row['end_site']:,}, strand {row['strand']}); correct the annotation, or build without --gene-body-bins"
        )
    middle = settings.window // 2
    behind = middle - settings.gene_body_bins * settings.bin_size
    body = (np.where(minus, last, site), np.where(minus, site, last) + 1)
    pieces: Pieces = []
    for start, end, parts in (
        (np.where(minus, site + 1, site - middle), np.where(minus, site + 1 + middle, site), None),
        (*body, settings.gene_body_bins),
        (np.where(minus, body[0] - behind, body[1]), np.where(minus, body[0], body[1] + behind), None),
    ):
        if parts or (end > start).any():
            pieces.append((whole.assign(start=start, end=end), parts))
    return pieces


def bin_edges(pieces: Pieces, bin_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges of all bins in the genome, in the direction of transcription.

    Parameters
    ----------
    pieces
        Of :func:`binned_pieces`.
    bin_size
        Base pairs of a bin that is not scaled.

    Returns
    -------
    left, right
        int64 [gene, bin]; 0-based, half-open.
    """
    sides: list[tuple[np.ndarray, np.ndarray]] = []
    for windows, parts in pieces:
        start, end = (windows[name].to_numpy(np.int64) for name in ("start", "end"))
        minus = (windows["strand"] == "-").to_numpy()[:, None]
        cut = part_edges(start, end, parts or int(end[0] - start[0]) // bin_size)
        sides.append(tuple(np.where(minus, edge[:, ::-1], edge) for edge in cut))  # type: ignore[arg-type]
    left, right = (np.concatenate(edges, axis=1) for edges in zip(*sides))
    return left, right
