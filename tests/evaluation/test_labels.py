"""The label task: the published protocol against scikit-learn, planted truth, every kind of label, bad input."""

from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC

from cistron.errors import IdentifierError, InputError, LeakageError
from cistron.evaluation.labels import LabelSettings, LabelTable, evaluate_labels, read_labels
from cistron.evaluation.labels.folds import given_folds, made_folds
from cistron.evaluation.labels.learners import COSTS, decision_values, part_of, ridge_path
from cistron.evaluation.rivals import Rivals
from cistron.evaluation.weighted_area import weighted_area
from cistron.formats import build_gene_embedding, read_scores, write_gene_embedding

GENES = [f"ENSG{number:011d}" for number in range(240)]
QUICK = LabelSettings(draws=40, learner="ridge")


def embedding_of(values, name="truth", genes=GENES):
    return build_gene_embedding(values, genes, name=name, method="planted", evidence="expression")


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(3).normal(size=(len(GENES), 5)).astype(np.float32)


@pytest.fixture(scope="module")
def table(values, tmp_path_factory):
    """Three terms with given parts; the second is decided by a curved function of the embedding."""
    generator = np.random.default_rng(4)
    noise = 0.4 * generator.normal(size=(len(GENES), 3))
    pulls = [values[:, 0] + noise[:, 0], np.abs(values[:, 1]) + noise[:, 1], values[:, 2] + noise[:, 2]]
    part = generator.choice(["fold1", "fold2", "fold3", "holdout"], size=len(GENES))
    frames = [
        pd.DataFrame({"term": f"T{number}", "gene": GENES, "member": (pull > np.quantile(pull, 0.8)).astype(int), "part": part})
        for number, pull in enumerate(pulls)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("labels") / "go.tsv"
    pd.concat(frames).to_csv(path, sep="\t", index=False)
    return path


@given(seed=st.integers(0, 500), ties=st.booleans())
@settings(max_examples=25, deadline=None)
def test_weighted_areas_equal_scikit_learn(seed, ties):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 5, 50).astype(float) if ties else generator.normal(size=50)
    member = generator.random(50) < 0.4
    member[:2] = True, False
    weights = generator.integers(0, 3, size=(3, 50)).astype(float)
    weights[:, :2] += 1
    found = weighted_area(scores, member, weights)
    assert found == pytest.approx([roc_auc_score(member, scores, sample_weight=one) for one in weights])


def by_scikit_learn(values, frame):
    """The protocol as the published page says it."""
    rows = {gene: place for place, gene in enumerate(GENES)}
    held, rest = frame[frame["part"] == "holdout"], frame[frame["part"] != "holdout"]
    means = []
    for cost in COSTS:
        areas = []
        for fold in ("fold1", "fold2", "fold3"):
            train, test = rest[rest["part"] != fold], rest[rest["part"] == fold]
            machine = SVC(C=cost, class_weight="balanced").fit(
                values[train["gene"].map(rows)], train["member"]
            )
            areas.append(
                roc_auc_score(test["member"], machine.decision_function(values[test["gene"].map(rows)]))
            )
        means.append(np.mean(areas))
    machine = SVC(C=COSTS[int(np.argmax(means))], class_weight="balanced")
    machine.fit(values[rest["gene"].map(rows)], rest["member"])
    return roc_auc_score(held["member"], machine.decision_function(values[held["gene"].map(rows)]))


def test_the_published_protocol_equals_scikit_learn(values, table):
    scaled = values * [1, 5, 0.2, 1, 3]  # unscaled features: columns count as they are
    result = evaluate_labels(
        [embedding_of(scaled)], read_labels(table), LabelSettings(protocol="zhong2025", controls=0, draws=20)
    )
    frame = pd.read_csv(table, sep="\t")
    stored = scaled.astype(np.float32).astype(float)
    expected = {term: by_scikit_learn(stored, part) for term, part in frame.groupby("term")}
    found = dict(zip(result.scores["target"], result.scores["value"]))
    assert found == pytest.approx(expected, abs=1e-9)
    assert set(result.scores["model"]) == {"zhong2025"}


