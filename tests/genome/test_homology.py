"""Folds by homology: nets of known components, contigs, leaks against counting by hand."""

import gzip

import networkx
import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.genome.homology import (
    assign_folds,
    components,
    keep_apart,
    make_contigs,
    read_net,
    rejoin,
    tile,
)
from cistron.genome.intervals import (
    covered_bins,
    merge_intervals,
    overlapping_rows,
    read_intervals,
    read_lengths,
)
from cistron.genome.leaks import ortholog_pairs, shared_blocks, shared_input

HUMAN = {"chr1": 5_000_000, "chr2": 3_000_000}
MOUSE = {"chr1": 4_000_000, "chr2": 4_500_000}


def frame(rows, *more):
    return pd.DataFrame(rows, columns=["chromosome", "start", "end", *more])


def random_net(seed, blocks=14):
    """Lines of a net with blocks of 20 to 900 kb, and nested lines that must not count."""
    random = np.random.default_rng(seed)
    lines, rows = [], []
    for chromosome, length in HUMAN.items():
        lines.append(f"net {chromosome} {length}\n")
        for start in np.sort(random.integers(0, length - 900_000, blocks // 2)):
            size, other_size = random.integers(20_000, 900_000, 2)
            other = random.choice(list(MOUSE))
            other_start = random.integers(0, MOUSE[other] - other_size)
            lines.append(f" fill {start} {size} {other} + {other_start} {other_size} id 1 score 5 ali 5\n")
            lines.append(f"  gap {start + 5} 300000 {other} + {other_start} 300000\n")
            lines.append(f"   fill {start} 400000 chr2 - 0 400000 id 2\n")
            if min(size, other_size) >= 100_000:
                rows.append((chromosome, start, start + size, other, other_start, other_start + other_size))
    return "".join(lines), rows


def test_a_net_is_read_at_its_top_level(tmp_path):
    text, rows = random_net(0)
    (tmp_path / "a.net").write_text(text)
    with gzip.open(tmp_path / "a.net.gz", "wt") as handle:
        handle.write(text)
    # spelled without chr in the other genome
    other = {name.removeprefix("chr"): length for name, length in MOUSE.items()}
    found = read_net(tmp_path / "a.net", HUMAN, other)
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        (*row[:3], row[3].removeprefix("chr"), *row[4:]) for row in rows
    ]
    assert found.equals(read_net(tmp_path / "a.net.gz", HUMAN, other))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chain 1 2\n", "not an alignment net"),
        ("net chr1 999\n fill 0 200000 chr1 + 0 200000\n", "another genome build"),
        ("net chr1 5000000\n fill 0 200000 chr1 + 3900000 200000\n", "ends behind its chromosome"),
        ("net chr1 5000000\n fill zero 200000 chr1 + 0 200000\n", "line 2"),
        ("net chr1 5000000\n fill 0 2000 chr1 + 0 2000\n", "no block of 100,000 bp"),
    ],
)
def test_a_net_that_is_none_or_of_others(text, words, tmp_path):
    (tmp_path / "a.net").write_text(text)
    with pytest.raises(InputError, match=words):
        read_net(tmp_path / "a.net", HUMAN, MOUSE)


def test_contigs_are_cut_at_gaps_dropped_and_halved():
    gaps = frame([("chr1", 0, 10_000), ("chr1", 2_010_000, 2_020_000), ("chr1", 2_030_000, 2_040_000)])
    found, dropped = make_contigs({"chr1": 2_500_000, "chr9": 70_000}, gaps, shortest=100_000)
    assert found.to_numpy().tolist() == [
        ["chr1", 10_000, 1_010_000],
        ["chr1", 1_010_000, 2_010_000],
        ["chr1", 2_040_000, 2_500_000],
    ]
    assert dropped == 10_000 + 70_000  # between the two gaps, and a chromosome that is shorter
    assert (found["end"] - found["start"]).max() <= 1_000_000


@pytest.mark.parametrize("seed", range(4))
def test_components_are_those_of_a_graph(seed, tmp_path):
    """Against networkx, pair by pair."""
    _, rows = random_net(seed)
    net = pd.DataFrame(
        rows, columns=["chromosome", "start", "end", "other_chromosome", "other_start", "other_end"]
    )
    contigs = [make_contigs(lengths, None, shortest=131_072)[0] for lengths in (HUMAN, MOUSE)]
    graph = networkx.Graph()
    graph.add_nodes_from((genome, row) for genome in (0, 1) for row in range(len(contigs[genome])))
    for block in net.itertuples(index=False):
        for genome, (name, low, high) in enumerate((block[:3], block[3:])):
            for row, contig in enumerate(contigs[genome].itertuples(index=False)):
                if name == contig[0] and min(high, contig[2]) - max(low, contig[1]) > 1024:
                    graph.add_edge(tuple(block), (genome, row))
    labels = components(contigs, net)
    for genome in (0, 1):
        for other in (0, 1):
            for row in range(len(contigs[genome])):
                for second in range(len(contigs[other])):
                    joined = networkx.has_path(graph, (genome, row), (other, second))
                    assert (labels[genome][row] == labels[other][second]) == joined


