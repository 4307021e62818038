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
    sys.stdout.write("| blocks of 20,480 bp | store, MB | peak memory, MB |\n|---|---|---|\n")
    for blocks in (64, 512):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            files = write_regulatory_world(regulatory_world(RegulatoryWorldSettings(blocks=blocks)), folder)
            words = ["sequence", "data", "--genome", files["genome"], "--build", "planted", "--folds", files["folds"], "--targets",
                     files["targets"], "--crop", 0, "--input-length", 20_480, "--shard-size", 16, "--output", folder / "s.zarr"]  # fmt: skip
            done = subprocess.run(
                [sys.executable, "-c", _CODE, *map(str, words), "--quiet"],
                capture_output=True,
                text=True,
                check=True,
            )
            size = sum(path.stat().st_size for path in (folder / "s.zarr").rglob("*") if path.is_file()) / 1e6
            sys.stdout.write(f"| {blocks} | {size:.1f} | {float(done.stdout.splitlines()[-1]):.0f} |\n")
