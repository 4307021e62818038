"""FASTA windows and regions, against text that is read whole."""

import bz2
import gzip
import lzma
import os
import time
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cistron.errors import InputError
from cistron.genome import (
    Genome,
    build_name,
    centred_windows,
    check_regions,
    encode,
    one_hot,
    read_regions,
    reverse_complement,
)
from cistron.genome.fasta import IndexedFasta


def bgzip(data: bytes, block: int = 100) -> bytes:
    """Compress as bgzip does: gzip members with their size in an extra field, and an empty one at the end."""
    out = b""
    for start in [*range(0, len(data), block), len(data)]:
        piece = data[start : start + block]
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(piece) + packer.flush()
        size = len(body) + 26
        head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + (size - 1).to_bytes(2, "little")
        out += head + body + zlib.crc32(piece).to_bytes(4, "little") + len(piece).to_bytes(4, "little")
    return out


DNA = {"chr1": "ACGTNacgtn" * 9 + "AC", "chrM": "GGGTTT", "2": "A" * 61}


def fasta_text(width: int = 13) -> bytes:
    parts = []
    for name, dna in DNA.items():
        lines = [dna[start : start + width] for start in range(0, len(dna), width)]
        parts.append(f">{name} some words\n" + "\n".join(lines) + "\n")
    return "".join(parts).encode()


@pytest.fixture(params=["plain", "bgzip"])
def genome(request, tmp_path):
    path = tmp_path / ("g.fa" if request.param == "plain" else "g.fa.gz")
    path.write_bytes(fasta_text() if request.param == "plain" else bgzip(fasta_text()))
    return Genome(path, build="toy")


def test_windows_are_the_text(genome):
    letters = "ACGTN"
    for name, dna in DNA.items():
        assert genome.lengths[name] == len(dna)
        for start in range(-3, len(dna) + 2):
            for size in (1, 5, 30):
                padded = "N" * 3 + dna.upper() + "N" * 40
                expected = padded[start + 3 : start + 3 + size]
                found = "".join(letters[code] for code in genome.codes(name, start, start + size))
                assert found == expected


def test_an_index_is_kept_and_used(genome):
    index = genome.path.with_name(genome.path.name + ".fai")
    rows = [line.split("\t") for line in index.read_text().splitlines()]
    assert rows[0] == ["chr1", "92", "17", "13", "14"]
    again = Genome(genome.path, build="toy")
    assert (again.codes("chr1", 0, 92) == genome.codes("chr1", 0, 92)).all()


def test_chromosome_names_are_reconciled(genome):
    assert genome.chromosome("1") == "chr1"
    assert genome.chromosome("chr2") == "2"
    assert genome.chromosome("MT") == "chrM"
    with pytest.raises(InputError, match=r"chromosome chr7 is not in g\.fa.*, which has chr1, chrM, 2"):
        genome.chromosome("chr7")


def test_one_hot_order_and_unknown():
    assert one_hot(encode("acgtN")).tolist() == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [0, 0, 0, 0],
    ]


@given(st.text("ACGTNacgtn", min_size=1))
def test_reverse_complement_twice_is_the_same(dna):
    array = one_hot(encode(dna))
    assert (reverse_complement(reverse_complement(array)) == array).all()
    complement = dna.upper().translate(str.maketrans("ACGT", "TGCA"))[::-1]
    assert (reverse_complement(array) == one_hot(encode(complement))).all()


def test_ambiguous_letters():
    with pytest.raises(InputError, match=r"letter 'R' at position 3.*--ambiguous n"):
        encode("ACRT")
    assert encode("ACRT", "n").tolist() == [0, 1, 4, 3]
    with pytest.raises(InputError, match="is this DNA"):
        encode("MEEPQSDPSV", "n")


def test_builds_are_named_never_guessed(tmp_path, genome):
    assert build_name("hg38") == build_name("GRCh38.p14") == "GRCh38"
    assert build_name("mm10") == "GRCm38"
    nameless = Genome(genome.path)
    with pytest.raises(InputError, match="name it with --build"):
        nameless.require_build()


