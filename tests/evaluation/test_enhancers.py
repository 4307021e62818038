"""The enhancer task: known answers, ties, joins, intervals over components, control, bad tables."""

import gzip

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from cistron.cli.main import main
from cistron.errors import InputError
from cistron.evaluation.enhancers import EnhancerSettings, evaluate_enhancers, read_pairs, read_predictors
from cistron.evaluation.enhancers.precision_recall import Ranking
from cistron.formats.enhancer_pairs import components

FOLDER = "sequence/EngreitzLab_CRISPR_comparison"
TRAINING = f"{FOLDER}/EPCrisprBenchmark_combined_data.training_K562.GRCh38.tsv.gz"
FULCO = f"{FOLDER}/EPCrisprBenchmark_Fulco2019_K562_GRCh38.tsv.gz"
QUICK = EnhancerSettings(draws=40, controls=3)


def made_pairs(number=400, seed=0):
    """Pairs whose truth depends on a score, not on distance alone."""
    random = np.random.default_rng(seed)
    start = random.integers(0, 300, number) * 1000
    score = random.standard_normal(number)
    frame = pd.DataFrame(
        {
            "chrom": "chr1",
            "chromStart": start,
            "chromEnd": start + 500,
            "measuredGeneSymbol": [f"G{gene}" for gene in random.integers(0, 60, number)],
            "startTSS": 150_000,
            "endTSS": 150_001,
            "ValidConnection": np.where(np.arange(number) < number - 5, "TRUE", "overlaps promoter"),
            "CellType": np.where(np.arange(number) % 2, "K562", "WTC11"),
        }
    )
    frame["Regulated"] = np.where(score + 0.5 * random.standard_normal(number) > 1.2, "TRUE", "FALSE")
    frame["name"] = [
        f"{row.measuredGeneSymbol}|{row.chromStart}|{number}" for number, row in enumerate(frame.itertuples())
    ]
    return frame, score


@pytest.fixture
def made(tmp_path):
    frame, score = made_pairs()
    frame.to_csv(tmp_path / "pairs.tsv", sep="\t", index=False)
    pd.DataFrame({"name": frame["name"], "method": "good", "score": score, "agnostic": -score}).to_csv(
        tmp_path / "c.tsv", sep="\t", index=False
    )
    return tmp_path, frame, score


@pytest.mark.real_data
@pytest.mark.parametrize(("distance", "expected"), [("column", 0.438), ("midpoint", 0.415)])
def test_known_answers_of_distance(test_data, distance, expected):
    pairs = read_pairs(test_data / TRAINING, distance)
    assert len(pairs.frame) == 10_356
    found = evaluate_enhancers(pairs, [], QUICK).scores
    whole = found[(found["stratum"] == "all") & (found["metric"] == "average_precision")].set_index(
        "embedding"
    )
    assert whole.loc["distance", "value"] == pytest.approx(expected, abs=5e-4)
    assert whole.loc["random", "value"] == pytest.approx(0.0455, abs=1e-4)
    width = whole.loc["distance", "high"] - whole.loc["distance", "low"]
    assert 0.09 < width < 0.17  # genes alone would give .107, components .132


@pytest.mark.real_data
def test_known_answers_by_bin_and_abc_beside_distance(test_data):
    pairs = read_pairs(test_data / TRAINING, "midpoint")
    found = evaluate_enhancers(pairs, [], QUICK).scores
    rows = found[(found["metric"] == "average_precision") & (found["embedding"] == "distance")].set_index(
        "stratum"
    )["value"]
    for name, expected in (
        ("0-15 kb", 0.566),
        ("15-45 kb", 0.230),
        ("45-98 kb", 0.041),
        ("98-262 kb", 0.011),
    ):
        assert rows[f"data set Nasser2021, {name}"] == pytest.approx(expected, abs=6e-4)
    fulco = read_pairs(test_data / FULCO)
    abc = read_predictors([test_data / FOLDER / "ABC_K562_Fulco2019Genes_GRCh38.tsv.gz"], fulco)
    found = evaluate_enhancers(fulco, abc, QUICK).scores
    gain = found[(found["metric"] == "average_precision_gain") & (found["stratum"] == "all")].iloc[0]
    assert gain["value"] > 0.2
    assert gain["low"] > 0
    assert "pairs that all methods score" in set(found["stratum"])


