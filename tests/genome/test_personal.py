"""A person's own DNA: variants put into windows, checked by eye and against strings put together by hand."""

import gzip
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.errors import InputError
from cistron.genome import Genome, PersonSettings, open_genome
from cistron.genome.personal import Haplotype, apply_changes
from cistron.genome.variants import Changes, trimmed

#        0         1
#        01234567890123456789
TWENTY = "ACGTACGTACGTACGTACGT"
HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"


def vcf(path, rows, samples="ann", header=""):
    """Write rows ``(position from 1, REF, ALT, genotype ...)`` on chromosome 1."""
    lines = [
        f"chr1\t{position}\t.\t{reference}\t{alternative}\t.\tPASS\t.\tGT\t" + "\t".join(calls)
        for position, reference, alternative, *calls in rows
    ]
    path.write_text(header + HEADER + "\t".join(samples.split()) + "\n" + "\n".join(lines) + "\n")
    return path


def made(fasta, variants, build="toy", **options):
    """Open the genome of a person."""
    return open_genome(fasta, build, person=PersonSettings(variants, **options))


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "twenty.fa"
    path.write_text(f">chr1\n{TWENTY}\n")
    return path


@pytest.fixture
def person(fasta, tmp_path):
    """Make a person from rows."""

    def _make(rows, samples="ann", **options):
        name = options.pop("name", "v.vcf")
        return made(fasta, vcf(tmp_path / name, rows, samples), **options)

    return _make


def bgzip(data):
    """Compress as bgzip does, in blocks of 40 letters."""
    out = b""
    for start in [*range(0, len(data), 40), len(data)]:
        piece = data[start : start + 40]
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(piece) + packer.flush()
        head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + (len(body) + 25).to_bytes(2, "little")
        out += head + body + zlib.crc32(piece).to_bytes(4, "little") + len(piece).to_bytes(4, "little")
    return out


def as_bcf(path, length=20):
    """Write a VCF as BCF, beside it."""
    pysam = pytest.importorskip("pysam", reason="the optional extra 'variants' is not installed")
    lines = '##contig=<ID=chr1,length=%d>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="g">\n##FILTER=<ID=bad,Description="b">\n'
    first, rest = path.read_text().split("\n", 1)
    path = path.with_name("with_contigs.vcf")
    path.write_text(f"{first}\n{lines % length}{rest}")
    out = path.with_name("v.bcf")
    with (
        pysam.VariantFile(str(path)) as source,
        pysam.VariantFile(str(out), "wb", header=source.header) as to,
    ):
        for record in source:
            to.write(record)
    return out


def letters(codes):
    return "".join("ACGTN"[code] for code in codes)


def both(person, start=0, end=20):
    return [letters(copy.codes("chr1", start, end)) for copy in person.copies]


def test_a_substitution_on_one_haplotype(person):
    assert both(person([(3, "G", "T", "0|1")])) == [TWENTY, "ACTTACGTACGTACGTACGT"]
    assert both(person([(3, "g", "t", "1|0")])) == ["ACTTACGTACGTACGTACGT", TWENTY]
    assert both(person([(3, "G", "T", "1/1")])) == ["ACTTACGTACGTACGTACGT"] * 2


def test_a_deletion_left_of_the_middle_draws_letters_in_from_the_left(person):
    #  the middle, position 10 (a G), stays where it is; ACGT at 4..7 is gone, beyond the left end is N
    first, second = both(person([(4, "TACGT", "T", "1|0")]))
    assert first == "NNNNACGT" + TWENTY[8:]
    assert second == TWENTY


def test_a_deletion_right_of_the_middle_draws_letters_in_from_the_right(person):
    assert both(person([(13, "ACGT", "A", "0|1")]))[1] == TWENTY[:13] + TWENTY[16:] + "NNN"


def test_an_insertion_pushes_letters_out(person):
    # TTT comes between 1 and 2: three letters on the left fall out
    assert both(person([(2, "C", "CTTT", "1|1")]))[0] == ("AC" + "TTT" + TWENTY[2:10])[3:] + TWENTY[10:]
    # behind the middle: three letters on the right fall out
    assert both(person([(15, "G", "GTTT", "1|1")]))[0] == TWENTY[:15] + "TTT" + TWENTY[15:17]


