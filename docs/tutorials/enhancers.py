"""Which elements regulate which gene: scores of a model and of the distance, judged on planted pairs (random weights; seconds)."""

from pathlib import Path

import pandas as pd

from cistron.evaluation.enhancers import EnhancerSettings, run_enhancers
from cistron.genome import Genome
from cistron.sequence import EnformerSettings, save_weights
from cistron.sequence.enhancers import score_enhancers
from cistron.sequence.random_model import random_model
from cistron.sequence.settings_enhancers import EnhancerScoreSettings
from cistron.world.enhancers import planted_enhancers, write_planted_enhancers
from cistron.world.variants import TRACKS

folder = Path("enhancers")

# 1. A genome, its genes, and pairs of an element and a gene of which it is known whether one regulates the other.
world = planted_enhancers(seed=1, genes=6)
fasta, annotation, pairs = write_planted_enhancers(world, folder)

# 2. A model with CAGE of two kinds of cells. Its weights are random: nothing can be found, and nothing should be.
settings = EnformerSettings(
    channels=48, depth=1, heads=4, key_size=8, length=4096, crop=0, tracks={"human": 4}
)
model, tracks = random_model(settings, 1)
save_weights(model, folder / "model", tracks=tracks.assign(description=list(TRACKS)))

# 3. Contributions: all elements of a gene in one window, by gradient times input and by attention.
with Genome(fasta, build="planted") as genome:
    found = score_enhancers(
        folder / "model",
        genome,
        annotation,
        pairs,
        folder / "contributions.tsv",
        tracks=["CAGE:planted blood"],
        settings=EnhancerScoreSettings(window=200),
        threads=1,
    ).frame
print(found[["name", "method", "score", "agnostic", "distance", "in_window"]].head())

# 4. Judged beside the distance and chance. The table of any other model goes through the same call.
scores = run_enhancers(
    [folder / "contributions.tsv"], pairs, folder / "result", EnhancerSettings(draws=100, controls=5)
)
whole = scores[(scores["metric"] == "average_precision") & (scores["stratum"] == "all")]
print(whole[["embedding", "value", "low", "high", "control_value"]].to_string(index=False))
assert {"gradient", "attention", "distance", "random"} <= set(whole["embedding"])
assert pd.read_csv(folder / "contributions.tsv", sep="\t").shape[0] == 2 * len(world.pairs)
