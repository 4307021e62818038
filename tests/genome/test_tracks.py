"""Binning of bigWigs: hand-readable numbers, ends of chromosomes, strands, and bad files."""

import os

import numpy as np
import pandas as pd
import pybigtools
import pytest

from cistron.errors import InputError
from cistron.genome.bigwig import assembly_lengths, open_bigwig, reading_bigwig
from cistron.genome.tracks import bin_many, bin_signal, coverage


@pytest.fixture
def bigwig(tmp_path):
    path = tmp_path / "a.bw"
    records = [
        ("chr1", 0, 150, 1.0),
        ("chr1", 150, 160, 5.0),
        ("chr1", 900, 1050, 2.0),
        ("chr2", 100, 200, 3.0),
    ]
    pybigtools.open(str(path), "w").write({"chr1": 1050, "chr2": 500}, iter(records))
    return path


def windows(*rows):
    return pd.DataFrame(rows, columns=["chromosome", "start", "end", "strand"])


def test_means_count_uncovered_base_pairs_as_zero_or_leave_them_out(bigwig):
    place = windows(("chr1", 0, 400, "+"))
    zero = bin_signal(bigwig, place, transform="none")
    np.testing.assert_allclose(zero, [[1.0, (50 + 50) / 100, 0, 0]])
    skip = bin_signal(bigwig, place, transform="none", uncovered="skip")
    np.testing.assert_allclose(skip, [[1.0, 100 / 60, 0, 0]], rtol=1e-6)


def test_logarithm_of_the_mean_and_mean_of_logarithms(bigwig):
    place = windows(("chr1", 100, 200, "+"))
    assert bin_signal(bigwig, place)[0, 0] == pytest.approx(np.log1p(1.0))
    expected = (50 * np.log1p(1) + 10 * np.log1p(5)) / 100
    assert bin_signal(bigwig, place, transform="mean-log1p")[0, 0] == pytest.approx(expected)
    skipped = bin_signal(bigwig, place, transform="mean-log1p", uncovered="skip")
    assert skipped[0, 0] == pytest.approx(expected * 100 / 60)


@pytest.mark.parametrize("transform", ["none", "mean-log1p"])
def test_windows_reach_beyond_both_ends(bigwig, transform):
    place = windows(("chr1", -150, 150, "+"), ("chr1", 850, 1150, "+"), ("chr1", 1040, 1340, "+"))
    value = np.log1p if transform == "mean-log1p" else np.asarray
    # -150..-50 does not exist, half of -50..50 does; 950..1050 is whole, 1050..1150 does not exist
    expected = [[0, 1, 1], [2 * 0.5, 2, 0], [2, 0, 0]]
    if transform == "mean-log1p":
        expected = [[0, value(1), value(1)], [0.5 * value(2), value(2), 0], [value(2), 0, 0]]
    np.testing.assert_allclose(bin_signal(bigwig, place, transform=transform), expected, rtol=1e-6)


def test_the_minus_strand_is_reversed_and_names_are_reconciled(bigwig):
    forward, backward = bin_signal(bigwig, windows(("1", 0, 300, "+"), ("1", 0, 300, "-")), transform="none")
    np.testing.assert_allclose(forward[::-1], backward)
    assert forward[0] == 1


def test_bins_equal_the_means_of_all_base_pairs(tmp_path):
    random = np.random.default_rng(0)
    edges = np.sort(random.choice(5000, 400, replace=False))
    records = [
        ("chr1", int(a), int(b), float(v)) for a, b, v in zip(edges[:-1:2], edges[1::2], random.random(200))
    ]
    path = tmp_path / "r.bw"
    pybigtools.open(str(path), "w").write({"chr1": 5000}, iter(records))
    bases = np.zeros(5000)
    for _, start, end, value in records:
        bases[start:end] = np.float32(value)
    found = bin_signal(path, windows(("chr1", 137, 4137, "+")), bin_size=50, transform="none")
    np.testing.assert_allclose(found[0], bases[137:4137].reshape(-1, 50).mean(axis=1), rtol=1e-5, atol=1e-7)
    assert coverage(path) == pytest.approx(sum(end - start for _, start, end, _ in records) / 5000)


