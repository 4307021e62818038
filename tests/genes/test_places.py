"""Gene places: one answer from every form, against naive parsers; the rule of the start site; ids and strands."""

import gzip
import io
import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.errors import InputError
from cistron.genes.places import read_annotation, read_gene_places, read_transcription_start_sites
from cistron.genes.start_sites import UNTAGGED, choose_start_sites, tag_rank

GENCODE_GTF = """\
##description: evidence-based annotation of the human genome (GRCh38)
chr1\tHAVANA\tgene\t1001\t9000\t.\t+\t.\tgene_id "ENSG00000000001.5"; gene_type "protein_coding"; gene_name "AAA1"; level 2;
chr1\tHAVANA\ttranscript\t5001\t9000\t.\t+\t.\tgene_id "ENSG00000000001.5"; transcript_id "ENST00000000001.1"; gene_type \
"protein_coding"; gene_name "AAA1"; tag "basic"; tag "appris_principal_1";
chr1\tHAVANA\texon\t5001\t9000\t.\t+\t.\tgene_id "ENSG00000000001.5"; transcript_id "ENST00000000001.1";
chr1\tHAVANA\ttranscript\t1001\t9000\t.\t+\t.\tgene_id "ENSG00000000001.5"; transcript_id "ENST00000000002.1"; gene_type \
"protein_coding"; gene_name "AAA1"; tag "Ensembl_canonical"; tag "MANE_Select";
chr1\tHAVANA\tgene\t20001\t29000\t.\t-\t.\tgene_id "ENSG00000000002.1"; gene_type "lncRNA"; gene_name "BBB1";
chr1\tHAVANA\ttranscript\t20001\t29000\t.\t-\t.\tgene_id "ENSG00000000002.1"; transcript_id "ENST00000000003.1"; gene_type \
"lncRNA"; gene_name "BBB1";
"""
GENCODE_GFF3 = """\
##gff-version 3
chr1\tHAVANA\tgene\t1001\t9000\t.\t+\t.\tID=ENSG00000000001.5;gene_id=ENSG00000000001.5;gene_type=protein_coding;gene_name=AAA1
chr1\tHAVANA\ttranscript\t5001\t9000\t.\t+\t.\tID=ENST00000000001.1;Parent=ENSG00000000001.5;gene_id=ENSG00000000001.5;\
transcript_id=ENST00000000001.1;gene_type=protein_coding;gene_name=AAA1;tag=basic,appris_principal_1
chr1\tHAVANA\texon\t5001\t9000\t.\t+\t.\tID=exon:1;Parent=ENST00000000001.1;gene_id=ENSG00000000001.5
chr1\tHAVANA\ttranscript\t1001\t9000\t.\t+\t.\tID=ENST00000000002.1;Parent=ENSG00000000001.5;gene_id=ENSG00000000001.5;\
transcript_id=ENST00000000002.1;gene_type=protein_coding;gene_name=AAA1;tag=Ensembl_canonical,MANE_Select
chr1\tHAVANA\tgene\t20001\t29000\t.\t-\t.\tID=ENSG00000000002.1;gene_id=ENSG00000000002.1;gene_type=lncRNA;gene_name=BBB1
chr1\tHAVANA\ttranscript\t20001\t29000\t.\t-\t.\tID=ENST00000000003.1;Parent=ENSG00000000002.1;gene_id=ENSG00000000002.1;\
transcript_id=ENST00000000003.1;gene_type=lncRNA;gene_name=BBB1
"""
ENSEMBL_GFF3 = """\
##gff-version 3
##sequence-region   1 1 248956422
1\tGRCh38\tchromosome\t1\t248956422\t.\t.\t.\tID=chromosome:1;Alias=CM000663.2
1\tensembl_havana\tgene\t1001\t9000\t.\t+\t.\tID=gene:ENSG00000000001;Name=AAA1;biotype=protein_coding;\
description=a gene%3B of two parts;gene_id=ENSG00000000001;version=5
1\tensembl_havana\tmRNA\t5001\t9000\t.\t+\t.\tID=transcript:ENST00000000001;Parent=gene:ENSG00000000001;Name=AAA1-201;\
biotype=protein_coding;tag=basic;transcript_id=ENST00000000001;version=1
1\tensembl_havana\texon\t5001\t9000\t.\t+\t.\tParent=transcript:ENST00000000001;Name=ENSE1
1\tensembl_havana\tmRNA\t1001\t9000\t.\t+\t.\tID=transcript:ENST00000000002;Parent=gene:ENSG00000000001;Name=AAA1-202;\
biotype=protein_coding;tag=basic,Ensembl_canonical,MANE_Select;transcript_id=ENST00000000002;version=1
1\thavana\tncRNA_gene\t20001\t29000\t.\t-\t.\tID=gene:ENSG00000000002;Name=BBB1;biotype=lncRNA;gene_id=ENSG00000000002;version=1
1\thavana\tlnc_RNA\t20001\t29000\t.\t-\t.\tID=transcript:ENST00000000003;Parent=gene:ENSG00000000002;biotype=lncRNA;\
transcript_id=ENST00000000003
"""
BIOMART = """\
Gene stable ID version\tTranscript stable ID\tGene name\tChromosome/scaffold name\tGene start (bp)\tGene end (bp)\tStrand\t\
Transcription start site (TSS)\tGene type\tEnsembl Canonical\tAPPRIS annotation
ENSG00000000001.5\tENST00000000001\tAAA1\t1\t1001\t9000\t1\t5001\tprotein_coding\t\tprincipal1
ENSG00000000001.5\tENST00000000002\tAAA1\t1\t1001\t9000\t1\t1001\tprotein_coding\t1\t
ENSG00000000002.1\tENST00000000003\tBBB1\t1\t20001\t29000\t-1\t29000\tlncRNA\t\t
"""
PLAIN = "gene\tchromosome\tstart\tend\tstrand\nENSG00000000001.5\tchr1\t1000\t9000\t+\nENSG00000000002.1\tchr1\t20000\t29000\t-\n"
BED6 = "chr1\t1000\t9000\tENSG00000000001.5\t0\t+\nchr1\t20000\t29000\tENSG00000000002.1\t0\t-\n"
BED12 = "".join(line + "\t0\t0\t0\t1\t5,\t0,\n" for line in BED6.splitlines())
POSITIONS = "gene,chr,position,strand\nENSG00000000001,1,1000,+\nENSG00000000002,1,28999,-\n"
FORMS = {
    "gencode.gtf": GENCODE_GTF,
    "gencode.gff3": GENCODE_GFF3,
    "ensembl.gff3": ENSEMBL_GFF3,
    "gencode.gff": GENCODE_GTF,
    "annotation.txt": GENCODE_GFF3,
    "biomart.txt": BIOMART,
    "biomart.csv": BIOMART.replace("\t", ","),
    "plain.tsv": PLAIN,
    "plain.csv": PLAIN.replace("\t", ";"),
    "genes.bed": BED6,
    "genes12.bed": BED12,
    "bed.txt": BED6,
    "positions.csv": POSITIONS,
}


