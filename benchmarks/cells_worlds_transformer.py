"""The transformer on planted cells, reserved seeds 1000 and 1001, beside the bilinear model and the generator's ceiling."""

from benchmarks.cells_worlds import one_world, show
from cistron.runtime import set_progress
from cistron.world.cells import cell_world

SEEDS = (1000, 1001)
ROWS = (
    ("bilinear", "bilinear", "embedding"),
    ("transformer", "transformer", "embedding"),
    ("transformer, permuted", "transformer", "permuted"),
)


def main() -> None:
    """Print what :mod:`benchmarks.cells_worlds` prints, for the transformer."""
    set_progress(False)
    show([one_world(cell_world(seed=seed), seed, ROWS) for seed in SEEDS])
