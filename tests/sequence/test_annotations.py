"""Annotations of every kind on genomes of every naming: which genes, on which chromosome, from which start site."""

import pytest

from cistron.chromatin.inputs import read_start_sites
from cistron.errors import InputError
from cistron.genome import Genome
from cistron.sequence.inputs_gene_sites import read_gene_sites

ROW = 'chr{}\tx\ttranscript\t{}\t50000\t.\t{}\t.\tgene_id "{}"; transcript_id "T{}"; gene_name "N"; {}\n'


def _genome(folder, names, build="toy"):
    (folder / "g.fa").write_text("".join(f">{name}\n{'ACGT' * 15_000}\n" for name in names))
    return Genome(folder / "g.fa", build=build)


def _annotation(folder, *rows, name="a.gtf"):
    text = ""
    for number, (chromosome, start, gene, *tags) in enumerate(rows):
        text += ROW.format(
            chromosome, start + 1, "+", gene, number, " ".join(f'tag "{tag}";' for tag in tags)
        )
    (folder / name).write_text(text)
    return folder / name


def test_both_wings_take_the_same_start_site(tmp_path):
    """A gene with APPRIS principal before MANE, and one the other way round."""
    path = _annotation(
        tmp_path,
        ("1", 5000, "AAA1", "appris_principal_1"),
        ("1", 1000, "AAA1", "MANE_Select", "Ensembl_canonical"),
        ("1", 25000, "BBB1", "Ensembl_canonical"),
        ("1", 20000, "BBB1", "appris_principal_1"),
    )
    with _genome(tmp_path, ["chr1"]) as genome:
        sequence = {gene.gene: gene.canonical for gene in read_gene_sites(path, genome)}
    chromatin = read_start_sites(path).set_index("gene")["position"].to_dict()
    assert sequence == chromatin == {"AAA1": 1000, "BBB1": 25000}


@pytest.mark.parametrize(
    "ids", [("STRG.1", "STRG.2"), ("AL627309.1", "AL627309.5"), ("Y74C9A.3", "Y74C9A.2")]
)
def test_ids_with_dots_stay_apart(tmp_path, ids):
    path = _annotation(tmp_path, *(("1", 1000 * number, gene) for number, gene in enumerate(ids, 1)))
    with _genome(tmp_path, ["chr1"]) as genome:
        assert [gene.gene for gene in read_gene_sites(path, genome)] == list(ids)
        assert [gene.gene for gene in read_gene_sites(path, genome, genes=ids[:1])] == [ids[0]]


def test_chromosome_23_is_x_in_human_genomes_only(tmp_path):
    both = _annotation(tmp_path, ("X", 1000, "onX"), ("23", 1000, "on23"))
    with _genome(tmp_path, ["1", "X", "23"], "canFam3") as dog:
        assert {gene.gene: gene.chromosome for gene in read_gene_sites(both, dog)} == {
            "onX": "X",
            "on23": "23",
        }
    numbered = _annotation(tmp_path, ("23", 1000, "on23"), name="b.gtf")
    with _genome(tmp_path, ["chr1", "chrX"], "GRCh38") as human:
        assert read_gene_sites(numbered, human)[0].chromosome == "chrX"
    with _genome(tmp_path, ["chr1", "chrX"], "GRCm39") as mouse, pytest.raises(InputError, match="lacks"):
        read_gene_sites(numbered, mouse)


def test_refseq_accessions(tmp_path):
    path = _annotation(tmp_path, ("1", 1000, "SAMD11"))
    path.write_text(path.read_text().replace("chr1", "NC_000001.11"))
    for build in ("hg38", None):
        with _genome(tmp_path, ["chr1"], build) as genome:
            assert read_gene_sites(path, genome)[0].chromosome == "chr1"
    with (
        _genome(tmp_path, ["chr1"], "hg19") as genome,
        pytest.raises(InputError, match=r"is of GRCh38, genome g\.fa of GRCh37"),
    ):
        read_gene_sites(path, genome)
    with (
        _genome(tmp_path, ["chr1"], "hg19") as genome,
        pytest.raises(InputError, match="a chromosome of GRCm38"),
    ):
        genome.chromosome("NC_000068.7")
    with _genome(tmp_path, ["NC_000001.11"], "hg38") as genome:  # a FASTA of RefSeq
        assert genome.chromosome("chr1") == "NC_000001.11"
    path.write_text(path.read_text().replace("NC_000001.11", "NC_999999.1"))
    with _genome(tmp_path, ["chr1"]) as genome, pytest.raises(InputError, match="lacks") as caught:
        read_gene_sites(path, genome)
    assert "--allow-loss" not in str(caught.value)  # it cannot help


def test_tables_and_bed_are_annotations_too(tmp_path):
    (tmp_path / "a.tsv").write_text(
        "gene\tchr\tstart\tend\tstrand\nA\t1\t1000\t2000\t1\nB\t1\t3000\t4500\t-1\n"
    )
    (tmp_path / "a.bed").write_text("1\t1000\t2000\tA\t0\t+\n1\t3000\t4500\tB\t0\t-\n")
    with _genome(tmp_path, ["chr1"]) as genome:
        for name in ("a.tsv", "a.bed"):
            assert [gene.canonical for gene in read_gene_sites(tmp_path / name, genome)] == [1000, 4499]
