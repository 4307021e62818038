"""Alleles of a VCF or BCF: every kind of record, the genome they belong to, regions with and without an index."""

import gzip
import shutil

import pytest

from cistron.errors import InputError
from cistron.genome import Genome
from cistron.genome.alleles import allele_window, anchors, reverse_complement_codes
from cistron.genome.vcf_sites import read_sites

DNA = "ACGTTGCAACGTACGTTTGACCA" + "N" * 7 + "GATTACAGATTACAGATTACA"
HEADER = "##fileformat=VCFv4.2\n##contig=<ID=1,length=51>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture
def genome(tmp_path):
    (tmp_path / "g.fa").write_text(f">chr1\n{DNA}\n>chr2\n{DNA}\n")
    with Genome(tmp_path / "g.fa", build="toy") as opened:
        yield opened


def written(tmp_path, *rows, header=HEADER, name="v.vcf"):
    path = tmp_path / name
    path.write_text(header + "".join("\t".join((*row.split(), ".", ".", ".")) + "\n" for row in rows))
    return path


def keys(sites):
    return list(
        sites.frame[["chromosome", "position", "ref", "alt", "id"]].itertuples(index=False, name=None)
    )


def test_every_kind_of_record(genome, tmp_path):
    path = written(
        tmp_path,
        "1 1 a A c,G",
        "chr1 3 b GT G",
        "1 5 . T TGG",
        "1 9 c AC TT",
        "1 10 d C *,<DEL>,T",
        "1 11 e G .",
        "1 12 f T T",
        "1 13 g N A",
        "X 3 h A C",
        "1 1 again A C",
        "1 25 n N A",
        "2 1 i A C[2:4[",
    )  # position 13 is A in the genome, and N in a VCF fits everything
    sites = read_sites(path, genome)
    assert keys(sites) == [
        ("chr1", 1, "A", "C", "a;again"),
        ("chr1", 1, "A", "G", "a"),
        ("chr1", 3, "GT", "G", "b"),
        ("chr1", 5, "T", "TGG", "."),
        ("chr1", 9, "AC", "TT", "c"),
        ("chr1", 10, "C", "T", "d"),
        ("chr1", 13, "N", "A", "g"),
        ("chr1", 25, "N", "A", "n"),
    ]
    assert list(sites.skipped["alt"]) == ["*", "<DEL>", ".", "T", "C", "C[2:4["]
    assert sites.counts["named again (one row, all ids)"] == 1
    assert "chr" not in sites.skipped["chromosome"].iloc[0]  # as the file has it
    assert "1:10 *" in sites.summary()


def test_a_mismatch_names_its_row_or_is_counted(genome, tmp_path):
    path = written(tmp_path, "1 1 a A C", "1 2 rs7 G C")
    with pytest.raises(
        InputError, match=r"line 5 \(rs7\): REF at chr1:2 is G, but g.fa has C there.*--skip-mismatch"
    ):
        read_sites(path, genome)
    sites = read_sites(path, genome, skip_mismatch=True)
    assert [row[1] for row in keys(sites)] == [1]
    assert sites.counts["left out: REF is not what the genome has"] == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1 0 a A C", "lies outside"),
        ("1 51 a AC C", "lies outside"),
        ("1 x a A C", "expected the fields"),
        ("1 -3 a A C", "expected the fields"),
    ],
)
def test_damaged_rows_are_named(genome, tmp_path, row, message):
    with pytest.raises(InputError, match=f"line 4.*{message}"):
        read_sites(written(tmp_path, row), genome)


def test_a_row_that_is_cut_is_named(genome, tmp_path):
    with pytest.raises(
        InputError, match="line 4: expected the tab-separated fields CHROM, POS, ID, REF, ALT"
    ):
        read_sites(written(tmp_path, header=HEADER + "1\t3\ta\n"), genome)


def test_another_build_and_nothing_to_use(genome, tmp_path):
    with pytest.raises(InputError, match="another genome build"):
        read_sites(written(tmp_path, "1 1 a A C", header=HEADER.replace("51", "60")), genome)
    with pytest.raises(InputError, match="left out: symbolic"):
        read_sites(written(tmp_path, "1 1 a A <DEL>"), genome)
    with pytest.raises(InputError, match="no variant"):
        read_sites(written(tmp_path), genome)
    with pytest.raises(InputError, match=r"v.vcf has NC_000001\.11, g.fa chr1, chr2: rename"):
        read_sites(written(tmp_path, "NC_000001.11 1 a A C"), genome)


