"""The expression task on files: quadrants, pseudobulks, nulls, controls, differences, bad input, command line."""

import json

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.evaluation.expression import (
    ExpressionSettings,
    align,
    evaluate_expression,
    headline,
    scored_strata,
)
from cistron.evaluation.expression.comparison import compare
from cistron.evaluation.expression.evidence import match_controls, table_of
from cistron.evaluation.expression.references import AdditiveNull, ceiling
from cistron.evaluation.expression.rival import beside
from cistron.evaluation.expression.strata import pool, pool_matrix, strata_of
from cistron.formats import read_scores
from cistron.formats.prediction_blocks import open_prediction

QUICK = ExpressionSettings(draws=40, permutations=2, halvings=2)
QUADRANTS = {f"{gene} genes, {cell} cells" for gene in ("seen", "unseen") for cell in ("seen", "unseen")}


def _scores(paths, settings=QUICK, **more):
    result = evaluate_expression(align(paths, shared=settings.shared), settings, **more)
    keys = ["embedding", "target", "stratum", "metric"]
    plain = result.scores[~result.scores["metric"].str.startswith("difference_")]
    return result, plain.set_index(keys).sort_index()


def _difference(result, first, second, target, stratum, metric):
    rows = result.scores.query(
        "embedding == @first and null_model == @second and target == @target and stratum == @stratum"
    )
    return rows.set_index("metric").loc[f"difference_{metric}"]


def test_four_quadrants_with_null_control_ceiling_and_difference(toy):
    result, scores = _scores([toy.good(), toy.level_only(), toy.control()])
    assert set(result.scores["stratum"]) == QUADRANTS
    assert set(result.scores["target"]) == {"cells", "pseudobulks"}
    hardest = ("good", "pseudobulks", "unseen genes, unseen cells")
    row = scores.loc[(*hardest, "pooled_doubly_centred")]
    assert row["value"] > 0.8
    assert row["low"] < row["value"] < row["high"]
    assert abs(row["control_value"]) < 0.2
    assert abs(scores.loc[("good permuted", *hardest[1:], "pooled_doubly_centred"), "value"]) < 0.3
    top = scores.loc[("ceiling", *hardest[1:], "pooled_doubly_centred"), "value"]
    assert row["value"] - 0.05 < top < 1
    # The gene mean is undefined for unseen genes, and constant over cells for seen ones.
    assert scores.loc[("gene-mean", *hardest[1:], "undefined_entries"), "value"] == 1
    assert ("gene-mean", *hardest[1:], "pearson_across_genes") not in scores.index
    seen = ("gene-mean", "cells", "seen genes, unseen cells")
    assert scores.loc[(*seen, "pearson_across_genes"), "value"] > 0.4
    assert (*seen, "pearson_across_cells") not in scores.index
    assert scores.loc[(*seen, "undefined_genes"), "value"] == 1
    assert scores.loc[(*seen, "undefined_entries"), "value"] == 0
    difference = _difference(
        result, "good", "good permuted", "cells", "unseen genes, unseen cells", "pearson_across_genes"
    )
    assert difference["low"] > 0
    assert difference["p_value"] < 0.1


def test_the_value_is_that_of_the_part_of_the_file(toy):
    """Rows and columns of the quadrant, taken by hand from the file."""
    path = toy.good()
    _, scores = _scores([path])
    file = open_prediction(path)
    rows, columns = (np.flatnonzero(part["split"] == "test") for part in (toy.cells, toy.genes))
    predicted, observed = (file.values(layer, rows, columns) for layer in ("predicted", "observed"))
    wanted = compare(predicted, observed).values
    for metric, value in wanted.items():
        found = scores.loc[("good", "cells", "unseen genes, unseen cells", metric), "value"]
        assert found == pytest.approx(value, abs=1e-6)


def test_cells_and_genes_of_files_may_stand_in_any_order(toy):
    first = toy.good()
    predicted = toy.level + toy.specific
    generator = np.random.default_rng(1)
    rows, columns = generator.permutation(len(toy.cells)), generator.permutation(len(toy.genes))
    straight = toy.write("straight", predicted)
    shuffled = toy.write(
        "shuffled", predicted[np.ix_(rows, columns)], observed=toy.observed[np.ix_(rows, columns)],
        cells=toy.cells.iloc[rows], genes=toy.genes.iloc[columns],
    )  # fmt: skip
    result, scores = _scores([first, straight, shuffled])
    for metric in ("pearson_across_genes", "spearman_across_cells", "pooled_doubly_centred"):
        for stratum in QUADRANTS:
            values = [
                scores.loc[(name, "pseudobulks", stratum, metric), "value"]
                for name in ("straight", "shuffled")
            ]
            assert values[0] == values[1]
            row = _difference(result, "straight", "shuffled", "pseudobulks", stratum, metric)
            assert (row["value"], row["low"], row["high"]) == (0, 0, 0)
            assert row["p_value"] == 1


