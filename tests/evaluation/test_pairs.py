"""The pair task: negatives that keep degrees, gene-disjoint folds, planted truth, hubs, bad input."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.errors import InputError
from cistron.evaluation.pairs import PairSettings, PairTable, evaluate_pairs, read_pairs
from cistron.evaluation.pairs.features import COMBINATIONS, pair_features, pair_kernels
from cistron.evaluation.pairs.folds import made_folds
from cistron.evaluation.pairs.gains import deal_genes
from cistron.evaluation.pairs.negatives import balanced_pairs, occurrence_scores, positive_rates
from cistron.evaluation.pairs.scoring import fold_areas, gene_draws
from cistron.evaluation.rivals import Rivals
from cistron.evaluation.weighted_area import area
from cistron.formats import build_gene_embedding, read_scores, write_gene_embedding

GENES = [f"ENSG{number:011d}" for number in range(150)]
QUICK = PairSettings(folds=2, repeats=1, draws=40, random=1, combinations=("product",))


def embedding_of(values, name="truth"):
    return build_gene_embedding(values, GENES, name=name, method="planted", evidence="expression")


def random_positives(seed, genes=40, pairs=90, hub=0):
    generator = np.random.default_rng(seed)
    first, second = generator.integers(0, genes, size=(2, pairs))
    first[:hub] = 0
    kept = first != second
    keys = {tuple(sorted(pair)) for pair in zip(first[kept].tolist(), second[kept].tolist())}
    return (np.array(one) for one in zip(*sorted(keys)))


@given(seed=st.integers(0, 300), directed=st.booleans(), hub=st.sampled_from([0, 40]))
@settings(max_examples=40, deadline=None)
def test_negatives_keep_how_often_each_gene_occurs(seed, directed, hub):
    first, second = random_positives(seed, hub=hub)
    known = set(zip(first.tolist(), second.tolist()))
    found = balanced_pairs(first, second, known, directed=directed, seed=seed, draw=0)
    size = 40
    ends = [(found.first, found.second)] if directed else [(np.r_[found.first, found.second],) * 2]
    for a, b in ends:
        for end in (a, b):
            label = found.label if directed else np.r_[found.label, found.label]
            assert np.array_equal(
                np.bincount(end[label], minlength=size), np.bincount(end[~label], minlength=size)
            )
    negatives = list(zip(found.first[~found.label].tolist(), found.second[~found.label].tolist()))
    keys = [pair if directed else tuple(sorted(pair)) for pair in negatives]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & known
    assert all(a != b for a, b in keys)
    assert found.label.sum() + found.unused == len(first)


def test_what_no_biology_gives_is_at_one_half_on_exchanged_negatives_and_far_above_on_given_ones():
    generator = np.random.default_rng(5)
    popular = generator.gamma(0.4, size=150)
    weight = np.outer(popular, popular)[np.triu_indices(150, 1)]
    a, b = np.triu_indices(150, 1)
    chosen = generator.choice(len(a), size=500, replace=False, p=weight / weight.sum())
    first, second = a[chosen], b[chosen]
    known = set(zip(first.tolist(), second.tolist()))
    found = balanced_pairs(first, second, known, directed=False, seed=0, draw=0)
    assert abs(area(occurrence_scores(found.first, found.second), found.label) - 0.5) < 0.02
    assert (
        abs(area(positive_rates(found.first, found.second, found.label, found.exchange), found.label) - 0.5)
        < 0.02
    )
    others = generator.choice(np.setdiff1d(np.arange(len(a)), chosen), size=1500, replace=False)
    pair = np.r_[first, a[others]], np.r_[second, b[others]]
    label = np.r_[np.ones(500, bool), np.zeros(1500, bool)]
    assert area(occurrence_scores(*pair), label) > 0.8
    assert area(positive_rates(*pair, label), label) > 0.8


def test_rates_leave_the_pair_itself_out():
    first, second = np.array([0, 0, 0]), np.array([1, 2, 3])
    label = np.array([True, True, False])
    # gene 0 without the pair: 1/2, 1/2, 1; the other genes are in no further pair and count with the share 2/3
    assert positive_rates(first, second, label) == pytest.approx([0.5 + 2 / 3, 0.5 + 2 / 3, 1 + 2 / 3])


@pytest.mark.parametrize("balanced", [True, False])
def test_folds_share_no_gene(balanced):
    first, second = random_positives(1, genes=60, pairs=300)
    label = np.arange(len(first)) % 3 > 0
    folds = made_folds(
        first, second, label, 60, folds=3, repeats=2, balanced=balanced, directed=False, most=5000, seed=0
    )
    assert len(folds) == 6
    for fold in folds:
        assert set(np.r_[fold.train[0], fold.train[1]]).isdisjoint(np.r_[fold.test[0], fold.test[1]])
        for train, validation in fold.inner:
            genes = [set(np.r_[fold.train[0][one], fold.train[1][one]]) for one in (train, validation)]
            assert genes[0].isdisjoint(genes[1])


def test_training_pairs_are_thinned():
    first, second = random_positives(1, genes=60, pairs=300)
    folds = made_folds(
        first,
        second,
        np.ones(len(first), bool),
        60,
        folds=2,
        repeats=1,
        balanced=True,
        directed=False,
        most=30,
        seed=0,
    )
    assert {len(fold.train[2]) for fold in folds} == {30}


def test_combinations_are_what_they_are_called():
    values = np.array([[1.0, 2.0], [3.0, -1.0]])
    first, second = np.array([0]), np.array([1])
    expected = {"sum": [4, 1], "product": [3, -2], "difference": [2, 3], "concatenation": [1, 2, 3, -1]}
    for name, row in expected.items():
        assert pair_features(values, first, second, name).tolist() == [row]
    assert set(COMBINATIONS) - set(expected) == {"bilinear"}
    values = np.random.default_rng(0).normal(size=(6, 3))
    pairs, swapped = (np.array([0, 2]), np.array([1, 3])), (np.array([1, 3]), np.array([0, 2]))
    kernel, _ = pair_kernels(values, pairs, pairs, "bilinear")
    one, other = (pair_kernels(values, pairs, test, "bilinear")[1] for test in (pairs, swapped))
    assert np.diag(kernel) == pytest.approx(1)
    assert not np.allclose(one, other)  # (a, b) is not (b, a)


def test_intervals_draw_genes_so_that_a_hub_takes_its_pairs_with_it():
    first, second = np.array([0, 0, 0, 1, 2, 3]), np.array([1, 2, 3, 4, 5, 6])
    label = np.array([True, True, True, False, False, False])
    scores = np.array([3.0, 2.0, 1.0, 0.0, 2.5, 0.5])

    class Fold:
        test = (first, second, label)

    times = gene_draws(7, 200, 0)
    value, samples = fold_areas([Fold()], [scores], times)
    assert value == pytest.approx(area(scores, label))
    assert np.isnan(samples[times[:, 0] == 0]).all()  # without the hub there is no positive
    assert np.isfinite(samples).any()


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Undirected pairs whose vectors agree, and their negatives at random."""
    generator = np.random.default_rng(2)
    values = generator.normal(size=(150, 4))
    a, b = np.triu_indices(150, 1)
    score = (values[a] * values[b]).sum(axis=1)
    best = np.argsort(-score)[:350]
    others = generator.choice(np.setdiff1d(np.arange(len(a)), best), 700, replace=False)
    chosen = np.r_[best, others]
    names = np.array(GENES)
    frame = pd.DataFrame(
        {
            "gene_a": names[a[chosen]],
            "gene_b": names[b[chosen]],
            "label": np.r_[np.ones(350, int), np.zeros(700, int)],
        }
    )
    path = tmp_path_factory.mktemp("pairs") / "lethal.tsv"
    frame.to_csv(path, sep="\t", index=False)
    return values, path