@pytest.mark.parametrize("distance", [0.1, 6.0])
def test_machines_of_several_costs_equal_those_fitted_one_by_one(distance):
    """Far apart no weight is at its bound, so that the solver is asked once; close together every cost is another machine."""
    generator = np.random.default_rng(3)
    truth = np.r_[np.ones(20), np.zeros(40)]
    train = generator.normal(size=(60, 5)) + distance * truth[:, None]
    test = generator.normal(size=(9, 5)) + distance / 2
    kernel, across = (np.exp(-0.1 * cdist(one, train, "sqeuclidean")) for one in (train, test))
    with patch("sklearn.svm.SVC.fit", autospec=True, side_effect=SVC.fit) as fits:
        found = decision_values(kernel, across, truth, COSTS)
        tried = fits.call_count
    assert tried < len(COSTS) if distance > 1 else tried == len(COSTS)
    for cost, values in zip(COSTS, found, strict=True):
        machine = SVC(kernel="rbf", gamma=0.1, C=cost, class_weight="balanced").fit(train, truth)
        assert values == pytest.approx(machine.decision_function(test), abs=2e-3)


@pytest.mark.parametrize("rows", [[0, 1, 2, 5, 6], [6, 2, 0], list(range(0, 40, 2))])
def test_parts_of_a_matrix_are_those_of_lists(rows):
    matrix = np.arange(1600.0).reshape(40, 40)
    columns = np.array([3, 4, 5, 9, *range(11, 39, 2)])
    part = part_of(matrix, np.array(rows), columns)
    assert np.array_equal(part, matrix[np.ix_(rows, columns)])
    part[:] = -1.0
    assert matrix.min() == 0.0


def test_ridge_equals_its_normal_equations():
    generator = np.random.default_rng(0)
    train, test, truth = (
        generator.normal(size=(40, 4)),
        generator.normal(size=(9, 4)),
        generator.normal(size=40),
    )
    size = ((train - train.mean(axis=0)) ** 2).sum(axis=1).mean()
    centred = train - train.mean(axis=0)
    weights = np.linalg.solve(
        centred.T @ centred / size + 0.7 * np.eye(4), centred.T @ (truth - truth.mean()) / size
    )
    expected = truth.mean() + (test - train.mean(axis=0)) @ weights
    assert ridge_path(train, test, truth, (0.7,), "ridge", False)[0] == pytest.approx(expected)
    wide = np.hstack(
        [train, generator.normal(size=(40, 60)) * 1e-9]
    )  # more columns than rows: through the kernel
    ahead = np.hstack([test, np.zeros((9, 60))])
    assert ridge_path(wide, ahead, truth, (0.7,), "ridge", False)[0] == pytest.approx(expected, abs=1e-6)


def test_one_row_a_term_and_embedding_truth_found_noise_at_chance(values, table):
    noise = np.random.default_rng(9).normal(size=values.shape)
    learner = LabelSettings(learner="kernel-ridge", draws=40)
    result = evaluate_labels(
        [embedding_of(values), embedding_of(noise, "noise")], read_labels(table), learner
    )
    assert len(result.scores) == 3 * 2
    assert not result.scores.duplicated(["target", "embedding"]).any()
    mean = result.scores.groupby("embedding")[["value", "control_value"]].mean()
    assert mean.loc["truth", "value"] > 0.85  # the curved term included
    assert abs(mean.loc["noise", "value"] - 0.5) < 0.12
    assert abs(mean.loc["truth", "control_value"] - 0.5) < 0.12
    first = result.differences.iloc[0]
    assert (first["first"], first["second"]) == ("truth", "noise")
    assert first["low"] > 0
    assert result.summary["embedding"].tolist() == ["truth", "noise"]


def test_a_held_out_label_is_never_fitted_on(values, table):
    labels = read_labels(table)
    flipped = labels.frame.copy()
    held = flipped["part"] == "holdout"
    flipped.loc[held, "value"] = 1 - flipped.loc[held, "value"]
    one, other = (
        evaluate_labels([embedding_of(values)], part, QUICK).predictions["predicted"]
        for part in (labels, type(labels)(labels.name, flipped, "member", labels.namespace))
    )
    assert one.equals(other)


def test_classes_and_numbers_are_scored_too(values, tmp_path):
    number = values @ [1, 0.5, 0, 0, 0] + 0.3 * np.random.default_rng(1).normal(size=len(GENES))
    pd.DataFrame({"gene": GENES, "value": number}).to_csv(tmp_path / "length.csv", index=False)
    result = evaluate_labels([embedding_of(values)], read_labels(tmp_path / "length.csv"), QUICK)
    assert result.scores["metric"].tolist() == ["r"]
    assert result.scores["value"].iloc[0] > 0.9
    assert result.scores["low"].iloc[0] > 0.8
    assert "left out at random" in result.warnings[0]
    kinds = np.where(values[:, 0] > 0.5, "kinase", np.where(values[:, 1] > 0.3, "receptor", "other"))
    pd.DataFrame({"gene": GENES, "label": kinds}).to_csv(tmp_path / "kind.tsv", sep="\t", index=False)
    result = evaluate_labels([embedding_of(values)], read_labels(tmp_path / "kind.tsv"), QUICK)
    assert result.facts["classes"] == ["kinase", "other", "receptor"]
    assert result.scores["value"].iloc[0] > 0.85


