"""Trivial columns by hand, gains on planted worlds, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from cistron.errors import IdentifierError, InputError
from cistron.evaluation.rivals import gain_beyond, read_rivals, rivals_of
from cistron.formats import build_gene_embedding
from cistron.genes import read_gene_places
from cistron.genes.density import log_densities
from cistron.omics import OmicsEmbedder, PcaSettings


def test_densities_by_hand():
    chromosomes, middles = np.array(["1", "1", "2"]), np.array([0.0, 1000.0, 0.0])
    found = log_densities(chromosomes, middles, (1000,))
    assert found[:, 0] == pytest.approx([np.log(1 + np.exp(-1)), np.log(1 + np.exp(-1)), 0.0])
    # the second gene is no neighbour, but its own density knows the first
    counted = log_densities(chromosomes, middles, (1000,), np.array([True, False, True]))
    assert counted[:, 0] == pytest.approx([0.0, np.log(1 + np.exp(-1)), 0.0])


def _places(folder):
    path = folder / "genes.tsv"
    rows = [
        f"ENSG{number:011d}\tS{number}\tchr{number % 4 + 1}\t{1000 * number}\t{1000 * number + 500 + number}\t{number % 7 + 1}"
        for number in range(80)
    ]
    path.write_text("gene_id\tsymbol\tchromosome\tstart\tend\texon_count\n" + "\n".join(rows) + "\n")
    return path


def test_columns_of_places_and_of_a_table(tmp_path):
    table = tmp_path / "more.tsv"
    table.write_text(
        "gene\tpublications\tgc\n"
        + "".join(
            f"ENSG{n:011d}\t{10 ** (n % 8 == 3) ** 3 * 10 ** (2 * (n % 8 == 3))}\t{'' if n < 8 else n / 80}\n"
            for n in range(80)
        )
    )
    rivals = read_rivals(read_gene_places(_places(tmp_path)), table)
    assert rivals.names == [
        *(f"log density at {kb} kb" for kb in (30, 100, 300, 1000)),
        "log gene length", "log number of exons", "publications", "gc",
    ]  # fmt: skip
    assert rivals.table.loc["ENSG00000000009", "log gene length"] == pytest.approx(np.log(509))
    assert rivals.table.loc["S9", "log number of exons"] == pytest.approx(np.log(3))
    assert rivals.table.loc["ENSG00000000003", "publications"] == pytest.approx(np.log1p(1000))
    assert any("publications" in remark for remark in rivals.remarks)
    found = rivals.of([f"ENSG{n:011d}" for n in range(80)])
    assert "gc is known" in found.columns
    assert found["gc"].iloc[:8].to_numpy() == pytest.approx(np.zeros(8))  # the mean where it is not known
    assert found.mean().to_numpy() == pytest.approx(np.zeros(found.shape[1]), abs=1e-12)
    assert found.std(ddof=0).to_numpy() == pytest.approx(np.ones(found.shape[1]))


def test_a_gene_twice_in_the_table_is_refused(tmp_path):
    table = tmp_path / "twice.tsv"
    table.write_text("gene\tgc\nENSG00000000001.1\t1\nENSG00000000001.2\t2\nENSG00000000002\t2\n")
    with pytest.raises(InputError, match="ENSG00000000001 occurs more than once"):
        read_rivals(None, table)


def test_counts_of_exons_and_transcripts_of_a_gtf(tmp_path):
    rows = []
    for gene, start in (("ENSG00000000001", 1), ("ENSG00000000002", 5001)):
        rows.append(("gene", start, start + 999, f'gene_id "{gene}.3"; gene_type "protein_coding";'))
        for transcript, exons in (("a", 3), ("b", 2)):
            name = f'gene_id "{gene}.3"; transcript_id "{gene}{transcript}";'
            rows.append(("transcript", start, start + 999, name))
            rows += [("exon", start + 10 * n, start + 10 * n + 5, name) for n in range(exons)]
    path = tmp_path / "a.gtf"
    path.write_text("".join(f"chr1\tx\t{f}\t{s}\t{e}\t.\t+\t.\t{a}\n" for f, s, e, a in rows))
    rivals = read_rivals(read_gene_places(path))
    assert rivals.table.loc["ENSG00000000001", "log number of exons"] == pytest.approx(np.log(3))
    assert rivals.table.loc["ENSG00000000002", "log number of transcripts"] == pytest.approx(np.log(2))
    assert rivals.table.loc["ENSG00000000002", "log gene length"] == pytest.approx(np.log(1000))


def test_an_embedding_of_expression_carries_level_and_breadth(tmp_path):
    values = np.random.default_rng(1).gamma(1.0, 60.0, size=(80, 5)) * (np.arange(80) % 3 > 0)[:, None]
    values[5] = 0.0
    values[5, :2] = 127.0
    genes = [f"ENSG{number:011d}" for number in range(80)]
    embedding = OmicsEmbedder(PcaSettings(dimensions=3)).embed(
        pd.DataFrame(values, index=genes, columns=list("abcde")), name="tissues"
    )
    assert embedding.obs.loc[genes[5], "expression_level"] == pytest.approx(7 * 2 / 5)
    assert embedding.obs.loc[genes[5], "expression_breadth"] == pytest.approx(0.4)
    rivals = rivals_of(embedding, read_rivals(read_gene_places(_places(tmp_path))))
    assert rivals.names[-2:] == ["expression level", "expression breadth"]
    assert not rivals.remarks
    elsewhere = build_gene_embedding(np.ones((80, 2)), genes, name="x", method="x", evidence="expression")
    assert "x: level and breadth" in rivals_of(elsewhere, read_rivals()).remarks[0]
    dna = build_gene_embedding(np.ones((80, 2)), genes, name="x", method="x", evidence="dna")
    assert not rivals_of(dna, read_rivals()).remarks
    symbols = build_gene_embedding(
        np.ones((80, 2)), [f"G{n}X" for n in range(80)], name="x", method="x", evidence="dna"
    )
    with pytest.raises(IdentifierError, match="0 of 80 genes have trivial columns"):
        rivals_of(symbols, read_rivals(read_gene_places(_places(tmp_path))))


def test_gain_is_of_what_the_columns_do_not_tell():
    generator = np.random.default_rng(3)
    groups = np.repeat(np.arange(8), 150)
    trivial, own = generator.normal(size=(2, 1200))
    member = np.column_stack(
        [
            pull > 1.8
            for pull in (trivial * 1.5 + generator.normal(size=1200), own * 1.5 + generator.normal(size=1200))
        ]
    )
    # one column repeats the trivial one, the other tells something else
    embedding = np.column_stack([trivial + 0.1 * generator.normal(size=1200), own])
    found = gain_beyond(trivial[:, None], embedding, member, groups)["auroc"]
    assert found.full.value[0] > 0.8  # the repeated column would look like knowledge by itself
    assert found.rival.value == pytest.approx([0.85, 0.5], abs=0.08)
    assert list(found.knows()) == [False, True]
    assert abs(found.beyond.value[0]) < 0.03
    assert found.beyond.value == pytest.approx(found.full.value - found.rival.value)
    with pytest.raises(InputError, match="at least 4 groups"):
        gain_beyond(trivial[:, None], embedding, member, groups // 4)
    with pytest.raises(InputError, match="trivial columns for 1,200 genes"):
        gain_beyond(generator.normal(size=(1200, 130)), embedding, member, groups)