def test_many_files_in_processes_equal_one_after_the_other(bigwig, tmp_path):
    place = windows(("chr1", 0, 300, "+"), ("chr2", 0, 300, "-"))
    tracks = {"first": bigwig, "second": bigwig}
    one = bin_many(tracks, place, tmp_path / "one")
    two = bin_many(tracks, place, tmp_path / "two", workers=2)
    for name in tracks:
        assert (np.load(one[name]) == np.load(two[name])).all()


def test_bad_files_are_told(bigwig, tmp_path):
    with pytest.raises(InputError, match=r"a.bw has no chromosome chr3 and 1 more; it has chr1, chr2"):
        bin_signal(bigwig, windows(("chr3", 0, 100, "+"), ("chr4", 0, 100, "+")))
    with pytest.raises(InputError, match="begins behind the chromosome"):
        bin_signal(bigwig, windows(("chr2", 500, 700, "+")))
    with pytest.raises(InputError, match="does not exist"):
        bin_signal(tmp_path / "none.bw", windows(("chr1", 0, 100, "+")))
    (tmp_path / "broken.bw").write_bytes(b"not a bigwig")
    with pytest.raises(InputError, match="is text"):
        bin_signal(tmp_path / "broken.bw", windows(("chr1", 0, 100, "+")))
    for name, value, words in (("minus", -1.0, "negative signal near chr1:0"), ("nan", np.nan, "holds NaN")):
        path = tmp_path / f"{name}.bw"
        pybigtools.open(str(path), "w").write({"chr1": 500}, iter([("chr1", 0, 100, value)]))
        for transform in ("log1p-mean", "mean-log1p"):
            with pytest.raises(InputError, match=words):
                bin_signal(path, windows(("chr1", 0, 200, "+")), transform=transform)


def test_real_bigwigs_are_read(test_data):
    path = test_data / "sequence/bigwig_small/bigwig_chrx_2e6_5e6.bw"
    handle = pybigtools.open(str(path))
    found = bin_signal(path, windows(("X", 3_000_000, 3_020_000, "+")), transform="none")
    bases = np.nan_to_num(handle.values("chrX", 3_000_000, 3_020_000, fillna=0.0))
    np.testing.assert_allclose(found[0], bases.reshape(-1, 100).mean(axis=1), rtol=1e-5, atol=1e-6)


def write(path, records, **lengths):
    pybigtools.open(str(path), "w").write(lengths, iter(records))
    return path


def test_infinite_signal_is_refused(tmp_path):
    for value in (np.inf, -np.inf, np.nan):
        path = write(tmp_path / "a.bw", [("chr1", 0, 50, 1.0), ("chr1", 50, 60, value)], chr1=500)
        with pytest.raises(InputError, match=r"a\.bw holds (infinite signal|NaN)"):
            bin_signal(path, windows(("chr1", 100, 300, "+")))


def test_a_chromosome_without_records_is_zero_where_the_assembly_has_it(tmp_path):
    path = write(tmp_path / "a.bw", [("chr1", 0, 100, 2.0)], chr1=500)
    place = windows(("2", 0, 200, "+"), ("chr1", 0, 200, "-"))
    found = bin_signal(path, place, transform="none", lengths={"chr1": 500, "chr2": 400})
    np.testing.assert_allclose(found, [[0, 0], [0, 2]])
    for options in ({"uncovered": "skip", "lengths": {"chr2": 400}}, {"lengths": {"chr3": 400}}):
        with pytest.raises(InputError, match="no chromosome 2"):
            bin_signal(path, place, **options)


