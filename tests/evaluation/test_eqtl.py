"""The variant task on eQTL: reading SuSiE output, the published rule, folds, what needs no model, direction, bad tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cistron.cli.main import main
from cistron.errors import InputError
from cistron.evaluation.variants import EqtlSettings, evaluate_eqtl, read_eqtl, read_scored
from cistron.evaluation.variants.forest import HeldOut, PairedAreas, deal_groups
from cistron.evaluation.variants.matched_negatives import choose_variants
from cistron.evaluation.weighted_area import weighted_area
from cistron.world.mosaic_cohort import MosaicSettings, mosaic_cohort, planted_eqtl

QUICK = EqtlSettings(trees=10, folds=3, repeats=1, tree_depth=16)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A cohort, its eQTL, and scores of which two of five columns know what a variant does."""
    folder = tmp_path_factory.mktemp("eqtl")
    cohort = mosaic_cohort(MosaicSettings(blocks=130, variants=24, people=400), 3)
    eqtl = planted_eqtl(cohort, 3)
    eqtl.to_csv(folder / "eqtl.tsv.gz", sep="\t", index=False)
    random = np.random.default_rng(0)
    scores = cohort.variants[["chromosome", "position", "ref", "alt"]].copy()
    for place in range(5):
        known = cohort.variants["score"] * (place < 2)
        scores[f"track{place}"] = known + 0.2 * random.standard_normal(len(scores))
    scores.to_parquet(folder / "model.parquet")
    return folder, cohort, eqtl, scores


def values(result, metric="auroc", stratum="all"):
    rows = result.scores[result.scores["metric"].eq(metric) & result.scores["stratum"].eq(stratum)]
    return rows.set_index(["target", "embedding", "model"])


def test_causal_variants_are_found_and_linked_ones_are_reported_apart(world):
    folder, _, eqtl, _ = world
    table = read_eqtl(folder / "eqtl.tsv.gz")
    assert table.build == "GRCh38"
    result = evaluate_eqtl(table, [read_scored(folder / "model.parquet")], QUICK, draws=40)
    causal = eqtl[eqtl["causal"]]["variant_id"].str.split("_").str[:2].str.join(":").str.removeprefix("chr")
    chosen = result.chosen
    places = chosen["chromosome"] + ":" + chosen["position"].astype(str)
    assert places[chosen["positive"]].isin(set(causal)).mean() > 0.95
    rows = values(result)
    for kind in ("at random", "by gene", "by chromosome"):
        name = f"forest, folds {kind}"
        ours, far = (rows.loc[("mean of 2 tissues", one, name)] for one in ("model", "distance"))
        assert ours["value"] > 0.8
        assert ours["value"] > far["value"] + 0.1
        assert abs(ours["control_value"] - 0.5) < 0.15
        assert rows.loc[("mean of 2 tissues", "allele frequency", name), "value"] < 0.7
        assert values(result, "auroc_gain").loc[("mean of 2 tissues", "model", name), "low"] > 0
    assert rows.loc[("mean of 2 tissues", "model", "mean magnitude"), "low"] > 0.5
    linked = values(result, stratum="linked negatives (same gene)")
    assert linked.loc[("mean of 2 tissues", "model", "forest, folds by gene"), "value"] > 0.8
    assert "negatives of other genes" in set(result.scores["stratum"])


def test_the_direction_is_told_by_distance_and_by_columns_of_the_tissue(world):
    folder, _, _, _ = world
    columns = {"tissue0": ["track0"], "tissue1": ["track1"]}
    result = evaluate_eqtl(
        read_eqtl(folder / "eqtl.tsv.gz"),
        [read_scored(folder / "model.parquet")],
        QUICK,
        tissue_columns=columns,
        draws=40,
    )
    area = values(result, "direction_auroc")["value"].droplevel([0, 1])
    assert area["columns of the tissue"] > 0.97  # the score is the sign
    assert area["columns of the tissue"] > area["mean score"] > 0.8  # three of five columns are noise
    accuracy = values(result, "direction_accuracy").droplevel([0, 1])
    assert accuracy.loc["forest, folds by gene", "value"] > 0.9
    assert abs(accuracy.loc["mean score", "control_value"] - 0.5) < 0.1
    assert values(result, "direction_determined")["value"].eq(1).all()
    assert {"1-10 kb", "10-100 kb"} <= set(
        result.scores[result.scores["metric"] == "direction_auroc"]["stratum"]
    )


