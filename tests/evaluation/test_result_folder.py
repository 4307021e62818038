"""What every task leaves behind."""

import json

import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.formats import read_scores, score_frame
from cistron.runtime import RunRecord

ROW = {
    "task": "expression", "dataset": "d", "target": "t", "embedding": "e", "model": "m", "metric": "r",
    "stratum": "s", "value": 1.0, "seed": 0, "run_id": "r1",
}  # fmt: skip


def test_a_folder_holds_tables_scores_facts_and_warnings(tmp_path):
    (tmp_path / "empty.parquet").write_bytes(b"of an earlier run")
    record = RunRecord("evaluate expression", {}, [], 0)
    tables = {"full": pd.DataFrame({"a": [1]}), "empty": pd.DataFrame({"a": []})}
    write_folder(
        tmp_path, record, score_frame([ROW]), tables=tables, facts={"count": 3}, warnings=["mind the gap"]
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full.parquet", "run.json", "scores.parquet"]
    assert read_scores(tmp_path / "scores.parquet")["value"].tolist() == [1.0]
    run = json.loads((tmp_path / "run.json").read_text())
    assert (run["results"], run["warnings"]) == ({"count": 3}, ["mind the gap"])


def test_what_cannot_be_used_is_told_before_the_work(tmp_path):
    given = tmp_path / "given"
    given.touch()
    folder, files = require_folder(tmp_path / "out", [given, None])
    assert (folder, files) == (tmp_path / "out", [given])
    with pytest.raises(InputError, match="absent does not exist"):
        require_folder(tmp_path / "out", [given, tmp_path / "absent"])
    with pytest.raises(InputError, match="it is a file; give a folder"):
        require_folder(given, [])