def test_chromosomes_stay_whole_and_genes_at_random_keep_their_members():
    chromosomes = np.repeat(np.array(["1", "2", "3", "4"]), 25)
    for fold in made_folds(100, None, chromosomes, 3, 0):
        assert set(chromosomes[fold.train]).isdisjoint(chromosomes[fold.test])
    member = np.arange(100) < 20
    assert {int(member[fold.test].sum()) for fold in made_folds(100, member, None, 5, 0)} == {4}
    parts = np.array(["a", "b", "c", "a"])
    assert len(given_folds(parts)) == 3
    only = given_folds(np.array(["fold1", "Test", "fold2", "test"]))
    assert [fold.test.tolist() for fold in only][-1] == [3]


def test_absent_genes_stand_at_the_baseline(values, table):
    half = embedding_of(values[:120], genes=GENES[:120])
    every = evaluate_labels(
        [half], read_labels(table), LabelSettings(learner="ridge", draws=20, compare_on="all")
    )
    own = evaluate_labels(
        [half], read_labels(table), LabelSettings(learner="ridge", draws=20, compare_on="covered")
    )
    assert every.scores["n"].sum() > own.scores["n"].sum()
    assert every.scores["value"].mean() < own.scores["value"].mean()
    assert every.facts["coverage"][0]["covered"] == 120


