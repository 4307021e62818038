"""What is known of a variant without any model: the base change, the change of GC, the k-mers that it breaks and makes."""

from itertools import product

import numpy as np
import pandas as pd

_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_K = (3, 4, 5)


def base_changes(frame: pd.DataFrame) -> np.ndarray:
    """One column a pair of letters, deletions included, float64 [variant, 16]."""
    names = [a + b for a, b in product("ACGT", "ACGT-") if a != b]
    change = frame["ref"].str[:1] + frame["alt"].str[:1]
    return np.stack([(change == name).to_numpy(np.float64) for name in names], axis=1)


def gc_change(frame: pd.DataFrame) -> np.ndarray:
    """Letters G and C that are gained, float64 [variant, 1]."""
    gained = [
        sum(map(alt.count, "GC")) - sum(map(ref.count, "GC")) for ref, alt in zip(frame["ref"], frame["alt"])
    ]
    return np.array(gained, np.float64)[:, None]


def kmer_changes(frame: pd.DataFrame) -> np.ndarray:
    """k-mers (3 to 5, both strands as one) gained less those lost, float64 [variant, k-mer].

    The DNA around each variant is read off the reference letters of the table itself, which names every base of an element.

    Parameters
    ----------
    frame
        Variants of one element with ``position``, ``ref``, ``alt``.
    """
    letters = {position: ref[:1] for position, ref in zip(frame["position"], frame["ref"])}
    columns: dict[str, int] = {}
    rows: list[dict[int, int]] = []
    for position, ref, alt in zip(frame["position"], frame["ref"], frame["alt"]):
        added = alt.replace("-", "")
        counts: dict[int, int] = {}
        for size in _K:
            left = "".join(letters.get(position - step, "N") for step in range(size - 1, 0, -1))
            right = "".join(letters.get(position + len(ref) + step, "N") for step in range(size - 1))
            for text, sign in ((left + ref + right, -1), (left + added + right, 1)):
                for start in range(len(text) - size + 1):
                    word = text[start : start + size]
                    if "N" in word:
                        continue
                    word = min(word, word.translate(_COMPLEMENT)[::-1])
                    column = columns.setdefault(word, len(columns))
                    counts[column] = counts.get(column, 0) + sign
        rows.append(counts)
    result = np.zeros((len(rows), max(1, len(columns))))
    for number, counts in enumerate(rows):
        for column, value in counts.items():
            result[number, column] = value
    return result