def test_changes_at_the_middle_itself(person):
    # TT comes behind the middle letter, which stays in the middle
    assert both(person([(11, "G", "GTT", "1|1")]))[0] == TWENTY[:11] + "TT" + TWENTY[11:18]
    # the middle letter is deleted: the next one that is left takes its place
    assert both(person([(10, "CG", "C", "1|1")]))[0] == TWENTY[:10] + TWENTY[11:] + "N"


def test_windows_inside_the_chromosome_are_filled_from_beyond(person):
    """Window 8..12: its middle, 10, keeps its place and the letters come from outside the window."""
    ann = person([(9, "AC", "A", "1|0"), (12, "T", "TGG", "1|0")])
    # first haplotype: 0-based 9 (C) is deleted, GG comes behind 11
    assert both(ann, 6, 14)[0] == "CGTA" + "GT" + "GG"
    assert both(ann, 6, 14)[1] == TWENTY[6:14]


def test_places_of_start_sites_shift_with_insertions_and_deletions(person):
    ann = person([(4, "TACGT", "T", "1|0"), (15, "G", "GTTT", "1|0")])
    first, second = ann.copies
    sites = [3, 4, 8, 10, 14, 15]
    assert second.offsets("chr1", 0, 20, sites).tolist() == sites
    # letters before the deletion move right by 4; a deleted site is where the next letter stands
    assert first.offsets("chr1", 0, 20, sites).tolist() == [7, 8, 8, 10, 14, 18]
    assert first.offsets("chr1", 0, 20, [-9, 17, 99]).tolist() == [-1, 20, 20]  # not in it
    assert first.position("chr1", 0, 20, 7) == 3
    assert first.position("chr1", 0, 20, 15) == 14  # inserted, behind 14
    assert Genome(ann.path, "toy").offsets("chr1", 5, 15, [3, 7]).tolist() == [-2, 2]


def test_several_alternatives(person):
    assert both(person([(3, "G", "T,A", "1|2")])) == ["ACTTACGTACGTACGTACGT", "ACATACGTACGTACGTACGT"]
    # the second haplotype of a spanning deletion: '*' adds nothing to it
    ann = person([(3, "GTA", "G", "0|1"), (4, "T", "C,*", "1|2")])
    assert both(ann) == ["ACGCACGTACGTACGTACGT", "NNACGCGTACGTACGTACGT"]
    assert ann.variants.counts == {"carried": 2}


def test_missing_haploid_and_unphased_genotypes(person):
    ann = person(
        [
            (1, "A", "C", "."),
            (2, "C", "G", "./."),
            (3, "G", "T", ".|1"),
            (5, "A", "C", "1"),  # one copy: it stands for both
            (6, "C", "T", "0/1"),
            (7, "G", "A", "0/0"),
        ]
    )
    assert both(ann) == ["ACGTCCGTACGTACGTACGT", "ACTTCTGTACGTACGTACGT"]
    counts = ann.variants.counts
    assert counts["carried"] == 3
    assert counts["with a missing allele (taken as the reference)"] == 3
    assert counts["unphased heterozygotes (alleles taken as written)"] == 1
    assert "3 variants of sample ann; 3 with a missing allele" in ann.variants.summary()
    with pytest.raises(InputError, match=r"line 3: the genotype is heterozygous without a phase.*--unphased"):
        person([(6, "C", "T", "0/1")], unphased="error")


