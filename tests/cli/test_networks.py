"""The networks commands end to end, and what they say to bad input."""

import json

import anndata
import numpy as np
import pandas as pd
import pytest

from cistron.formats import read_gene_embedding
from cistron.formats.edges import read_edges
from cistron.formats.scores import read_scores
from cistron.world.networks import NetworkWorldSettings, network_world, write_network_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    settings = NetworkWorldSettings(genes=20, control_cells=300, cells_per_knockout=25, counts_per_gene=8)
    return write_network_world(network_world(settings, seed=5), tmp_path_factory.mktemp("networks") / "world")


def test_from_cells_to_scores(run, world, tmp_path):
    for method in ("default", "mean-shift"):
        code, out, errors = run(
            "networks", "infer", world["cells"], "--method", method, "--edges", 100,
            "--training-cells", "--output", tmp_path / f"{method}.tsv",
        )  # fmt: skip
        assert code == 0, errors
        assert "100 edges of 20 genes" in out
    ours = read_edges(tmp_path / "default.tsv")
    assert {"sign", "probability", "direct", "stability"} <= set(ours.table)
    assert (tmp_path / "default.tsv.run.json").exists()
    reference = tmp_path / "chip.csv"
    read_edges(world["truth"]).table[["source", "target"]].to_csv(reference)
    code, out, errors = run(
        "evaluate", "edges", tmp_path / "default.tsv", tmp_path / "mean-shift.tsv", "--cells", world["cells"],
        "--truth", world["truth"], "--reference", reference, "--output", tmp_path / "scores", "--no-report",
    )  # fmt: skip
    assert code == 0, errors
    scores = read_scores(tmp_path / "scores" / "scores.parquet")
    for table in ("scores", "effects", "calibration"):
        text = pd.read_csv(tmp_path / "scores" / f"{table}.tsv", sep="\t")
        stored = pd.read_parquet(tmp_path / "scores" / f"{table}.parquet")
        assert list(text) == list(stored)
        assert len(text) == len(stored) > 0
    auprc = scores[scores["metric"] == "auprc"].set_index("embedding")["value"]
    assert auprc["default"] > auprc["random"] + 0.2
    assert "default: truth truth: auprc" in out
    again = run(
        "networks", "infer", world["cells"], "--edges", 100, "--training-cells", "-o", tmp_path / "twice.tsv"
    )
    assert again[0] == 0
    assert read_edges(tmp_path / "twice.tsv").table.equals(ours.table)


def test_catran_writes_its_gene_embedding(run, world, tmp_path):
    code, _, errors = run(
        "networks", "infer", world["cells"], "--method", "catran", "--settings", "paper",
        "--embedding", tmp_path / "genes.h5ad", "--output", tmp_path / "catran.tsv",
    )  # fmt: skip
    assert code == 0, errors
    embedding = read_gene_embedding(tmp_path / "genes.h5ad")
    assert embedding.shape == (20, 40)
    assert run("embedding", "check", tmp_path / "genes.h5ad")[0] == 0


def test_quality_and_methods_are_printed(run, world, tmp_path):
    code, out, _ = run(
        "networks", "quality", world["cells"], "--guide", "guide", "-o", tmp_path / "quality.tsv"
    )
    assert code == 0
    assert "knock-down seen for" in out
    table = pd.read_csv(tmp_path / "quality.tsv", sep="\t")
    assert (table["guides"] == 2).all()
    assert run("networks", "quality", world["cells"])[0] == 0
    code, out, _ = run("networks", "methods")
    assert "partial-correlation" in out


def test_bad_input_is_one_line_and_leaves_nothing(fails, world, tmp_path):
    output = tmp_path / "x.tsv"

    def infer(*options):
        return fails("networks", "infer", *options, "--output", output)

    assert "control label 'none' is absent" in infer(world["cells"], "--control", "none")
    assert "obs has no column 'gene'" in infer(world["cells"], "--perturbation", "gene")
    assert "does not exist" in infer(tmp_path / "absent.h5ad")
    assert "no settings 'paper'" in infer(world["cells"], "--method", "trees", "--settings", "paper")
    assert "learns no gene embedding" in infer(world["cells"], "--embedding", tmp_path / "e.h5ad")
    assert ".tsv" in fails("networks", "infer", world["cells"], "--output", tmp_path / "edges.csv")
    data = anndata.read_h5ad(world["cells"])
    normalised = data.copy()
    normalised.X = data.X.astype(np.float32).log1p()
    normalised.write_h5ad(tmp_path / "normalised.h5ad")
    assert "expected raw counts" in infer(tmp_path / "normalised.h5ad")
    renamed = data.copy()
    renamed.var_names = [f"ENSG{number:011d}" for number in range(20)]
    renamed.write_h5ad(tmp_path / "renamed.h5ad")
    assert "is among the 20 measured genes" in infer(tmp_path / "renamed.h5ad")
    first = data.obs["perturbation"].astype(str)
    lonely = data[(first == "non-targeting") | ~first.duplicated()].copy()
    lonely.write_h5ad(tmp_path / "lonely.h5ad")
    assert "fewer than 2 cells" in infer(tmp_path / "lonely.h5ad")
    assert not output.exists()
    (tmp_path / "broken.h5ad").write_bytes(b"no")
    assert "not a readable .h5ad" in infer(tmp_path / "broken.h5ad")


