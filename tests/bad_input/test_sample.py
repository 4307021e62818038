"""A sample of the matrix of damaged inputs and odd numbers. All of it: ``python -m benchmarks bad_input``."""

import json
import random
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SIZE = 90
CODE = """
import json, random, sys
sys.path.insert(0, sys.argv[1])
import matrix
chosen = random.Random(5).sample(matrix.tries(), int(sys.argv[2]))
print(json.dumps([[one.command, one.what, one.damage, found.kind, found.said] for one, found in matrix.outcomes(chosen)]))
"""


def test_damaged_inputs_and_odd_numbers_are_one_line_or_a_right_result():
    """In a process of its own, because each try is a fork of it."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, HERE, str(SIZE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    wrong = [row for row in found if row[3] not in ("error", "accepted")]
    assert not wrong, "\n".join(" | ".join(row)[:400] for row in wrong)
    assert sum(row[3] == "error" for row in found) > SIZE / 2
    absent = [row for row in found if row[2] in ("absent", "0 bytes", "random bytes", "nan", "many")]
    assert absent
    assert {row[3] for row in absent} == {"error"}, [row for row in absent if row[3] != "error"]


def test_the_matrix_covers_every_command_that_reads_or_counts():
    sys.path.insert(0, str(HERE))
    try:
        import matrix
    finally:
        sys.path.remove(str(HERE))
    tried = {one.command for one in matrix.tries()}
    untried = set(matrix.commands()) - tried
    # what takes neither a file nor a number
    assert untried <= {
        "data list",
        "study init",
        *(f"{wing} methods" for wing in ("omics", "sequence", "cells", "networks", "chromatin")),
    }
    assert len(tried) > 25
    assert random.Random(5).sample(matrix.tries(), 3) == random.Random(5).sample(matrix.tries(), 3)