def test_what_cannot_be_applied_is_left_out_and_counted(person, tmp_path, fasta):
    ann = person(
        [
            (1, "A", "<DEL>", "1|1"),
            (3, "G", "G[chr2:5[", "0|1"),
            (5, "ACG", "A", "1|1"),
            (6, "C", "T", "1|1"),  # within the deletion
            (9, "A", "T", "1|0"),
        ]
    )
    assert both(ann)[0] == "NN" + "ACGTA" + "TTCGTACGTACGT"
    counts = ann.variants.counts
    assert counts["left out: symbolic alleles and others that are not plain DNA"] == 3
    assert counts["left out: overlap an earlier change of the haplotype"] == 2
    path = vcf(tmp_path / "f.vcf", [(3, "G", "T", "1|1"), (5, "A", "T", "1|1"), (7, "G", "T", "1|1:x")])
    text = path.read_text().replace("PASS", "LowQual", 1).replace("chr1\t5", "chr77\t5")
    path.write_text(text)
    ann = made(fasta, path)
    assert both(ann)[0] == "ACGTACTTACGTACGTACGT"
    assert ann.variants.counts["left out: FILTER is not PASS"] == 1
    assert ann.variants.counts["left out: on chromosomes that twenty.fa lacks"] == 1


def test_chromosome_names_and_compression(fasta, tmp_path):
    path = vcf(tmp_path / "v.vcf", [(3, "G", "T", "0|1")])
    packed = tmp_path / "v.vcf.gz"
    packed.write_bytes(gzip.compress(path.read_text().replace("chr1", "1").encode()))
    assert both(made(fasta, packed))[1] == "ACTTACGTACGTACGTACGT"


def test_a_sample_is_chosen_by_name(person):
    rows = [(3, "G", "T", "0|1", "1|1"), (5, "A", "C", "0|0", "1|0")]
    assert both(person(rows, "ann bob", sample="bob")) == ["ACTTCCGTACGTACGTACGT", "ACTTACGTACGTACGTACGT"]
    assert both(person(rows, "ann bob", sample="ann", haplotype="2")) == ["ACTTACGTACGTACGTACGT"]
    with pytest.raises(InputError, match="2 samples; name one with --sample: ann, bob"):
        person(rows, "ann bob")
    with pytest.raises(InputError, match="no sample 'eve'; it has ann, bob"):
        person(rows, "ann bob", sample="eve")
    with pytest.raises(InputError, match="both, 1 or 2"):
        person(rows, "ann bob", sample="ann", haplotype="3")


def test_another_build_is_an_error(person, fasta, tmp_path):
    with pytest.raises(InputError, match=r"v.vcf: REF at chr1:3 is T, but twenty.fa has G there \(1 of 2"):
        person([(3, "T", "G", "0|1"), (5, "A", "C", "0|1")])
    path = vcf(tmp_path / "c.vcf", [(3, "G", "T", "0|1")], header="##contig=<ID=1,length=249250621>\n")
    with pytest.raises(InputError, match=r"another genome build, GRCh37: its header gives 1 249,250,621 bp"):
        made(fasta, path)
    assert made(fasta, path, build="hg19").build == "GRCh37"  # a genome that was cut short
    with pytest.raises(InputError, match="behind the end of the chromosome"):
        person([(300, "T", "G", "0|1")])


