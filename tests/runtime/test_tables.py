"""Text tables: every packing and encoding, every kind of damage, against pandas on what is whole."""

import bz2
import csv
import gzip
import io
import lzma

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.errors import InputError
from cistron.runtime.table_layout import RowStream
from cistron.runtime.tables import read_number_table, read_text_table
from cistron.runtime.text_files import _BGZIP_END, CheckedText, read_lines

TABLE = "gene\ta\tb\nx\t1\t2\ny\t\t4.5\n"
PACKINGS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda content: pa.compress(content, "zstd", asbytes=True),
}


def _numbers(tmp_path, content, name="a.tsv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_number_table(path, **options)


def _text(tmp_path, content, name="a.tsv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_text_table(path, **options)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", ["a.tsv", "a.csv.gz", "a.dat"])
def test_packing_is_told_by_the_content_and_not_by_the_name(tmp_path, packing, name):
    table = _numbers(tmp_path, PACKINGS[packing](TABLE.encode()), name)
    assert list(table.values.index) == ["x", "y"]
    np.testing.assert_array_equal(table.values.to_numpy(), [[1, 2], [np.nan, 4.5]])


@pytest.mark.parametrize("packing", [name for name in PACKINGS if name != "plain"])
def test_a_cut_archive_is_refused(tmp_path, packing):
    packed = PACKINGS[packing]((TABLE + "z\t1\t2\n" * 500).encode())
    for share in (0.1, 0.5, 0.99):
        with pytest.raises(InputError, match=r"a\.tsv"):
            _numbers(tmp_path, packed[: int(share * len(packed))])


def test_bgzip_without_its_end_mark_is_remarked(tmp_path):
    # one block of bgzip: gzip with an extra field BC
    raw = gzip.compress(TABLE.encode(), mtime=0)
    block = (
        raw[:3]
        + b"\x04"
        + raw[4:10]
        + b"\x06\x00BC\x02\x00"
        + (len(raw) + 7).to_bytes(2, "little")
        + raw[10:]
    )
    assert "lacks the end mark of bgzip" in _numbers(tmp_path, block).remarks[0]
    assert _numbers(tmp_path, block + _BGZIP_END).remarks == ()


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-be").join([b"\xfe\xff", b""]),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.removesuffix("\n").encode(),
        lambda text: text.replace("\ny", "\n\ny").encode(),
    ],
)
def test_encodings_and_ends_of_lines(tmp_path, encode):
    table = _text(tmp_path, encode(TABLE))
    assert table.frame.to_dict("list") == {"gene": ["x", "y"], "a": ["1", ""], "b": ["2", "4.5"]}
    unfinished = encode(TABLE) == TABLE.rstrip("\n").encode()
    assert bool(table.remarks) == (b"\x00" in encode(TABLE) or unfinished)


