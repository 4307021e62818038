"""The variant part of the demo runs, says that its weights are random, and finds the planted annotation and no other."""

import json

from cistron.cli.demo_variants import run as run_part
from cistron.formats.variant_scores import check_variant_scores


def test_the_part_finds_what_was_planted(tmp_path):
    found = run_part(tmp_path / "variants", 0)
    assert "RANDOM weights" in found["lines"][0]
    rows = found["signed"].annotations.set_index("annotation")
    assert rows.loc["what variants do", "p_value"] < 0.001
    assert rows.loc["what variants do", "low"] > 0
    assert rows.loc[["the same, mixed", "noise"], "p_value"].min() > 0.01
    assert check_variant_scores(tmp_path / "variants" / "variant_scores.parquet") == []
    for folder in found["folders"]:
        assert json.loads((folder / "run.json").read_text())["results"]