def test_a_wrong_build_is_noticed(tmp_path):
    # 248,956,422 bp is chromosome 1 of GRCh38; its letters are a hole in the file, which takes no room
    path = tmp_path / "hg38.fa"
    path.write_text(">chr1\n")
    os.truncate(path, 6 + 248_956_422)
    (tmp_path / "hg38.fa.fai").write_text("chr1\t248956422\t6\t248956422\t248956423\n")
    assert Genome(path).build == "GRCh38"
    with pytest.raises(
        InputError, match="was called hg19, but its chromosome 1 or its header is that of GRCh38"
    ):
        Genome(path, build="hg19")


def reference(path):
    """Sequences of a FASTA, read whole."""
    found, name = {}, ""
    for line in path.read_text().splitlines():
        if line.startswith(">"):
            name = line[1:].split()[0]
            found[name] = ""
        else:
            found[name] += line.strip()
    return found


EDITS = {
    "a longer header": lambda text: text.replace(">chr1 some", ">chr1 quite some"),
    "a shorter header": lambda text: text.replace(">chrM some words", ">chrM"),
    "a renamed sequence": lambda text: text.replace(">chrM", ">chrX"),
    "an added sequence": lambda text: text + ">new\nACGT\n",
    "an added sequence in front": lambda text: ">new\nACGT\n" + text,
    "added letters": lambda text: text[:-1] + "ACG\n",
    "inserted letters": lambda text: text.replace("\n>chrM", "A\n>chrM"),
    "removed letters": lambda text: text.replace("C\n>chrM", "\n>chrM"),
    "other lines": lambda _: fasta_text(17).decode(),
    "lines of one more": lambda _: fasta_text(14).decode(),
    "other ends of lines": lambda text: text.replace("\n", "\r\n"),
    "a sequence less": lambda text: text[: text.index(">chr1")] + text[text.index(">chrM") :],
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("pack", [bytes, bgzip])
def test_an_index_that_no_longer_fits_is_made_again(tmp_path, remarks, edit, pack):
    path = tmp_path / "g.fa"
    path.write_bytes(pack(fasta_text()))
    IndexedFasta(path)
    text = EDITS[edit](fasta_text().decode())
    path.write_bytes(pack(text.encode()))
    index = tmp_path / "g.fa.fai"
    os.utime(index, (time.time() + 60,) * 2)
    genome = Genome(path, build="toy", ambiguous="n")
    (tmp_path / "plain.fa").write_text(text)
    expected = reference(tmp_path / "plain.fa")
    assert dict(genome.lengths) == {name: len(dna) for name, dna in expected.items()}
    for name, dna in expected.items():
        np.testing.assert_array_equal(genome.codes(name, 0, len(dna)), encode(dna))
    assert "g.fa.fai does not fit g.fa" in remarks()
    Genome(path, build="toy")
    assert "does not fit" not in remarks()


@pytest.mark.parametrize("left", [0.2, 0.6, 0.97])
def test_a_truncated_fasta_is_refused_by_its_index(tmp_path, left):
    path = tmp_path / "g.fa"
    path.write_bytes(fasta_text())
    IndexedFasta(path)
    path.write_bytes(fasta_text()[: int(left * len(fasta_text()))])
    with pytest.raises(InputError, match=r"g\.fa is truncated: by its index"):
        IndexedFasta(path)


@pytest.mark.parametrize(
    "content", [b"", b"chr1\n", b"\x00\x01\xff", b"chr1\tx\t1\t2\t3\n", b"chr1\t5\t0\t0\t0\n"]
)
def test_a_damaged_index_is_made_again(tmp_path, content):
    path = tmp_path / "g.fa"
    path.write_bytes(fasta_text())
    (tmp_path / "g.fa.fai").write_bytes(content)
    os.utime(tmp_path / "g.fa.fai", (time.time() + 60,) * 2)
    assert Genome(path, build="toy").lengths == {name: len(dna) for name, dna in DNA.items()}


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_fasta_that_is_packed_otherwise_is_unpacked_once(tmp_path, remarks, suffix, pack):
    path = tmp_path / f"g.fa{suffix}"
    path.write_bytes(pack(fasta_text()))
    genome = Genome(path, build="toy")
    np.testing.assert_array_equal(genome.codes("2", 0, 61), encode(DNA["2"]))
    copy = tmp_path / "g.unpacked.fa"
    assert copy.read_bytes() == fasta_text()
    assert "is unpacked once into" in remarks()
    Genome(path, build="toy")
    assert "unpacked once" not in remarks()
    assert path.read_bytes() == pack(fasta_text())


def test_a_packed_fasta_that_changed_is_unpacked_again_and_nothing_of_the_user_is_replaced(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("CISTRON_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "g.fa.gz"
    path.write_bytes(gzip.compress(fasta_text()))
    (tmp_path / "g.unpacked.fa").write_text("mine")
    os.utime(tmp_path / "g.unpacked.fa", (0, 0))
    assert Genome(path, build="toy").lengths["chrM"] == 6
    path.write_bytes(gzip.compress(b">chrM\nACG\n"))
    os.utime(path, (10, 10))
    assert Genome(path, build="toy").lengths == {"chrM": 3}
    assert (tmp_path / "g.unpacked.fa").read_text() == "mine"


@pytest.mark.parametrize("left", [0.1, 0.5, 0.99])
def test_a_packed_fasta_that_is_cut_is_refused_and_leaves_nothing(tmp_path, left):
    packed = gzip.compress(fasta_text() * 1, compresslevel=1)
    path = tmp_path / "g.fa.gz"
    path.write_bytes(packed[: int(left * len(packed))])
    with pytest.raises(InputError, match=r"g\.fa\.gz"):
        Genome(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["g.fa.gz"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.fa", b"", "no sequence"),
        ("a.fa", b"ACGT\n", "does not begin with '>'"),
        ("a.fa", b">x\nACGT\nACGTACGT\n", "differ in length"),
        ("a.fa", b">x\nACGT\n>x\nACGT\n", "occurs twice"),
        ("a.fa.gz", gzip.compress(b"", mtime=0), "empty"),
        ("a.fa.gz", bgzip(b">x\nACGT\n" * 50)[:-40], "truncated"),
    ],
)
def test_bad_fasta(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        IndexedFasta(tmp_path / name)


def test_absent_fasta(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        Genome(tmp_path / "none.fa")


def test_regions(tmp_path, genome):
    path = tmp_path / "r.bed"
    path.write_text("track name=x\n#c\nchr1\t10\t20\tfirst\t0\t-\n1\t5\t6\nchr2\t0\t61\t.\n")
    regions = read_regions(path)
    assert regions["name"].tolist() == ["first", "1:5-6", "chr2:0-61"]
    assert regions["strand"].tolist() == ["-", ".", "."]
    checked = check_regions(regions, genome)
    assert checked["chromosome"].tolist() == ["chr1", "chr1", "2"]
    windows = centred_windows(checked, 8)
    assert windows[["start", "end"]].to_numpy().tolist() == [[11, 19], [1, 9], [26, 34]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty|no region"),
        ("#only a comment\n", "no region"),
        ("chr1\t5\n", "line 1: expected chromosome, start and end"),
        ("chr1\tx\t7\n", "expected chromosome, start and end"),
        ("chr1\t9\t7\n", "0 <= start < end"),
    ],
)
def test_bad_regions(tmp_path, text, words):
    path = tmp_path / "r.bed"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_regions(path)


def test_regions_off_the_end(tmp_path, genome):
    path = tmp_path / "r.bed"
    path.write_text("chr1\t90\t93\n")
    with pytest.raises(InputError, match=r"end behind their chromosome.*another genome build"):
        check_regions(read_regions(path), genome)
    path.write_text("chr9\t90\t93\n")
    with pytest.raises(InputError, match="chromosome chr9 is not in"):
        check_regions(read_regions(path), genome)


def test_real_bgzip_fasta(test_data):
    path = test_data / "sequence/baskerville_tiny/hg38_1m.fa.gz"
    with gzip.open(path, "rt") as handle:
        text = "".join(line.strip() for line in handle if line[0] != ">")
    with Genome(path, build="hg38") as genome:
        assert genome.lengths == {"chr1": 1_000_000}
        assert (genome.codes("1", 0, 1_000_000) == encode(text)).all()
        assert np.bincount(genome.codes("1", 0, 20_000))[4] == 10_000  # a telomere