def _places(folder, text, name="a.tsv"):
    (folder / name).write_text(text)
    return read_gene_places(folder / name)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_start_sites(tmp_path, name, packed):
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(FORMS[name].encode()) if packed else FORMS[name].encode())
    sites, _ = read_gene_places(path).start_sites()
    assert sites["gene"].tolist() == ["ENSG00000000001", "ENSG00000000002"]
    assert sites["position"].tolist() == [1000, 28999]
    assert sites["strand"].tolist() == ["+", "-"]
    if "position" not in name:
        genes = read_annotation(path)
        assert genes[["start", "end"]].to_numpy().tolist() == [[1000, 9000], [20000, 29000]]


def test_parquet_with_genes_in_a_column_or_the_index(tmp_path):
    frame = pd.read_csv(io.StringIO(PLAIN), sep="\t")
    frame.to_parquet(tmp_path / "a.parquet")
    frame.set_index("gene").to_parquet(tmp_path / "b.parquet")
    for name in ("a.parquet", "b.parquet"):
        assert read_gene_places(tmp_path / name).start_sites()[0]["position"].tolist() == [1000, 28999]


def test_symbols_and_biotypes(tmp_path):
    for name in ("gencode.gtf", "gencode.gff3", "ensembl.gff3", "biomart.txt"):
        genes = _places(tmp_path, FORMS[name], name).genes
        assert genes["symbol"].tolist() == ["AAA1", "BBB1"]
        assert genes["biotype"].tolist() == ["protein_coding", "lncRNA"]