def test_bad_evaluations_are_one_line(fails, run, world, tmp_path):
    network = tmp_path / "net.tsv"
    run("networks", "infer", world["cells"], "--method", "random", "--output", network)
    out = tmp_path / "scores"
    assert "no network was given" in fails("evaluate", "edges", "--truth", world["truth"], "--output", out)
    assert "give at least one" in fails("evaluate", "edges", network, "--output", out)
    symbols = tmp_path / "symbols.tsv"
    symbols.write_text("source\ttarget\nTP53\tMDM2\nMYC\tCDK4\n")
    message = fails(
        "evaluate", "edges", network, "--cells", world["cells"], "--truth", symbols, "--output", out
    )
    assert "0 of 4 genes match" in message
    assert not (out / "scores.parquet").exists()


def test_regulators_batches_and_observational_cells(run, fails, world, tmp_path):
    data = anndata.read_h5ad(world["cells"])
    data.obs["batch"] = ["a", "b"] * (data.n_obs // 2) + ["a"] * (data.n_obs % 2)
    data.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "tf.txt").write_text("# factors\nG03\nG05\tsecond column\n\nNOTHERE\n")
    code, _out, errors = run(
        "networks", "infer", tmp_path / "cells.h5ad", "--regulators", tmp_path / "tf.txt", "--batch", "batch",
        "--method", "mean-shift", "--output", tmp_path / "e.tsv",
    )  # fmt: skip
    assert code == 0, errors
    assert set(read_edges(tmp_path / "e.tsv").table["source"]) == {"G03", "G05"}
    warnings = json.loads((tmp_path / "e.tsv.run.json").read_text())["warnings"]
    assert any("taken as control by their labels: non-targeting" in warning for warning in warnings)
    assert any("1 of 3 regulators are not measured genes, for example NOTHERE" in one for one in warnings)
    (tmp_path / "none.txt").write_text("TP53\n")
    message = fails(
        "networks", "infer", world["cells"], "--regulators", tmp_path / "none.txt", "-o", tmp_path / "n.tsv"
    )
    assert "regulators" in message
    del data.obs["perturbation"]
    data.write_h5ad(tmp_path / "observed.h5ad")
    code, _, errors = run(
        "networks", "infer", tmp_path / "observed.h5ad", "--observational", "--method", "partial-correlation",
        "--output", tmp_path / "o.tsv",
    )  # fmt: skip
    assert code == 0, errors
    message = fails(
        "networks", "infer", tmp_path / "observed.h5ad", "--observational", "-o", tmp_path / "d.tsv"
    )
    assert "use correlation, partial-correlation or trees" in message


def test_a_network_goes_to_other_tools_and_a_method_through_the_regimes(run, world, tmp_path):
    assert run("networks", "infer", world["cells"], "--method", "direct", "-o", tmp_path / "e.tsv")[0] == 0
    code, _out, errors = run(
        "networks", "export", tmp_path / "e.tsv", "--form", "decoupler", "-o", tmp_path / "d.csv"
    )
    assert code == 0, errors
    assert pd.read_csv(tmp_path / "d.csv").columns.tolist() == ["source", "target", "weight"]
    code, out, errors = run(
        "networks", "regimes", world["cells"], "--method", "mean-shift", "--fractions", 0, "--fractions", 1,
        "--edges", 30, "-o", tmp_path / "regimes.tsv",
    )  # fmt: skip
    assert code == 0, errors
    assert "fraction 0 is of the partial correlation: mean-shift needs perturbed cells" in out
    table = pd.read_csv(tmp_path / "regimes.tsv", sep="\t")
    assert table["fraction"].tolist() == [0, 1]
    assert (table["mean_wasserstein"] > table["null_wasserstein"])[1]


def test_the_effects_table_tells_what_moved(run, world, tmp_path):
    assert run("networks", "quality", world["cells"], "-o", tmp_path / "q.tsv")[0] == 0
    table = pd.read_csv(tmp_path / "q.tsv", sep="\t")
    assert {"cells", "remaining", "energy_distance", "energy_p", "moved_genes"} <= set(table)
    assert (table["energy_p"] < 0.05).mean() > 0.3
