"""What the report takes from a scores table."""

import numpy as np
import pytest

from cistron.errors import InputError
from cistron.formats.scores import read_scores, score_frame
from cistron.report.gwas_scores import GwasScores


@pytest.fixture(scope="module")
def scores(make_result, tmp_path_factory) -> GwasScores:
    """Scores of 5 traits x 3 embeddings, strongest last."""
    folder = make_result(
        tmp_path_factory.mktemp("scores"), traits=5, embeddings=3, genes=400, strengths=[0.0, 0.2, 0.6]
    )
    return GwasScores(read_scores(folder / "scores.parquet"))


def test_the_ranking_finds_the_planted_order(scores):
    assert scores.labels == ["emb_2", "emb_1", "emb_0"]
    best = scores.ranking[0]
    frame = scores.scores
    rows = frame[
        (frame["embedding"] == "emb_2") & (frame["metric"] == "delta_r2") & (frame["stratum"] == "all genes")
    ]
    traits = rows[~rows["target"].str.startswith("median")]
    assert best["value"] == pytest.approx(np.median(traits["value"]))
    assert best["control"] == pytest.approx(np.median(traits["control_value"]))
    assert best["above"] == int((traits["low"] > 0).sum())
    assert best["published"] == pytest.approx(np.median(traits["value"][:3]))
    assert best["p_value"] == 0.002
    assert best["odd"] != best["even"]


def test_the_table_of_traits_joins_the_metrics(scores):
    row = scores.trait_table[0]
    assert row["full"] - row["null"] == pytest.approx(row["value"])
    assert np.sign(row["r"]) * row["r"] ** 2 == pytest.approx(row["full"])
    assert len(scores.trait_table) == 15


def _rows(*rows):
    fixed = {"task": "gwas", "dataset": "d", "metric": "delta_r2", "stratum": "all genes", "model": "ridge", "seed": 0,
             "run_id": "x", "embedding": "e", "target": "t"}  # fmt: skip
    return score_frame([{**fixed, **row} for row in rows])


def test_without_a_summary_row_the_median_has_no_interval():
    ranking = GwasScores(
        _rows(*({"target": f"t{n}", "value": v, "low": 0.0, "high": 1.0} for n, v in enumerate([1, 2, 6])))
    ).ranking
    assert ranking[0]["value"] == 2
    assert np.isnan(ranking[0]["low"])


def test_labels_name_the_model_only_where_there_are_several():
    assert GwasScores(_rows({"value": 0.1})).labels == ["e"]
    assert set(GwasScores(_rows({"value": 0.1}, {"value": 0.2, "model": "boosted"})).labels) == {
        "e · ridge",
        "e · boosted",
    }


def test_the_control_is_taken_from_its_own_rows_where_the_score_does_not_carry_it():
    scores = GwasScores(_rows({"value": 0.1}, {"metric": "delta_r2_permuted", "value": -0.004}))
    assert scores.trait_table[0]["control_value"] == -0.004
    assert scores.ranking[0]["control"] == -0.004


def test_two_trait_collections_keep_their_traits_apart():
    scores = GwasScores(_rows({"value": 0.1, "dataset": "a"}, {"value": 0.2, "dataset": "b"}))
    assert scores.trait_names == ["a: t", "b: t"]


def test_the_main_stratum_falls_back_to_what_is_there():
    scores = GwasScores(_rows({"value": 0.1, "stratum": "shared genes"}))
    assert scores.stratum == "shared genes"
    assert scores.ranking[0]["shared"] != scores.ranking[0]["shared"]


def test_scores_without_traits_are_refused():
    with pytest.raises(InputError, match="no delta_r2 of a trait"):
        assert not GwasScores(_rows({"target": "median of 3 traits", "value": 0.1})).labels


def test_both_null_models_controls_and_places_alone(scores):
    best = scores.ranking[0]
    assert scores.null == "positional"
    assert best["positional_value"] == best["value"]
    assert best["published_value"] == pytest.approx(best["value"] + 0.01)
    assert set(best["differences"]) == {"permuted", "shifted", "matched"}
    assert best["differences"]["matched"] == (
        pytest.approx(best["value"] + 0.004),
        pytest.approx(best["value"]),
    )
    assert "positions alone" not in scores.labels
    assert scores.baselines == [{"label": "positions alone", "value": 0.0295, "low": 0.0097, "high": 0.0518}]


def test_a_run_that_fitted_one_null_model_does_not_claim_the_other():
    scores = GwasScores(_rows({"value": 0.1, "low": 0.05, "high": 0.15}))
    assert scores.null == ""
    assert np.isnan(scores.ranking[0]["positional_low"])
    published = GwasScores(
        _rows(
            {"value": 0.1},
            {"metric": "delta_r2_positional", "value": 0.02},
            {"embedding": "positions alone", "value": 0.09},
        )
    )
    assert published.null == "published"
    assert published.labels == ["e"]


def test_the_report_and_the_task_mean_the_same_baseline():
    from cistron.evaluation.gwas.scoring import POSITIONS_ALONE
    from cistron.evaluation.gwas.variants import CONTROLS
    from cistron.report import gwas_scores

    assert gwas_scores.POSITIONS_ALONE == POSITIONS_ALONE
    assert gwas_scores.CONTROLS == CONTROLS
