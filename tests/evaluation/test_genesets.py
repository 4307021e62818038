"""The gene-set task: planted truth, trivial columns, strata, bad input."""

import json

import numpy as np
import pandas as pd
import pytest

from cistron.errors import IdentifierError, InputError
from cistron.evaluation.genesets import (
    GeneSets,
    GeneSetSettings,
    evaluate_gene_sets,
    read_chromosomes,
    read_gene_sets,
)
from cistron.evaluation.genesets.evaluate import _scored_genes
from cistron.formats import build_gene_embedding, read_scores, write_gene_embedding
from cistron.world import WorldSettings, plant_genes

QUICK = GeneSetSettings(controls=20, draws=20, minimum=10)


def _planted(genes=1200, seed=5):
    world = plant_genes(WorldSettings(genes=genes), seed)
    table = world.table.set_index("gene")
    generator = np.random.default_rng(seed)
    members = {}
    for number in range(8):
        pull = world.functions[:, number] + generator.normal(size=genes)
        members[f"function {number}"] = frozenset(table.index[pull > np.quantile(pull, 0.95)])
    members["random"] = frozenset(generator.permutation(table.index)[:60])
    embedding = build_gene_embedding(
        world.functions, list(table.index), name="truth", method="planted", evidence="expression"
    )
    noise = build_gene_embedding(
        generator.normal(size=(genes, 12)), list(table.index), name="noise", method="random", evidence="dna"
    )
    return embedding, noise, GeneSets("planted", members, "ensembl"), table["chromosome"]


def test_planted_sets_are_found_and_noise_and_controls_are_at_chance():
    truth, noise, sets, chromosomes = _planted()
    result = evaluate_gene_sets([truth, noise], sets, chromosomes, QUICK, seed=1)
    scores = result.scores.query("metric == 'auroc' and stratum == 'covered genes'")
    scores = scores.set_index(["embedding", "target"])
    assert scores.loc[("truth", "median of 9 sets"), "value"] > 0.8
    assert scores.loc[("truth", "median of 9 sets"), "low"] > 0.7
    assert abs(scores.loc[("noise", "median of 9 sets"), "value"] - 0.5) < 0.05
    assert abs(scores.loc[("truth", "median of 9 sets"), "control_value"] - 0.5) < 0.05
    low, high = scores.loc[("truth", "random"), ["low", "high"]]
    assert low < 0.5 < high
    assert (scores["low"] <= scores["value"]).all()
    assert result.facts["background"] == "all"
    assert set(result.scores["stratum"]) == {"covered genes", "shared genes"}


def test_a_chromosome_specific_embedding_knows_nothing():
    """Chromosome identity predicts sets of neighbours unless chromosomes are left out."""
    truth, _, _, chromosomes = _planted()
    genes = list(truth.obs_names)
    indicator = pd.get_dummies(chromosomes.loc[genes]).to_numpy(float) + 1e-3
    embedding = build_gene_embedding(indicator, genes, name="place", method="x", evidence="dna")
    sets = {f"chromosome {n}": frozenset(chromosomes.index[chromosomes == str(n)][:40]) for n in range(1, 6)}
    result = evaluate_gene_sets([embedding], GeneSets("p", sets, "ensembl"), chromosomes, QUICK)
    median = result.scores.query("target == 'median of 5 sets' and metric == 'auroc'")["value"].iloc[0]
    assert median < 0.6


def test_fifty_genes_on_autosomes_are_enough():
    genes = [f"ENSG{number:011d}" for number in range(60)]
    embedding = build_gene_embedding(
        np.ones((60, 2)), genes, name="few", method="planted", evidence="expression"
    )
    sets, chromosomes = GeneSets("sets", {}, "ensembl"), pd.Series("1", index=genes)
    everything = frozenset(genes)
    fifty = chromosomes.iloc[:50]
    assert len(_scored_genes(embedding, "few", sets, fifty, None)) == 50
    assert len(_scored_genes(embedding, "few", sets, fifty, everything)) == 50
    with pytest.raises(IdentifierError, match="49 of 60 genes have an autosome"):
        _scored_genes(embedding, "few", sets, chromosomes.iloc[:49], None)
    with pytest.raises(IdentifierError, match="49 of 50 genes are in the sets"):
        _scored_genes(embedding, "few", sets, fifty, frozenset(fifty.index[:49]))


