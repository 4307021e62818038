"""What a gain is measured against: both null models, the MHC, controls that keep places, coverage."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.evaluation.gwas import GwasSettings, TraitCollection, TraitDesign, evaluate_gwas, read_covariates
from cistron.evaluation.gwas.positions import log_densities
from cistron.formats import build_gene_embedding

QUICK = GwasSettings(controls=2, draws=100)


def _world(genes=900, seed=0, mhc=60) -> pd.DataFrame:
    """Genes in clusters on 12 chromosomes; some of chromosome 6 lie in the MHC."""
    generator = np.random.default_rng(seed)
    chromosome = np.sort(generator.integers(1, 13, genes))
    cluster = generator.integers(0, 25, genes) * 4e6 + 4e7
    start = np.round(cluster + generator.exponential(2e5, genes))
    inside = np.flatnonzero(chromosome == 6)[:mhc]
    start[inside] = np.round(generator.uniform(2.6e7, 3.5e7, len(inside)))
    table = pd.DataFrame(
        {"GENE": [f"ENSG{n:011d}" for n in range(genes)], "CHR": chromosome.astype(str), "START": start}
    )
    table["STOP"] = table["START"] + np.round(generator.lognormal(9.5, 0.8, genes))
    table["NSNPS"] = generator.integers(20, 400, genes).astype(float)
    table["NPARAM"] = np.maximum(1.0, np.round(table["NSNPS"] / 4))
    return table.sort_values(["CHR", "START"], ignore_index=True)


def _collection(table, z) -> TraitCollection:
    names = tuple(f"t{n}" for n in range(z.shape[1]))
    return TraitCollection("traits", (TraitDesign(names, table, z),))


def _embedding(table, values, name="e"):
    return build_gene_embedding(values, list(table["GENE"]), name=name, method="x", evidence="expression")


def _value(
    result, metric="delta_r2", stratum="all genes", embedding="e", target="median of 2 traits", column="value"
):
    rows = result.scores.query(
        "embedding == @embedding and metric == @metric and stratum == @stratum and target == @target"
    )
    assert len(rows) == 1, (metric, stratum, embedding)
    return rows[column].iloc[0]


@pytest.fixture(scope="module")
def places():
    """z follows gene density and nothing else; the embedding is density and noise."""
    generator = np.random.default_rng(3)
    table = _world()
    density = log_densities(table)
    z = 1.5 * density[:, [1]] + generator.normal(size=(900, 2))
    values = np.hstack(
        [density + 0.3 * generator.normal(size=density.shape), generator.normal(size=(900, 3))]
    )
    return table, z, values


def test_an_embedding_of_places_gains_over_the_published_null_model_only(places, tmp_path):
    table, z, values = places
    result = evaluate_gwas([_embedding(table, values)], _collection(table, z), QUICK, directory=tmp_path)
    assert _value(result, "delta_r2_published") > 0.1
    assert abs(_value(result)) < 0.01
    assert _value(result, column="low") <= 0
    alone = _value(result, "delta_r2_published", embedding="positions alone")
    assert alone > _value(result, "delta_r2_published") - 0.02
    # the null model's own R2 tells the same
    rows = result.scores.query("stratum == 'all genes' and target == 't0'").set_index("metric")
    assert rows.loc["r2", "null_value"] > rows.loc["r2_published", "null_value"] + 0.1


def test_the_published_null_model_as_headline(places, tmp_path):
    table, z, values = places
    settings = replace(QUICK, null="published")
    result = evaluate_gwas([_embedding(table, values)], _collection(table, z), settings, directory=tmp_path)
    assert _value(result) > 0.1
    assert abs(_value(result, "delta_r2_positional")) < 0.01
    assert _value(result, embedding="positions alone") > 0.1
    assert not (result.scores["metric"] == "delta_r2_published").any()
    # the matched control keeps what density gives, the permuted one loses it
    assert _value(result, "delta_r2_matched") > 0.5 * _value(result)
    assert abs(_value(result, "delta_r2_permuted")) < 0.02
    assert any("matched control" in warning for warning in result.warnings)


def test_knowledge_beyond_places_is_a_gain_over_every_control(places, tmp_path):
    table, z, _ = places
    generator = np.random.default_rng(8)
    function = generator.normal(size=(900, 2))
    told = _collection(table, z + function)
    result = evaluate_gwas([_embedding(table, function)], told, QUICK, directory=tmp_path)
    assert _value(result, column="low") > 0.1
    for kind in ("permuted", "shifted", "matched"):
        assert _value(result, f"delta_r2_minus_{kind}", column="low") > 0.1
        assert abs(_value(result, f"delta_r2_{kind}")) < 0.02
        difference = _value(result, f"delta_r2_minus_{kind}") - _value(result)
        assert abs(difference) < 0.02


def test_traits_without_places_need_the_published_null_model(places, tmp_path):
    table, z, values = places
    bare = _collection(table.drop(columns="STOP"), z)
    with pytest.raises(InputError, match=r"--annotation TABLE.*--null published"):
        evaluate_gwas([_embedding(table, values)], bare, QUICK, directory=tmp_path)
    settings = replace(QUICK, null="published")
    result = evaluate_gwas([_embedding(table, values)], bare, settings, directory=tmp_path)
    metrics = set(result.scores["metric"])
    assert "delta_r2_positional" not in metrics
    assert "delta_r2_matched" not in metrics
    assert "positions alone" not in set(result.scores["embedding"])


def test_the_mhc_is_left_out_and_both_figures_are_given(tmp_path):
    generator = np.random.default_rng(5)
    table = _world(mhc=60)
    function = generator.normal(size=(900, 3))
    z = 0.5 * function[:, :2] + generator.normal(size=(900, 2))
    inside = (table["CHR"] == "6").to_numpy() & (table["START"] < 3.6e7).to_numpy()
    assert inside.sum() == 60
    z[inside] = generator.normal(12, 3, size=(60, 2))
    embedding, traits = _embedding(table, function), _collection(table, z)
    left_out = evaluate_gwas([embedding], traits, QUICK, directory=tmp_path / "a")
    kept = evaluate_gwas([embedding], traits, replace(QUICK, keep_mhc=True), directory=tmp_path / "b")
    assert _value(left_out, target="t0", column="n") == 840
    assert _value(kept, target="t0", column="n") == 900
    assert _value(left_out) > _value(kept) + 0.05
    assert _value(left_out, stratum="with the MHC") == pytest.approx(_value(kept))
    assert _value(kept, stratum="without the MHC") == pytest.approx(_value(left_out))
    assert any("60 genes of the MHC" in warning for warning in left_out.warnings)
    assert not set(left_out.predictions["gene"]) & set(table["GENE"][inside])


def test_absent_genes_do_not_count_against_an_embedding(tmp_path):
    """A null model that explains most of z, and a useless embedding of 95% of the genes."""
    generator = np.random.default_rng(6)
    table = _world(mhc=0)
    strong = 2.0 * (np.log(table["NPARAM"]) - np.log(table["NPARAM"]).mean()).to_numpy()[:, None]
    z = 3 + strong + generator.normal(size=(900, 2))
    kept = np.sort(generator.permutation(900)[:855])
    embedding = _embedding(table.iloc[kept], generator.normal(size=(855, 4)))
    result = evaluate_gwas([embedding], _collection(table, z), QUICK, directory=tmp_path)
    assert _value(result, "r2", column="null_value") > 0.6
    assert abs(_value(result)) < 0.003
    assert abs(_value(result, "delta_r2_permuted")) < 0.003
    assert _value(result, stratum="uncovered genes filled") < -0.02
    assert any("on the covered genes" in warning for warning in result.warnings)


def test_further_covariates_join_both_null_models(places, tmp_path):
    table, z, _ = places
    generator = np.random.default_rng(9)
    known = generator.normal(size=900)
    told = _collection(table, z + known[:, None])
    extra = pd.DataFrame({"known": known[:800]}, index=table["GENE"][:800])
    extra.to_csv(tmp_path / "extra.tsv", sep="\t")
    read, remark = read_covariates(tmp_path / "extra.tsv", pd.Index(table["GENE"]))
    assert "100 genes are not in covariates extra.tsv" in remark
    embedding = _embedding(table, known[:, None])
    alone = evaluate_gwas([embedding], told, QUICK, directory=tmp_path / "a")
    joined = evaluate_gwas([embedding], told, QUICK, extra=read, directory=tmp_path / "b")
    assert _value(joined) < 0.3 * _value(alone)
    assert "known" in joined.facts["traits"][0]["covariates"]


def test_bad_covariate_tables_are_refused(places, tmp_path):
    genes = pd.Index(places[0]["GENE"])
    few = pd.DataFrame({"a": np.ones(100)}, index=genes[:100])
    few.to_csv(tmp_path / "few.tsv", sep="\t")
    with pytest.raises(InputError, match=r"few.tsv: 100 of 900 genes .* at least half"):
        read_covariates(tmp_path / "few.tsv", genes)
    gap = pd.DataFrame({"a": np.r_[np.nan, np.ones(899)]}, index=genes)
    gap.to_csv(tmp_path / "gap.tsv", sep="\t")
    with pytest.raises(InputError, match=f"a of gene {genes[0]} is not a finite number"):
        read_covariates(tmp_path / "gap.tsv", genes)