DAMAGE = {
    "nothing": (b"", "is empty"),
    "header": (b"gene\ta\n", "no rows below its header"),
    "latin-1": ("gene\ta\nG\xe9ne\t1\n".encode("latin-1"), "line 2: not UTF-8"),
    "nul": (b"gene\ta\nx\t3.5\0\0\00075\n", "line 2: bytes of value 0"),
    "utf-16 without mark": (TABLE.encode("utf-16-le"), "UTF-16 text without its byte order mark"),
    "short": (
        TABLE.encode() + b"z\t1\nq\t1\t2\n",
        r"line 4: 2 fields, but the header has 3 .*correct that row",
    ),
    "long": (TABLE.encode() + b"z\t1\t2\t3\n", "line 4: 4 fields"),
    "cut": (TABLE.encode() + b"z\t1", "line 4: 2 fields.*the file is cut there"),
    "quote": (b'gene,a\n"x,1\ny,2\n', "line 2: a quote is opened"),
    "text": (TABLE.encode() + b"z\tabc\t2\nq\t2\t2\nr\t2\t2\n", "line 4: a of z is 'abc', not a number"),
    "late text": (b"g\ta\n" + b"x\t1\n" * 300 + b"y\t1.2.3\n" + b"x\t1\n", r"line 302: a of y is '1\.2\.3'"),
    "nameless": (TABLE.encode() + b"\t1\t2\n", "line 4: no name"),
    "one column": (b"gene\nx\ny\n", "one column only"),
    "points and commas": (b"gene\ta\tb\nx\t3,5\t2.5\n", "line 2: a of x is '3,5', but other numbers"),
    "thousands": (b"gene\ta\tb\nx\t3,500\t2\n", "thousand or a decimal comma"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
    "parquet": (b"PAR1" + bytes(100), "a Parquet file"),
    "zip": (b"PK\x03\x04" + bytes(100), "a zip archive"),
    "web page": (b"<!DOCTYPE html><html>", "web page"),
    "random": (np.random.default_rng(1).bytes(3000), "not"),
    "one long line": (b"A" * 1_000_000, "no rows"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_one_clear_line(tmp_path, kind):
    content, complaint = DAMAGE[kind]
    with pytest.raises(InputError, match=complaint) as caught:
        _numbers(tmp_path, content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_folder_absent_and_unreadable(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="is a folder"):
        read_text_table(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        read_text_table(tmp_path / "none.tsv")
    (tmp_path / "a.tsv").write_text(TABLE)

    def refuse(*_arguments, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)  # root may read a file of mode 0
    with pytest.raises(InputError, match=r"a\.tsv cannot be read \(Permission denied\)"):
        read_text_table(tmp_path / "a.tsv")


def test_a_line_of_a_million_letters_is_a_row(tmp_path):
    table = _numbers(tmp_path, "gene\ta\n" + "x" * 5_000_000 + "\t1\n")
    assert len(table.values.index[0]) == 5_000_000


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("gene\ta b,c\nx\t\n", ["gene", "a b,c"]),
        ("gene,a b\nx,1\n", ["gene", "a b"]),
        ("gene;a b;c,d\nx;1;2\n", ["gene", "a b", "c,d"]),
        ("gene  a\tb \n".replace("\t", " ") + "  x 1   2\n", ["gene", "a", "b"]),
        ("a\tb\nr1\t1\t2\n", ["", "a", "b"]),  # R writes no name above row names
        ("gene,a\nx,1,\ny,2,\n", ["gene", "a"]),
        ('"gene, old",a\nx,1\n', ["gene, old", "a"]),
        ("gene name\nx\n", ["gene name"]),
        ("# note\n#chrom\tstart\nchr1\t5\n", ["chrom", "start"]),
    ],
)
def test_separators_and_headers(tmp_path, content, columns):
    assert list(_text(tmp_path, content).columns) == columns


def test_an_empty_cell_shifts_nothing_and_text_stays_text(tmp_path):
    table = _text(tmp_path, "gene\tname\tN\nNA\t1-Mar\t\nnan\t1e5\t3\n007\tTrue\t4\n")
    assert table.text("gene") == ["NA", "nan", "007"]
    assert table.text("name") == ["1-Mar", "1e5", "True"]
    np.testing.assert_array_equal(table.numbers("N"), [np.nan, 3, 4])
    with pytest.raises(InputError, match="line 2: N is missing"):
        table.numbers("N", missing=False)
    with pytest.raises(InputError, match="line 2: name is '1-Mar', not a number"):
        table.numbers("name")
    with pytest.raises(InputError, match="no column 'P'"):
        table.numbers("P")


def test_a_number_is_missing_only_if_it_is_on_the_list(tmp_path):
    assert np.isnan(_numbers(tmp_path, "gene\ta\nx\tNA\ny\tnull\nz\t#N/A\n").values.to_numpy()).all()
    with pytest.raises(InputError, match="line 3: a of y is '-', not a number"):
        _numbers(tmp_path, "gene\ta\nx\t1\ny\t-\nz\t3\n")


def test_decimal_commas_are_read_for_the_whole_file_and_said(tmp_path):
    table = _numbers(tmp_path, "gene;a;b\nx;3,5;2\ny;1,25;4\n")
    np.testing.assert_array_equal(table.values.to_numpy(), [[3.5, 2], [1.25, 4]])
    assert "decimal comma" in table.remarks[0]
    late = _numbers(tmp_path, "gene\ta\n" + "x\t1\n" * 200 + "y\t2,5\n")
    assert late.values["a"].iloc[-1] == 2.5
    assert _text(tmp_path, "gene;a\nx;3,5\n").numbers("a").tolist() == [3.5]


def test_text_columns_stand_beside_the_numbers(tmp_path):
    table = _numbers(tmp_path, "Name\tDescription\ts1\nENSG1\tTP53\t1\nENSG2\t1-Mar\t+2\n")
    assert list(table.values.columns) == ["s1"]
    assert table.values["s1"].tolist() == [1, 2]
    assert table.text["Description"].tolist() == ["TP53", "1-Mar"]


def test_a_missing_header_is_seen(tmp_path):
    table = _numbers(tmp_path, "1\t0.1257\t-0.1321\n2\t0.6404\t0.1049\n")
    assert list(table.values.index) == ["1", "2"]
    assert "has no header" in table.remarks[0]
    assert list(_numbers(tmp_path, "ENSG00000000001.2,5,7\nENSG00000000002.2,6,7\n").values.index) == [
        "ENSG00000000001.2",
        "ENSG00000000002.2",
    ]
    assert list(_numbers(tmp_path, "gene\t0\t1\nx\t5\t7\n").values.columns) == ["0", "1"]
    assert list(_numbers(tmp_path, "TP53 1 2\nBRCA1 3 4\n").values.index) == ["TP53", "BRCA1"]


def test_columns_of_one_name(tmp_path):
    table = _numbers(tmp_path, "gene\ta\ta\nx\t1\t2\n")
    assert list(table.values.columns) == ["a", "a.1"]
    assert "'a'" in table.remarks[0]
    with pytest.raises(InputError, match="columns 2 and 3 are both called 'a'"):
        _text(tmp_path, "gene\ta\ta\nx\t1\t2\n").text("a")


def test_empty_rows_of_a_spreadsheet_are_skipped_and_said(tmp_path):
    for read in (_numbers, _text):
        table = read(tmp_path, "gene,a,b\nx,1,2\n,,\n,,\n")
        assert table.remarks == ("table a.tsv: 2 empty rows were skipped",)


def test_wide_rows_and_many_blocks_of_rows(tmp_path):
    generator = np.random.default_rng(0)
    for shape in ((3, 3000), (40_000, 20)):
        values = generator.integers(0, 1000, shape) / 8
        frame = pd.DataFrame(values, index=[f"G{row}" for row in range(shape[0])])
        frame.to_csv(tmp_path / "a.tsv", sep="\t", index_label="gene")
        np.testing.assert_array_equal(read_number_table(tmp_path / "a.tsv").values.to_numpy(), values)


def test_lines_of_a_list(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffTP53 \r\n\r\nA\u2028B\r\n".encode())
    assert read_lines(tmp_path / "a.txt") == [(1, "TP53"), (3, "A\u2028B")]


_CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=5)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.tuples(_CELLS, _CELLS, st.floats(allow_nan=False, width=64)), min_size=1, max_size=6),
    separator=st.sampled_from("\t,;"),
)
def test_what_pandas_reads(tmp_path_factory, rows, separator):
    path = tmp_path_factory.mktemp("t") / "a.csv"
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\n")
    writer.writerows([("gene", "name", "value"), *rows])
    path.write_text(buffer.getvalue())
    theirs = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, float_precision="round_trip")
    ours = read_text_table(path, comment="")
    assert ours.frame.to_numpy().tolist() == theirs.to_numpy().tolist()
    np.testing.assert_array_equal(ours.numbers("value"), [row[2] for row in rows])


