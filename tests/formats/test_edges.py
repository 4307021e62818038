"""The edges format: what is accepted, what is refused, what comes back."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cistron.errors import InputError
from cistron.formats.edges import Edges, check_edges, read_edges, write_edges


def _edges(**columns):
    table = pd.DataFrame({"source": ["A", "A"], "target": ["B", "C"], "weight": [2.0, 1.0], **columns})
    return Edges(table, "small", "direct", "symbol", 3, {"cut": 2.5})


@pytest.mark.parametrize("suffix", [".tsv", ".tsv.gz"])
def test_a_network_comes_back_as_it_was(tmp_path, suffix):
    edges = _edges(sign=[1, -1], probability=[0.9, 0.25], direct=[1.0, 0.5], stability=[1.0, 0.0])
    path = tmp_path / f"network{suffix}"
    write_edges(edges, path)
    back = read_edges(path)
    pd.testing.assert_frame_equal(back.table, edges.table)
    assert (back.name, back.method, back.identifier_namespace, back.seed) == ("small", "direct", "symbol", 3)
    assert back.parameters == {"cut": 2.5}
    assert back.pairs() == [("A", "B"), ("A", "C")]


def test_the_same_network_gives_the_same_bytes(tmp_path):
    for name in ("a.tsv.gz", "b.tsv.gz"):
        write_edges(_edges(), tmp_path / name)
    assert (tmp_path / "a.tsv.gz").read_bytes() == (tmp_path / "b.tsv.gz").read_bytes()


@given(
    st.lists(
        st.tuples(st.sampled_from("ABCDEF"), st.sampled_from("ABCDEF"), st.floats(-1e6, 1e6)), max_size=20
    )
)
def test_the_checker_accepts_exactly_loop_free_simple_networks(rows):
    table = pd.DataFrame(rows, columns=["source", "target", "weight"])
    pairs = [(source, target) for source, target, _ in rows]
    valid = all(a != b for a, b in pairs) and len(set(pairs)) == len(pairs)
    assert (check_edges(table) == []) == valid


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("sign", [1, 2], "sign is not always"),
        ("probability", [0.1, 1.2], "probability leaves"),
        ("weight", [np.nan, 1.0], "missing or infinite"),
        ("target", ["A", "C"], "to itself"),
        ("target", ["C", "C"], "occur twice"),
        ("colour", ["x", "y"], "not part of the format"),
    ],
)
def test_broken_networks_are_refused_with_the_reason(column, values, said):
    with pytest.raises(InputError, match=said):
        _edges(**{column: values})


def test_an_empty_network_is_valid(tmp_path):
    empty = Edges(pd.DataFrame({"source": [], "target": [], "weight": []}, dtype=object), "empty")
    write_edges(empty, tmp_path / "empty.tsv")
    assert len(read_edges(tmp_path / "empty.tsv")) == 0


def test_foreign_tables_are_read_by_their_column_names(tmp_path):
    path = tmp_path / "arboreto.tsv"
    path.write_text("TF\ttarget\timportance\nG1\tG2\t3.5\nG1\tG1\t9\nG2\tG3\t7\nG2\tG3\t1\n")
    edges = read_edges(path)
    assert edges.pairs() == [("G2", "G3"), ("G1", "G2")]
    assert edges.table["weight"].tolist() == [7.0, 3.5]
    truth = tmp_path / "truth.csv.gz"
    truth.write_bytes(gzip.compress(b"Gene1,Gene2,sign\nSOX9,AMH,+\nNA,AMH,-\n"))
    table = read_edges(truth).table
    assert table["sign"].tolist() == [1, -1]
    assert table["source"].tolist() == ["SOX9", "NA"]  # a gene may be called NA


def test_a_newer_schema_and_a_missing_column_are_refused(tmp_path):
    newer = tmp_path / "newer.tsv"
    newer.write_text("# kind: cistron.edges\n# schema_version: 99\nsource\ttarget\tweight\nA\tB\t1\n")
    with pytest.raises(InputError, match="newer than"):
        read_edges(newer)
    other = tmp_path / "other.tsv"
    other.write_text("x\ty\n1\t2\n")
    with pytest.raises(InputError, match="column 'source' is absent"):
        read_edges(other)


def test_a_sign_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.tsv").write_text("source\ttarget\tsign\nA\tB\t+\nA\tC\t-\nA\tD\t\nA\tE\tNA\n")
    assert read_edges(tmp_path / "a.tsv").table["sign"].tolist() == [1, -1, 0, 0]
    for sign in ("activation", "2", "0,5"):
        (tmp_path / "a.tsv").write_text(f"source\ttarget\tsign\nA\tB\t+\nA\tC\t{sign}\n")
        with pytest.raises(InputError, match="line 3: sign is"):
            read_edges(tmp_path / "a.tsv")
