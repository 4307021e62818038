"""A small planted world, built once, and a tiny network fitted on it."""

import pytest

from cistron.chromatin.build import build_gene_tracks
from cistron.chromatin.settings import BuildSettings, NetworkFit, NetworkSettings
from cistron.world.chromatin import ChromatinWorldSettings, chromatin_world, write_binned

SMALL = ChromatinWorldSettings(genes=264, cell_types=4)
# small enough for seconds
TINY = NetworkSettings(
    channels=2,
    kernel=5,
    hidden=16,
    layers=2,
    coarse=5,
    members=2,
    fit=NetworkFit(epochs=8, learning_rate=5e-3, warmup_steps=0, schedule="constant", patience=None),
)


@pytest.fixture(scope="session")
def world():
    return chromatin_world(SMALL, seed=3)


@pytest.fixture(scope="session")
def files(world, tmp_path_factory):
    return write_binned(world, tmp_path_factory.mktemp("chromatin") / "world")


@pytest.fixture(scope="session")
def store(files, tmp_path_factory):
    return build_gene_tracks(
        tmp_path_factory.mktemp("chromatin") / "marks.zarr",
        binned=files["marks"],
        annotation=files["genes"],
        expression=files["expression"],
        settings=BuildSettings(transform="logged"),
    )


@pytest.fixture(scope="session")
def fitted(store):
    from cistron.chromatin.estimator import ExpressionPredictor

    return ExpressionPredictor(TINY, seed=1).fit(store)
