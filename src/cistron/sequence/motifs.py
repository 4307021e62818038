"""Name the motifs that stand in DNA, by a library (memelite's FIMO, an optional extra)."""

import gzip
import importlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genome.sequence import encode, one_hot

HIT_COLUMNS = ("region", "motif", "start", "end", "strand", "score", "p_value", "contribution")


def _memelite() -> Any:
    try:
        return importlib.import_module("memelite")
    except ImportError as error:
        raise InputError("naming motifs needs memelite: pip install memelite") from error


def read_motifs(path: str | Path) -> dict[str, np.ndarray]:
    """Read a motif file in MEME format, plain or gzip (as of JASPAR and HOCOMOCO).

    Returns
    -------
    dict of str to ndarray
        Name to letter probabilities, float64 [4, width].

    Raises
    ------
    InputError
        If the file is not in MEME format, or holds no motif.
    """
    path, memelite = Path(path), _memelite()
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(
            f"motifs {path.name} cannot be read ({error}); expected a text file in MEME format"
        ) from error
    if "MEME version" not in text[:2000]:
        raise InputError(
            f"{path.name} is not in MEME format (it has no line 'MEME version'); JASPAR and HOCOMOCO offer it"
        )
    with tempfile.NamedTemporaryFile("w", suffix=".meme") as plain:  # the library reads a file
        plain.write(text)
        plain.flush()
        try:
            found = memelite.io.read_meme(plain.name)
        except (ValueError, IndexError, AttributeError) as error:
            raise InputError(f"{path.name} is damaged as a MEME file ({error})") from error
    if not found:
        raise InputError(f"{path.name} holds no motif")
    return {str(name): np.asarray(matrix, np.float64) for name, matrix in found.items()}


def find_motifs(
    sequences: list[str],
    contributions: np.ndarray,
    motifs: dict[str, np.ndarray],
    p_value: float = 1e-4,
    most: int = 8,
) -> pd.DataFrame:
    """Find motifs in regions and keep those that the model uses.

    Hits are ranked by the sum of the contributions beneath them; of hits that overlap by more than half the first is kept.

    Parameters
    ----------
    sequences
        Letters of each region, all of one length.
    contributions
        What each letter is worth to the model, [region, base pair].
    motifs
        Of :func:`read_motifs`.
    p_value
        Largest p-value of a hit.
    most
        Hits kept of each region.

    Returns
    -------
    DataFrame
        :data:`HIT_COLUMNS`; ``start`` and ``end`` within the region.
    """
    memelite = _memelite()
    longest = len(sequences[0])
    usable = {name: matrix for name, matrix in motifs.items() if matrix.shape[1] <= longest}
    encoded = np.stack([one_hot(encode(text)).T for text in sequences])  # [region, 4, bp]
    found = memelite.fimo(usable, encoded.astype(np.int8), threshold=p_value) if usable else []
    rows = []
    for hits in found:
        for hit in hits.to_dict("records"):
            region, start, end = int(hit["sequence_name"]), int(hit["start"]), int(hit["end"])
            worth = float(contributions[region, start:end].sum())
            rows.append(
                (
                    region,
                    str(hit["motif_name"]),
                    start,
                    end,
                    str(hit["strand"]),
                    float(hit["score"]),
                    float(hit["p-value"]),
                    worth,
                )
            )
    frame = pd.DataFrame(rows, columns=list(HIT_COLUMNS))
    kept = []
    for _, group in (
        frame.assign(size=frame["contribution"].abs())
        .sort_values(["region", "size", "p_value", "motif"], ascending=[True, False, True, True])
        .groupby("region")
    ):
        taken: list[tuple[int, int]] = []
        for row in group.itertuples():
            overlap = [min(row.end, high) - max(row.start, low) for low, high in taken]
            if any(2 * one > row.end - row.start for one in overlap) or len(taken) == most:
                continue
            taken.append((row.start, row.end))
            kept.append(row.Index)
    return frame.loc[kept].sort_values(["region", "start"]).reset_index(drop=True)
