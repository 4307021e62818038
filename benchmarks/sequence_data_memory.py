"""Peak memory of ``sequence data`` at two sizes, from bigWigs and from TFRecords: it must not grow with the number of sequences.

``python -m benchmarks sequence_data_memory``. Each run is a process of its own with one worker.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from cistron.world.regulatory_dna import RegulatoryWorldSettings, regulatory_world, write_regulatory_world

_CODE = (
    "import resource, sys; from cistron.cli import main; code = main(sys.argv[1:]);"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3); sys.exit(code)"
)


def main() -> None:
    """Print one table."""
    blocks = 128
    sys.stdout.write("| sequences of 10,240 bp | shards | peak memory, MB |\n|---|---|---|\n")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = write_regulatory_world(regulatory_world(RegulatoryWorldSettings(blocks=blocks)), folder)
        for stride in (10_240, 1_280):
            rows = [
                f"block{block}\t{start}\t{start + 10_240}\ttrain\n"
                for block in range(blocks)
                for start in range(0, 10_241, stride)
            ]
            (folder / "folds.bed").write_text("".join(rows))
            words = ["sequence", "data", "--genome", files["genome"], "--build", "planted", "--folds", folder / "folds.bed", "--targets",
                     files["targets"], "--crop", 0, "--input-length", 10_240, "--shard-size", 16, "--output", folder / f"{stride}.zarr"]  # fmt: skip
            done = subprocess.run(
                [sys.executable, "-c", _CODE, *map(str, words), "--quiet"],
                capture_output=True,
                text=True,
                check=True,
            )
            sys.stdout.write(
                f"| {len(rows):,} | {2 * -(-len(rows) // 16):,} | {float(done.stdout.splitlines()[-1]):.0f} |\n"
            )