def test_the_same_seed_gives_the_same_scores(toy):
    paths = [toy.good(), toy.control()]
    first, other, third = (_scores(paths, seed=seed)[0].scores for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, other)
    keys = (first["metric"] == "pearson_across_genes") & (first["embedding"] == "good")
    np.testing.assert_allclose(first.loc[keys, "value"], third.loc[keys, "value"])
    assert (first.loc[keys, "low"] != third.loc[keys, "low"]).any()


def test_a_difference_is_over_what_both_predict(toy):
    """A prediction of half of the genes is compared on that half."""
    half = toy.level + toy.specific + toy.noise
    half[:, 1::2] = np.nan
    result, _ = _scores([toy.good(), toy.write("half", half)])
    row = _difference(result, "good", "half", "cells", "unseen genes, seen cells", "pearson_across_cells")
    genes = (toy.genes["split"] == "test").to_numpy() & (np.arange(len(toy.genes)) % 2 == 0)
    assert row["n"] == genes.sum()
    cells = (toy.cells["split"] == "train").to_numpy()
    part = np.ix_(cells, genes)
    values = [
        compare(predicted[part].astype(np.float32), toy.observed[part].astype(np.float32)).values[
            "pearson_across_cells"
        ]
        for predicted in (toy.level + toy.specific + 0.5 * toy.noise, half)
    ]
    assert row["value"] == pytest.approx(values[0] - values[1], abs=1e-5)
    assert row["null_value"] == pytest.approx(values[1], abs=1e-5)
    assert not result.warnings  # exactly half is missing; more is worth a word
    half[:, ::5] = np.nan
    result, _ = _scores([toy.write("third", half)])
    assert any("third predicts" in warning for warning in result.warnings)


def test_the_null_knows_gene_means_of_training_cells_and_depth_only(toys, tmp_path):
    toy = toys(tmp_path, types=4, per_type=2, genes=9)
    aligned = align([toy.good()])
    null = AdditiveNull(aligned)
    strata = {
        stratum.name: stratum
        for stratum in strata_of(aligned.observations, aligned.genes, "cell", np.random.default_rng(0))
    }
    train, seen = (part["split"] == "train" for part in (toy.cells, toy.genes))
    observed = toy.observed.astype(np.float32).astype(float)
    depth = observed[:, seen].mean(axis=1)
    depth = depth - depth[train].mean()
    stratum = strata["seen genes, unseen cells"]
    wanted = observed[train].mean(axis=0)[stratum.genes] + depth[stratum.cells][:, None]
    np.testing.assert_allclose(null.predict(stratum), wanted, atol=1e-5)
    stratum = strata["unseen genes, seen cells"]
    np.testing.assert_allclose(
        null.predict(stratum), np.tile(depth[stratum.cells][:, None], len(stratum.genes)), atol=1e-5
    )


def test_pseudobulks_are_means_of_cells_with_a_value():
    members, names = pool_matrix(np.array(["B", "A", "B", "rare"]), 1)
    assert names == ["A", "B", "rare"]
    values = np.array([[1, np.nan], [5, 6], [3, 8], [0, 0]], dtype=np.float32)
    np.testing.assert_allclose(pool(values, members), [[5, 6], [2, 8], [0, 0]])
    linear = pool(values, members, logarithm=True)
    assert linear[1, 0] == pytest.approx(np.log1p((np.expm1(1) + np.expm1(3)) / 2))
    assert pool_matrix(np.array(["B", "A", "B", "", ""]), 2)[1] == ["B"]


