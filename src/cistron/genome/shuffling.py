"""Shuffles of DNA that keep every pair of neighbouring letters: random Euler paths (Altschul and Erickson 1985)."""

import numpy as np


def dinucleotide_shuffle(codes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shuffle DNA so that each pair of neighbours occurs as often as before; first and last letter stay.

    Parameters
    ----------
    codes
        Codes 0 to 4, uint8 [length].
    random
        Generator.

    Returns
    -------
    ndarray
        uint8 [length].
    """
    if len(codes) < 4:
        return codes.copy()
    letters = [int(letter) for letter in np.unique(codes)]
    last = int(codes[-1])
    follow = {letter: codes[1:][codes[:-1] == letter].copy() for letter in letters}
    # The last edge of every letter must lead to the last letter, directly or through others: a random tree of last edges.
    while True:
        chosen = {
            letter: int(random.integers(len(edges)))
            for letter, edges in follow.items()
            if letter != last and len(edges)
        }
        if all(_leads_to(letter, last, follow, chosen) for letter in chosen):
            break
    for letter, edges in follow.items():
        if letter in chosen:
            edge = edges[chosen[letter]]
            rest = np.delete(edges, chosen[letter])
            follow[letter] = np.append(random.permutation(rest), edge)
        else:
            follow[letter] = random.permutation(edges)
    result = np.empty_like(codes)
    used = dict.fromkeys(letters, 0)
    letter = int(codes[0])
    for place in range(len(codes) - 1):
        result[place] = letter
        step = used[letter]
        used[letter] = step + 1
        letter = int(follow[letter][step])
    result[-1] = letter
    return result


def _leads_to(start: int, last: int, follow: dict[int, np.ndarray], chosen: dict[int, int]) -> bool:
    """Whether the last edges lead from a letter to the last one."""
    seen = set()
    while start != last:
        if start in seen:
            return False
        seen.add(start)
        start = int(follow[start][chosen[start]])
    return True
