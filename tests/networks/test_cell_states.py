"""States of cells: found where control cells come in several, not where cells vary without steps or perturbations make states."""

import numpy as np
import pytest

from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks.cell_states import find_states, within_states
from cistron.networks.combined import infer_default
from cistron.networks.fold_changes import screen_effects
from cistron.networks.settings import DefaultSettings
from cistron.networks.shrinkage import shrink_effects

GENES = 60


def screen(states=2, size=0.8, made=0.0, smooth=False, seed=0, batches=None, each=12):
    """Twenty-four perturbed genes at 20% and nothing else moved; ``made`` is the share of the first one's cells that go into state 0.

    A state multiplies genes by exp(N(0, size)); ``smooth`` spreads cells evenly between two states.
    """
    random = np.random.default_rng(seed)
    names = [f"G{number}" for number in range(GENES)]
    target = np.concatenate([np.full(800, -1), np.repeat(np.arange(24), each)])
    state = random.integers(0, states, len(target))
    state[(target == 0) & (random.random(len(target)) < made)] = 0
    shift = random.normal(0, size, (states, GENES))
    place = random.normal(0, 0.6, (len(target), 1)) * shift[:1] if smooth else shift[state]
    mean = 6 * np.exp(place)
    hit = np.flatnonzero(target >= 0)
    mean[hit, target[hit]] *= 0.2
    counts = random.poisson(random.gamma(8, mean / 8))
    labels = [names[gene] if gene >= 0 else "ctrl" for gene in target]
    return assemble_cells(counts, names, labels, control="ctrl", batches=batches), state


@pytest.mark.parametrize("states", [2, 3])
def test_states_are_found(states):
    cells, state = screen(states)
    found = find_states(cells)
    assert len(found.shares) == states
    table = np.zeros((states, states))
    np.add.at(table, (state, found.state), 1)
    assert (table.max(axis=1) / table.sum(axis=1)).min() > 0.95
    assert found.shares.sum() == pytest.approx(1)


@pytest.mark.parametrize("given", [{"states": 1}, {"smooth": True}, {"made": 1.0}, {"each": 6}])
def test_one_state_a_smooth_one_and_those_that_a_perturbation_makes_or_could_make_unseen_are_none(given):
    cells, _ = screen(**given)
    assert find_states(cells) is None
    same, found = within_states(cells)
    assert same is cells
    assert found is None


def _believed(cells):
    """Expected number of effects on other genes; there are none."""
    effects = screen_effects(cells)
    others = np.ones(effects.shift.shape, dtype=bool)
    others[np.arange(24), effects.sources] = False
    return shrink_effects(effects).probability[others].sum(), effects


@pytest.mark.parametrize("seed", [1, 2])
def test_more_cells_of_one_state_by_chance_are_no_effect(seed):
    cells, _ = screen(seed=seed)
    plain, _ = _believed(cells)
    inside, effects = _believed(within_states(cells)[0])
    assert plain > 40
    assert inside < 5
    assert effects.own.mean() == pytest.approx(np.log(0.2), abs=0.15)
    assert effects.z[:, 24:].std() == pytest.approx(1, abs=0.1)


def test_states_stand_inside_batches():
    number = 800 + 24 * 12
    batches = ["a" if cell % 2 else "b" for cell in range(number)]
    cells, state = screen(batches=batches)
    compared, _ = within_states(cells)
    assert len(np.unique(compared.batch)) == 4
    # a batch with three control cells of a state has them in its other state
    few = [
        "c" if place < 0 and kind else "a" for place, kind in zip(cells.perturbation.tolist(), state.tolist())
    ]
    few[:3] = ["c" if not state[cell] else "a" for cell in range(3)]
    lopsided, _ = screen(batches=few)
    joined, found = within_states(lopsided)
    assert found is not None
    for batch in np.unique(joined.batch):
        assert (joined.perturbation[joined.batch == batch] == -1).sum() >= 10


def test_the_default_method_says_states_and_leaves_false_edges_out():
    cells, _ = screen(seed=3)
    with_states = infer_default(cells, DefaultSettings(resamples=2), 0)
    without = infer_default(cells, DefaultSettings(resamples=0, cell_states=False), 0)
    assert with_states.details["cell_states"] == pytest.approx([0.5, 0.5], abs=0.05)
    assert "cell_states" not in without.details
    assert (np.nan_to_num(without.probability) >= 0.5).sum() > 0  # there are no edges
    assert (np.nan_to_num(with_states.probability) >= 0.5).sum() == 0
    assert with_states.stability.max() > 0
