"""From DNA to a gene embedding, in Python, on the planted genome with random weights (runs in seconds)."""

from pathlib import Path

import torch

from cistron.genome import Genome
from cistron.sequence import PRESETS, DnaEmbedder, load_weights
from cistron.sequence.random_model import write_random_model
from cistron.sequence.settings import GeneEmbeddingSettings
from cistron.world.sequence import planted_genome, write_planted_genome

folder = Path("genes_from_dna")

# 1. A genome and its genes. With your own data, these are a FASTA and a GTF of one build.
fasta, annotation = write_planted_genome(planted_genome(seed=1), folder)

# 2. A model. This one is small and its weights are random: its predictions mean nothing. `load_weights` reads
#    trained ones, of enformer-pytorch or DeepMind, as well.
write_random_model(folder / "model", PRESETS["small"], seed=1)
model = load_weights(folder / "model")

# 3. Tracks of one window: 16,384 bp give 96 bins after cropping.
genome = Genome(fasta, build="planted")
window = torch.from_numpy(genome.window("chr1", 20_000, 20_000 + model.settings.length))[None]
with torch.no_grad():
    predicted = model(window, organisms=["human"])["human"]
print("tracks:", list(predicted.shape))
assert predicted.shape == (1, 96, 8)

# 4. Which bases matter: gradient x input of the mean of the last track.
window.requires_grad_()
model(window)["human"][..., -1].mean().backward()
contribution = (window.grad * window).sum(-1)[0]
print("base with the largest contribution:", 20_000 + int(contribution.abs().argmax()))

# 5. A vector a gene: the trunk at the start site with the highest predicted CAGE.
embedder = DnaEmbedder(folder / "model", GeneEmbeddingSettings(neighbours=1))
embedding = embedder.embed(fasta, annotation, folder / "dna.h5ad", build="planted")
print(embedding.obs[["chromosome", "strand", "canonical_start_site", "bin_start"]].head())
assert embedding.shape == (12, 192)