def test_a_difference_that_the_first_look_missed_stops_the_window(fasta):
    """Of a whole genome only some changes are compared at the start; windows compare all of theirs."""
    changes = Changes(np.array([4]), np.array([5]), [b"C"], [b"G"])
    haplotype = Haplotype(Genome(fasta, "toy"), lambda *region: changes, "v.vcf")
    with pytest.raises(InputError, match=r"REF at chr1:5 is G, but twenty.fa has A there"):
        haplotype.codes("chr1", 0, 20)
    assert letters(haplotype.codes("chr1", 6, 16)) == TWENTY[6:16]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no #CHROM line"),
        ("chr1\t3\t.\tG\tT\n", "line 1: expected a VCF header"),
        (HEADER.rsplit("\tFORMAT", 1)[0] + "\n", "no genotypes"),
        (HEADER + "ann\n", "carries no variant that can be applied (no record)"),
        (HEADER + "ann\nchr1\tx\t.\tG\tT\t.\tPASS\t.\tGT\t0|1\n", "line 3: expected the fields"),
        (HEADER + "ann\nchr1\t3\t.\tG\tT\t.\tPASS\t.\tGT\tA|1\n", "line 3: expected the fields"),
        (
            HEADER + "ann\nchr1\t3\t.\tG\tT\t.\tPASS\t.\tGT\n",
            "line 3: 9 tab-separated fields, but the header has 10",
        ),
        (HEADER + "ann\nchr1\t3\t.\tG\tT\t.\tPASS\t.\tGT\t0|1\t1|1\n", "line 3: 11 tab-separated fields"),
        (HEADER + "ann\nchr1\t3\t.\tG\tT\t.\tPASS\t.\tGT\t-1|1\n", "line 3: expected the fields"),
        (HEADER + "ann\nchr1\t3\t.\tG\tT\t.\tPASS\t.\tGT\t0|\n", "line 3: expected the fields"),
        (HEADER + "ann\nchr1\t3\t.\tG\tT\t.\tPASS\t.\tGT\t1_0|1\n", "line 3: expected the fields"),
        (HEADER + "ann\nchr1\t+3\t.\tG\tT\t.\tPASS\t.\tGT\t0|1\n", "line 3: expected the fields"),
        (HEADER + "ann\nchr1\t3\t.\t\tT\t.\tPASS\t.\tGT\t0|1\n", "line 3: expected the fields"),
        (HEADER + "ann\nchr1\t3\t.\tG\tT\t.\tPASS\t.\tGT\t0|2\n", "names allele 2, ALT has 1"),
        (HEADER + "ann\nchr1\t3\t.\tG\tT\t.\tPASS\t.\tDP\t7\n", "1 left out: without a genotype"),
        ("BCF\2\2", "bad.vcf cannot be read"),
    ],
)
def test_files_that_are_no_use(fasta, tmp_path, text, words):
    path = tmp_path / "bad.vcf"
    path.write_text(text)
    with pytest.raises(InputError) as found:
        made(fasta, path)
    assert words in str(found.value)


def test_chromosomes_that_do_not_stand_together(tmp_path):
    (tmp_path / "g.fa").write_text(f">chr1\n{TWENTY}\n>chr2\n{TWENTY}\n")
    path = vcf(tmp_path / "v.vcf", [(3, "G", "T", "0|1"), (5, "A", "T", "0|1"), (7, "G", "T", "0|1")])
    text = path.read_text()
    path.write_text(text.replace("chr1\t7", "chr2\t7"))
    ann = made(tmp_path / "g.fa", path)
    assert letters(ann.copies[1].codes("chr1", 0, 20)) == "ACTTTCGTACGTACGTACGT"
    assert letters(ann.copies[1].codes("chr2", 0, 20)) == "ACGTACTTACGTACGTACGT"
    path.write_text(text.replace("chr1\t5", "chr2\t5"))
    with pytest.raises(InputError, match="line 5: records of chr1 do not stand together"):
        made(tmp_path / "g.fa", path)


def test_truncated_and_absent_files(fasta, tmp_path):
    whole = gzip.compress(vcf(tmp_path / "v.vcf", [(3, "G", "T", "0|1")] * 900).read_bytes())
    path = tmp_path / "v.vcf.gz"
    path.write_bytes(whole[:-30])
    with pytest.raises(InputError, match="may be truncated"):
        made(fasta, path)
    # a bgzip file that lost its last blocks at the border of one
    block = bytearray(gzip.compress(b"##fileformat=VCFv4.2\n", mtime=0))
    block[3] = 4
    block[10:10] = b"\x06\x00BC\x02\x00" + (len(block) + 7).to_bytes(2, "little")
    path.write_bytes(bytes(block))
    with pytest.raises(InputError, match="its last bgzip block is missing"):
        made(fasta, path)
    with pytest.raises(InputError, match="do not exist"):
        made(fasta, tmp_path / "none.vcf")
    with pytest.raises(InputError, match="are a folder"):
        made(fasta, tmp_path)


def test_trimming():
    assert trimmed(10, b"AT", b"A") == (11, b"T", b"")
    assert trimmed(10, b"A", b"AT") == (11, b"", b"T")
    assert trimmed(10, b"CAG", b"CTG") == (11, b"A", b"T")
    assert trimmed(10, b"GCA", b"TCA") == (10, b"G", b"T")
    assert trimmed(10, b"AAA", b"A") == (11, b"AA", b"")
    assert trimmed(10, b"A", b"A") == (11, b"", b"")