REFSEQ_GFF3 = """\
##gff-version 3
#!genome-build GRCh38.p14
NC_000001.11\tRefSeq\tregion\t1\t248956422\t.\t+\t.\tID=NC_000001.11:1..248956422;Dbxref=taxon:9606
NC_000001.11\tBestRefSeq\tgene\t20001\t50000\t.\t+\t.\tID=gene-SAMD11;Dbxref=GeneID:148398,HGNC:HGNC:28706;Name=SAMD11;\
gbkey=Gene;gene=SAMD11;gene_biotype=protein_coding
NC_000001.11\tBestRefSeq\tmRNA\t20001\t50000\t.\t+\t.\tID=rna-NM_1.2;Parent=gene-SAMD11;Dbxref=GeneID:148398;gene=SAMD11
NC_000001.11\tBestRefSeq\tmRNA\t40001\t50000\t.\t+\t.\tID=rna-NM_2.2;Parent=gene-SAMD11;Dbxref=GeneID:148398;gene=SAMD11;\
tag=MANE Select
NC_000001.11\tBestRefSeq\texon\t20001\t50000\t.\t+\t.\tID=exon-1;Parent=rna-NM_1.2
NC_000001.11\tCurated\tpseudogene\t60001\t61000\t.\t-\t.\tID=gene-PSEUDO;Dbxref=GeneID:5;Name=PSEUDO;gene_biotype=pseudogene
"""
REFSEQ_GTF = """\
#gtf-version 2.2
NC_000001.11\tBestRefSeq\tgene\t20001\t50000\t.\t+\t.\tgene_id "SAMD11"; transcript_id ""; db_xref "GeneID:148398"; gbkey \
"Gene"; gene "SAMD11"; gene_biotype "protein_coding";
NC_000001.11\tBestRefSeq\ttranscript\t20001\t50000\t.\t+\t.\tgene_id "SAMD11"; transcript_id "NM_1.2"; gbkey "mRNA";
NC_000001.11\tBestRefSeq\ttranscript\t40001\t50000\t.\t+\t.\tgene_id "SAMD11"; transcript_id "NM_2.2"; tag "MANE Select"; gbkey "mRNA";
"""


@pytest.mark.parametrize(("name", "text"), [("r.gff3", REFSEQ_GFF3), ("r.gtf", REFSEQ_GTF)])
def test_refseq_writes_mane_with_a_blank_and_the_biotype_at_the_gene(tmp_path, name, text):
    places = _places(tmp_path, text, name)
    sites = places.start_sites()[0]
    assert (sites["gene"][0], sites["position"][0]) == ("SAMD11", 40000)
    assert places.genes["entrez"][0] == "148398"
    assert set(places.transcripts.loc[places.transcripts["gene"] == "SAMD11", "biotype"]) == {
        "protein_coding"
    }
    if name == "r.gff3":
        assert sites["position"].tolist() == [40000, 60999]


ROW = 'chr1\tx\ttranscript\t{}\t90000\t.\t{}\t.\tgene_id "G"; transcript_id "T{}"; {}\n'


def _gtf(folder, rows, strand="+"):
    text = "".join(
        ROW.format(start + 1, strand, number, " ".join(f'tag "{tag}";' for tag in tags))
        for number, (start, *tags) in enumerate(rows)
    )
    return _places(folder, text, "a.gtf").start_sites()[0]["position"][0]


def test_the_order_of_the_tags(tmp_path):
    order = [
        "Ensembl_canonical",
        "MANE Select",
        "MANE_Plus_Clinical",
        "RefSeq Select",
        *(f"appris_principal_{number}" for number in range(1, 6)),
    ]
    for better, worse in pairwise(order):
        assert _gtf(tmp_path, [(100, worse, "basic"), (500, "basic", better), (100,), (100,)]) == 500
    assert tag_rank(["MANE_Select"]) == tag_rank(["MANE Select"]) == 1
    assert tag_rank(["basic", "appris_alternative_1"]) == UNTAGGED