def test_scores_with_exchanged_alleles_are_taken_with_the_other_sign(world, tmp_path):
    folder, _, _, scores = world
    turned = scores.rename(columns={"ref": "alt", "alt": "ref"})
    for name in scores.columns[4:]:
        turned[name] = -turned[name]
    turned.to_parquet(tmp_path / "model.parquet")
    table = read_eqtl(folder / "eqtl.tsv.gz")
    table = replace(table, frame=table.frame[table.frame["tissue"] == "tissue0"])
    fast = EqtlSettings(trees=4, folds=2, repeats=1)
    straight, back = (
        evaluate_eqtl(table, [read_scored(path / "model.parquet")], fast, draws=20)
        for path in (folder, tmp_path)
    )
    assert any("the other way round" in text for text in back.warnings)
    pd.testing.assert_frame_equal(straight.scores, back.scores)


def tiny(**more):
    rows = {
        "variant": ["1_10_A_C", "1_20_A_C", "1_30_A_C", "2_10_A_C", "2_20_A_C", "3_5_A_C"],
        "gene": ["g", "g", "g", "h", "h", "k"],
        "pip": [0.95, 0.005, 0.5, 0.97, 0.005, 0.002],
        "z": [9, 5, 9, 8, 3, 7],
    }
    return pd.DataFrame(rows | more)


def test_negatives_follow_the_published_rule(tmp_path):
    tiny().to_csv(tmp_path / "e.tsv", sep="\t", index=False)
    chosen, remarks = choose_variants(read_eqtl(tmp_path / "e.tsv"), EqtlSettings())
    found = chosen.set_index("key")["matched"]
    # |z| = 5 in the gene itself; the gene h has none above 4, so one above 6 of another gene is taken
    assert found.to_dict() == {
        "1:10:A>C": "",
        "2:10:A>C": "",
        "1:20:A>C": "same gene",
        "3:5:A>C": "other gene",
    }
    assert not remarks
    looser = EqtlSettings(negative_z=2, other_gene_z=8, positive_pip=0.9, negative_pip=0.01)
    chosen, _ = choose_variants(read_eqtl(tmp_path / "e.tsv"), looser)
    assert set(chosen["matched"]) == {"", "same gene"}
    _, remarks = choose_variants(read_eqtl(tmp_path / "e.tsv"), EqtlSettings(other_gene_z=8))
    assert "1 positives have no matched negative" in remarks[0]


def test_given_sets_are_taken_and_a_variant_counts_once(tmp_path):
    frame = tiny(set=["positive", "negative", "negative", "positive", "negative", "negative"]).drop(
        columns=["pip"]
    )
    frame.loc[6] = ["1_10_A_C", "other", 9, "negative"]
    frame.to_csv(tmp_path / "e.tsv", sep="\t", index=False)
    chosen, _ = choose_variants(read_eqtl(tmp_path / "e.tsv"), EqtlSettings())
    assert chosen["key"].is_unique
    assert chosen.set_index("key").loc["1:10:A>C", "positive"]
    assert set(chosen["matched"]) == {"", "given"}