@pytest.mark.parametrize("seed", range(5))
def test_nothing_aligned_lies_in_two_folds(seed):
    _, rows = random_net(seed)
    net = pd.DataFrame(
        rows, columns=["chromosome", "start", "end", "other_chromosome", "other_start", "other_end"]
    )
    contigs = [make_contigs(lengths, None, shortest=65_536)[0] for lengths in (HUMAN, MOUSE)]
    labels = components(contigs, net)
    sizes = np.bincount(np.concatenate(labels))
    folds = assign_folds(sizes, [0.5, 0.25, 0.25], seed, free=0)
    names = np.array(["a", "b", "c"])
    genomes = [
        tile(rejoin(table.assign(fold=names[folds[label]])), 65_536, 65_536)
        for table, label in zip(contigs, labels)
    ]
    found = shared_blocks(genomes, net, 1024)
    assert found.blocks >= 5
    assert found.divided == 0
    # with the folds exchanged at random it does not hold
    exchanged = [table.assign(fold=np.random.default_rng(0).permutation(table["fold"])) for table in genomes]
    assert len(set(genomes[0]["fold"])) == 1 or shared_blocks(exchanged, net, 1024).divided > 0


def test_folds_are_filled_in_proportion_and_large_components_stay_out():
    random = np.random.default_rng(0)
    sizes = np.concatenate([[400_000], random.integers(1_000, 4_000, 900)])
    for seed in range(5):
        folds = assign_folds(sizes, (0.9, 0.05, 0.05), seed, free=0)
        assert folds[0] == 0  # longer than half of what the small folds lack
        shares = np.bincount(folds, sizes) / sizes.sum()
        assert np.abs(shares - (0.9, 0.05, 0.05)).max() < 0.005
        assert (folds == assign_folds(sizes, (0.9, 0.05, 0.05), seed, free=0)).all()
    assert (
        assign_folds(sizes, (0.9, 0.05, 0.05), 0, 0) != assign_folds(sizes, (0.9, 0.05, 0.05), 1, 0)
    ).any()
    equal = np.bincount(assign_folds(sizes[1:], [0.125] * 8, 3), sizes[1:])
    assert equal.max() / equal.min() < 1.02
    # one component that no fold may take goes to the one that lacks most
    assert assign_folds(np.array([10]), (0.3, 0.7), 0).tolist() == [1]


def test_sequences_are_laid_along_contigs_and_across_the_cuts_of_one_fold():
    contigs = frame(
        [("chr1", 0, 250, "a"), ("chr1", 250, 500, "a"), ("chr1", 500, 700, "b"), ("chr2", 700, 760, "b")],
        "fold",
    )
    joined = rejoin(contigs)
    assert joined.to_numpy().tolist() == [
        ["chr1", 0, 500, "a"],
        ["chr1", 500, 700, "b"],
        ["chr2", 700, 760, "b"],
    ]
    found = tile(joined, 200, 100)
    assert found["start"].tolist() == [0, 100, 200, 300, 500]
    assert found["end"].tolist() == [200, 300, 400, 500, 700]


def test_contigs_of_different_folds_are_cut_back():
    contigs = frame(
        [("chr1", 0, 100, "a"), ("chr1", 100, 120, "b"), ("chr1", 121, 300, "c"), ("chr2", 0, 90, "a")],
        "fold",
    )
    apart = keep_apart(contigs, 51)
    kept = apart[apart["end"] > apart["start"]]
    assert kept["start"].tolist() == [0, 146, 0]
    for first, second in zip(kept.itertuples(), kept.iloc[1:].itertuples()):
        assert first.chromosome != second.chromosome or second.start - first.end >= 51
    same = contigs.assign(fold="a")
    assert keep_apart(same, 51).equals(same)


@pytest.mark.parametrize("seed", range(3))
def test_leaks_are_counted_pair_by_pair(seed):
    random = np.random.default_rng(seed)
    start = random.integers(0, 4000, 60)
    table = frame(
        zip(random.choice(["chr1", "chr2"], 60), start, start + 100, random.choice(["a", "b", "c"], 60)),
        "fold",
    )
    found = shared_input(table, ["a", "b", "c"], 160)
    rows = list(table.itertuples(index=False))
    pairs, affected = 0, set()
    for one, first in enumerate(rows):
        for two in range(one):
            second = rows[two]
            near = abs(first.start - second.start) < 160 and first.chromosome == second.chromosome
            if near and first.fold != second.fold:
                pairs += 1
                affected |= {one, two}
    assert found.total == pairs > 0
    assert found.sequences.tolist() == [sum(rows[n].fold == name for n in affected) for name in "abc"]