def test_average_precision_takes_ties_and_weights_as_scikit_learn_does():
    random = np.random.default_rng(0)
    for _ in range(20):
        score, positive = random.integers(0, 6, 40).astype(float), random.random(40) < 0.3
        if not positive.any():
            continue
        weights = random.integers(0, 3, 40).astype(float)
        ranking = Ranking.of(score)
        assert ranking.average_precision(positive) == pytest.approx(average_precision_score(positive, score))
        if (weights * positive).sum():
            expected = average_precision_score(positive, score, sample_weight=weights)
            assert ranking.average_precision(positive, weights) == pytest.approx(expected)
    ranking = Ranking.of(np.array([3.0, 2.0, 2.0, -np.inf]))
    assert ranking.precision_at(0.7, np.array([True, True, False, False])) == pytest.approx(2 / 3)
    assert ranking.precision_at(0.5, np.array([True, True, False, False])) == 1.0


def test_scores_beat_distance_and_their_control_and_both_columns_are_methods(made):
    folder, frame, _ = made
    pairs = read_pairs(folder / "pairs.tsv")
    assert len(pairs.frame) == len(frame) - 5
    assert pairs.distance_by == "midpoint"
    assert "5 of 400 pairs are set aside: ValidConnection" in pairs.remarks[0]
    found = evaluate_enhancers(pairs, read_predictors([folder / "c.tsv"], pairs), QUICK).scores
    rows = found[(found["metric"] == "average_precision") & (found["stratum"] == "all")].set_index(
        "embedding"
    )
    assert set(rows.index) == {"good", "good (agnostic)", "distance", "random"}
    prevalence = pairs.frame["regulated"].mean()
    assert rows.loc["good", "value"] > 0.7
    assert rows.loc["good", "low"] > rows.loc["good", "control_value"]
    assert rows.loc["good", "control_value"] == pytest.approx(prevalence, abs=0.1)
    assert rows.loc["random", "value"] == pytest.approx(prevalence)
    assert rows.loc["good (agnostic)", "value"] < prevalence
    assert {"cell type K562", "cell type WTC11"} <= set(found["stratum"])


def test_pairs_without_a_score_stay_in_as_the_lowest(made):
    folder, _, score = made
    table = pd.read_csv(folder / "c.tsv", sep="\t").drop(columns="agnostic")
    pairs = read_pairs(folder / "pairs.tsv")
    truth = dict(zip(pairs.frame["name"], pairs.frame["regulated"]))
    table["score"] = table["score"].where(table.index % 3 > 0)
    table.to_csv(folder / "c.tsv", sep="\t", index=False)
    (one,) = read_predictors([folder / "c.tsv"], pairs)
    value = (
        evaluate_enhancers(pairs, [one], QUICK)
        .scores.query("embedding == 'good' and stratum == 'all'")["value"]
        .iloc[0]
    )
    known = table[table["name"].isin(truth)]
    filled = known["score"].fillna(score.min() - 1)
    assert value == pytest.approx(average_precision_score([truth[name] for name in known["name"]], filled))


