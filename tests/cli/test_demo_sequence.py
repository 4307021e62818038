"""The sequence part of the demo runs, says what it is, and finds the planted start sites."""

from cistron.cli.demo_sequence import run as run_part
from cistron.formats import read_gene_embedding
from cistron.formats.tracks import check_tracks


def test_the_part_runs_and_says_that_its_weights_are_random(tmp_path):
    found = run_part(tmp_path / "sequence", 0)
    assert "RANDOM weights" in found["lines"][0]
    assert "12 of 12 at a planted start site" in found["lines"][1]
    assert read_gene_embedding(found["embedding"]).n_obs == 12
    assert check_tracks(found["tracks"]) == []