def test_terms_of_few_members_are_left_out_and_named(values, table):
    labels = read_labels(table)
    result = evaluate_labels(
        [embedding_of(values)], labels, LabelSettings(learner="ridge", draws=20, minimum=48)
    )
    assert any("terms left out" in remark for remark in result.warnings) or len(result.scores) == 3
    with pytest.raises(InputError, match="no term has 500 members"):
        evaluate_labels([embedding_of(values)], labels, LabelSettings(minimum=500))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene\tmember\nA1\t2\n", "member must be 0 or 1. Given: '2'"),
        ("gene\tvalue\nA1\tlong\n", "must be a finite number"),
        ("gene\tweight\nA1\t2\n", "need columns term, gene, member"),
        ("gene\tlabel\nA1\tx\nB1\tx\n", "at least 2 classes"),
        ("gene\tmember\nA1\t1\nA1\t0\n", "gene A1 has two labels"),
        ("gene\tmember\n\t1\n", "the gene or the term is empty"),
        ("gene\tmember\n", "no rows"),
    ],
)
def test_bad_tables_are_named(tmp_path, text, message):
    (tmp_path / "bad.tsv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_labels(tmp_path / "bad.tsv")


def test_a_gene_in_two_parts_is_a_leak(tmp_path):
    (tmp_path / "leak.tsv").write_text("gene\tmember\tpart\nA1\t1\tfold1\nA1\t1\tholdout\n")
    with pytest.raises(LeakageError, match="two parts"):
        read_labels(tmp_path / "leak.tsv")


def test_protocol_and_embeddings_are_checked(values, table, tmp_path):
    (tmp_path / "plain.tsv").write_text(
        "gene\tmember\n" + "".join(f"{gene}\t{n % 2}\n" for n, gene in enumerate(GENES))
    )
    with pytest.raises(InputError, match="needs members"):
        evaluate_labels(
            [embedding_of(values)], read_labels(tmp_path / "plain.tsv"), LabelSettings(protocol="zhong2025")
        )
    with pytest.raises(IdentifierError, match="none of its"):
        evaluate_labels(
            [embedding_of(values, genes=[f"X{n}" for n in range(240)])], read_labels(table), QUICK
        )
    with pytest.raises(InputError, match="two embeddings are named"):
        evaluate_labels([embedding_of(values), embedding_of(values)], read_labels(table), QUICK)


def test_the_command_writes_tables_and_a_row_of_trivial_columns(run, fails, values, table, tmp_path):
    write_gene_embedding(embedding_of(values), tmp_path / "truth.h5ad")
    pd.DataFrame({"gene": GENES, "length": np.arange(240.0)}).to_csv(
        tmp_path / "r.tsv", sep="\t", index=False
    )
    (tmp_path / "list.txt").write_text("\n".join(GENES[:200]))
    code, printed, errors = run(
        "evaluate", "labels", tmp_path / "truth.h5ad", "--labels", table, "--learner", "ridge", "--draws", 20,
        "--compare-on", "covered", "--rivals", tmp_path / "r.tsv", "--genes", tmp_path / "list.txt", "--minimum", 3,
        "--output", tmp_path / "out",
    )  # fmt: skip
    assert code == 0, errors
    assert "truth: mean AUROC of 3 terms" in printed
    scores = read_scores(tmp_path / "out" / "scores.parquet")
    assert set(scores["embedding"]) == {"truth", "trivial columns"}
    assert (scores["metric"] == "auroc").sum() == 6
    gains = scores[scores["metric"] == "gain_auroc"]
    assert (gains["embedding"] == "truth").all()
    assert gains["target"].iloc[-1] == "mean of 3 terms"
    assert "truth knows something about these labels" in (tmp_path / "out" / "report.html").read_text()
    assert "gain beyond trivial columns +" in printed
    assert "paired" in (tmp_path / "out" / "report.html").read_text()
    message = fails(
        "evaluate",
        "labels",
        tmp_path / "truth.h5ad",
        "--labels",
        table,
        "--learner",
        "forest",
        "--output",
        tmp_path / "o2",
    )
    assert "learner" in message


def planted_beside_a_column(noise, number=600):
    """A column that tells half of a label, an embedding that tells the other half, or nothing."""
    generator = np.random.default_rng(11)
    genes = [f"ENSG{number:011d}" for number in range(number)]
    own, known = generator.normal(size=(2, number))
    pull = own + known + 0.5 * generator.normal(size=number)
    embedding = generator.normal(size=(number, 4))
    if not noise:
        embedding[:, 0] = own
    chromosomes = pd.Series([str(1 + place % 12) for place in range(number)], index=genes)
    rivals = Rivals(pd.DataFrame({"known": known}, index=pd.Index(genes)))
    return genes, embedding, pull, chromosomes, rivals


@pytest.mark.parametrize("kind", ["member", "class", "number"])
def test_the_gain_is_what_the_embedding_tells_beyond_trivial_columns(kind):
    for noise in (False, True):
        genes, values, pull, chromosomes, rivals = planted_beside_a_column(noise)
        value = {"member": pull > 1.2, "class": np.digitize(pull, [-1, 1]), "number": pull}[kind]
        frame = pd.DataFrame({"term": "t", "gene": genes, "value": value.astype(float), "part": ""})
        table = LabelTable("t", frame, kind, "ensembl", ("a", "b", "c") if kind == "class" else ())
        result = evaluate_labels(
            [embedding_of(values, genes=genes)], table, QUICK, chromosomes=chromosomes, rivals=rivals
        )
        scores = result.scores.set_index(["embedding", "metric"])
        metric = "r" if kind == "number" else "auroc"
        gain = scores.loc[("truth", f"gain_{metric}")]
        assert (gain["low"] > 0) == (not noise)
        assert gain["low"] < gain["value"] < gain["high"]
        assert scores.loc[("trivial columns", metric), "value"] > (0.5 if kind == "number" else 0.65)
        assert result.summary.set_index("embedding").loc["truth", "gain"] == gain["value"]
        assert ("trivial columns", f"gain_{metric}") not in scores.index
    alone = evaluate_labels(
        [embedding_of(values, genes=genes)],
        table,
        QUICK,
        chromosomes=chromosomes,
        rivals=rivals,
        rival_rows=False,
    )
    assert set(alone.scores["embedding"]) == {"truth"}
    assert alone.summary["gain"].tolist() == [gain["value"]]  # the gain does not need the rows


def test_gains_of_terms_with_other_genes_are_averaged():
    genes, values, pull, chromosomes, rivals = planted_beside_a_column(False)
    frames = [
        pd.DataFrame({"term": term, "gene": own, "value": (pull[rows] > 1).astype(float), "part": ""})
        for term, rows in (("a", slice(None)), ("b", slice(0, 400)), ("few", slice(0, 9)))
        for own in [genes[rows]]
    ]
    table = LabelTable("t", pd.concat(frames), "member", "ensembl")
    result = evaluate_labels(
        [embedding_of(values, genes=genes)], table, QUICK, chromosomes=chromosomes, rivals=rivals
    )
    rows = result.scores[result.scores["metric"] == "gain_auroc"].set_index("target")
    assert rows.loc["mean of 2 terms", "value"] == pytest.approx(rows.loc[["a", "b"], "value"].mean())
    width = rows["high"] - rows["low"]
    assert width["mean of 2 terms"] < width["b"]
    assert any("no gain beyond trivial columns for 1 of 3 terms" in warning for warning in result.warnings)
