"""The planted networks: topology, knock-downs, and that they stay what they are."""

import numpy as np
import pytest

from cistron.errors import InputError
from cistron.world.networks import CONTROL, NetworkWorldSettings, network_world, write_network_world
from cistron.world.topologies import connected_part, random_topology, read_topology

SMALL = NetworkWorldSettings(genes=40, control_cells=400, cells_per_knockout=40, counts_per_gene=12)


def test_a_seed_gives_the_same_world_and_another_seed_another():
    first, second, other = (network_world(SMALL, seed=seed) for seed in (1, 1, 2))
    assert (first.cells.X != second.cells.X).nnz == 0
    assert first.truth.equals(second.truth)
    assert not first.truth.equals(other.truth)


def test_the_generator_has_not_changed():
    """Version 1 of the world; change WORLD_VERSION and the CHANGELOG when this must change."""
    world = network_world(SMALL, seed=1000)
    assert int(world.cells.X.sum()) == 1102381
    assert len(world.truth) == 76


def test_hubs_are_uneven_and_flat_networks_are_not():
    random = np.random.default_rng(0)
    largest = {}
    for shape in ("hubs", "flat"):
        topology = random_topology(200, shape, random)
        targets = np.bincount(topology.source, minlength=200)
        largest[shape] = targets.max()
        assert (targets > 0).sum() <= 200 * (0.15 if shape == "hubs" else 0.8)
        assert not (topology.source == topology.target).any()
        pairs = set(zip(topology.source.tolist(), topology.target.tolist()))
        assert len(pairs) == len(topology.source)
    assert largest["hubs"] > 3 * largest["flat"]


def test_knock_downs_lower_their_target_and_move_direct_targets_by_the_planted_sign():
    world = network_world(SMALL, seed=3)
    counts = world.cells.X.toarray()
    label = world.cells.obs["perturbation"].astype(str).to_numpy()
    level = {name: np.log1p(counts[label == name].mean(axis=0)) for name in set(label)}
    number = {gene: position for position, gene in enumerate(world.cells.var_names)}
    own = [level[gene][number[gene]] - level[CONTROL][number[gene]] for gene in number]
    assert np.mean(np.array(own) < 0) > 0.9
    strong = world.truth[world.truth["weight"] > 3]
    moved = [
        level[s][number[t]] - level[CONTROL][number[t]] for s, t in zip(strong["source"], strong["target"])
    ]
    # an activator's target falls when it is knocked down; other paths may turn a few around
    assert np.mean(np.sign(moved) == -strong["sign"]) > 0.8


def test_dropout_and_depth_do_what_they_say():
    deep = network_world(SMALL, seed=1).cells.X
    shallow = network_world(
        NetworkWorldSettings(**{**SMALL.__dict__, "counts_per_gene": 1.0}), seed=1
    ).cells.X
    lossy = network_world(NetworkWorldSettings(**{**SMALL.__dict__, "dropout": 0.5}), seed=1).cells.X
    zeros = [1 - x.nnz / np.prod(x.shape) for x in (deep, shallow, lossy)]
    assert zeros[0] < 0.15
    assert 0.4 < zeros[1] < 0.65
    assert zeros[2] > 0.5


def test_published_topologies_are_read_in_their_forms(tmp_path):
    random = np.random.default_rng(0)
    signed = tmp_path / "regulondb.tsv"
    signed.write_text("acrR\tacrA\t-\nacrR\tacrB\t+\nfis\tfis\t+\nfis\tacrA\t?\n")
    topology = read_topology(signed, random)
    assert topology.genes == ("acrA", "acrB", "acrR", "fis")
    assert topology.sign[:2].tolist() == [-1, 1]
    assert len(topology.source) == 3  # the loop is left out
    sergio = tmp_path / "Interaction_cID_1.txt"
    sergio.write_text("5.0,2.0,1.0,2.0,3.5,-2.5,2.0,2.0\n")
    read = read_topology(sergio, random)
    names = [(read.genes[s], read.genes[t]) for s, t in zip(read.source, read.target)]
    assert dict(zip(names, read.sign)) == {("G1", "G5"): 1, ("G2", "G5"): -1}
    with pytest.raises(InputError, match="does not exist"):
        read_topology(tmp_path / "absent.tsv", random)


def test_a_part_of_a_topology_is_connected_and_keeps_signs():
    whole = random_topology(200, "hubs", np.random.default_rng(1))
    part = connected_part(whole, 50, np.random.default_rng(2))
    assert len(part.genes) == 50
    signs = {
        (whole.genes[s], whole.genes[t]): sign for s, t, sign in zip(whole.source, whole.target, whole.sign)
    }
    for source, target, sign in zip(part.source, part.target, part.sign):
        assert signs[part.genes[source], part.genes[target]] == sign


def test_a_world_is_written_as_users_files(tmp_path):
    from cistron.formats.edges import read_edges
    from cistron.formats.perturbed_cells import read_perturbed_cells

    world = network_world(SMALL, seed=4)
    paths = write_network_world(world, tmp_path / "world")
    cells = read_perturbed_cells(paths["cells"], guide="guide")
    assert len(cells.perturbed) == 40
    assert len(read_edges(paths["truth"])) == len(world.truth)


@pytest.mark.parametrize(
    "name",
    ["ecoli_transcriptional_network_regulonDB_6_7.tsv", "yeast_transcriptional_network_Balaji2006.tsv"],
)
def test_real_topologies_make_worlds(test_data, name):
    path = test_data / "networks/bacterial_yeast_networks" / name
    if not path.exists():
        pytest.skip(f"{name} is not there")
    random = np.random.default_rng(0)
    topology = connected_part(read_topology(path, random), 30, random)
    world = network_world(
        NetworkWorldSettings(control_cells=50, cells_per_knockout=3), seed=1, topology=topology
    )
    assert world.cells.shape == (50 + 90, 30)