@pytest.mark.parametrize(("aggregate", "expected"), [("sum", 5.0), ("max", 3.0), ("mean", 2.5)])
def test_tables_are_joined_by_coordinates_and_gene(tmp_path, aggregate, expected):
    rows = ["chrom\tchromStart\tchromEnd\tmeasuredGeneSymbol\tdistanceToTSS\tRegulated"]
    rows += ["chr1\t100\t200\tA\t5\tTRUE", "chr1\t100\t200\tB\t50\tFALSE", "chr1\t300\t400\tA\t500\tFALSE"]
    (tmp_path / "p.tsv").write_text("\n".join(rows) + "\n")
    theirs = "chr\tstart\tend\tTargetGene\tABC.Score\n1\t150\t160\tA\t2\n1\t199\t260\tA\t3\n1\t200\t300\tA\t9\n1\t150\t160\tB\t1\n"
    (tmp_path / "abc.tsv.gz").write_bytes(gzip.compress(theirs.encode()))
    pairs = read_pairs(tmp_path / "p.tsv")
    (one,) = read_predictors([tmp_path / "abc.tsv.gz"], pairs, aggregate)
    assert one.name == "abc"
    np.testing.assert_array_equal(one.score, [expected, 1.0, -np.inf])


def test_components_join_pairs_that_share_an_element_or_a_gene():
    frame = pd.DataFrame(
        {
            "chromosome": "chr1",
            "start": [1, 1, 5, 9, 20],
            "end": [2, 2, 6, 10, 21],
            "gene": ["A", "B", "B", "C", "D"],
        }
    )
    found = components(frame)
    assert found[0] == found[1] == found[2]
    assert len(set(found)) == 3


def test_names_that_repeat_between_files_get_the_file_before_them(made):
    folder, _, _ = made
    table = pd.read_csv(folder / "c.tsv", sep="\t").drop(columns="agnostic")
    table.to_csv(folder / "first.tsv", sep="\t", index=False)
    table.to_csv(folder / "second.tsv", sep="\t", index=False)
    pairs = read_pairs(folder / "pairs.tsv")
    names = [one.name for one in read_predictors([folder / "first.tsv", folder / "second.tsv"], pairs)]
    assert names == ["first good", "second good"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="Regulated"), "no column for the regulated"),
        (lambda frame: frame.assign(Regulated="maybe"), "expected TRUE or FALSE"),
        (lambda frame: frame.assign(Regulated="FALSE"), "0 of 395 pairs are regulated"),
        (lambda frame: frame.assign(chromEnd=0), "needs a start below its end"),
        (lambda frame: frame.assign(chromStart="x"), "no number"),
        (lambda frame: frame.drop(columns="startTSS"), "no column startTSS"),
    ],
)
def test_damaged_pairs_are_named(made, change, message):
    folder, frame, _ = made
    change(frame).to_csv(folder / "pairs.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match=message):
        read_pairs(folder / "pairs.tsv")


def test_damaged_scores_are_named(made):
    folder, _, _ = made
    pairs = read_pairs(folder / "pairs.tsv")
    table = pd.read_csv(folder / "c.tsv", sep="\t")
    for changed, message in (
        (table.rename(columns={"score": "value"}), "--score-column"),
        (pd.concat([table, table.iloc[:1]]), "has two scores of method 'good'"),
        (table.assign(score=np.nan).drop(columns="agnostic"), "none of the 395 pairs has a score"),
    ):
        changed.to_csv(folder / "b.tsv", sep="\t", index=False)
        with pytest.raises(InputError, match=message):
            read_predictors([folder / "b.tsv"], pairs)
    table.rename(columns={"score": "value"}).drop(columns="agnostic").to_csv(
        folder / "b.tsv", sep="\t", index=False
    )
    assert read_predictors([folder / "b.tsv"], pairs, score_column="value")[0].scored.all()


def test_the_command_writes_a_report(made, capsys):
    folder, _, _ = made
    code = main(
        f"evaluate enhancers {folder}/c.tsv --pairs {folder}/pairs.tsv --draws 40 --controls 2 --aggregate max --distance-by midpoint --output {folder}/r".split()
    )
    assert code == 0, capsys.readouterr().err
    assert "good: average precision" in capsys.readouterr().out
    page = (folder / "r" / "report.html").read_text()
    assert "good (agnostic)" in page
    assert (folder / "r" / "figures" / "enhancers_precision_recall.png").exists()