def test_the_ceiling_is_the_correlation_with_the_truth():
    """Halves of noisy cells tell how well the truth itself would score."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(10, 600))
    observed = (truth.repeat(20, axis=0) + 4 * generator.normal(size=(200, 600))).astype(np.float32)
    members, _ = pool_matrix(np.arange(10).repeat(20).astype(str), 2)
    found = ceiling(observed, members, False, generator, 3, 1)
    perfect = compare(truth.astype(np.float32), pool(observed, members)).values
    for metric in ("pearson_across_genes", "pooled_doubly_centred", "pearson_across_cells"):
        assert found[metric] == pytest.approx(perfect[metric], abs=0.02)


def test_validation_stays_apart(toys, tmp_path):
    toy = toys(tmp_path)
    toy.genes.iloc[:60, 0] = "validation"
    toy.genes.iloc[60:90, 0] = "unused"
    _, scores = _scores([toy.good()])
    names = set(scores.index.get_level_values("stratum"))
    assert names == QUADRANTS | {"validation genes, seen cells"}
    assert headline(names) == "unseen genes, unseen cells"
    assert headline(names - {"unseen genes, unseen cells"}) == "unseen genes, seen cells"
    n = scores.loc[("good", "cells", "validation genes, seen cells", "pearson_across_cells"), "n"]
    assert n == 60


def test_cell_types_are_not_pooled(toys, tmp_path):
    toy = toys(tmp_path, types=8, per_type=1)
    toy.cells["split"] = "train"
    result, _ = _scores([toy.write("a", toy.level + toy.specific, unit="cell type")])
    assert set(result.scores["target"]) == {"cell types"}
    assert set(result.scores["stratum"]) == {"seen genes, seen cell types", "unseen genes, seen cell types"}


@pytest.mark.parametrize(
    ("evidence", "table"),
    [
        ("dna", "sequence"), ("dna+protein", "sequence"), ("", "baseline"), ("expression", "imputation"),
        ("dna+expression", "imputation"), ("perturbation", "imputation"), ("chromatin+dna", "chromatin"),
        ("literature", "other"), ("unknown", "other"), ("chromatin+unknown", "other"), ("expression+unknown", "imputation"),
    ],
)  # fmt: skip
def test_evidence_decides_the_table(evidence, table):
    assert table_of(evidence) == table


def _header(method, embedding, control=""):
    return {"method": method, "embedding": embedding, "control": control}


def test_controls_find_their_method():
    names = ["ridge a", "ridge b", "net a", "ridge b permuted", "net x", "tree control"]
    headers = [
        _header("ridge", "a"), _header("ridge", "b"), _header("net", "a"), _header("ridge", "b", "permuted embedding"),
        _header("net", "permuted", "permuted embedding"), _header("tree", "a", "permuted input"),
    ]  # fmt: skip
    assert match_controls(names, headers) == {"ridge b permuted": "ridge b", "net x": "net a"}


def test_settings_that_make_no_sense():
    with pytest.raises(InputError, match="draws must be 20 or more"):
        ExpressionSettings(draws=3)


def test_files_that_cannot_be_compared(toy, fails):
    good = toy.good()

    def message(path, *more):
        return fails("evaluate", "expression", good, path, "--output", toy.folder / "out", *more)

    assert "has scale 'log1p_tpm'" in message(toy.write("scale", toy.observed, scale="log1p_tpm"))
    moved = toy.observed.copy()
    moved[:, 7] += 1
    text = message(toy.write("moved", toy.observed, observed=moved))
    assert "differ in" in text
    assert "ENSG00000000007" in text
    fewer = toy.write("fewer", toy.observed[:, 1:], observed=toy.observed[:, 1:], genes=toy.genes.iloc[1:])
    assert "359 are in both; ENSG00000000000 is only in good.h5ad" in message(fewer)
    other = toy.genes.set_axis([f"MOUSE{n}" for n in range(len(toy.genes))])
    assert "no genes in common" in message(
        toy.write("other", toy.observed, genes=other, identifier_namespace="ensembl")
    )
    split = toy.genes.assign(split="train")
    assert "split the genes differently (120 of 360)" in message(
        toy.write("split", toy.observed, genes=split)
    )
    assert "given twice" in message(good)
    assert "does not exist" in message(toy.folder / "absent.h5ad")
    assert "no prediction was given" in fails("evaluate", "expression", "--output", toy.folder / "out")
    assert not (toy.folder / "out" / "scores.parquet").exists()


def test_cells_without_a_type_are_not_pooled(toy):
    toy.cells.loc["c0":"c9", "cell_type"] = np.nan
    _, scores = _scores([toy.good()])
    n = scores.loc[("good", "pseudobulks", "seen genes, seen cells", "pearson_across_genes"), "n"]
    assert n == 4  # of five types in training


def test_names_that_the_task_uses_itself(toy):
    with pytest.raises(InputError, match="named 'ceiling', which is what the task adds itself"):
        align([toy.write("ceiling", toy.observed)])


def test_nothing_to_score(toy, fails):
    unused = toy.write("unused", toy.observed, genes=toy.genes.assign(split="unused"))
    text = fails("evaluate", "expression", unused, "--output", toy.folder / "out")
    assert "no part of the split has a cell and 3 genes" in text
    assert "360 unused genes" in text


def test_files_of_different_genes_are_compared_on_shared_ones(toy):
    fewer = toy.write("fewer", toy.observed[:, 60:], observed=toy.observed[:, 60:], genes=toy.genes.iloc[60:])
    _, scores = _scores(
        [toy.good(), fewer], ExpressionSettings(draws=20, permutations=1, halvings=0, shared=True)
    )
    assert scores.loc[("good", "cells", "unseen genes, seen cells", "pearson_across_cells"), "n"] == 100


def test_the_command_writes_a_complete_folder(toy, run):
    out = toy.folder / "out"
    code, output, errors = run(
        "evaluate", "expression", toy.good(), toy.level_only(), toy.control(), "--output", out,
        "--draws", "30", "--permutations", "2", "--halvings", "1", "--seed", "3", "--threads", "1",
    )  # fmt: skip
    assert code == 0, errors
    assert output.startswith("unseen genes, unseen cells:\n")
    assert "good, pseudobulks: pooled doubly centred 0.8" in output
    scores = read_scores(out / "scores.parquet")
    assert set(scores["seed"]) == {3}
    record = json.loads((out / "run.json").read_text())
    by_name = {entry["name"]: entry for entry in record["results"]["predictions"]}
    assert by_name["good"]["table"] == "sequence"
    assert by_name["gene-mean"]["table"] == "baseline"
    assert by_name["good permuted"]["control_of"] == "good"
    per_gene = pd.read_parquet(out / "per_gene.parquet")
    own = per_gene.query(
        "embedding == 'good' and target == 'cells' and stratum == 'unseen genes, seen cells'"
    )
    assert len(own) == 120
    value = scores.query(
        "embedding == 'good' and target == 'cells' and stratum == 'unseen genes, seen cells' and metric == 'pearson_across_cells'"
    )["value"]
    assert own["pearson_across_cells"].mean() == pytest.approx(float(value.iloc[0]))
    page = (out / "report.html").read_text()
    for text in (
        "Sequence only: good reaches 0.8",
        "No evidence about the gene",
        "Seen and unseen genes and cells",
        "Differences between predictions",
        "Ceiling",
    ):
        assert text in page
    assert (out / "figures" / "expression_pooled_doubly_centred.png").exists()


def test_the_headline_is_of_what_some_file_predicts():
    rows = pd.DataFrame(
        {
            "embedding": ["null", "mine", "mine"],
            "stratum": [
                "unseen genes, unseen cells",
                "unseen genes, unseen cells",
                "seen genes, unseen cells",
            ],
            "low": [0.1, np.nan, 0.3],
        }
    )
    assert scored_strata(rows) == ["seen genes, unseen cells"]
    nothing = rows.assign(low=np.nan)
    assert set(scored_strata(nothing)) == set(rows["stratum"])


def test_trivial_columns_predict_unseen_genes_and_a_gain_is_beyond_them(toy, tmp_path, run):
    """The level of a gene as a trivial column: a file that knows no more adds nothing, one that knows more does."""
    table = tmp_path / "level.tsv"
    pd.Series(toy.level, index=toy.genes.index, name="level").to_csv(table, sep="\t")
    code, printed, errors = run(
        "evaluate", "expression", toy.good(), toy.level_only(), "--rivals", table, "-o", tmp_path / "out", "--draws", 40,
    )  # fmt: skip
    assert code == 0, errors
    scores = read_scores(tmp_path / "out" / "scores.parquet")
    rows = scores[scores["target"] == "cells"].set_index(["embedding", "stratum", "metric"]).sort_index()
    where = "unseen genes, unseen cells"
    assert rows.loc[("trivial columns", where, "pearson_across_genes"), "value"] > 0.6
    assert ("trivial columns", "seen genes, unseen cells", "pearson_across_genes") not in rows.index
    good = rows.loc[("good", where, "gain_pearson_across_genes")]
    assert good["low"] > 0.02
    assert rows.loc[("good", where, "gain_pooled_doubly_centred"), "low"] > 0.2
    assert "gain beyond trivial columns in pooled doubly centred" in printed
    page = " ".join((tmp_path / "out" / "report.html").read_text().split())
    assert "it knows something that trivial columns of genes do not tell" in page
    assert "Trivial columns of genes (level)" in page


def test_a_mixture_is_fitted_on_other_genes():
    generator = np.random.default_rng(2)
    rival, predicted, noise = generator.normal(size=(3, 6, 200)).astype(np.float32)
    mixed = beside(rival, predicted, 1 + 2 * rival + 3 * predicted)
    assert mixed == pytest.approx(1 + 2 * rival + 3 * predicted, abs=1e-4)
    predicted[:, 7] = np.nan
    observed = noise.copy()
    mixed = beside(rival, predicted, observed)
    assert np.isnan(mixed).all(axis=0).nonzero()[0].tolist() == [7]
    observed[:, 10::5] += 100  # genes of one part: what is fitted for them has not seen them
    assert np.nanmax(np.abs(beside(rival, predicted, observed)[:, 10::5])) < 5 + 100 / 2
    assert beside(rival, predicted, observed)[:, 10::5] == pytest.approx(mixed[:, 10::5], abs=1e-3)
