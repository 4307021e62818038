"""States of cells that perturbations did not make: cells are then compared with control cells of their own state.

Where cells come in several states, chance gives a perturbation of few cells more cells of one state than the control has. The genes of
that state move together, which looks like effects, and vary together, which looks like regulation.

States are looked for in control cells: in their scores on the leading principal components, as far as these vary more than noise
alone lets them (Marchenko and Pastur 1967), under a mixture of normal distributions with one covariance whose number of parts
the Bayesian information criterion chooses. A mixture counts only where it is far better than one normal distribution and its parts lie
apart, and where no perturbation changes the shares of the states: what perturbations move cells into is an effect. A network that
switches has states too. Where perturbations have too few cells to tell, states are left alone.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from scipy.sparse.linalg import eigsh

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.covariation import correlation_matrix, covariance
from cistron.networks.normalisation import normalise
from cistron.runtime.seeds import random_generator

MOST_STATES = 6
MOST_COMPONENTS = 5
MOST_CELLS = 4000  # control cells that states are looked for in
ABOVE_NOISE = 1.2  # a component varies so many times more than the largest of pure noise
LEAST_GAIN = (
    100.0  # of the criterion; screens of one state had at most 31 on a single component and 74 in all
)
LEAST_DISTANCE = 2.0  # between the means of two parts, in standard deviations
FEWEST_CELLS = 100  # control cells of a state
CHANCE = 0.05  # with which some perturbation may seem to change the shares of states that none changes


@dataclass(frozen=True)
class CellStates:
    """States of the cells of a screen.

    Attributes
    ----------
    state
        Number of the state of each cell, int [cell].
    shares
        Share of each state among the control cells [state].
    """

    state: np.ndarray
    shares: np.ndarray


def _scores(cells: PerturbedCells, chosen: np.ndarray) -> np.ndarray:
    """Scores of all cells on the components of the chosen control cells that are above noise [cell, component]."""
    values = normalise(cells)
    covariances, mean, number = covariance(
        values[chosen],
        batch=None if cells.batch is None else np.unique(cells.batch[chosen], return_inverse=True)[1],
    )
    genes = len(mean)
    largest, vectors = eigsh(
        correlation_matrix(covariances), k=min(MOST_COMPONENTS, genes - 1), v0=np.ones(genes)
    )
    kept = largest > ABOVE_NOISE * (1 + np.sqrt(genes / number)) ** 2
    deviation = np.sqrt(np.maximum(np.diag(covariances), 1e-12))
    loadings = vectors[:, kept] / deviation[:, None]
    return np.asarray(values @ loadings - mean @ loadings)


def find_states(cells: PerturbedCells) -> CellStates | None:
    """Find the states of the cells; ``None`` where there is one, or where perturbations make them.

    Parameters
    ----------
    cells
        Perturbed cells with counts or log-normalised values.
    """
    from sklearn.mixture import GaussianMixture

    control = cells.control
    if cells.scale == "continuous" or len(cells.genes) < 10 or len(control) < 2 * FEWEST_CELLS:
        return None
    chosen = control
    if len(control) > MOST_CELLS:
        random = random_generator(0, "control cells for states")
        chosen = np.sort(random.choice(control, MOST_CELLS, replace=False))
    scores = _scores(cells, chosen)
    if not scores.shape[1]:
        return None
    seen = scores[chosen]
    fitted = [
        GaussianMixture(number, covariance_type="tied", random_state=0, n_init=2).fit(seen)
        for number in range(1, MOST_STATES + 1)
    ]
    criterion = np.array([one.bic(seen) for one in fitted])
    best = fitted[int(criterion.argmin())]
    if criterion[0] - criterion.min() < LEAST_GAIN:
        return None
    whitened = best.means_ @ best.precisions_cholesky_
    distance = np.sqrt(((whitened[:, None] - whitened[None]) ** 2).sum(axis=-1))
    state = best.predict(scores)
    of_control = np.bincount(state[control], minlength=best.n_components)
    apart = distance[np.triu_indices(len(distance), 1)].min()
    if apart < LEAST_DISTANCE or of_control.min() < FEWEST_CELLS:
        return None
    shares = of_control / of_control.sum()
    return None if _made_by_perturbations(cells.perturbation, state, shares) else CellStates(state, shares)


def _made_by_perturbations(perturbation: np.ndarray, state: np.ndarray, shares: np.ndarray) -> bool:
    """Whether some perturbation changes the shares of the states, or none could be seen to (Bonferroni over perturbations)."""
    hit = perturbation >= 0
    sources, row = np.unique(perturbation[hit], return_inverse=True)
    if not len(sources):
        return False
    seen = np.zeros((len(sources), len(shares)))
    np.add.at(seen, (row, state[hit]), 1)
    # the last row: a perturbation of the usual size whose cells are all in the commonest state
    usual = np.where(np.arange(len(shares)) == shares.argmax(), np.median(seen.sum(axis=1)), 0.0)
    seen = np.vstack([seen, usual])
    expected = seen.sum(axis=1, keepdims=True) * shares
    distance = ((seen - expected) ** 2 / expected).sum(axis=1)
    chance = stats.chi2.sf(distance, len(shares) - 1) * len(sources)
    return bool(chance[:-1].min() < CHANCE or chance[-1] >= CHANCE)


def within_states(cells: PerturbedCells) -> tuple[PerturbedCells, CellStates | None]:
    """Take the states of the cells, where there are several, as batches within their batches.

    Parameters
    ----------
    cells
        Perturbed cells.

    Returns
    -------
    PerturbedCells
        With a batch for each state, or as they were.
    CellStates or None
        What was found.
    """
    found = find_states(cells)
    if found is None:
        return cells, None
    batch = np.zeros(len(found.state), dtype=np.int64) if cells.batch is None else cells.batch
    number = len(found.shares)
    controls = np.zeros((int(batch.max()) + 1, number))
    np.add.at(controls, (batch[cells.control], found.state[cells.control]), 1)
    # a state with few control cells in a batch is compared with those of the batch's largest
    state = np.where(controls[batch, found.state] < 10, controls.argmax(axis=1)[batch], found.state)
    joined = np.unique(batch * number + state, return_inverse=True)[1]
    return replace(cells, batch=joined), found