def test_among_equals_the_most_shared_then_the_most_upstream(tmp_path):
    principal = "appris_principal_1"
    assert _gtf(tmp_path, [(100, principal), (500, principal), (500,), (700,), (700,), (700,)]) == 500
    assert _gtf(tmp_path, [(500, principal), (100, principal)]) == 100
    assert _gtf(tmp_path, [(500,), (100,), (500,)]) == 500
    minus = pd.DataFrame({"gene": "G", "chromosome": "1", "position": [10, 30], "strand": "-"})
    assert choose_start_sites(minus)["position"].tolist() == [30]


@pytest.mark.parametrize("genes", [["STRG.1", "STRG.2"], ["AL627309.1", "AL627309.5"], ["RP11-34P13.7", "RP11-34P13.8"],
                                   ["Y74C9A.3", "Y74C9A.2"], ["AT1G01010.1", "AT1G01010.2"]])  # fmt: skip
def test_only_ensembl_ids_have_versions(tmp_path, genes):
    text = "".join(
        ROW.format(100, "+", number, "").replace('"G"', f'"{gene}"') for number, gene in enumerate(genes)
    )
    assert read_annotation(_write(tmp_path, "a.gtf", text))["gene"].tolist() == genes


def test_versions_of_ensembl_ids_are_cut_whatever_their_suffix(tmp_path):
    for given_id, kept in (
        ("ENSMUSG00000059552.14", "ENSMUSG00000059552"),
        ("ENSG00000223972.5_2", "ENSG00000223972"),
        ("ENSG00000182378.15_PAR_Y", "ENSG00000182378_PAR_Y"),
        ("ENSG00000182378.15_PAR_Y_5", "ENSG00000182378_PAR_Y"),
        ("ENSG00000182378.15_5_PAR_Y", "ENSG00000182378_PAR_Y"),
        ("ENSGR0000182378.8", "ENSGR0000182378"),
    ):
        text = ROW.format(100, "+", 0, "").replace('"G"', f'"{given_id}"')
        assert read_annotation(_write(tmp_path, "a.gtf", text))["gene"].tolist() == [kept]


def _write(folder, name, text):
    (folder / name).write_text(text)
    return folder / name


def test_the_strand_is_never_guessed(tmp_path):
    rows = "".join(
        ROW.format(100 * number, "+", number, "").replace('"G"', f'"G{number}"') for number in range(1, 40)
    )
    lost = ROW.format(9000, ".", 99, "").replace('"G"', '"LOST"')
    places = _places(tmp_path, rows + lost, "a.gtf")
    sites, remarks = places.start_sites()
    assert len(sites) == 39
    assert "1 genes without a strand left out, for example LOST" in remarks[0]
    assert "LOST" in set(places.genes["gene"])  # the place is known
    with pytest.raises(InputError, match="strand is \\+ or -"):
        _places(tmp_path, lost, "a.gtf").start_sites()
    with pytest.raises(InputError, match="strand is \\+ or -"):
        _places(tmp_path, PLAIN.replace("\t+\n", "\t.\n")).start_sites()
    with pytest.raises(InputError, match="no column 'strand'"):
        _places(tmp_path, "gene\tchr\tstart\tend\nA\t1\t5\t6\n").start_sites()


def test_a_gene_without_a_strand_has_a_place_and_no_start_site(tmp_path):
    rows = "".join(f"chr1\t{1000 * n}\t{1000 * n + 10 * n}\tG{n}\t0\t+\n" for n in range(1, 40))
    places = _places(tmp_path, rows + "chr1\t5\t905\tLOST\t0\t.\n", "a.bed")
    genes = places.genes.set_index("gene")
    assert genes.loc["LOST", ["start", "end"]].tolist() == [5, 905]
    assert np.isnan(genes.loc["LOST", "position"])
    assert genes.loc["G3", "position"] == 3000
    assert "LOST" not in set(places.start_sites()[0]["gene"])


