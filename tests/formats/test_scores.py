"""The scores table: complete, typed, and checked on the way in and out."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.errors import InputError
from cistron.formats import SCORE_COLUMNS, check_scores, read_scores, score_frame, write_scores

ROW = {
    "task": "gwas",
    "dataset": "30 traits",
    "target": "SHBG",
    "embedding": "toy",
    "model": "ridge",
    "metric": "delta_r2",
    "stratum": "all",
    "value": 0.02,
    "seed": 0,
    "run_id": "abc",
}


def test_a_row_with_only_what_is_required():
    frame = score_frame([ROW])
    assert list(frame.columns) == list(SCORE_COLUMNS)
    assert check_scores(frame) == []
    assert frame["low"].isna().all()
    assert frame["n"].dtype == "Int64"


numbers = st.one_of(st.none(), st.floats(-1e3, 1e3))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "value": st.floats(-1e3, 1e3),
                "n": st.one_of(st.none(), st.integers(0, 10**9)),
                "null_value": numbers,
                "p_value": st.one_of(st.none(), st.floats(0, 1)),
                "interval": st.one_of(st.none(), st.text(max_size=5)),
                "seed": st.integers(0, 2**62),
            }
        ),
        max_size=4,
    )
)
@settings(max_examples=40, deadline=None)
def test_round_trip(tmp_path_factory, cells):
    frame = score_frame([{**ROW, **cell, "target": f"trait {index}"} for index, cell in enumerate(cells)])
    path = tmp_path_factory.mktemp("scores") / "scores.parquet"
    write_scores(frame, path)
    pd.testing.assert_frame_equal(read_scores(path), frame)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"r2": 1.0}, "scores have no column 'r2'"),
        ({"value": None}, "column 'value' has empty cells"),
        ({"run_id": None}, "column 'run_id' has empty cells"),
        ({"value": np.inf}, "infinite"),
        ({"low": 1.0, "high": 0.0}, "1 rows have low > high"),
        ({"p_value": 1.5}, "p_value leaves"),
        ({"p_value": -0.1}, "p_value leaves"),
        ({"value": "high"}, "column 'value' does not hold number"),
        ({"n": 1.5}, "column 'n' does not hold integer"),
    ],
)
def test_wrong_rows(changes, complaint):
    with pytest.raises(InputError, match=complaint):
        score_frame([{**ROW, **changes}])


def test_the_same_score_twice():
    with pytest.raises(InputError, match="1 rows occur twice, for example gwas / 30 traits / SHBG"):
        score_frame([ROW, ROW])


def test_writing_checks_and_leaves_nothing(tmp_path):
    frame = score_frame([ROW])
    for wrong in (
        frame.drop(columns="low"),
        frame.assign(extra=1),
        frame.assign(value=np.inf),
        frame.assign(value="x"),
    ):
        with pytest.raises(InputError, match="break their format"):
            write_scores(wrong, tmp_path / "scores.parquet")
    assert list(tmp_path.iterdir()) == []


def test_unreadable_scores(tmp_path):
    path = tmp_path / "scores.parquet"
    with pytest.raises(InputError, match="not a readable scores table"):
        read_scores(path)
    write_scores(score_frame([ROW]), path)
    content = path.read_bytes()
    for broken in (b"", content[: len(content) // 2], b"PAR1" + content[50:]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="not a readable scores table"):
            read_scores(path)
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(InputError, match="not of scores"):
        read_scores(path)
    table = pa.table({"task": ["gwas"]}).replace_schema_metadata(
        {"cistron.kind": "scores", "cistron.schema_version": "99"}
    )
    pq.write_table(table, path)
    with pytest.raises(InputError, match="scores schema 99, newer than 1; update cistron"):
        read_scores(path)


def test_a_damaged_byte_is_an_input_error_or_still_a_valid_table(tmp_path):
    path = tmp_path / "scores.parquet"
    write_scores(score_frame([{**ROW, "target": str(number)} for number in range(20)]), path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for position in rng.integers(len(content), size=150):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        try:
            assert check_scores(read_scores(path)) == []
        except InputError:  # any other exception fails the test
            refused += 1
    assert refused > 0


def test_the_page_of_the_format_shows_the_columns():
    page = (Path(__file__).parents[2] / "docs/formats/scores.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (yes|no) \| (.+) \|$", page, flags=re.MULTILINE)
    from cistron.formats.scores import _REQUIRED

    assert rows == [
        (column, kind, "yes" if column in _REQUIRED else "no", meaning)
        for column, (kind, meaning) in SCORE_COLUMNS.items()
    ]
