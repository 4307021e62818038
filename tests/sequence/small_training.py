"""A small planted store and a model trained on it in seconds; tests of other questions may take it as their fixture."""

from pathlib import Path

from cistron.genome import Genome
from cistron.sequence.data import build_training_data
from cistron.sequence.settings_data import DataSettings
from cistron.sequence.settings_training import TrainingSettings
from cistron.sequence.training import Running, train_model
from cistron.world.regulatory_dna import RegulatoryWorldSettings, regulatory_world, write_regulatory_world

SMALL = TrainingSettings(
    channels=24, depth=1, heads=2, key_size=8, epochs=3, batch_size=4, length=2048, dropout=0.0
)


def small_store(folder: Path, blocks: int = 24, organism: str = "human", seed: int = 0) -> Path:
    """Write planted regulatory DNA as a store of training data, and give its path."""
    world = regulatory_world(RegulatoryWorldSettings(blocks=blocks), seed)
    files = write_regulatory_world(world, folder / f"world_{organism}")
    store = folder / f"{organism}.zarr"
    build_training_data(
        store,
        genome=Genome(files["genome"], "planted"),
        folds=files["folds"],
        targets=files["targets"],
        organism=organism,
        settings=DataSettings("enformer", crop=0, input_length=20_480),
    )
    return store


def small_model(store: Path, output: Path, **changes) -> Path:
    """Train a model on the middle of the blocks of a store, for seconds."""
    settings = TrainingSettings(
        **{**{name: getattr(SMALL, name) for name in SMALL.__dataclass_fields__}, **changes}
    )
    train_model([store], output, settings=settings, running=Running(accelerator="cpu"))
    return output