def test_applying_to_a_piece():
    changes = Changes(np.array([1, 3, 5]), np.array([1, 5, 6]), [b"TT", b"", b"G"], [b"", b"AC", b"A"])
    codes, positions = apply_changes(np.array([0, 1, 2, 0, 1, 0, 3], np.uint8), 0, changes)
    assert letters(codes) == "ATTCGGT"
    assert positions.tolist() == [0, 0, 0, 1, 2, 5, 6]


DNA = st.text("ACGT", min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 3), DNA), max_size=6),
    st.integers(10, 50),
    st.integers(2, 24),
)
def test_windows_agree_with_the_whole_chromosome_rewritten(tmp_path_factory, drawn, middle, half):
    """Independent: rewrite the whole chromosome as a string, find the middle in it, cut."""
    reference = "".join(np.array(list("ACGT"))[np.random.default_rng(5).integers(0, 4, 60)])
    rows, behind = [], 0
    for position, size, text in sorted(drawn):  # none touches another
        if position <= behind or position + size + 1 > 60:
            continue
        rows.append((position, reference[position : position + size + 1], text))
        behind = position + size + 1
    folder = tmp_path_factory.mktemp("p")
    (folder / "g.fa").write_text(f">chr1\n{reference}\n")
    written = [(position + 1, old, new, "1|0") for position, old, new in rows if old != new]
    substitutions = all(len(old) == len(new) for _, old, new, _ in written)
    rewritten, cursor, place = "", 0, None
    for position, old, new in rows:
        shared = 0  # letters that stand in front in both keep their place
        while shared < min(len(old), len(new)) and old[shared] == new[shared]:
            shared += 1
        for at in range(cursor, position):
            place = len(rewritten) if at == middle else place
            rewritten += reference[at]
        if position <= middle < position + len(old):
            return  # the middle itself is changed: the rule is tested by hand
        rewritten += new
        cursor = position + len(old)
    for at in range(cursor, 60):
        place = len(rewritten) if at == middle else place
        rewritten += reference[at]
    padded = "N" * 60 + rewritten + "N" * 60
    wanted = padded[60 + place - half : 60 + place + half]
    if not written:
        return
    person = made(folder / "g.fa", vcf(folder / "v.vcf", written))
    first, second = both(person, middle - half, middle + half)
    assert first == wanted
    plain = letters(Genome(folder / "g.fa", "toy").codes("chr1", middle - half, middle + half))
    assert second == plain  # no variant: the reference
    if substitutions:
        assert person.copies[0].offsets("chr1", 0, 60, range(60)).tolist() == list(range(60))


def test_real_variants_on_real_dna(test_data, tmp_path):
    """Eight GTEx variants of chromosome 1 as genotypes; with REF and ALT exchanged, all eight are found out."""
    folder = test_data / "sequence/baskerville_tiny"
    for name in ("snp_eqtl", "snp_eqtl_flip"):
        rows = (folder / f"{name}.vcf").read_text().splitlines()[1:]
        text = "".join(f"{row}\t.\tGT\t0|1\n" for row in rows)
        (tmp_path / f"{name}.vcf").write_text(HEADER + "ann\n" + text)
    ann = made(folder / "hg38_1m.fa.gz", tmp_path / "snp_eqtl.vcf", build="hg38")
    assert ann.variants.counts == {"carried": 8}
    first, second = (copy.codes("chr1", 14_000, 64_000) for copy in ann.copies)
    where = np.flatnonzero(first != second) + 14_000 + 1
    assert where.tolist() == [14_677, 54_490, 63_671, 63_697]
    assert letters(second[where - 14_001]) == "AAAC"
    with pytest.raises(InputError, match=r"REF at chr1:14,677 is A, but hg38_1m.fa.gz has G there \(8 of 8"):
        made(folder / "hg38_1m.fa.gz", tmp_path / "snp_eqtl_flip.vcf", build="hg38")


