"""Scores of variants and a saturation map, on a planted genome with random weights (runs in seconds)."""

from pathlib import Path

from cistron.formats.variant_scores import check_variant_scores, read_variant_scores
from cistron.genome import Genome
from cistron.sequence import EnformerSettings
from cistron.sequence.random_model import write_random_model
from cistron.sequence.saturate import saturate_regions
from cistron.sequence.settings_variants import VariantSettings
from cistron.sequence.variant_summary import write_variant_summary
from cistron.sequence.variants import score_variants
from cistron.world.variants import planted_variants, write_planted_variants

folder = Path("variants")

# 1. A genome and a VCF. With your own data, these are a FASTA and variants of the same build.
world = planted_variants(seed=1, length=20_480, causal=10, neutral=30)
fasta, vcf = write_planted_variants(world, folder)

# 2. A model. Its weights are random: what follows shows the steps, not an answer.
settings = EnformerSettings(
    channels=48, depth=1, heads=4, key_size=8, length=2048, crop=1, tracks={"human": 4}
)
write_random_model(folder / "model", settings, seed=1)

# 3. Scores: one row a variant, one column a track; random substitutions nearby are the control.
genome = Genome(fasta, build="planted")
found = score_variants(
    folder / "model",
    genome,
    vcf,
    folder / "scores.parquet",
    settings=VariantSettings(shared_windows=512, log_ratio=True),
    controls=40,
    threads=1,
)
assert check_variant_scores(folder / "scores.parquet") == []
table = read_variant_scores(folder / "scores.parquet")
print(table.frame.iloc[:3, :7])
print("strongest:", found.frame.nlargest(3, "magnitude")[["id", "track", "log_ratio"]].to_string(index=False))
assert not found.trained  # the model says that its weights are random

# 4. The summary says whether the variants change more than letters that nobody chose: with random weights, they do not.
write_variant_summary(found, folder / "summary", vcf, folder / "model")

# 5. Every base around one variant, changed to every other.
place = int(world.variants["position"].iloc[0])
(folder / "region.bed").write_text(f"chr1\t{place - 10}\t{place + 10}\tfirst\n")
saturation = saturate_regions(
    folder / "model", genome, folder / "region.bed", folder / "map.zarr", tracks=["0"], threads=1
)
print("contributions:", saturation.reference[0], saturation.contributions(0).round(4)[0, :5])
assert saturation.effects(0).shape == (1, 4, 20)
genome.close()