def test_whole_groups_share_a_fold_and_areas_of_weights_are_those_of_sorted_sums():
    random = np.random.default_rng(0)
    groups = random.integers(0, 12, 100)
    fold = deal_groups(groups, 4, random)
    assert len(np.unique(fold)) == 4
    assert all(len(np.unique(fold[groups == group])) == 1 for group in range(12))
    positive, score = random.random(100) < 0.4, random.integers(0, 9, 100).astype(float)
    weights = random.integers(0, 4, (7, 100)).astype(float)
    areas = PairedAreas.of(HeldOut(score[None], np.zeros((1, 100), int)), positive)
    found = areas.areas(weights[:, positive], weights[:, ~positive])
    np.testing.assert_allclose(found, weighted_area(score, positive, weights), rtol=1e-6)
    # in two folds only pairs of one fold count
    halves = np.arange(100) % 2
    apart = PairedAreas.of(HeldOut(score[None], halves[None]), positive)
    assert apart.made.sum() == sum(
        (positive & (halves == one)).sum() * (~positive & (halves == one)).sum() for one in (0, 1)
    )


def test_bad_tables_are_refused(tmp_path, world):
    path = tmp_path / "e.tsv"
    for frame, message in (
        (tiny().drop(columns="gene"), "no column for the gene"),
        (tiny().drop(columns="pip"), "neither a column pip"),
        (tiny(variant="rs1"), "'rs1' does not say its alleles"),
        (tiny(pip=40.0), "leaves"),
        (tiny(set="maybe"), "holds 'maybe'"),
        (tiny(variant=["1_10_A_C_b37", *["1_10_A_C_b38"] * 5]), "GRCh37 and GRCh38"),
    ):
        frame.to_csv(path, sep="\t", index=False)
        with pytest.raises(InputError, match=message):
            read_eqtl(path)
    tiny(variant="1_10_A_C_b37").to_csv(path, sep="\t", index=False)
    with pytest.raises(InputError, match="positions of GRCh37, the scores are of GRCh38"):
        read_eqtl(path, "hg38")
    tiny(pip=0.95).to_csv(path, sep="\t", index=False)  # a table of credible sets
    with pytest.raises(InputError, match="tables of credible sets alone hold no negatives"):
        choose_variants(read_eqtl(path), EqtlSettings())
    tiny().to_csv(path, sep="\t", index=False)
    with pytest.raises(InputError, match="no tissue has 20 positives"):
        evaluate_eqtl(read_eqtl(path), [], QUICK)
    folder = world[0]
    moved = world[3].assign(position=world[3]["position"] + 1)
    moved.to_parquet(tmp_path / "moved.parquet")
    with pytest.raises(InputError, match="of the same genome build, counted from 1"):
        evaluate_eqtl(read_eqtl(folder / "eqtl.tsv.gz"), [read_scored(tmp_path / "moved.parquet")], QUICK)


def test_the_command_writes_what_to_score_and_a_report(world, tmp_path, capsys):
    folder = world[0]
    (tmp_path / "columns.tsv").write_text("tissue\tcolumn\ntissue0\ttrack0\ntissue1\ttrack1\n")
    words = (
        f"evaluate variants {folder}/model.parquet --eqtl {folder}/eqtl.tsv.gz --tissue-columns {tmp_path}/columns.tsv --trees 5 --tree-depth 8 --folds 2"
        f" --repeats 1 --draws 20 --positive-pip 0.9 --negative-pip 0.01 --negative-z 4 --other-gene-z 6 --output {tmp_path}/r"
    )
    assert main(words.split()) == 0, capsys.readouterr().err
    assert "model (forest, folds by gene): AUROC" in capsys.readouterr().out
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Linked negatives are significant only because" in page
    assert (tmp_path / "r" / "figures" / "eqtl_roc.png").exists()
    sites = [line for line in (tmp_path / "r" / "variants.vcf").read_text().splitlines() if line[0] != "#"]
    assert len(sites) == len(set(sites)) > 100
    assert main(f"evaluate variants --output {tmp_path}/r2".split()) == 2
    assert "give --mpra (a reporter assay) or --eqtl" in capsys.readouterr().err
    (tmp_path / "columns.tsv").write_text("tissue\tcolumn\ntissue0\tnothing\n")
    assert main([*words.split()[:-1], f"{tmp_path}/r3"]) == 2
    assert "names the column 'nothing'" in capsys.readouterr().err
