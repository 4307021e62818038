"""Commands that are killed while they write end with the same when they are run again, and leave nothing behind.

All commands and 30 kills of each: ``python -m benchmarks kills``.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = ["omics embed", "evaluate genesets", "chromatin build", "sequence predict"]
CODE = f"import json; from benchmarks.kills import kill_commands; print(json.dumps(kill_commands({COMMANDS}, kills=4)))"


def test_killed_commands_end_with_the_same():
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])
    assert [row[0] for row in rows] == COMMANDS
    for command, kills, _, differing, leftovers in rows:
        assert kills == 4
        assert (command, differing, leftovers) == (command, 0, 0)