def test_forms_that_only_look_like_numbers_are_named(tmp_path):
    for cell in ("\uff10.\uff15", "0.5\u00a0", "\u0661"):
        with pytest.raises(InputError, match=r"line 3: b of y is .*, not a number"):
            _numbers(tmp_path, f"gene\ta\tb\nx\t1\t2\ny\t2\t{cell}\nz\t3\t4\n")


def test_a_last_row_without_an_end_is_remarked(tmp_path):
    table = _numbers(tmp_path, "gene\ta\tb\nx\t1\t2\ny\t2\t8.7")
    assert "no line end behind its last row" in table.remarks[0]


def test_what_a_spreadsheet_adds(tmp_path):
    table = _numbers(tmp_path, "sep=;\ngene;a;b;;\nx;1;2;;\n#REF!;2;8.7;;\n# a comment\n", "a.csv")
    assert table.values.to_dict("split")["data"] == [[1.0, 2.0], [2.0, 8.7]]
    assert list(table.values.index) == ["x", "#REF!"]
    assert table.remarks == ("table a.csv: 2 columns without a name and without values were left out",)
    with pytest.raises(InputError, match=r"a name of the first only .'My genes'.; if that is a title"):
        _numbers(tmp_path, "My genes,,\n,,\ngene,a,b\nx,1,2\n", "a.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 1\n", "Git LFS pointer"),
        ("/annex/objects/SHA256E-s1--4d.tsv\n", "git-annex pointer"),
        ("<?xml version='1.0'?><Error/>\n", "XML"),
        ("{\\rtf1 gene a}\n", "rich-text"),
    ],
)
def test_what_stands_in_place_of_a_file_is_named(tmp_path, content, said):
    with pytest.raises(InputError, match=said):
        _numbers(tmp_path, content)


def test_a_column_is_text_where_half_of_its_cells_are(tmp_path):
    half = _numbers(tmp_path, "gene\ta\tb\nw\t1\tone\nx\t2\ttwo\ny\t3\t3\nz\t4\t4\n")
    assert list(half.values.columns) == ["a"]
    assert half.text["b"].tolist() == ["one", "two", "3", "4"]
    with pytest.raises(InputError, match="line 2: b of w is 'one', not a number"):
        _numbers(tmp_path, "gene\ta\tb\nw\t1\tone\nx\t2\t2\ny\t3\t3\nz\t4\t4\n")


def test_columns_aligned_with_blanks_are_read_also_without_comments(tmp_path):
    (tmp_path / "a.txt").write_text("gene   a    b\nx      1    2\n  y    3    4\n")
    found = read_text_table(tmp_path / "a.txt", comment="")
    assert found.frame["gene"].tolist() == ["x", "y"]
    np.testing.assert_array_equal(found.numbers("b"), [2, 4])


@pytest.mark.parametrize("kind", [CheckedText, RowStream])
def test_a_stream_whose_file_did_not_open_can_be_closed(kind):
    """Python 3.13 prints what fails when the interpreter closes such an object; earlier versions kept silent."""
    kind.__new__(kind).close()