def test_published_folds(test_data):
    """Known: 55 of 112 boundaries of Enformer's split are close; 93.7% of orthologs in one fold of Borzoi's, 12.7% by chance."""
    places = test_data / "sequence"
    read = lambda path: pd.read_csv(  # noqa: E731
        places / path, sep="\t", header=None, names=["chromosome", "start", "end", "fold"]
    )
    enformer = read("enformer_sequences_bed_seq2cells/enformer_human_sequences.bed.gz")
    found = shared_input(enformer, ["train", "valid", "test"], 196_608)
    assert (found.boundaries, found.close_boundaries, found.total) == (112, 55, 55)
    human, mouse = (read(f"borzoi/sequences_{organism}.bed.gz") for organism in ("human", "mouse"))
    pairs = pd.read_parquet(test_data / "genes/mm10_genes/hg38_mm10_same_symbol_gene_pairs.parquet")
    pairs = pairs.rename(
        columns={
            "hg38_chrom": "chromosome",
            "tss": "position",
            "mm10_chrom": "other_chromosome",
            "tss_m": "other_position",
        }
    )
    orthologs = ortholog_pairs(human, mouse, pairs)
    assert round(orthologs.together, 3) == 0.937
    assert round(orthologs.chance, 3) == 0.127


def test_lengths(tmp_path):
    (tmp_path / "a.fai").write_text("chr1\t100\t6\t60\t61\nchr2\t50\t100\t60\t61\n")
    (tmp_path / "a.sizes").write_text("chr1\t100\nchr2 50\n")
    assert read_lengths(tmp_path / "a.fai") == read_lengths(tmp_path / "a.sizes") == {"chr1": 100, "chr2": 50}
    for text, words in (
        (">chr1\nACGT\n", "give its index"),
        ("chr1\n", "line 1"),
        ("chr1\t5\nchr1\t6\n", "twice"),
        ("# nothing\n", "no chromosome"),
    ):
        (tmp_path / "b").write_text(text)
        with pytest.raises(InputError, match=words):
            read_lengths(tmp_path / "b")


def test_intervals(tmp_path, remarks):
    lengths = {"chr1": 1000, "chr2": 500}
    (tmp_path / "a.bed").write_text("chrUn\t0\t5\n2\t10\t20\tname\t0\n1\t5\t9\n1\t0\t3\n")
    found = read_intervals(tmp_path / "a.bed", lengths, "gaps")
    assert found.to_numpy().tolist() == [["chr1", 0, 3], ["chr1", 5, 9], ["chr2", 10, 20]]
    assert "chrUn" in remarks()
    for text, words in (
        ("chr1\t900\t1001\n", "behind its chromosome"),
        ("chrUn\t1\t2\n", "no row is on a chromosome"),
        ("chr1\t9\t3\n", "line 1"),
        ("chr1 start end\n", "line 1"),
    ):
        (tmp_path / "b.bed").write_text(text)
        with pytest.raises(InputError, match=words):
            read_intervals(tmp_path / "b.bed", lengths, "gaps")


def test_overlaps_and_bins_against_base_pairs():
    random = np.random.default_rng(1)
    start = random.integers(0, 900, (2, 40))
    first, second = (
        frame(zip(random.choice(["chr1", "chr2"], 40), low, low + random.integers(1, 90, 40)))
        for low in start
    )
    found = set(zip(*map(np.ndarray.tolist, overlapping_rows(first, second, more_than=5))))
    expected = {
        (one, two)
        for one, a in enumerate(first.itertuples())
        for two, b in enumerate(second.itertuples())
        if a.chromosome == b.chromosome and min(a.end, b.end) - max(a.start, b.start) > 5
    }
    assert found == expected
    assert len(found) > 20
    covered = {name: np.zeros(1100, bool) for name in ("chr1", "chr2")}
    regions = second.sort_values(["chromosome", "start"])
    for row in regions.itertuples():
        covered[row.chromosome][row.start : row.end] = True
    merged = merge_intervals(regions)
    assert (merged["end"] - merged["start"]).sum() == sum(mask.sum() for mask in covered.values())
    windows = frame([("chr1", 0, 800), ("chr2", 100, 900), ("chr3", 0, 800)])
    shares = [
        covered.get(name, np.zeros(1100, bool))[low:high].reshape(-1, 20).mean(axis=1)
        for name, low, high in windows.itertuples(index=False)
    ]
    assert (covered_bins(windows, regions, 20, 0.3) == (np.array(shares) >= 0.3)).all()