def test_a_person_with_the_reference_everywhere_is_the_reference(person):
    assert both(person([(3, "G", "T", "0|0"), (5, "A", "C", "0/0")])) == [TWENTY, TWENTY]


def test_a_mitochondrion_of_another_length_is_left_out_alone(tmp_path):
    fasta = tmp_path / "g.fa"
    fasta.write_text(f">chr1\n{TWENTY}\n>chrM\n{TWENTY}\n")
    path = vcf(
        tmp_path / "m.vcf",
        [(3, "G", "T", "1|1")],
        header="##contig=<ID=1,length=20>\n##contig=<ID=MT,length=18>\n",
    )
    path.write_text(path.read_text() + "MT\t3\t.\tC\tT\t.\tPASS\t.\tGT\t1|1\n")
    person = made(fasta, path)
    assert both(person)[0][2] == "T"
    assert letters(person.copies[0].codes("chrM", 0, 20)) == TWENTY
    assert "1 left out: on a mitochondrion of another length than that of g.fa" in person.variants.summary()


@pytest.mark.parametrize("left", [0.3, 0.7, 0.95])
@pytest.mark.parametrize("pack", [gzip.compress, bgzip])
def test_a_packed_vcf_that_is_cut_is_refused(fasta, tmp_path, pack, left):
    path = vcf(tmp_path / "v.vcf", [(3, "G", "T", "0|1")])
    packed = pack(path.read_bytes())
    path.write_bytes(packed[: int(left * len(packed))])
    with pytest.raises(InputError, match=r"v\.vcf"):
        made(fasta, path)


def test_a_last_line_without_end_is_remarked(fasta, tmp_path, remarks):
    path = vcf(tmp_path / "v.vcf", [(3, "G", "T", "0|1")])
    path.write_text(path.read_text().rstrip())
    made(fasta, path)
    assert "v.vcf: its last line (3) has no end" in remarks()


def test_names_that_are_no_utf8_are_no_traceback(fasta, tmp_path):
    path = vcf(tmp_path / "v.vcf", [(3, "G", "T", "0|1")])
    path.write_bytes(path.read_bytes() + b"chr\xff\t3\t.\tC\tT\t.\tPASS\t.\tGT\t1|1\n")
    assert "1 left out: on chromosomes" in made(fasta, path).variants.summary()


