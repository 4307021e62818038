"""The planted genome holds what its table says."""

import pytest

from cistron.errors import InputError
from cistron.genes.annotation import read_transcription_start_sites
from cistron.genome import Genome
from cistron.world.sequence import BUILD, MOTIF, planted_genome, write_planted_genome


def test_motifs_stand_upstream_of_the_start_sites():
    planted = planted_genome(3)
    back = str.maketrans("ACGT", "TGCA")
    for gene in planted.genes.itertuples():
        dna = planted.chromosomes[gene.chromosome]
        if gene.strand == "+":
            upstream = dna[max(0, gene.canonical - 150) : gene.canonical]
        else:
            upstream = dna[gene.canonical + 1 : gene.canonical + 151].translate(back)[::-1]
        assert upstream.count(MOTIF) == gene.activity


def test_files_say_the_same(tmp_path):
    planted = planted_genome(1)
    fasta, annotation = write_planted_genome(planted, tmp_path)
    genome = Genome(fasta, build=BUILD)
    for name, dna in planted.chromosomes.items():
        letters = "".join("ACGTN"[code] for code in genome.codes(name, 0, len(dna)))
        assert letters == dna
    sites = read_transcription_start_sites(annotation)
    for gene in planted.genes.itertuples():
        rows = sites[sites["gene"] == gene.gene]
        assert tuple(sorted(rows["position"])) == gene.sites
        assert rows.loc[rows["canonical"], "position"].tolist() == [gene.canonical]


def test_same_seed_same_genome():
    assert planted_genome(5).chromosomes == planted_genome(5).chromosomes
    assert planted_genome(5).chromosomes != planted_genome(6).chromosomes
    with pytest.raises(InputError, match="at least 4 genes"):
        planted_genome(genes=3)
