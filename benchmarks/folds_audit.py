"""Published folds of Enformer and Borzoi by the leak report of ``cistron sequence folds``, beside ours of the same genomes.

The data are found through CISTRON_TEST_DATA.
"""

import os
import sys
import time
from pathlib import Path

from cistron.genome.homology import read_net
from cistron.genome.leaks import ortholog_pairs
from cistron.sequence.folds import GenomeFiles, leak_report, make_folds, read_folds, read_orthologs
from cistron.sequence.settings_data import FoldSettings

_HUMAN = (
    248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422,
    135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167,
    46709983, 50818468, 156040895, 57227415,
)  # fmt: skip
_MOUSE = (
    195471971, 182113224, 160039680, 156508116, 151834684, 149736546, 145441459, 129401213, 124595110, 130694993,
    122082543, 120129022, 120421639, 124902244, 104043685, 98207768, 94987271, 90702639, 61431566, 171031299,
    91744698,
)  # fmt: skip


def _lengths(sizes: tuple[int, ...]) -> dict[str, int]:
    names = [*range(1, len(sizes) - 1), "X", "Y"]
    return {f"chr{name}": size for name, size in zip(names, sizes, strict=True)}


def main() -> None:
    """Print one table."""
    data = Path(os.environ.get("CISTRON_TEST_DATA", "../shared/data"))
    places = data / "sequence"
    net_path = places / "derived_gene_anchored_synteny/hg38.mm10.gene_anchored.net.gz"
    net = read_net(net_path, _lengths(_HUMAN), _lengths(_MOUSE))
    orthologs_path = data / "genes/mm10_genes/hg38_mm10_same_symbol_gene_pairs.parquet"
    orthologs = read_orthologs(orthologs_path)
    enformer = read_folds(places / "enformer_sequences_bed_seq2cells/enformer_human_sequences.bed.gz")
    borzoi = {name: read_folds(places / f"borzoi/sequences_{name}.bed.gz") for name in ("human", "mouse")}
    split = ("train", "valid", "test")
    eight = tuple(f"fold{number}" for number in range(8))
    rows = [
        ("Enformer, human, input 196,608", {"human": enformer}, split, 196_608),
        ("Enformer, human, input 131,072", {"human": enformer}, split, 131_072),
        ("Borzoi, human and mouse, input 196,608", borzoi, eight, 196_608),
        ("Borzoi, human and mouse, input 524,288", borzoi, eight, 524_288),
    ]
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / "cistron_folds_audit"
    folder.mkdir(exist_ok=True)
    for name, sizes in (("human", _HUMAN), ("mouse", _MOUSE)):
        table = "".join(f"{chromosome}\t{size}\n" for chromosome, size in _lengths(sizes).items())
        (folder / f"{name}.sizes").write_text(table)
    genomes = [GenomeFiles(name, folder / f"{name}.sizes") for name in ("human", "mouse")]
    started = time.process_time()
    for label, settings in (
        ("cistron, train/valid/test", FoldSettings()),
        ("cistron, 8 folds", FoldSettings(folds=8)),
        ("cistron, 8 folds, --leak-margin 32768", FoldSettings(folds=8, leak_margin=32_768)),
    ):
        made = make_folds(genomes, net_path, orthologs_path, settings)
        rows.append((f"{label}, input 196,608", made.sequences, settings.names, 196_608))
    seconds = (time.process_time() - started) / 3
    sys.stdout.write(
        "| folds | sequences | pairs that share input | close boundaries | aligned blocks in two folds | orthologs in one fold | by chance |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    for label, sequences, folds, input_length in rows:
        report = leak_report(sequences, folds, input_length, net)
        pairs = ortholog_pairs(*sequences.values(), orthologs) if len(sequences) == 2 else None
        close = sum(one["close_boundaries"] for one in report["leaks"]["organisms"].values())
        boundaries = sum(one["boundaries"] for one in report["leaks"]["organisms"].values())
        same, chance = (f"{pairs.together:.1%}", f"{pairs.chance:.1%}") if pairs else ("-", "-")
        sys.stdout.write(
            f"| {label} | {sum(map(len, sequences.values())):,} | {report['leaks']['total']:,} | {close:,} of {boundaries:,} | "
            f"{report['divided_blocks']:,} of {report['aligned_blocks']:,} | {same} | {chance} |\n"
        )
    sys.stdout.write(f"\nours: {seconds:.1f} CPU seconds for both genomes\n")