def test_an_indexed_file_is_read_where_it_is_needed(tmp_path, monkeypatch, remarks):
    """Many changes, a part of which overlap: every window is that of the file read to its end."""
    pysam = pytest.importorskip("pysam", reason="the optional extra 'variants' is not installed")
    random = np.random.default_rng(3)
    reference = "".join(np.array(list("ACGT"))[random.integers(0, 4, 3000)])
    (tmp_path / "g.fa").write_text(f">chr1\n{reference}\n")
    rows = []
    for position in np.sort(random.choice(2900, 700, replace=False)).tolist():
        size = int(random.integers(1, 12)) if random.random() < 0.4 else 1
        new = reference[position] + "".join(random.choice(list("ACGT"), int(random.integers(0, 4))))
        calls = random.choice(["0|0", "0|1", "1|0", "1|1"], 2)
        old = reference[position : position + size]
        if old != new:
            rows.append((position + 1, old, new, *calls))
    whole = made(tmp_path / "g.fa", vcf(tmp_path / "v.vcf", rows, "ann bob"), sample="bob")
    vcf(tmp_path / "i.vcf", rows, "ann bob")
    indexed = tmp_path / pysam.tabix_index(str(tmp_path / "i.vcf"), preset="vcf")
    monkeypatch.setattr("cistron.genome.vcf_regions._MARGIN", 5)
    person = made(tmp_path / "g.fa", indexed, sample="bob")
    assert (
        person.variants.summary()
        == "i.vcf.gz: variants of sample bob, read by its index where they are needed"
    )
    original, read = person.variants._records, []
    monkeypatch.setattr(person.variants, "_records", lambda *where: read.append(original(*where)) or read[-1])
    for start in range(0, 2960, 37):
        assert both(person, start, start + 40) == both(whole, start, start + 40)
    assert max(map(len, read)) < len(rows) / 10
    assert person.person_facts()["sample"] == "bob"
    for options, words in (({}, "2 samples; name one"), ({"sample": "eve"}, "no sample 'eve'")):
        with pytest.raises(InputError, match=words):
            made(tmp_path / "g.fa", indexed, **options)
    binary = as_bcf(tmp_path / "v.vcf", length=3000)
    of_binary = made(tmp_path / "g.fa", binary, sample="bob")
    assert of_binary.variants.counts == whole.variants.counts
    assert both(of_binary, 0, 3000) == both(whole, 0, 3000)
    pysam.tabix_index(str(binary), preset="bcf")
    of_binary = made(tmp_path / "g.fa", binary, sample="bob")
    assert "read by its index" in of_binary.variants.summary()
    for start in range(0, 2960, 370):
        assert both(of_binary, start, start + 40) == both(whole, start, start + 40)
    (tmp_path / "i.vcf.gz.tbi").write_bytes(b"no index")
    (tmp_path / "v.bcf.csi").write_bytes(b"no index")
    with pytest.raises(InputError, match="index it again"):
        made(tmp_path / "g.fa", indexed, sample="bob")
    with pytest.raises(InputError, match="index it again"):
        both(made(tmp_path / "g.fa", binary, sample="bob"))
    monkeypatch.setattr("cistron.genome.vcf_regions.find_pysam", lambda: None)
    assert both(made(tmp_path / "g.fa", indexed, sample="bob")) == both(whole)
    assert "with pysam its index is used" in remarks()


def test_a_bcf_is_read_as_the_vcf_that_it_was(fasta, tmp_path, capfd):
    """Every kind of record: several alternatives, a failed one, missing and haploid calls; one of two samples."""
    rows = [
        (3, "G", "T,A", "0|1", "1|2"),
        (5, "A", "C", ".", "1"),
        (7, "G", "*,T", "0|0", "1/2"),
        (9, "A", "T", "0|0", ".|1"),
        (11, "G", "A", "1|1", "0|0"),
    ]
    path = vcf(tmp_path / "v.vcf", rows, "ann bob")
    path.write_text(path.read_text().replace("9\t.\tA\tT\t.\tPASS", "9\t.\tA\tT\t.\tbad"))
    binary = as_bcf(path)
    for sample in ("ann", "bob"):
        person, other = made(fasta, binary, sample=sample), made(fasta, path, sample=sample)
        assert both(person) == both(other)
        assert person.variants.counts == other.variants.counts
    plain = tmp_path / "uncompressed"
    plain.write_bytes(gzip.decompress(binary.read_bytes()))
    assert both(made(fasta, plain, sample="bob")) == both(person)
    for options, words in (({}, "2 samples; name one"), ({"sample": "eve"}, "no sample 'eve'")):
        with pytest.raises(InputError, match=words):
            made(fasta, binary, **options)
    cut = tmp_path / "cut.bcf"
    for size in (28, 60):  # without the last block, and in the middle of records
        cut.write_bytes(binary.read_bytes()[:-size])
        with pytest.raises(InputError, match="may be truncated"):
            made(fasta, cut, sample="bob")
    wrong = as_bcf(vcf(tmp_path / "w.vcf", [(3, "G", "T", "0|1"), (5, "T", "C", "0|1")]))
    with pytest.raises(InputError, match="REF"):
        both(made(fasta, wrong))
    assert capfd.readouterr().err == ""  # htslib says nothing of its own


def test_a_bcf_without_the_library_that_reads_it(fasta, tmp_path, monkeypatch):
    monkeypatch.setattr("cistron.genome.bcf.find_pysam", lambda: None)
    (tmp_path / "b.bcf").write_bytes(gzip.compress(b"BCF\2\2" + b"\0" * 20))
    with pytest.raises(InputError, match=r"pip install pysam"):
        made(fasta, tmp_path / "b.bcf")
