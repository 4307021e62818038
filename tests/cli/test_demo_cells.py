"""The cells part of the demo runs and finds what was planted."""

from cistron.cli.demo_cells import run as run_part
from cistron.formats.prediction import read_prediction


def test_the_part_runs_and_the_permuted_embedding_knows_nothing(tmp_path):
    found = run_part(tmp_path / "cells", 0)
    unseen = found["unseen"]
    assert unseen["bilinear"] > 0.35
    assert abs(unseen["bilinear, permuted embedding"]) < 0.25
    assert "ceiling" in found["lines"][0]
    assert (found["folder"] / "scores.parquet").exists()
    assert read_prediction(tmp_path / "cells" / "ridge.h5ad").n_vars == 400
