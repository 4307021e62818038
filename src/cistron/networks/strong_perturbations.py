"""CausalBench's filter: keep perturbations that worked and the cells in which they did.

Replogle et al. 2022 (Cell 185, 2559) call a perturbation strong when it changes more than 50 genes by the
Anderson-Darling test, knocks its target down by at least 30% and has more than 25 cells; CausalBench keeps these, and of
their cells those whose target is no higher than in the lowest tenth of the control cells.
"""

from dataclasses import replace

import numpy as np

from cistron.errors import InputError
from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbation_labels import SET_ASIDE
from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.settings import StrengthSettings
from cistron.runtime.progress import track
from cistron.runtime.seeds import random_generator

# critical values of the standardised statistic for two samples (Scholz and Stephens 1987, table 2, extended as in SciPy)
CRITICAL = {0.05: 1.961, 0.01: 3.752, 0.001: 6.546}


def anderson_darling_scale(first: int, second: int) -> float:
    """Standard deviation of the two-sample Anderson-Darling statistic (Scholz and Stephens 1987, equation 4)."""
    total, groups = first + second, 2
    inverse = 1 / np.arange(1, total)
    h = inverse.sum()
    tails = np.cumsum(inverse[::-1])[::-1]  # sum of 1 / j from j on
    g = float((tails[1:] / (total - np.arange(1, total - 1))).sum())
    both = 1 / first + 1 / second
    a = (4 * g - 6) * (groups - 1) + (10 - 6 * g) * both
    b = (2 * g - 4) * groups**2 + 8 * h * groups + (2 * g - 14 * h - 4) * both - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * groups**2 + (4 * h - 4 * g + 6) * groups + (2 * h - 6) * both + 4 * h
    d = (2 * h + 6) * groups**2 - 4 * h * groups
    variance = (a * total**3 + b * total**2 + c * total + d) / ((total - 1) * (total - 2) * (total - 3))
    return float(np.sqrt(variance))


def anderson_darling(control: np.ndarray, perturbed: np.ndarray, scale: float) -> float:
    """Standardised two-sample Anderson-Darling statistic with midranks (Scholz and Stephens 1987, equation 7).

    Parameters
    ----------
    control, perturbed
        Samples; ties are allowed.
    scale
        Of :func:`anderson_darling_scale` for their sizes.

    Returns
    -------
    float
        0 where all values are equal.
    """
    pooled = np.concatenate([control, perturbed])
    values, inverse, ties = np.unique(pooled, return_inverse=True, return_counts=True)
    if len(values) == 1:
        return 0.0
    total = len(pooled)
    rank = np.cumsum(ties) - ties / 2
    below = rank * (total - rank) - total * ties / 4
    sum_of_squares = 0.0
    for start, size in ((0, len(control)), (len(control), len(perturbed))):
        own = np.bincount(inverse[start : start + size], minlength=len(values))
        own_rank = np.cumsum(own) - own / 2
        sum_of_squares += (ties / total * (total * own_rank - size * rank) ** 2 / below).sum() / size
    return float((sum_of_squares * (total - 1) / total - 1) / scale)


def _changes_enough(
    control: np.ndarray, perturbed: np.ndarray, skip: int, settings: StrengthSettings
) -> bool:
    scale = anderson_darling_scale(len(control), len(perturbed))
    limit = CRITICAL[settings.level]
    changed = 0
    # Genes whose means differ most come first, so that a strong perturbation is known early.
    order = np.argsort(-np.abs(perturbed.mean(axis=0) - control.mean(axis=0)), kind="stable")
    for position, gene in enumerate(order):
        if changed > settings.changed_genes:
            return True
        if changed + len(order) - position <= settings.changed_genes:
            return False
        changed += gene != skip and anderson_darling(control[:, gene], perturbed[:, gene], scale) > limit
    return changed > settings.changed_genes


def strong_perturbations(
    cells: PerturbedCells, settings: StrengthSettings | None = None, seed: int = 0
) -> PerturbedCells:
    """Set the cells of weak perturbations aside, and of strong ones the cells in which the target did not fall.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        What is strong; CausalBench's choice when absent.
    seed
        Chooses control cells where there are more than are used.

    Raises
    ------
    InputError
        If no perturbation is strong, or the level has no critical value.
    """
    settings = settings or StrengthSettings()
    if settings.level not in CRITICAL:
        raise InputError(f"the level must be one of {', '.join(map(str, CRITICAL))}. Given: {settings.level}")
    cells.require_perturbations("the filter of strong perturbations")
    values = log_normalise(cells.values, cells.scale)
    control = cells.control
    if len(control) > settings.most_control:
        chosen = random_generator(seed, "control cells of the filter").choice(
            control, settings.most_control, replace=False
        )
        control = np.sort(chosen)
    rest = values[control].toarray().astype(np.float64)
    labels = cells.perturbation.copy()
    kept = 0
    for gene in track(cells.perturbed.tolist(), "strength of perturbations", unit="perturbations"):
        members = np.flatnonzero(labels == gene)
        moved = values[members].toarray().astype(np.float64)
        before, after = (np.expm1(part[:, gene]).mean() for part in (rest, moved))
        strong = (
            len(members) > settings.cells
            and before > 0
            and after <= (1 - settings.knock_down) * before
            and _changes_enough(rest, moved, gene, settings)
        )
        low = moved[:, gene] <= np.percentile(rest[:, gene], settings.percentile)
        labels[members if not strong else members[~low]] = SET_ASIDE
        kept += bool(strong and low.any())
    if not kept:
        raise InputError(
            f"{cells.name}: none of {len(cells.perturbed):,} perturbations is strong (more than {settings.changed_genes} "
            f"genes changed, {settings.knock_down:.0%} knock-down, more than {settings.cells} cells); leave the filter out"
        )
    lost = int(((labels == SET_ASIDE) & (cells.perturbation >= 0)).sum())
    remark = f"{kept:,} of {len(cells.perturbed):,} perturbations are strong; {lost:,} cells of weak ones set aside"
    return replace(
        cells,
        perturbation=labels,
        pairs=None,
        set_aside={**cells.set_aside, "weak perturbation": lost},
        remarks=(*cells.remarks, remark),
    )