def test_planted_pairs_are_found_and_noise_and_trivial_rows_are_at_chance(planted):
    values, path = planted
    noise = np.random.default_rng(8).normal(size=values.shape)
    result = evaluate_pairs([embedding_of(values), embedding_of(noise, "noise")], read_pairs(path), QUICK)
    rows = result.scores.set_index("embedding")
    assert rows.loc["truth", "value"] > 0.8
    assert rows.loc["truth", "low"] > 0.6
    assert abs(rows.loc["noise", "value"] - 0.5) < 0.12
    assert abs(rows.loc["occurrence", "value"] - 0.5) < 0.1
    assert rows.loc["positive rate of each gene", "value"] == pytest.approx(0.5, abs=0.02)
    band = result.facts["bands"][0]
    assert rows.loc["truth", "value"] > band["high"]
    assert band["draws"] == 1
    assert result.facts["positive_genes"] <= 150


def test_a_directed_form_tells_source_from_target():
    generator = np.random.default_rng(3)
    values = generator.normal(size=(150, 3))
    score = values @ np.triu(generator.normal(size=(3, 3)), 1) @ values.T
    np.fill_diagonal(score, -np.inf)
    source, target = np.unravel_index(np.argsort(-score, axis=None)[:400], score.shape)
    names = np.array(GENES)
    from cistron.evaluation.pairs import PairTable

    pairs = PairTable("net", names[source].astype(object), names[target].astype(object), np.ones(400, bool))
    settings_ = PairSettings(
        directed=True, combinations=("bilinear", "sum"), folds=2, repeats=1, random=0, controls=0, draws=20
    )
    weights = dict.fromkeys(zip(names[source].tolist(), names[target].tolist()), 1.0)
    result = evaluate_pairs([embedding_of(values)], pairs, settings_, networks={"perfect": weights})
    rows = result.scores.set_index(["embedding", "model"])["value"]
    assert rows["truth", "bilinear"] > 0.75
    assert rows["truth", "bilinear"] > rows["truth", "sum"] + 0.03
    assert rows["perfect", "given network"] == 1.0