def test_sets_of_every_form_are_read(tmp_path):
    (tmp_path / "a.gmt").write_text("one\tfirst\tTP53\tBRCA1\ntwo\tsecond\tEGFR\tTP53\tMYC\n")
    sets = read_gene_sets(tmp_path / "a.gmt")
    assert sets.members == {"one": {"TP53", "BRCA1"}, "two": {"EGFR", "TP53", "MYC"}}
    assert sets.namespace == "symbol"
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "essential.tsv").write_text("symbol\tx\nTP53\t1\nMYC\t2\n")
    (folder / "kinases.txt").write_text("EGFR\nBRAF\n")
    assert read_gene_sets(folder).members == {"essential": {"TP53", "MYC"}, "kinases": {"EGFR", "BRAF"}}
    table = tmp_path / "ids.tsv"
    table.write_text("symbol\tensembl_gene_id\nTP53\tENSG00000141510\nMYC\tENSG00000136997\n")
    mapped = read_gene_sets(folder).mapped("ensembl", table)
    assert mapped.members["essential"] == {"ENSG00000141510", "ENSG00000136997"}
    assert "2 of 4 genes" in mapped.remarks[0]
    with pytest.raises(InputError, match="--gene-map"):
        sets.mapped("ensembl", None)


def test_chromosomes_of_a_table(tmp_path):
    path = tmp_path / "genes.tsv"
    path.write_text("GENE\tCHR\tSYMBOL\nENSG00000000001\tchr1\tA1\nENSG00000000002\t23\tB1\n")
    found = read_chromosomes(path)
    assert found["ENSG00000000001"] == "1"
    assert found["B1"] == "X"


def _files(folder):
    truth, noise, sets, chromosomes = _planted(600)
    write_gene_embedding(truth, folder / "truth.h5ad")
    write_gene_embedding(noise, folder / "noise.h5ad")
    text = "".join(f"{name}\t-\t" + "\t".join(sorted(genes)) + "\n" for name, genes in sets.members.items())
    (folder / "sets.gmt").write_text(text)
    chromosomes.rename_axis("gene").to_csv(folder / "genes.tsv", sep="\t")
    return folder


def test_command_line_writes_scores_and_report(tmp_path, run):
    folder = _files(tmp_path)
    code, printed, errors = run(
        "evaluate", "genesets", folder / "truth.h5ad", folder / "noise.h5ad", "--sets", folder / "sets.gmt",
        "--genes", folder / "genes.tsv", "-o", folder / "out", "--controls", 20, "--draws", 20,
    )  # fmt: skip
    assert code == 0, errors
    assert "truth: median of 9 sets" in printed
    scores = read_scores(folder / "out" / "scores.parquet")
    assert set(scores["metric"]) == {"auroc", "auprc"}  # the table of places says chromosomes alone
    assert json.loads((folder / "out" / "run.json").read_text())["run_id"] == scores["run_id"].iloc[0]
    page = (folder / "out" / "report.html").read_text()
    assert "Best predicted" in page or "All sets" in page
    assert 'src="http' not in page


def test_trivial_columns_stand_beside_the_embeddings(tmp_path, run):
    folder = _files(tmp_path)
    world = plant_genes(WorldSettings(genes=600), 5)
    world.table[["gene", "chromosome", "start", "end"]].to_csv(folder / "places.tsv", sep="\t", index=False)
    pd.Series(world.functions[:, 0], index=world.table["gene"], name="publications").to_csv(
        folder / "more.tsv", sep="\t"
    )
    code, printed, errors = run(
        "evaluate", "genesets", folder / "truth.h5ad", folder / "noise.h5ad", "--sets", folder / "sets.gmt",
        "--annotation", folder / "places.tsv", "--rivals", folder / "more.tsv", "-o", folder / "out",
        "--controls", 10, "--draws", 20, "--minimum", 10,
    )  # fmt: skip
    assert code == 0, errors
    assert "truth: median of 9 sets, covered genes: gain in AUROC beyond trivial columns +" in printed
    scores = read_scores(folder / "out" / "scores.parquet").query("stratum == 'shared genes'")
    rows = scores.set_index(["embedding", "target", "metric"])
    assert list(scores["embedding"].unique()) == ["truth", "trivial columns", "noise"]
    # the column given is function 0 itself: the embedding that knows it adds nothing there, and much elsewhere
    assert rows.loc[("trivial columns", "function 0", "auroc"), "value"] > 0.75
    assert rows.loc[("truth", "function 0", "gain_auroc"), "low"] < 0.02
    assert rows.loc[("truth", "function 1", "gain_auroc"), "low"] > 0.1
    assert rows.loc[("noise", "median of 9 sets", "gain_auroc"), "low"] <= 0
    assert rows.loc[("truth", "function 1", "gain_auroc"), "value"] == pytest.approx(
        rows.loc[("truth", "function 1", "auroc"), "value"]
        - rows.loc[("trivial columns", "function 1", "auroc"), "value"],
        abs=0.05,
    )
    page = (folder / "out" / "report.html").read_text()
    assert "truth knows something" not in page  # the sentence speaks of "It"
    assert "It knows something about these sets that trivial columns do not tell" in " ".join(page.split())
    assert "Trivial columns: truth: log density at 30 kb" in page


