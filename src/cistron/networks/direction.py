"""Which way perturbations move their own genes: knock-downs, activation, both, or activity that counts do not show.

The sign of an edge and what co-variation says about it depend on it. It is read from the perturbed genes themselves
or given.
"""

from dataclasses import dataclass

import numpy as np

from cistron.networks.settings import Direction

VISIBLE = 2.0  # |z| of a perturbed gene from which on it visibly moves
CONTRARY = 4.0  # |z| from which on a gene may move against the rest of the screen
TOGETHER = 6.0  # mean z times the root of their number, from which on perturbed genes move as one though each is not seen
ALIKE = 0.75  # and share of them that move that way


@dataclass(frozen=True)
class Directions:
    """Which way each perturbation moves its gene.

    Attributes
    ----------
    kind
        ``knock-down``, ``activation``, ``mixed``, or ``activity`` where the perturbed genes do not visibly move.
    sign
        -1 lowered, +1 raised; where nothing is known, lowered is assumed [perturbation].
    known
        Whether it was read or given [perturbation].
    """

    kind: str
    sign: np.ndarray
    known: np.ndarray

    @property
    def seen(self) -> bool:
        """Whether the abundance of the perturbed genes shows the perturbation."""
        return self.kind != "activity"


def read_directions(own_z: np.ndarray, given: Direction = "auto") -> Directions:
    """Tell the direction of each perturbation.

    Parameters
    ----------
    own_z
        Standardised shift of each perturbed gene itself [perturbation].
    given
        ``auto`` reads it: where at least half of the genes visibly fall, or most of many genes fall a little (few cells
        each), it is a knock-down screen, where they rise an activation screen, where half move one way or the other each
        says its own, and else it is activity that is perturbed. ``inhibition`` says that activity is lowered, ``stimulation``
        that it is raised.
    """
    number = len(own_z)
    fell, rose = own_z < -VISIBLE, own_z > VISIBLE
    together = float(own_z.mean() * np.sqrt(number))
    falling = fell.mean() >= 0.5 or (together < -TOGETHER and (own_z < 0).mean() >= ALIKE)
    rising = rose.mean() >= 0.5 or (together > TOGETHER and (own_z > 0).mean() >= ALIKE)
    if given in ("inhibition", "stimulation"):
        way = -1.0 if given == "inhibition" else 1.0
        return Directions("activity", np.full(number, way), np.ones(number, dtype=bool))
    if given == "knock-down" or (given == "auto" and falling):
        sign = np.where(own_z > CONTRARY, 1.0, -1.0) if given == "auto" else -np.ones(number)
        return Directions("knock-down", sign, np.ones(number, dtype=bool))
    if given == "activation" or rising:
        sign = np.where(own_z < -CONTRARY, -1.0, 1.0) if given == "auto" else np.ones(number)
        return Directions("activation", sign, np.ones(number, dtype=bool))
    if (fell | rose).mean() >= 0.5:
        return Directions("mixed", np.where(rose, 1.0, -1.0), fell | rose)
    return Directions("activity", -np.ones(number), np.zeros(number, dtype=bool))


def regulation_sign(shift: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Sign of the regulation: an activator's target moves the same way as the perturbed gene itself.

    Parameters
    ----------
    shift
        Shift of each target [perturbation, gene].
    direction
        -1 or +1 [perturbation].
    """
    return np.sign(shift * direction[:, None]).astype(np.int8)