def test_rows_without_a_place_are_said(tmp_path):
    rows = [f"G{n}\t1\t{n}\t+" for n in range(30)]
    header = "gene\tchr\tposition\tstrand\n"
    for lost in ("LOST\t1\t\t+", "LOST\t\t5\t+", "LOST\tNA\t5\t+"):
        places = _places(tmp_path, header + "\n".join([*rows, lost]) + "\n")
        sites, remarks = places.start_sites()
        assert len(sites) == 30
        assert "1 genes without a chromosome or a position left out, for example LOST" in remarks[0]
    with pytest.raises(InputError, match="more than 5% are not left out"):
        _places(tmp_path, header + "\n".join([*rows[:3], "LOST\t1\tNA\t+"]) + "\n").start_sites()
    twice = _places(tmp_path, header + "A\t1\t5\t+\nA\t2\t5\t+\n")
    assert "1 genes stand in several rows, for example A; the first place is taken" in twice.remarks[0]


def test_tables_of_magma_count_from_one(tmp_path):
    places = _places(tmp_path, "GENE CHR START STOP\n1 1 1001 9000\n2 23 1 9000\n")
    assert places.genes[["start", "end"]].to_numpy().tolist() == [[1000, 9000], [0, 9000]]
    assert "MAGMA" in places.remarks[0]
    with pytest.raises(InputError, match=r"START of 2 \(line 3\) is not a number of 1 or more\. Given: '0'"):
        _places(tmp_path, "GENE CHR START STOP\n1 1 1001 9000\n2 23 0 9000\n")


def test_bed_of_windows_and_of_genes(tmp_path):
    windows = "chr1\t0\t2000\tA\t0\t+\nchr1\t5000\t7000\tB\t0\t-\n"
    sites, remarks = _places(tmp_path, windows, "a.bed").start_sites()
    assert sites["position"].tolist() == [1000, 6000]
    assert "windows" in remarks[0]
    sites, remarks = _places(tmp_path, BED6, "a.bed").start_sites()
    assert "5' ends" in remarks[0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("gene\tlength\nA\t5\n", "no column 'chromosome'"),
        ("x\ty\nA\t5\n", "no column of genes"),
        (PLAIN.replace("1000", "here"), r"start of ENSG00000000001 \(line 2\) is not a number"),
        (PLAIN.replace("1000", "-5"), r"\(line 2\) is not a number of 0 or more"),
        (PLAIN.replace("1000", str(2**40)), r"\(line 2\) is not a number of 0 or more"),
        (PLAIN.replace("1000", "99999"), "ends before it starts"),
        (PLAIN.replace("\t-\n", "\tdown\n"), "line 3: strand is"),
        (PLAIN + "\tchr1\t5\t6\t+\n", "line 4: no gene"),
        (PLAIN.replace("end", "start"), "2 columns called 'start'"),
        (PLAIN + PLAIN.splitlines()[1] + "\n", "1 genes occur more than once"),
        ("chr1\t5\n", "no header"),
        ("chr1\t5\t9\tA\t0\t+\nchr1\t9\t5\tB\t0\t+\n", "line 2: expected 0 <= start < end"),
        ("chr1\t5\t9\tA\t0\t+\nchr1\tx\t5\tB\t0\t+\n", "line 2: expected BED"),
    ],
)
def test_bad_tables_are_one_line(tmp_path, text, complaint):
    with pytest.raises(InputError, match=complaint):
        _places(tmp_path, text).start_sites()