def test_equal_coverage_is_scored_once(monkeypatch):
    from cistron.evaluation.genesets import evaluate

    calls = []
    scored = evaluate.score_gene_sets
    monkeypatch.setattr(evaluate, "score_gene_sets", lambda *given: calls.append(1) or scored(*given))
    truth, noise, sets, chromosomes = _planted(600)
    result = evaluate_gene_sets([truth, noise], sets, chromosomes, QUICK)
    assert len(calls) == 2
    covered, shared = (
        result.scores.query(f"stratum == '{stratum}'").drop(columns="stratum").reset_index(drop=True)
        for stratum in ("covered genes", "shared genes")
    )
    pd.testing.assert_frame_equal(covered, shared)
    evaluate_gene_sets([truth, noise[:500].copy()], sets, chromosomes, QUICK)
    assert len(calls) == 2 + 3


def test_noise_does_not_beat_chance_in_average_precision():
    _, _, sets, chromosomes = _planted()
    generator = np.random.default_rng(8)
    genes = list(chromosomes.index)
    above = 0
    for number in range(5):
        noise = build_gene_embedding(
            generator.normal(size=(len(genes), 8)), genes, name="n", method="x", evidence="dna"
        )
        scores = evaluate_gene_sets([noise], sets, chromosomes, QUICK, seed=number).scores
        row = scores.query("metric == 'auprc' and target == 'median of 9 sets'").iloc[0]
        assert row["low"] <= row["value"] <= row["high"]
        above += row["p_value"] < 0.05 and row["value"] > row["null_value"]
    assert above <= 1


def test_bad_input_is_one_line(tmp_path, fails):
    folder = _files(tmp_path)
    base = [
        "evaluate",
        "genesets",
        folder / "truth.h5ad",
        "--genes",
        folder / "genes.tsv",
        "-o",
        folder / "o",
    ]
    (folder / "broken.gmt").write_text("one\tonly\n")
    assert "Given: 2 fields" in fails(*base, "--sets", folder / "broken.gmt")
    (folder / "empty.gmt").write_text("\n")
    assert "hold no genes" in fails(*base, "--sets", folder / "empty.gmt")
    (folder / "other.gmt").write_text("a\t-\tENSG00000000001\tENSG00000000002\n")
    assert "no set has" in fails(*base, "--sets", folder / "other.gmt")
    assert "no set has" in fails(*base, "--sets", folder / "sets.gmt", "--minimum", 500)
    (folder / "places.tsv").write_text("a\tb\n1\t2\n")
    message = fails(
        *base[:3], "--sets", folder / "sets.gmt", "--genes", folder / "places.tsv", "-o", folder / "o"
    )
    assert "places.tsv has no column of genes; expected a gene" in message
    assert "does not exist" in fails(*base, "--sets", folder / "absent.gmt")
    assert not list((folder / "o").glob("*"))


@pytest.mark.real_data
def test_essential_genes_are_predicted_from_expression(test_data):
    matrix = pd.read_parquet(test_data / "omics/hpa_consensus/hpa_consensus_tissue_nx.parquet")
    values = np.log2(matrix.fillna(0).to_numpy() + 1)
    kept = values.any(axis=1)
    embedding = build_gene_embedding(
        values[kept], list(matrix.index[kept]), name="hpa", method="raw", evidence="expression"
    )
    sets = read_gene_sets(test_data / "omics/gene_sets/macarthur_CEGv2_subset_universe.tsv")
    sets = sets.mapped("ensembl", test_data / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz")
    table = pd.read_parquet(test_data / "gwas/seed_project_magma/magma_genes_out_30traits.parquet")
    places = table.drop_duplicates("GENE").set_index("GENE")["CHR"].astype(str)
    result = evaluate_gene_sets([embedding], sets, places, GeneSetSettings(controls=20, draws=20))
    row = result.scores.query("metric == 'auroc'").iloc[0]
    assert row["value"] > 0.85
    assert abs(row["control_value"] - 0.5) < 0.06
