"""How far perturbed cells lie from control cells as a whole: the energy distance with a permutation test.

For cells x of a perturbation and control cells y, in principal components of the normalised values,
``E = 2 mean |x - y| - mean |x - x'| - mean |y - y'|`` (Szekely and Rizzo 2013; for perturbed cells Peidli et al. 2024,
Nature Methods 21, 531). Its p-value is the share of relabelled cells with as large a distance.
"""

import numpy as np
from scipy import sparse

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.normalisation import normalise
from cistron.runtime.progress import track
from cistron.runtime.seeds import random_generator


def principal_components(values: sparse.csr_matrix, components: int, seed: int) -> np.ndarray:
    """Project cells on their first principal components, float64 [cell, component]."""
    mean = np.asarray(values.mean(axis=0)).ravel()
    if values.shape[1] <= components:
        return values.toarray().astype(np.float64) - mean
    random = random_generator(seed, "principal components")
    probe = random.normal(size=(values.shape[1], components + 10))
    for _ in range(4):  # randomised subspace iteration on the centred matrix
        image = values @ probe - mean @ probe
        image, _ = np.linalg.qr(image)
        probe = values.T @ image - np.outer(mean, image.sum(axis=0))
        probe, _ = np.linalg.qr(probe)
    image = values @ probe - mean @ probe
    _, _, rotation = np.linalg.svd(image, full_matrices=False)
    return image @ rotation[:components].T


def distances(points: np.ndarray) -> np.ndarray:
    """Euclidean distance of all pairs [cell, cell]."""
    squares = (points**2).sum(axis=1)
    return np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * points @ points.T, 0))


def energy_distances(
    cells: PerturbedCells,
    *,
    components: int = 30,
    most_perturbed: int = 150,
    most_control: int = 300,
    permutations: int = 199,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Give the energy distance of each perturbation from the control cells and its p-value.

    Parameters
    ----------
    cells
        Perturbed cells.
    components
        Principal components.
    most_perturbed, most_control
        Cells of a perturbation and control cells that are used, at most.
    permutations
        Relabellings; the smallest p-value is ``1 / (permutations + 1)``.
    seed
        Chooses cells and relabellings.

    Returns
    -------
    ndarray
        Distance, float64 [perturbation].
    ndarray
        p-value [perturbation].
    """
    cells.require_perturbations("the energy distance")
    points = principal_components(normalise(cells), components, seed)
    random = random_generator(seed, "energy distance")
    control = cells.control
    if len(control) > most_control:
        control = random.choice(control, most_control, replace=False)
    values, p_values = [], []
    for gene in track(cells.perturbed.tolist(), "energy distances", unit="perturbations"):
        members = np.flatnonzero(cells.perturbation == gene)
        if len(members) > most_perturbed:
            members = random.choice(members, most_perturbed, replace=False)
        first, second = len(members), len(control)
        apart = distances(points[np.concatenate([members, control])])
        labels = np.zeros((first + second, permutations + 1))
        labels[:first, 0] = 1
        for turn in range(1, permutations + 1):
            labels[random.permutation(first + second)[:first], turn] = 1
        inside = apart @ labels
        both = (labels * inside).sum(axis=0)  # sums over pairs within the first group
        across = inside.sum(axis=0) - both
        rest = apart.sum() - 2 * across - both
        energy = 2 * across / (first * second) - both / first**2 - rest / second**2
        values.append(float(energy[0]))
        p_values.append(float((energy >= energy[0] - 1e-12).mean()))
    return np.array(values), np.array(p_values)