def test_the_published_protocol_uses_given_folds_and_names_the_trivial_row(planted, tmp_path):
    values, path = planted
    frame = pd.read_csv(path, sep="\t")
    generator = np.random.default_rng(0)
    side = dict(zip(GENES, generator.random(150) < 0.4))
    inner = dict(zip(GENES, generator.random(150) < 0.5))
    a, b = frame["gene_a"].map(side), frame["gene_b"].map(side)
    frame["outer0"] = np.where(a & b, "test", np.where(~a & ~b, "train", ""))
    c, d = frame["gene_a"].map(inner), frame["gene_b"].map(inner)
    train = frame["outer0"] == "train"
    frame["outer0_inner0"] = np.where(train & c & d, "train", np.where(train & ~c & ~d, "validation", ""))
    frame.to_csv(tmp_path / "p.tsv", sep="\t", index=False)
    pairs = read_pairs(tmp_path / "p.tsv")
    settings_ = PairSettings(protocol="zhong2025", random=0, controls=0, draws=20, combinations=("product",))
    result = evaluate_pairs([embedding_of(values)], pairs, settings_)
    assert set(result.scores["stratum"]) == {"given negatives"}
    assert result.scores.set_index("embedding").loc["truth", "value"] > 0.8
    assert len(result.folds) == 1
    with pytest.raises(InputError, match="needs given folds"):
        evaluate_pairs([embedding_of(values)], read_pairs(path), settings_)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene_a\tgene_b\tlabel\nA1\tB1\t3\n", "label must be 0 or 1. Given: '3'"),
        ("gene_a\tother\tlabel\nA1\tB1\t1\n", "need columns gene_a, gene_b"),
        ("gene_a\tgene_b\tlabel\nA1\tB1\t1\nB1\tA1\t0\n", "a positive in one row and a negative in another"),
        ("gene_a\tgene_b\tlabel\nA1\t\t1\n", "a gene is empty"),
    ],
)
def test_bad_tables_are_named(tmp_path, text, message):
    (tmp_path / "bad.tsv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_pairs(tmp_path / "bad.tsv")


def test_pairs_with_themselves_and_repeats_are_left_out_and_said(tmp_path):
    (tmp_path / "p.tsv").write_text("source\ttarget\nA1\tA1\nA1\tB1\nB1\tA1\nC1\tD1\n")
    table = read_pairs(tmp_path / "p.tsv")
    assert len(table) == 2
    assert len(read_pairs(tmp_path / "p.tsv", directed=True)) == 3
    assert any("with itself" in remark for remark in table.remarks)
    assert any("taken for positives" in remark for remark in table.remarks)


def test_the_command_writes_scores_and_folds(run, planted, tmp_path):
    values, path = planted
    write_gene_embedding(embedding_of(values), tmp_path / "truth.h5ad")
    code, printed, errors = run(
        "evaluate", "pairs", tmp_path / "truth.h5ad", "--pairs", path, "--combinations", "product", "--repeats", 1,
        "--random", 1, "--draws", 20, "--folds", 2, "--most", 400, "--negatives", "given", "--output", tmp_path / "out",
    )  # fmt: skip
    assert code == 0, errors
    assert "truth, product: AUROC" in printed
    assert set(read_scores(tmp_path / "out" / "scores.parquet")["stratum"]) == {"given negatives"}
    assert "positive_genes" in pd.read_parquet(tmp_path / "out" / "folds.parquet")
    assert "Beyond chance" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("negatives", ["balanced", "given"])
def test_the_gain_of_pairs_is_what_the_embedding_tells_beyond_trivial_columns(negatives):
    generator = np.random.default_rng(21)
    values, noise = generator.normal(size=(2, 150, 4))
    a, b = np.triu_indices(150, 1)
    pull = (values[a] * values[b]).sum(axis=1) + generator.gumbel(size=len(a))
    order = np.argsort(-pull)
    chosen = np.r_[order[:400], generator.choice(order[400:], 400, replace=False)]
    name = np.array(GENES, dtype=object)
    table = PairTable("pairs", name[a[chosen]], name[b[chosen]], np.arange(800) < 400)
    rivals = Rivals(pd.DataFrame({"gc": generator.normal(size=150)}, index=pd.Index(GENES)))
    result = evaluate_pairs(
        [embedding_of(values), embedding_of(noise, "noise")],
        table,
        replace(QUICK, negatives=negatives, random=0, controls=0),
        rivals=rivals,
    )
    scores = result.scores.set_index(["embedding", "metric"])
    gain = scores.xs("gain_auroc", level="metric")
    assert set(gain.index) == {"truth", "noise"}
    assert gain.loc["truth", "low"] > 0.02
    assert gain.loc["noise", "low"] < 0 < gain.loc["noise", "high"] + 0.02
    assert ("trivial columns", "auroc") in scores.index
    assert result.facts["gain"]["groups"] >= 4
    alone = evaluate_pairs(
        [embedding_of(values)],
        table,
        replace(QUICK, negatives=negatives, random=0, controls=0),
        rivals=rivals,
        rival_rows=False,
    ).scores.set_index(["embedding", "metric"])
    assert ("trivial columns", "auroc") not in alone.index
    assert alone.loc[("truth", "gain_auroc"), "value"] == gain.loc["truth", "value"]


def test_genes_are_dealt_to_groups_with_their_partners():
    clusters = np.repeat(np.arange(6), 20)
    a, b = np.triu_indices(120, 1)
    inside = clusters[a] == clusters[b]
    dealt = deal_genes(a[inside], b[inside], 120, 6, seed=0)
    assert (dealt[a[inside]] == dealt[b[inside]]).mean() > 0.6  # one sixth by chance
    assert np.bincount(dealt, minlength=6).max() <= 23


def test_a_list_too_small_for_a_gain_is_said():
    generator = np.random.default_rng(2)
    a, b = np.triu_indices(30, 1)
    name = np.array(GENES, dtype=object)
    table = PairTable("pairs", name[a], name[b], generator.random(len(a)) < 0.3)
    rivals = Rivals(
        pd.DataFrame(generator.normal(size=(150, 6)), index=pd.Index(GENES), columns=list("abcdef"))
    )
    result = evaluate_pairs([embedding_of(generator.normal(size=(150, 3)))], table, QUICK, rivals=rivals)
    assert not (result.scores["metric"] == "gain_auroc").any()
    assert any("gain beyond" in warning for warning in result.warnings)


def test_one_member_and_one_other_have_an_area():
    assert area(np.array([1.0, 2.0]), np.array([False, True])) == 1.0
