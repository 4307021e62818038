"""Divide a genome, build training data, train a small DNA model, fine-tune it to new tracks, and measure it; on planted DNA, in a minute."""

import sys
from pathlib import Path

import pandas as pd

from cistron.cli import main
from cistron.world.regulatory_dna import RegulatoryWorldSettings, regulatory_world, write_regulatory_world

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "train_a_dna_model")


def cistron(*words: object) -> None:
    """Run one command line."""
    print("$ cistron", *words)
    code = main([str(word) for word in words])
    assert code == 0, code


# 1. A genome of 20-kb blocks whose tracks follow from motifs. Real data: a FASTA, bigWigs, and a targets table.
world = regulatory_world(RegulatoryWorldSettings(blocks=24), seed=0)
files = write_regulatory_world(world, folder / "world")

# 2. Folds. With two genomes and a net, homologous sequence stays together (here one organism alone, whose blocks are its contigs).
sizes = folder / "planted.sizes"
sizes.write_text("".join(f"block{number}\t20480\n" for number in range(24)))
cistron(
    "sequence", "folds", "--human", sizes, "--length", 20480, "--input-length", 20480, "--fractions", 0.6, 0.2, 0.2,
    "--no-report", "--output", folder / "folds",
)  # fmt: skip

# 3. Training data: targets, folds and DNA in one store.
cistron(
    "sequence", "data", "--genome", files["genome"], "--build", "planted", "--folds", folder / "folds" / "human.bed",
    "--targets", files["targets"], "--crop", 0, "--input-length", 20480, "--output", folder / "human.zarr",
)  # fmt: skip

# 4. Train. A real run takes --settings medium or paper and a GPU; this one only shows the way.
shape = [
    "--channels",
    24,
    "--depth",
    1,
    "--heads",
    2,
    "--key-size",
    8,
    "--length",
    4096,
    "--accelerator",
    "cpu",
]
cistron("sequence", "train", folder / "human.zarr", *shape, "--epochs", 2, "--output", folder / "model")

# 5. Fine-tune to three tracks of a lab's own: with new heads on a frozen trunk, and with the trunk trained as well. The start may be any model folder,
# also one that 'cistron sequence weights' converted from published weights.
lines = files["targets"].read_text().splitlines()
three = [line.split("\t") for line in (lines[1], lines[2], lines[3])]
for number, (row, partner) in enumerate(zip(three, (0, 2, 1))):
    row[0], row[5] = f"lab{number}", str(partner)
lab = files["targets"].with_name("targets_lab.txt")
lab.write_text("\n".join([lines[0], *("\t".join(row) for row in three)]) + "\n")
cistron(
    "sequence", "data", "--genome", files["genome"], "--build", "planted", "--folds", folder / "folds" / "human.bed",
    "--targets", lab, "--crop", 0, "--input-length", 20480, "--organism", "lab", "--output", folder / "lab.zarr",
)  # fmt: skip
for way in ("--freeze-trunk", "--new-heads"):
    cistron(
        "sequence", "train", folder / "lab.zarr", "--start", folder / "model", way, "--epochs", 1,
        "--accelerator", "cpu", "--output", folder / f"lab{way[1:]}",
    )  # fmt: skip

# 6. Measure on the test fold, beside a k-mer ridge and shuffled DNA; with start sites of genes, CAGE is compared there as well. A real annotation is a GTF;
# here the middle of each block, which is what this short model reads, stands for genes.
genes = folder / "genes.tsv"
genes.write_text(
    "gene\tchromosome\tposition\tstrand\n"
    + "".join(
        f"gene{number}{sign}\tblock{number}\t{10_240 + place}\t{sign}\n"
        for number in range(24)
        for place, sign in ((-900, "+"), (900, "-"))
    )
)
cistron(
    "sequence",
    "evaluate",
    folder / "model",
    folder / "human.zarr",
    "--annotation",
    genes,
    "--device",
    "cpu",
    "--output",
    folder / "result",
)
scores = pd.read_parquet(folder / "result" / "scores.parquet")
print(
    scores[scores["metric"] == "pearson"][["embedding", "target", "value", "low", "high"]].to_string(
        index=False
    )
)