@pytest.mark.parametrize("left", [0.02, 0.1, 0.4, 0.7])
def test_a_truncated_bigwig_is_one_error(tmp_path, capfd, left):
    records = [("chr1", start, start + 7, float(start % 11)) for start in range(0, 200_000, 8)]
    path = write(tmp_path / "a.bw", records, chr1=200_000)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(left * len(whole))])
    with pytest.raises(InputError, match=r"bigWig a\.bw is damaged or truncated"):
        bin_signal(path, windows(("chr1", 0, 20_000, "+"), ("chr1", 150_000, 170_000, "+")))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("seed", range(12))
def test_a_bigwig_with_overwritten_bytes_never_gives_a_traceback(tmp_path, capfd, seed):
    records = [("chr1", start, start + 7, float(start % 11)) for start in range(0, 40_000, 8)]
    path = write(tmp_path / "a.bw", records, chr1=40_000)
    content = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    start = int(random.integers(4, len(content) - 40))
    content[start : start + 40] = random.bytes(40)
    path.write_bytes(content)
    try:
        bin_signal(path, windows(("chr1", 0, 40_000, "+")))
    except InputError as error:
        assert "a.bw" in str(error) or "chr1" in str(error)  # noqa: PT017  (either outcome is right, a panic is not)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"chr1\t0\t100\t1.5\nchr1\t100\t200\t2\n", "is text (bedGraph or wig?)"),
        (b"track type=wiggle_0\nfixedStep chrom=chr1 start=1 step=1\n1\n", "is text"),
        (b"", "is empty"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "packed with gzip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(80), "is not a bigWig"),
        (b"\xeb\xf2\x89\x87" + bytes(80), "is a bigBed"),
        (b"\x26\xfc\x8f\x88", "damaged or truncated"),
        (b"\x26\xfc\x8f\x88" + bytes(90), "damaged or truncated"),
    ],
)
def test_what_is_no_bigwig_is_said(tmp_path, content, words):
    (tmp_path / "a.bw").write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_bigwig(tmp_path / "a.bw")
    assert words in str(caught.value)


def test_what_others_print_while_a_bigwig_is_read_is_not_lost(tmp_path, capfd):
    with reading_bigwig(tmp_path / "a.bw"):
        os.write(2, b"a warning\n")
    assert capfd.readouterr().err == "a warning\n"


def test_bigwigs_of_one_assembly(tmp_path):
    a = write(tmp_path / "a.bw", [("chr1", 0, 9, 1.0), ("chrM", 0, 9, 1.0)], chr1=500, chrM=16571)
    b = write(
        tmp_path / "b.bw",
        [("1", 0, 9, 1.0), ("2", 0, 9, 1.0), ("MT", 0, 9, 1.0)],
        **{"1": 500, "2": 400, "MT": 16569},
    )
    assert assembly_lengths([a, b]) == {"chr1": 500, "2": 400, "chrM": 16571}
    shifted = write(tmp_path / "c.bw", [("chr2", 0, 9, 1.0), ("chr1", 0, 9, 1.0)], chr1=503, chr2=400)
    with pytest.raises(
        InputError, match=r"different assemblies: chr1 has 500 bp in a\.bw and 503 bp in c\.bw"
    ):
        assembly_lengths([a, b, shifted])
    other = write(tmp_path / "d.bw", [("scaffold", 0, 9, 1.0)], scaffold=400)
    with pytest.raises(InputError, match=r"d\.bw shares no chromosome"):
        assembly_lengths([a, other])
    named = write(tmp_path / "e.bw", [("chr1", 0, 9, 1.0)], chr1=249_250_621)
    assert (
        assembly_lengths([named], "hg19") == assembly_lengths([named], "my strain") == {"chr1": 249_250_621}
    )
    with pytest.raises(InputError, match=r"e\.bw is of GRCh37 .* not of hg38"):
        assembly_lengths([named], "hg38")