def test_no_header_is_needed_and_gzip_is_read(genome, tmp_path):
    path = written(tmp_path, "1 1 a A C", header="")
    packed = tmp_path / "p.vcf.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert keys(read_sites(packed, genome)) == keys(read_sites(path, genome))
    (tmp_path / "cut.vcf.gz").write_bytes(packed.read_bytes()[:-6])
    with pytest.raises(InputError, match="truncated"):
        read_sites(tmp_path / "cut.vcf.gz", genome)


@pytest.mark.parametrize("region", ["chr1:4-9", "1:4-9", "chr1:4-", "chr1", "chr1:9"])
def test_regions_of_text_of_an_index_and_of_bcf(genome, tmp_path, region):
    pysam = pytest.importorskip("pysam", reason="the optional extra 'variants' is not installed")
    path = written(tmp_path, "1 1 a A C", "1 3 b GT G", "1 9 c A T", "1 10 d C T", header=HEADER + "")
    plain = keys(read_sites(path, genome, region))
    assert [row[4] for row in plain] == {
        "chr1": ["a", "b", "c", "d"],
        "chr1:4-": ["b", "c", "d"],
        "chr1:9": ["c"],
    }.get(region, ["b", "c"])
    shutil.copy(path, tmp_path / "i.vcf")
    indexed = pysam.tabix_index(str(tmp_path / "i.vcf"), preset="vcf")
    assert keys(read_sites(indexed, genome, region)) == plain
    with (
        pysam.VariantFile(str(path)) as source,
        pysam.VariantFile(str(tmp_path / "b.bcf"), "wb", header=source.header) as out,
    ):
        for record in source:
            out.write(record)
    assert keys(read_sites(tmp_path / "b.bcf", genome, region)) == plain
    pysam.tabix_index(str(tmp_path / "b.bcf"), preset="bcf")
    assert keys(read_sites(tmp_path / "b.bcf", genome, region)) == plain


def test_bad_regions_and_bcf_without_the_library(genome, tmp_path, monkeypatch):
    path = written(tmp_path, "1 1 a A C")
    for region in ("chr1:9-4", "chr1:0-4", "chr1:a-b"):
        with pytest.raises(InputError, match="counted from 1"):
            read_sites(path, genome, region)
    with pytest.raises(InputError, match="chrX is not in"):
        read_sites(path, genome, "chrX:1-2")
    monkeypatch.setattr("cistron.genome.bcf.find_pysam", lambda: None)
    (tmp_path / "b.bcf").write_bytes(gzip.compress(b"BCF\2\2" + b"\0" * 20))
    with pytest.raises(InputError, match=r"pip install pysam"):
        read_sites(tmp_path / "b.bcf", genome)


def text(codes):
    return "".join("ACGTN"[code] for code in codes)


@pytest.mark.parametrize(
    ("position", "reference", "alternative"), [(5, b"GC", b"TT"), (6, b"C", b"CGGG"), (6, b"CAACG", b"C")]
)
@pytest.mark.parametrize(("start", "end"), [(0, 20), (4, 12), (7, 14), (-3, 9), (40, 60)])
def test_a_window_keeps_one_side_in_its_place(genome, position, reference, alternative, start, end):
    """The haplotype as a string, cut by hand, is the window."""
    haplotype = DNA[:position] + alternative.decode() + DNA[position + len(reference) :]
    moved = len(alternative) - len(reference)
    for anchor, offset in (("left", 0), ("right", moved)):
        low, high = start + offset, end + offset
        expected = ("N" * max(0, -low) + haplotype[max(0, low) : max(0, high)]).ljust(end - start, "N")
        found = allele_window(genome, ("chr1", start, end), position, reference, alternative, anchor)
        assert text(found) == expected
    assert anchors(reference, alternative) == (("left",) if moved == 0 else ("left", "right"))


def test_reverse_complement_of_codes(genome):
    assert text(reverse_complement_codes(genome.codes("chr1", 20, 33))) == "ATCNNNNNNNTGG"
