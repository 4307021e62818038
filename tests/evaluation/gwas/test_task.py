"""The whole task on files: planted truth, negative controls, coverage, resume, bad input."""

import json

import numpy as np
import pandas as pd
import pytest

from cistron.evaluation.gwas import GwasSettings, run_gwas
from cistron.formats import (
    build_gene_embedding,
    read_gene_embedding,
    read_genes_out,
    read_scores,
    write_gene_embedding,
)


def _value(
    scores: pd.DataFrame,
    embedding: str,
    metric="delta_r2",
    target="median of 7 traits",
    stratum="all genes",
    column="value",
):
    rows = scores.query(
        "embedding == @embedding and metric == @metric and target == @target and stratum == @stratum"
    )
    assert len(rows) == 1
    return rows[column].iloc[0]


@pytest.fixture(scope="module")
def scored(planted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gwas")
    scores = run_gwas(
        [planted.tissues, planted.noise, planted.truth],
        planted.traits,
        folder,
        GwasSettings(controls=2),
        covariance=planted.covariance,
        genes=planted.genes,
    )
    return folder, scores


def test_planted_truth_is_found_and_noise_is_not(scored):
    _, scores = scored
    truth, tissues, noise = (_value(scores, name) for name in ("true functions", "tissues", "noise"))
    assert truth > tissues > 0.005
    assert truth == pytest.approx(0.05, abs=0.03)
    assert noise < 0.003
    assert _value(scores, "true functions", column="low") > 0
    assert _value(scores, "noise", column="low") < 0.002


def test_trait_without_signal_gains_nothing(scored):
    _, scores = scored
    assert _value(scores, "true functions", target="no_signal") < 0.01
    assert _value(scores, "true functions", target="no_signal", column="low") <= 0.0


def test_controls_are_not_above_zero(scored):
    _, scores = scored
    for name in ("true functions", "tissues", "noise"):
        for kind in ("permuted", "shifted"):
            assert _value(scores, name, metric=f"delta_r2_{kind}") < 0.005


def test_files_follow_the_contract(scored):
    folder, scores = scored
    pd.testing.assert_frame_equal(read_scores(folder / "scores.parquet"), scores)
    record = json.loads((folder / "run.json").read_text())
    assert record["results"]["projection"]["kind"] == "whiten"
    assert record["results"]["projection"]["repairs"]["trait_1"]["smallest_after"] > 0
    assert len(record["results"]["traits"][0]["covariates"]) == 6
    predictions = pd.read_parquet(folder / "predictions.parquet")
    assert list(predictions.columns[:6]) == ["gene", "symbol", "chromosome", "start", "trait", "z"]
    assert {"null | ridge", "tissues | ridge", "true functions | ridge"} <= set(predictions)
    assert predictions["symbol"].str.startswith("CIS").all()
    neighbours = pd.read_parquet(folder / "neighbours.parquet")
    assert (neighbours.groupby(["embedding", "gene"]).size() == 10).all()
    assert (neighbours["gene"] != neighbours["neighbour"]).all()


@pytest.mark.parametrize(
    ("name", "stratum"), [("true functions", "all genes"), ("tissues", "uncovered genes filled")]
)
def test_scores_are_those_of_the_predictions(scored, name, stratum):
    folder, scores = scored
    rows = pd.read_parquet(folder / "predictions.parquet").query("trait == 'trait_3'")
    full, null = (np.corrcoef(rows[f"{column} | ridge"], rows["z"])[0, 1] for column in (name, "null"))
    assert _value(scores, name, "delta_r2", "trait_3", stratum) == pytest.approx(
        full * abs(full) - null * abs(null), abs=1e-5
    )
    if stratum == "all genes":
        assert _value(scores, name, "r", "trait_3") == pytest.approx(full, abs=1e-5)


def test_missing_genes_get_the_mean_or_the_null(planted, tmp_path):
    embedding = read_gene_embedding(planted.truth)
    kept = embedding[: embedding.n_obs // 2].copy()
    write_gene_embedding(kept, tmp_path / "half.h5ad")
    for rule in ("mean", "null"):
        folder = tmp_path / rule
        scores = run_gwas(
            [tmp_path / "half.h5ad", planted.truth],
            planted.traits,
            folder,
            GwasSettings(missing=rule, controls=1),
        )
        rows = pd.read_parquet(folder / "predictions.parquet").query("trait == 'trait_1'").set_index("gene")
        outside = rows.loc[~rows.index.isin(kept.obs_names)]
        if rule == "null":
            np.testing.assert_array_equal(outside["true functions | ridge"], outside["null | ridge"])
        else:
            # one value a left-out chromosome: the mean z-score of the others
            assert (outside.groupby("chromosome")["true functions | ridge"].nunique() == 1).all()
            one = outside.iloc[0]
            expected = rows.loc[rows["chromosome"] != one["chromosome"], "z"].mean()
            assert one["true functions | ridge"] == pytest.approx(expected, abs=1e-4)
        # both know the same, so on the genes that both cover they score alike
        shared = scores.query(
            "stratum == 'shared genes' and metric == 'delta_r2' and target == 'median of 7 traits'"
        )
        assert len(shared) == 2
        assert shared["n"].iloc[0] == 7


def test_same_seed_same_scores_and_finished_shards_are_kept(planted, tmp_path, monkeypatch):
    first = run_gwas([planted.tissues], planted.traits, tmp_path, GwasSettings(controls=2), seed=4)
    shards = sorted((tmp_path / "shards").rglob("*.npy"))
    times = [path.stat().st_mtime_ns for path in shards]
    shards[2].unlink()
    second = run_gwas([planted.tissues], planted.traits, tmp_path, GwasSettings(controls=2), seed=4)
    pd.testing.assert_frame_equal(first.drop(columns="run_id"), second.drop(columns="run_id"))
    again = [path.stat().st_mtime_ns for path in shards]
    assert [a == b for a, b in zip(times, again)] == [number != 2 for number in range(len(shards))]
    third = run_gwas([planted.tissues], planted.traits, tmp_path, GwasSettings(controls=2), seed=5)
    assert not np.array_equal(first["control_value"].dropna(), third["control_value"].dropna())


def test_local_processes_give_the_same_as_one(planted, tmp_path):
    settings = GwasSettings(model="boosted", controls=0, folds=3)
    object.__setattr__(settings, "boosted", type(settings.boosted)(trees=10))
    trait = planted.traits / "trait_1.genes.out"
    one = run_gwas([planted.tissues], trait, tmp_path / "one", settings, workers=1)
    two = run_gwas([planted.tissues], trait, tmp_path / "two", settings, workers=2)
    pd.testing.assert_frame_equal(one.drop(columns="run_id"), two.drop(columns="run_id"))


def test_command_writes_a_report_and_says_the_finding(planted, tmp_path, run):
    code, text, _ = run(
        "evaluate", "gwas", planted.truth, "--traits", planted.traits, "-o", tmp_path, "--controls", 1
    )
    assert code == 0
    assert "true functions: median of 7 traits: delta R2 +0.0" in text
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert list((tmp_path / "figures").glob("*.png"))
    assert list((tmp_path / "figures").glob("*.pdf"))


def test_one_trait_has_a_finding(planted, tmp_path, run):
    trait = planted.traits / "trait_1.genes.out"
    code, text, _ = run("evaluate", "gwas", planted.truth, "--traits", trait, "-o", tmp_path, "--controls", 1)
    assert code == 0
    assert "median of 1 trait: delta R2 +" in text
    assert "no interval" not in (tmp_path / "report.html").read_text()


def test_versions_in_identifiers_are_understood(planted, tmp_path):
    embedding = read_gene_embedding(planted.tissues)
    embedding.obs_names = [f"{gene}.7" for gene in embedding.obs_names]
    write_gene_embedding(embedding, tmp_path / "versions.h5ad")
    scores = run_gwas(
        [tmp_path / "versions.h5ad"], planted.traits, tmp_path / "out", GwasSettings(controls=0)
    )
    assert scores["n"].max() == 1500


class TestBadInput:
    """One line, exit code 2, nothing half-written."""

    def _fails(self, fails, planted, tmp_path, *arguments, embedding=None, traits=None) -> str:
        output = tmp_path / "out"
        message = fails(
            "evaluate",
            "gwas",
            embedding or planted.tissues,
            "--traits",
            traits or planted.traits,
            "-o",
            output,
            *arguments,
        )
        assert not (output / "scores.parquet").exists()
        assert not (output / "report.html").exists()
        return message

    def _renamed(self, planted, tmp_path, names) -> str:
        embedding = read_gene_embedding(planted.tissues)
        embedding = build_gene_embedding(
            np.asarray(embedding.X), names(embedding.obs_names), name="x", method="x", evidence="dna"
        )
        write_gene_embedding(embedding, tmp_path / "renamed.h5ad")
        return str(tmp_path / "renamed.h5ad")

    def test_symbols_against_ensembl(self, planted, tmp_path, fails):
        path = self._renamed(planted, tmp_path, lambda genes: [f"CIS{n}" for n in range(len(genes))])
        message = self._fails(fails, planted, tmp_path, embedding=path)
        assert "0 of 1,425 genes match" in message
        assert "look like gene symbols" in message
        assert "cistron genes map" in message

    def test_a_wrong_embedding_is_told_before_the_covariance_is_read(
        self, planted, tmp_path, fails, monkeypatch
    ):
        def read(path):
            raise AssertionError("the covariance was read")

        monkeypatch.setattr("cistron.evaluation.gwas.run.read_covariances", read)
        path = self._renamed(planted, tmp_path, lambda genes: [f"CIS{n}" for n in range(len(genes))])
        message = self._fails(fails, planted, tmp_path, "--covariance", planted.covariance, embedding=path)
        assert "0 of 1,425 genes match" in message

    def test_no_shared_gene(self, planted, tmp_path, fails):
        path = self._renamed(planted, tmp_path, lambda genes: [f"ENSG{n:011d}" for n in range(len(genes))])
        assert "check that both are of the same species" in self._fails(
            fails, planted, tmp_path, embedding=path
        )

    def test_one_chromosome(self, planted, tmp_path, fails):
        table = read_genes_out(planted.traits / "trait_1.genes.out").query("CHR == '1'")
        table.to_csv(tmp_path / "t.genes.out", sep="\t", index=False)
        message = self._fails(fails, planted, tmp_path, traits=tmp_path / "t.genes.out")
        assert "at least 2 chromosomes" in message

    def test_trait_that_does_not_vary(self, planted, tmp_path, fails):
        table = read_genes_out(planted.traits / "trait_1.genes.out").assign(ZSTAT=1.5)
        table.to_csv(tmp_path / "t.genes.out", sep="\t", index=False)
        assert "zero variance" in self._fails(fails, planted, tmp_path, traits=tmp_path / "t.genes.out")

    def test_covariance_of_another_run(self, planted, tmp_path, fails):
        lines = planted.covariance.read_text().splitlines()
        cut = [line.split() for line in lines[2:]]
        for fields in cut:
            fields[4] = str(int(fields[4]) + 1)
        (tmp_path / "other.genes.raw").write_text(
            "\n".join([*lines[:2], *(" ".join(fields) for fields in cut)])
        )
        message = self._fails(fails, planted, tmp_path, "--covariance", tmp_path / "other.genes.raw")
        assert "does not match" in message
        assert "one MAGMA run" in message

    def test_covariance_with_rows_cut_out(self, planted, tmp_path, fails):
        lines = planted.covariance.read_text().splitlines()
        (tmp_path / "cut.genes.raw").write_text("\n".join(lines[:2] + lines[12:]))
        assert "rows were removed" in self._fails(
            fails, planted, tmp_path, "--covariance", tmp_path / "cut.genes.raw"
        )

    def test_gene_table_of_another_build(self, planted, tmp_path, fails):
        table = pd.read_csv(planted.genes, sep="\t")
        shifted = table.rename(columns={"gene": "GENE", "chromosome": "CHR", "start": "START"}).assign(
            START=table["start"] + 900_000, STOP=table["end"] + 900_000
        )
        shifted = shifted.drop(columns="end")
        shifted.to_csv(tmp_path / "genes.tsv", sep="\t", index=False)
        message = self._fails(fails, planted, tmp_path, "--genes", tmp_path / "genes.tsv")
        assert "another genome build" in message

    def test_projection_without_covariance(self, planted, tmp_path, fails):
        assert "needs --covariance" in self._fails(fails, planted, tmp_path, "--projection", "whiten")

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            ("", "is empty"),
            ("GENE CHR\nENSG1 1\n", "column ZSTAT is absent"),
            ("GENE CHR ZSTAT\nENSG1 1\n", "2 fields"),
        ],
    )
    def test_broken_trait_files(self, planted, tmp_path, fails, content, expected):
        (tmp_path / "t.genes.out").write_text(content)
        assert expected in self._fails(fails, planted, tmp_path, traits=tmp_path / "t.genes.out")

    def test_unwritable_output(self, planted, tmp_path, fails):
        (tmp_path / "out").write_text("a file")
        assert "it is a file" in fails(
            "evaluate",
            "gwas",
            planted.tissues,
            "--traits",
            planted.traits,
            "-o",
            tmp_path / "out",
            "--overwrite",
        )

    def test_no_scheduler(self, planted, tmp_path, fails):
        assert "no Dask scheduler answers" in self._fails(
            fails, planted, tmp_path, "--scheduler", "tcp://127.0.0.1:1"
        )

    @pytest.mark.real_data
    def test_real_covariance_of_another_run(self, test_data, tmp_path, fails):
        magma = test_data / "gwas/magma_files_public"
        genes = read_genes_out(magma / "ieu-a-7.genes.out")["GENE"].tolist()
        values = np.random.default_rng(0).normal(size=(len(genes), 3))
        write_gene_embedding(
            build_gene_embedding(values, genes, name="e", method="x", evidence="dna"), tmp_path / "e.h5ad"
        )
        message = fails(
            "evaluate", "gwas", tmp_path / "e.h5ad", "--traits", magma / "ieu-a-7.genes.out",
            "--covariance", magma / "ieu-a-7.genes.raw.gz", "-o", tmp_path / "out",
        )  # fmt: skip
        assert "11,081 of 18,087 genes" in message
        assert "one MAGMA run" in message


@pytest.mark.real_data
def test_real_traits_and_matrix_reproduce_the_quick_figure(test_data, tmp_path, run):
    """Median delta R2 of the HPA FPKM matrix by ridge, 4 covariates, no projection: .0158 in an independent script."""
    matrix = test_data / "omics/hpa_fpkm/hpa_rnatable_fpkm_20344x76.parquet"
    run("omics", "embed", matrix, "--dimensions", 64, "--output", tmp_path / "hpa.h5ad", "--name", "HPA")
    traits = test_data / "gwas/seed_project_magma/magma_genes_out_30traits.parquet"
    scores = run_gwas(
        [tmp_path / "hpa.h5ad"],
        traits,
        tmp_path / "out",
        GwasSettings(controls=1, null="published", keep_mhc=True, neighbour_scale=0),
    )
    median = _value(scores, "HPA", target="median of 30 traits")
    assert 0.0155 < median < 0.020
    assert _value(scores, "HPA", metric="delta_r2_permuted", target="median of 30 traits") < 0.001
    null = _value(scores, "HPA", metric="r2", target="median of 30 traits", column="null_value")
    assert null == pytest.approx(0.0089, abs=0.0003)
