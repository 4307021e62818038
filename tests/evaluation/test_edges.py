"""The task edges: parity with CausalBench's values, rankings against scikit-learn, corrections, controls."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from cistron.errors import IdentifierError, InputError
from cistron.evaluation.edges import evaluate_edges, random_network
from cistron.evaluation.edges import truth as edge_truth
from cistron.evaluation.edges.causalbench import (
    TrainingRegime,
    challenge_score,
    evaluate_model,
    training_rows,
)
from cistron.evaluation.edges.interventions import (
    edge_effects,
    false_omission_rate,
    held_out_cells,
    paths,
    permutation_null,
    significant,
)
from cistron.evaluation.edges.references import score_against_reference, wilson
from cistron.evaluation.edges.rows import EdgeEvaluationSettings, against_truth
from cistron.formats.edges import Edges
from cistron.formats.perturbed_cells import assemble_cells, read_perturbed_cells, split_cells


def network(pairs, name="net", **columns):
    table = pd.DataFrame(pairs, columns=["source", "target"])
    table["weight"] = np.linspace(1, 0.5, len(table)) if len(table) else []
    return Edges(table.assign(**columns), name)


@pytest.fixture(scope="module")
def tap_seq(test_data):
    folder = test_data / "networks/tapseq_schraivogel_k562"
    if not folder.exists():
        pytest.skip("the TAP-seq data are not there")
    cells = read_perturbed_cells(folder / "derived_causalbench_format.npz")
    reference = json.loads((folder / "causalbench_evaluator_reference.json").read_text())
    return cells, reference


def test_causalbench_values_are_reproduced(tap_seq):
    cells, reference = tap_seq
    train, test = split_cells(cells)
    assert (len(train), len(test)) == (reference["n_train"], reference["n_test"])
    held_out, training = held_out_cells(cells, test), held_out_cells(cells, train)
    number = {gene: position for position, gene in enumerate(cells.genes)}
    pairs = [(a, b) for a in held_out.parents for b in cells.genes if a != b]
    assert len(pairs) == reference["possible_edges"]
    control = training.values[training.rows[""]]
    correlation = np.abs(np.corrcoef(control.T))
    shift = {a: np.abs(training.values[training.rows[a]].mean(0) - control.mean(0)) for a in held_out.parents}
    ranked = {
        "all_edges": pairs,
        "mean_difference_train_top50": sorted(pairs, key=lambda p: -shift[p[0]][number[p[1]]])[:50],
        "mean_difference_train_top100": sorted(pairs, key=lambda p: -shift[p[0]][number[p[1]]])[:100],
        "abs_corr_observational_top50": sorted(pairs, key=lambda p: -correlation[number[p[0]], number[p[1]]])[
            :50
        ],
        "abs_corr_observational_top100": sorted(
            pairs, key=lambda p: -correlation[number[p[0]], number[p[1]]]
        )[:100],
    }
    for name, chosen in ranked.items():
        effects = edge_effects(chosen, held_out)
        expected = reference[name]
        assert effects["wasserstein"].mean() == pytest.approx(
            expected["wasserstein_distance"]["mean"], abs=1e-6
        )
        assert significant(effects["p_value"]).sum() == expected["true_positives"]
        assert significant(effects["p_value"], adjust=True).sum() < expected["true_positives"]
    everything = edge_effects(pairs, held_out)
    null = permutation_null(everything, held_out, repeats=1).mean()
    assert 0.03 < null < everything["wasserstein"].mean()  # most of the distance is sampling noise


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=3, max_size=40))
def test_rankings_are_scikit_learns_also_with_ties(rows):
    score = np.array([value for value, _ in rows], float)
    true = np.array([flag for _, flag in rows])
    if not true.any() or true.all():
        return
    assert edge_truth.average_precision(score, true) == pytest.approx(average_precision_score(true, score))
    assert edge_truth.roc_area(score, true) == pytest.approx(roc_auc_score(true, score))
    weight = np.arange(len(score)) % 3 + 1.0
    ours = edge_truth.average_precision(score, true, weight)
    assert ours == pytest.approx(average_precision_score(true, score, sample_weight=weight))


def test_judgement_by_hand():
    truth = network([("A", "B"), ("B", "C")], "truth", sign=[1, -1])
    found = network([("A", "B"), ("A", "C"), ("B", "C")], sign=[1, 1, 1], probability=[0.95, 0.55, 0.45])
    judged = edge_truth.judge(found, truth)
    assert judged.genes == ("A", "B", "C")
    assert judged.base_rate == pytest.approx(2 / 6)
    assert edge_truth.precision_at(judged, 2) == (0.5, 0.5)
    assert edge_truth.average_precision(
        judged.score[judged.allowed], judged.true[judged.allowed]
    ) == pytest.approx((1 + 2 / 3) / 2)
    assert edge_truth.sign_accuracy(found, truth) == (0.5, 2)
    curve = edge_truth.calibration_curve(found, judged)
    assert curve["n"].tolist() == [1, 1, 1]
    assert curve["observed"].tolist() == [1, 0, 1]
    assert edge_truth.calibration_error(curve) == pytest.approx((0.05 + 0.55 + 0.55) / 3)
    only = edge_truth.judge(found, truth, sources=["B"])
    assert only.allowed.sum() == 2


def test_a_perfect_and_a_random_network_are_known_as_such():
    genes = [f"G{i}" for i in range(30)]
    random = np.random.default_rng(0)
    pairs = {(genes[a], genes[b]) for a, b in random.integers(0, 30, (60, 2)) if a != b}
    truth = network(sorted(pairs), "truth")
    value, low, high = edge_truth.average_precision_interval(edge_truth.judge(truth, truth, genes))
    assert (value, low, high) == (1, 1, 1)
    chance = random_network(genes, genes, 870, seed=1)
    assert len(chance) == 870
    judged = edge_truth.judge(chance, truth, genes)
    value, low, high = edge_truth.average_precision_interval(judged)
    assert low < judged.base_rate * 1.3
    assert value < 2 * judged.base_rate


def test_a_truth_in_symbols_is_explained():
    truth = network([("TP53", "MDM2"), ("MYC", "CDK4")], "truth")
    genes = [f"ENSG{number:011d}" for number in range(5)]
    with pytest.raises(IdentifierError, match=r"look like gene symbols.*Ensembl ids.*genes map"):
        edge_truth.judge(network([(genes[0], genes[1])]), truth, genes)


def _cells(each=40):
    random = np.random.default_rng(0)
    labels = np.repeat(["non-targeting", "A", "B", "D"], [200, each, each, each])
    values = random.normal(2, 0.5, (len(labels), 4))
    values[labels == "A", 1] += 3
    return assemble_cells(
        values, list("ABCD"), labels, control="non-targeting", scale="continuous", name="toy"
    )


def test_parents_without_cells_and_unknown_genes_are_left_out():
    held_out = held_out_cells(_cells())
    effects = edge_effects([("A", "B"), ("C", "A"), ("A", "Z")], held_out)
    assert effects[["source", "target"]].to_numpy().tolist() == [["A", "B"]]
    assert effects["wasserstein"].iloc[0] == pytest.approx(3, abs=0.2)
    assert effects["p_value"].iloc[0] < 1e-10


def test_paths_end_where_they_should():
    edges = [("A", "B"), ("B", "C"), ("C", "D"), ("D", "A")]
    assert paths(edges, 1)["A"] == {"B"}
    assert paths(edges, 2)["A"] == {"B", "C"}
    assert paths(edges, -1)["A"] == {"B", "C", "D"}


def test_causalbench_follows_longer_paths_than_it_says():
    names = "ABCDEFGHIJ"
    chain = list(itertools.pairwise(names))
    assert paths(chain, 3)["A"] == set("BCD")
    assert paths(chain, 3, causalbench=True)["A"] == set("BCDE")
    assert paths(chain, 4, causalbench=True)["A"] == set("BCDEFGHI")
    assert paths(chain, -1, causalbench=True) == paths(chain, -1)


def test_the_null_has_the_sizes_of_the_comparison():
    """Far fewer control than perturbed cells: halves of the control cells would be noisier than the comparison."""
    random = np.random.default_rng(0)
    labels = np.repeat(["non-targeting", "A"], [40, 2000])
    cells = assemble_cells(
        random.normal(2, 1, (2040, 6)), list("ABCDEF"), labels, control="non-targeting", scale="continuous"
    )
    held_out = held_out_cells(cells)
    effects = edge_effects([("A", gene) for gene in "BCDEF"], held_out)
    null = permutation_null(effects, held_out, repeats=20)
    by_hand = [
        stats.wasserstein_distance(random.normal(2, 1, 40), random.normal(2, 1, 2000)) for _ in range(200)
    ]
    assert null.mean() == pytest.approx(np.mean(by_hand), rel=0.15)
    assert effects["wasserstein"].mean() == pytest.approx(null.mean(), rel=0.5)


def test_the_false_omission_rate_counts_what_the_network_leaves_out():
    held_out = held_out_cells(_cells())
    missing, number = false_omission_rate([], held_out)
    kept, fewer = false_omission_rate([("A", "B")], held_out)
    assert (number, fewer) == (9, 8)
    assert missing > kept
    everything = [(a, b) for a in "ABCD" for b in "ABCD" if a != b]
    rate, none = false_omission_rate(everything, held_out)
    assert np.isnan(rate)
    assert none == 0


def test_collections_by_hand():
    reference = network([("A", "B"), ("A", "C"), ("Z", "B")], "chip")
    score = score_against_reference(
        network([("A", "B"), ("B", "A"), ("A", "D")]), reference, list("ABCD"), directed=True
    )
    assert (score.true_positives, score.judged) == (1, 2)  # B regulates nothing in the collection
    assert score.base_rate == pytest.approx(2 / 3)
    assert score.enrichment == pytest.approx(0.75)
    assert score.recall == 0.5
    both = score_against_reference(network([("B", "A"), ("A", "B")]), reference, list("ABCD"), directed=False)
    assert (both.true_positives, both.judged) == (1, 1)
    assert wilson(0, 0) == (0, 1)
    assert wilson(5, 10)[0] == pytest.approx(0.2366, abs=1e-4)


def test_undirected_collections_do_not_ask_for_the_direction(tmp_path, run):
    """Of B -> A and A -> C, a collection of A - B and A - C knows both, one of A -> B and A -> C the second."""
    tables = {
        "found": "source\ttarget\tweight\nB\tA\t1\nA\tC\t0.5\n",
        "collection": "source\ttarget\nA\tB\nA\tC\n",
        "truth": "source\ttarget\nA\tB\nB\tC\nC\tD\n",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.tsv").write_text(text)
    hits = {}
    for option in ("--reference", "--undirected-reference"):
        given = ("--truth", tmp_path / "truth.tsv", option, tmp_path / "collection.tsv", "--resamples", 5)
        code, _, errors = run("evaluate", "edges", tmp_path / "found.tsv", *given, "-o", tmp_path / option)
        assert code == 0, errors
        scores = pd.read_parquet(tmp_path / option / "scores.parquet")
        mine = scores[scores["embedding"].eq("found") & scores["metric"].eq("true_positives")]
        hits[option] = mine.set_index("stratum")["value"].to_dict()
    assert hits == {
        "--reference": {"directed pairs": 1.0},
        "--undirected-reference": {"undirected pairs": 2.0},
    }


def test_the_task_scores_all_networks_a_random_one_and_an_empty_one():
    cells = _cells()
    truth = network([("A", "B")], "truth")
    trained = {"cells": "training"}
    good = Edges(network([("A", "B"), ("B", "C")]).table, "good", parameters=trained)
    nothing = pd.DataFrame({"source": [], "target": [], "weight": []}, dtype=object)
    empty = Edges(nothing, "empty", parameters=trained)
    result = evaluate_edges(
        [good, empty],
        cells=cells,
        truth=truth,
        references=[(truth, True)],
        settings=EdgeEvaluationSettings(resamples=20),
        run_id="r",
    )
    rows = result.scores.set_index(["embedding", "target", "metric"])["value"].sort_index()
    assert rows["good", "truth truth", "auprc"] == 1
    assert rows["empty", "truth truth", "auprc"] == pytest.approx(1 / 12)
    assert rows["good", "held-out cells", "wasserstein_excess"] > 1
    assert ("empty", "held-out cells", "mean_wasserstein") not in rows.index
    assert set(result.scores["embedding"]) == {"good", "empty", "random"}
    good_rows = result.scores[(result.scores["embedding"] == "good") & (result.scores["metric"] == "auprc")]
    assert good_rows["control_value"].notna().all()
    assert not any("--edges" in warning for warning in result.warnings)
    full = Edges(
        network([(a, b) for a in "ABCD" for b in "ABCD" if a != b]).table, "full", parameters=trained
    )
    said = evaluate_edges([full], cells=cells, settings=EdgeEvaluationSettings(resamples=20)).warnings
    assert any("full: 9 of 9 possible edges are scored" in warning for warning in said), said
    with pytest.raises(InputError, match="at least one"):
        evaluate_edges([good])
    with pytest.raises(InputError, match="occurs twice"):
        evaluate_edges([good, good], cells=cells)


@pytest.mark.parametrize(("listed", "depths"), [(120, {40, 50, 100}), (100, {40, 50, 100}), (99, {40, 50})])
def test_precision_and_recall_at_fixed_depths(listed, depths):
    """Of the strongest pairs, 1 to 30 are true and 91 to 100: 40 true edges."""
    genes = [f"G{number}" for number in range(20)]
    pairs = [(one, other) for one in genes for other in genes if one != other]
    truth = network(pairs[:30] + pairs[90:100], "truth")
    settings = EdgeEvaluationSettings(resamples=2)
    rows, _ = against_truth(network(pairs[:listed]), truth, genes, None, settings, 0)
    found = {row["metric"]: row for row in rows}
    assert {int(name.rpartition("_")[2]) for name in found if name.startswith("precision_at_")} == depths
    assert found["precision_at_50"]["value"] == 30 / 50
    assert found["recall_at_50"]["value"] == 30 / 40
    assert found["recall_at_50"]["null_value"] == pytest.approx(50 / 380)
    if 100 in depths:
        assert found["precision_at_100"]["value"] == 40 / 100
        assert found["recall_at_100"]["value"] == 1
        assert (found["precision_at_100"]["low"], found["precision_at_100"]["high"]) == wilson(40, 100)


def test_the_longest_path_that_excuses_a_pair_is_a_setting():
    """A -> B -> C -> D: with paths of two edges A to D is left out, with three only pairs against the chain are."""
    chain = Edges(
        network([("A", "B"), ("B", "C"), ("C", "D")]).table, "chain", parameters={"cells": "training"}
    )
    pairs = {}
    for longest in (1, 2, 3, -1):
        settings = EdgeEvaluationSettings(longest_path=longest, omission_draws=100, null_repeats=1)
        scores = evaluate_edges([chain], cells=_cells(), settings=settings).scores
        mine = scores[(scores["embedding"] == "chain") & (scores["metric"] == "false_omission_rate")].iloc[0]
        pairs[longest] = mine["n"]
        words = "any number of" if longest < 0 else f"up to {longest}"
        assert mine["stratum"] == f"pairs without a predicted path of {words} edges"
    assert pairs[1] > pairs[2] > pairs[3] == pairs[-1]


def test_pairs_of_unperturbed_sources_are_judged_unless_told_otherwise():
    """C has no perturbed cells: its three pairs are left out, and its true edge with them."""
    truth = network([("A", "B"), ("C", "D")], "truth")
    found = Edges(network([("A", "B")]).table, "found", parameters={"cells": "training"})
    rates = []
    for only in (False, True):
        settings = EdgeEvaluationSettings(
            perturbed_sources_only=only, omission_draws=10, null_repeats=1, resamples=5
        )
        scores = evaluate_edges([found], cells=_cells(), truth=truth, settings=settings).scores
        mine = scores[(scores["embedding"] == "found") & (scores["metric"] == "auprc")].iloc[0]
        rates.append((mine["n"], mine["null_value"], mine["value"]))
    assert [rate[:2] for rate in rates] == [(12, pytest.approx(2 / 12)), (9, pytest.approx(1 / 9))]
    assert rates[0][2] < rates[1][2] == 1


def test_networks_of_all_cells_are_not_called_held_out():
    leaked = Edges(network([("A", "B")]).table, "leaked", parameters={"cells": "all"})
    result = evaluate_edges([leaked], cells=_cells(), run_id="r")
    assert "not held out" in result.warnings[0]
    assert set(result.scores["target"]) == {"cells not held out"}
    imported = network([("A", "B")], "imported")
    assert set(evaluate_edges([imported], cells=_cells()).scores["target"]) == {
        "cells not known to be held out"
    }
    everything = EdgeEvaluationSettings(test_share=1)
    assert set(evaluate_edges([leaked], cells=_cells(), settings=everything).scores["target"]) == {
        "all cells"
    }


def test_models_with_causalbenchs_interface_are_scored_at_each_fraction():
    cells = _cells(60)
    seen = []

    def model(matrix, interventions, gene_names, regime, seed):
        seen.append((regime, set(interventions)))
        assert matrix.shape == (len(interventions), 4)
        return [("A", "B"), ("A", "B"), ("B", "B")]

    table = evaluate_model(model, cells, fractions=(0.0, 0.34, 1.0), least_edges=1)
    assert [regime for regime, _ in seen] == [
        TrainingRegime.Observational,
        TrainingRegime.PartialIntervational,
        TrainingRegime.Interventional,
    ]
    assert [len(labels) for _, labels in seen] == [1, 2, 4]
    assert table["edges"].tolist() == [1, 1, 1]
    assert challenge_score(table) == pytest.approx(table["mean_wasserstein"].iloc[0])
    with pytest.raises(InputError, match="genes that it was not given"):
        evaluate_model(lambda *_: [("A", "X")], cells)


def test_smaller_fractions_are_subsets_of_larger_ones():
    cells = _cells()
    rows = np.arange(len(cells.perturbation))
    kept = [set(training_rows(cells, rows, fraction)[0]) for fraction in (0, 0.34, 0.67, 1)]
    assert kept[0] < kept[1] < kept[2] < kept[3]
