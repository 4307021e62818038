"""The planted marks: their rules, and that they stay what they are."""

import numpy as np
import pybigtools
import pytest

from cistron.errors import InputError
from cistron.world.chromatin import (
    BINS,
    MARKS,
    RULES,
    ChromatinWorldSettings,
    chromatin_world,
    rule_effects,
    write_bigwigs,
)

SMALL = ChromatinWorldSettings(genes=44, cell_types=3)


def test_a_seed_gives_the_same_world_and_another_seed_another():
    first, second, other = (chromatin_world(SMALL, seed=seed) for seed in (1, 1, 2))
    assert (first.values == second.values).all()
    assert (first.expression == second.expression).all()
    assert not (first.expression == other.expression).all()


def test_the_generator_has_not_changed():
    """Version 1 of the world; change VERSION and the CHANGELOG when this must change."""
    world = chromatin_world(SMALL, seed=1000)
    assert float(world.values.mean()) == pytest.approx(0.480542, abs=2e-6)
    assert float(world.expression.mean()) == pytest.approx(2.707817, abs=2e-6)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.mark}{rule.start:+d}")
def test_each_rule_moves_expression_by_its_sign_and_only_in_its_window(rule):
    values = np.zeros((1, 3, len(MARKS), BINS))
    values[0, 0, MARKS.index(rule.mark), rule.bins] = 3.0
    effect = rule_effects(values)[0]
    assert np.sign(effect[0]) == np.sign(rule.strength)
    assert effect[1] == effect[2] == 0
    full = np.tanh(3.0 / rule.scale)
    # a specific rule is seen through the share of cell types that have it
    assert effect[0] == pytest.approx(rule.strength * full * (1 - full / 3 if rule.specific else 1))
    everywhere = rule_effects(np.repeat(values[:, :1], 3, axis=1))[0]
    assert (abs(everywhere[0]) < abs(effect[0])) == rule.specific
    outside = np.zeros_like(values)
    outside[0, 0, MARKS.index(rule.mark)] = 3.0
    for other in RULES:
        if other.mark == rule.mark:
            outside[0, 0, MARKS.index(rule.mark), other.bins] = 0
    assert (rule_effects(outside) == 0).all()


def test_expression_follows_the_rules_up_to_noise():
    world = chromatin_world(ChromatinWorldSettings(genes=220, noise=0.0), seed=4)
    true = world.true_expression(world.values, np.arange(220))
    np.testing.assert_allclose(world.expression, true, rtol=1e-5)


def test_bigwigs_lie_in_genome_orientation(tmp_path):
    world = chromatin_world(SMALL, seed=5)
    write_bigwigs(world, tmp_path / "w")
    gene = world.genes[world.genes["strand"] == "-"].iloc[0]
    c, m = np.argwhere(world.measured)[0]
    handle = pybigtools.open(str(tmp_path / "w" / f"{world.cell_types[c]}.{MARKS[m]}.bw"))
    position = int(gene["position"])
    (value,) = handle.values(gene["chromosome"], position - 99, position + 1, bins=1, exact=True, fillna=0)
    # the first hundred base pairs of the transcript on the minus strand end at the start site
    assert np.log1p(value) == pytest.approx(world.values[gene.name, c, m, 100], rel=1e-5)


def test_too_small_a_world_is_refused():
    with pytest.raises(InputError, match="a gene for each of 22 chromosomes"):
        chromatin_world(ChromatinWorldSettings(genes=5))
