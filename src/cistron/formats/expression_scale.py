"""What the values of cells are, and how they are brought to one scale."""

import hashlib
from typing import Literal

import numpy as np
from scipy import sparse

from cistron.errors import InputError

Scale = Literal["counts", "log-normalised", "continuous"]


def detect_scale(matrix: sparse.csr_matrix, declared: Scale | None, name: str) -> tuple[Scale, str]:
    """Tell what values are: whole numbers are counts, others up to about 15 and not negative look log-normalised.

    Parameters
    ----------
    matrix
        Values, sparse [cell, gene].
    declared
        What the user says they are; ``None`` to tell it from the values.
    name
        Name of the data, for messages.

    Returns
    -------
    str
        ``counts``, ``log-normalised`` or ``continuous``; the declared one where it is given.
    str
        A remark for the user, empty where there is nothing to say.

    Raises
    ------
    InputError
        If counts were declared and the values are not whole numbers, or they are negative.
    """
    data = matrix.data[:: max(1, len(matrix.data) // 1_000_000)]
    whole = bool((data == np.round(data)).all()) and bool((data >= 0).all())
    if whole:
        found: Scale = "counts"
    else:
        found = "log-normalised" if len(data) and data.min() >= 0 and data.max() < 15 else "continuous"
    if declared == "counts" and not whole:
        raise InputError(
            f"{name}: counts were expected, but values look {found} (not whole numbers, or negative); give the raw "
            "counts, or say --scale log-normalised"
        )
    if declared is not None:
        return declared, ""
    return found, "" if whole else f"values are {found}, not counts; they are used as they are"


def duplicated_rows(matrix: sparse.csr_matrix, informative: int = 20) -> int:
    """Count cells whose values are all those of an earlier cell.

    Only cells with at least ``informative`` values above zero are compared: cells with few counts are equal by chance.
    """
    seen: set[bytes] = set()
    copies = 0
    starts = matrix.indptr
    for row in np.flatnonzero(np.diff(starts) >= informative):
        part = slice(starts[row], starts[row + 1])
        digest = hashlib.blake2b(matrix.indices[part].tobytes(), digest_size=12)
        digest.update(matrix.data[part].tobytes())
        key = digest.digest()
        copies += key in seen
        seen.add(key)
    return copies


def size_factors(matrix: sparse.csr_matrix) -> np.ndarray:
    """Total of each cell over the median total, float64 [cell]; cells without any count get the median's share."""
    totals = np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
    median = float(np.median(totals[totals > 0])) if (totals > 0).any() else 1.0
    return np.where(totals > 0, totals, median) / median


def log_normalise(matrix: sparse.csr_matrix, scale: Scale) -> sparse.csr_matrix:
    """Bring counts to log(1 + count / size factor); other scales are returned as they are. Stays sparse."""
    if scale != "counts":
        return matrix
    normalised = sparse.csr_matrix(matrix, dtype=np.float32, copy=True)
    factors = size_factors(matrix).astype(np.float32)
    normalised.data /= np.repeat(factors, np.diff(normalised.indptr))
    np.log1p(normalised.data, out=normalised.data)
    return normalised
