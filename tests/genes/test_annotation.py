"""GTF to genes and transcription start sites: strands, coordinates, versions."""

import gzip

import pytest

from cistron.errors import InputError
from cistron.genes.annotation import read_annotation, read_transcription_start_sites

GTF = (
    "#!genome-build GRCh38\n"
    'chr1\tH\tgene\t101\t200\t.\t+\t.\tgene_id "ENSG00000000001.5"; gene_name "PLUS"; gene_type "protein_coding";\n'
    'chr1\tH\ttranscript\t101\t200\t.\t+\t.\tgene_id "ENSG00000000001.5"; transcript_id "T1.1"; gene_name "PLUS"; '
    'tag "basic"; tag "Ensembl_canonical";\n'
    'chr1\tH\texon\t101\t150\t.\t+\t.\tgene_id "ENSG00000000001.5";\n'
    '1\tH\tgene\t301\t400\t.\t-\t.\tgene_id "ENSG00000000002"; gene_name "MINUS"; gene_biotype "lncRNA";\n'
    '1\tH\ttranscript\t301\t400\t.\t-\t.\tgene_id "ENSG00000000002"; transcript_id "T2"; gene_name "MINUS";\n'
    'chrY\tH\tgene\t1\t9\t.\t+\t.\tgene_id "ENSG00000000003.2_PAR_Y"; gene_name "PAR";\n'
)


@pytest.fixture(params=["plain", "gzip"])
def gtf(request, tmp_path):
    """The same annotation, plain and packed."""
    path = tmp_path / ("a.gtf" if request.param == "plain" else "a.gtf.gz")
    path.write_bytes(GTF.encode() if request.param == "plain" else gzip.compress(GTF.encode()))
    return path


def test_genes_are_half_open_from_zero(gtf):
    genes = read_annotation(gtf).set_index("gene")
    assert list(genes.index) == ["ENSG00000000001", "ENSG00000000002", "ENSG00000000003_PAR_Y"]
    assert tuple(genes.loc["ENSG00000000001", ["start", "end", "strand"]]) == (100, 200, "+")
    assert list(genes["biotype"]) == ["protein_coding", "lncRNA", ""]


def test_start_sites_are_at_the_five_prime_end(gtf):
    sites = read_transcription_start_sites(gtf).set_index("symbol")
    assert sites.loc["PLUS", "position"] == 100
    assert sites.loc["MINUS", "position"] == 399
    assert bool(sites.loc["PLUS", "canonical"])
    assert not bool(sites.loc["MINUS", "canonical"])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "has no gene rows"),
        (b"chr1 H gene\n", r"line 1: a GTF or GFF3 row has 9 tab-separated fields\. Given: 1"),
        (GTF.replace("101\t200", "high\t200").encode(), "line 2: no coordinates"),
        (GTF.replace("gene_id", "id").encode(), "line 2: no gene_id"),
        (b"\xff\xfe\x00", "not valid UTF-16"),
        (
            GTF.replace("101\t200", "0\t200").encode(),
            "line 2: start 0 and end 200; GTF and GFF3 count from 1",
        ),
        (GTF.replace("101\t200\t.\t+", "101\t200\t.\tx").encode(), "line 2: strand is 'x'"),
        (GTF.encode() + b"chrY\tH\tge", "line 8: .*the file is cut there"),
    ],
)
def test_bad_annotations(tmp_path, content, complaint):
    (tmp_path / "a.gtf").write_bytes(content)
    with pytest.raises(InputError, match=complaint):
        read_annotation(tmp_path / "a.gtf")


def test_absent_truncated_and_damaged(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_annotation(tmp_path / "a.gtf")
    packed = bytearray(gzip.compress(GTF.encode() * 100))
    (tmp_path / "a.gtf.gz").write_bytes(bytes(packed[:-20]))
    with pytest.raises(InputError, match="may be truncated"):
        read_annotation(tmp_path / "a.gtf.gz")
    for position in range(
        12, len(packed), 5
    ):  # whatever one wrong byte does to gzip, it is one of our errors
        damaged = bytearray(packed)
        damaged[position] ^= 0xFF
        (tmp_path / "a.gtf.gz").write_bytes(bytes(damaged))
        with pytest.raises(InputError):
            read_annotation(tmp_path / "a.gtf.gz")


def test_a_real_gtf(test_data):
    path = test_data / "sequence/basenji_cross2020_enformer/gencode_chr9_hg19.gtf.gz"
    genes = read_annotation(path)  # this one has exons only
    assert len(genes) == 536
    assert (genes["end"] > genes["start"]).all()
