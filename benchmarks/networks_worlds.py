"""Planted networks for the benchmarks of the networks wing."""

import numpy as np

from cistron.formats.perturbed_cells import PerturbedCells, assemble_cells
from cistron.world.networks import CONTROL, NetworkWorld, NetworkWorldSettings, network_world
from cistron.world.topologies import Topology


def cells_of(world: NetworkWorld) -> PerturbedCells:
    """Hand the cells of a world to the methods, as the reader of files does."""
    return assemble_cells(
        world.cells.X,
        list(world.cells.var_names),
        world.cells.obs["perturbation"].tolist(),
        control=CONTROL,
        name="planted",
    )


def true_matrix(world: NetworkWorld) -> np.ndarray:
    """Signs of the true edges, int [source, target]."""
    number = {gene: position for position, gene in enumerate(world.cells.var_names)}
    true = np.zeros((len(number), len(number)), dtype=np.int64)
    true[world.truth["source"].map(number), world.truth["target"].map(number)] = world.truth["sign"]
    return true


def planted_cells(
    seed: int, topology: Topology | None = None, **settings: object
) -> tuple[PerturbedCells, np.ndarray]:
    """Give cells and the signs of the true edges of one world."""
    world = network_world(NetworkWorldSettings(**settings), seed=seed, topology=topology)  # type: ignore[arg-type]
    return cells_of(world), true_matrix(world)


def main() -> None:
    """Print how sparse the four standard worlds are."""
    print("shape  counts_per_gene  cells  genes  zeros  edges")
    for shape in ("hubs", "flat"):
        for depth in (1.0, 12.0):
            world = network_world(NetworkWorldSettings(shape=shape, counts_per_gene=depth), seed=1000)  # type: ignore[arg-type]
            zeros = 1 - world.cells.X.nnz / np.prod(world.cells.shape)
            print(
                f"{shape:5}  {depth:15g}  {world.cells.n_obs}  {world.cells.n_vars}  {zeros:.3f}  {len(world.truth)}"
            )