_genes = st.lists(
    st.tuples(
        st.sampled_from(["ENSG00000000001.2", "STRG.1", "STRG.2", "a b", "RP11-1.3"]),
        st.integers(1, 10**8),
        st.integers(0, 10**5),
        st.sampled_from("+-"),
        st.sampled_from(["", "MANE_Select", "basic"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(rows=_genes, gff3=st.booleans())
def test_against_a_naive_parser(tmp_path_factory, rows, gff3):
    """The 5' end of each transcript, read by a few lines that know nothing of the reader."""
    lines = []
    for number, (gene, start, width, strand, tag) in enumerate(rows):
        place = f"chr1\tx\ttranscript\t{start}\t{start + width}\t.\t{strand}\t."
        if gff3:
            lines.append(
                place.replace("transcript", "gene") + f"\tID=g{number};gene_id={gene.replace(' ', '%20')}"
            )
            lines.append(f"{place}\tID=t{number};Parent=g{number};tag={tag}")
        else:
            lines.append(f'{place}\tgene_id "{gene}"; transcript_id "t{number}"; tag "{tag}";')
    path = tmp_path_factory.mktemp("g") / ("a.gff3" if gff3 else "a.gtf")
    path.write_text("\n".join(lines) + "\n")
    naive = []
    for line in lines:
        fields = line.split("\t")
        if fields[2] == "transcript":
            end = int(fields[3]) - 1 if fields[6] == "+" else int(fields[4]) - 1
            naive.append((end, fields[6], "MANE_Select" in fields[8]))
    ours = read_transcription_start_sites(path)
    assert list(zip(ours["position"], ours["strand"], ours["canonical"])) == naive
    expected = [re.sub(r"^(ENSG\d{11})\.\d+$", r"\1", row[0]) for row in rows]
    assert ours["gene"].tolist() == expected
    assert np.issubdtype(ours["position"].dtype, np.integer)


@pytest.mark.parametrize(
    "name", ["gencode.gtf", "ensembl.gff3", "biomart.txt", "plain.tsv", "genes.bed", "gzip.tsv", "a.parquet"]
)
def test_a_damaged_file_is_one_line_or_still_right(tmp_path, name):
    """Cuts, wrong bytes, and files of another kind under the same name."""
    path = tmp_path / name
    if name == "a.parquet":
        pd.read_csv(io.StringIO(PLAIN), sep="\t").to_parquet(path)
    else:
        path.write_bytes(gzip.compress(PLAIN.encode()) if name == "gzip.tsv" else FORMS[name].encode())
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    pieces = [whole[: int(share * len(whole))] for share in (0, 0.1, 0.5, 0.9, 0.99)]
    for _ in range(25):
        place = int(generator.integers(len(whole)))
        pieces.append(whole[:place] + bytes([int(generator.integers(256))]) + whole[place + 1 :])
    pieces += [
        generator.bytes(2000),
        b"\x89HDF\r\n\x1a\n" + bytes(99),
        "G\xe9ne\tchr\n".encode("latin-1"),
        b"A" * 1_000_000,
        b"\n\n",
    ]
    told = []
    for piece in pieces:
        path.write_bytes(piece)
        try:
            read_gene_places(path).start_sites()
        except InputError as error:  # any other exception fails the test
            told.append(str(error))
    assert len(told) > 6
    assert not [message for message in told if "\n" in message or len(message) > 600]
    with pytest.raises(InputError, match="is a folder"):
        read_gene_places(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError(13, "Permission denied")

    _write(tmp_path, "a.tsv", PLAIN)
    monkeypatch.setattr("pathlib.Path.open", refuse)  # root may read a file of mode 0
    with pytest.raises(InputError, match=r"a\.tsv cannot be read \(Permission denied\)"):
        read_gene_places(tmp_path / "a.tsv")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("chr1\t5\t9\tb\t0", "line 2: 5 fields, but the rows before it have 6"),
        ("chr1\t5\t9\tb\t0\t+\t1", "line 2: 7 fields"),
        ("chr1\t1_0\t20\tb\t0\t+", "line 2: expected BED"),
        ("chr1\t-5\t20\tb\t0\t+", "line 2: expected BED"),
        ("chr1\t5.0\t20\tb\t0\t+", "line 2: expected BED"),
        ("chr1\t20\t5\tb\t0\t+", "line 2: expected 0 <= start < end"),
        ("chr1\t5\t20\t\t0\t+", "line 2: expected 0 <= start < end and a gene"),
        ("\t5\t20\tb\t0\t+", "line 2: no chromosome"),
        ("chr1\t5\t20\tb\t0\tx", "line 2: strand is"),
    ],
)
def test_a_damaged_row_of_bed_is_named(tmp_path, row, words):
    path = tmp_path / "a.bed"
    path.write_text(f"chr1\t1\t4\ta\t0\t+\n{row}\nchr1\t30\t50\tc\t0\t-\n")
    with pytest.raises(InputError) as caught:
        read_gene_places(path)
    assert words in str(caught.value)
