"""The cross: planted embeddings on planted tasks, cells computed once, keys checked, equal on processes and on a cluster."""

import json
import os
import shutil
import signal
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.evaluation.genesets import GeneSets
from cistron.formats import build_gene_embedding, read_gene_embedding, read_scores, write_gene_embedding
from cistron.report.gain_verdict import first_embedding
from cistron.report.page import render
from cistron.report.study import build_study_report
from cistron.study import add_to_study, read_plan, run_study, stored_plan
from cistron.study.cells import cells_of, compute_cell
from cistron.study.gene_files import GENE_FILES
from cistron.study.kinds import KINDS
from cistron.study.multiqc import GAINS, SCORES, write_multiqc
from cistron.study.plan import plan_of
from cistron.study.rows import make_rows
from cistron.study.scoring import filled
from cistron.study.summary import mark_best
from cistron.world.study import StudyWorldSettings, write_study_world

WORLD = StudyWorldSettings(genes=260, chromosomes=6, functions=4, sets=12, pairs=220, edges=220, cells=60)

PLAN = """
[study]
name = "planted"
annotation = "genes.tsv"
annotation_sets = "sets.gmt"
complementarity = ["sets"]
[embeddings.truth]
file = "truth.h5ad"
[embeddings.first]
file = "first_half.h5ad"
[embeddings.second]
file = "second_half.h5ad"
evidence = ["dna"]
[embeddings.noise]
file = "noise.h5ad"
[tasks.sets]
kind = "genesets"
sets = "sets.gmt"
controls = 5
minimum = 10
[tasks.labels]
kind = "gene_labels"
labels = "labels.tsv"
learner = "ridge"
draws = 100
[tasks.pairs]
kind = "pairs"
pairs = "pairs.tsv"
combinations = ["product"]
folds = 2
repeats = 1
draws = 60
[tasks.cells]
kind = "expression"
cells = "cells.h5ad"
method = "ridge"
cell_type = "cell_type"
gene_split = "random"
test_genes = 0.3
test_cells = 0.3
draws = 40
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_study_world(folder, WORLD, seed=1)
    (folder / "study.toml").write_text(PLAN)
    return folder


@pytest.fixture(scope="module")
def study(world, tmp_path_factory):
    """A finished study."""
    folder = tmp_path_factory.mktemp("study") / "study"
    return run_study(world / "study.toml", folder)


def values_of(result, part="common genes"):
    table = result.table
    return table[table["part"] == part].pivot(index="embedding", columns="task", values="value")


def test_the_embedding_that_knows_the_truth_is_first_everywhere_and_chance_is_at_the_null(study):
    table = study.table[study.table["part"] == "common genes"]
    assert set(table.loc[table["rank"] == 1, "embedding"]) == {"truth"}
    best = table[table["best"] & (table["row"] == "embedding")]
    assert set(best["embedding"]) == {"truth"}
    chance = table[table["embedding"].isin(["noise", "permuted", "random Gaussian"])]
    assert len(chance) == 3 * 4
    assert (chance["low"] < chance["null_value"] + 0.03).all()
    assert not chance.loc[chance["task"] != "cells", "best"].any()
    assert table.loc[table["embedding"] == "truth", "beats_control"].all()
    assert (table.loc[table["embedding"] == "truth", "gain"] > 3).all()


def test_the_truth_is_first_on_traits_and_on_a_network_too(world, tmp_path):
    head = PLAN.split("[tasks.sets]")[0].replace('complementarity = ["sets"]', 'added = ["permuted"]')
    (world / "two.toml").write_text(
        head
        + '[tasks.traits]\nkind = "gwas"\ntraits = "traits"\ncontrols = 1\ndraws = 60\n'
        + '[tasks.network]\nkind = "edges"\ntruth = "network.tsv"\nfolds = 2\nrepeats = 1\ndraws = 60\n'
    )
    table = run_study(world / "two.toml", tmp_path / "study").table
    table = table[table["part"] == "common genes"].set_index(["task", "embedding"])
    for task in ("traits", "network"):
        own = table.loc[task]
        assert own["rank"].idxmin() == "truth"
        assert (
            own.loc[["noise", "permuted"], "value"].max()
            < own.loc["truth", "value"] / 2 + own["null_value"].max() / 2
        )
        assert (own.loc[["noise", "permuted"], "low"] < own["null_value"].max() + 0.03).all()
    assert table.loc[("network", "truth"), "low"] > 0.7


def test_who_knows_rests_on_the_gain_beyond_trivial_columns(world):
    plan = tomllib.loads(PLAN)
    plan["study"]["covariates"] = "covariates.tsv"
    genes = pd.read_csv(world / "genes.tsv", sep="\t").iloc[:, 0]
    noise = np.random.default_rng(8).normal(size=(len(genes), 2))
    pd.DataFrame({"gene": genes, "gc": noise[:, 0], "papers": noise[:, 1]}).to_csv(
        world / "covariates.tsv", sep="\t", index=False
    )
    plan["study"].update(added=[], complementarity=[])
    plan["embeddings"] = {name: plan["embeddings"][name] for name in ("truth", "noise")}
    result = run_study(plan_of(plan, world, "study"), world / "beyond")
    table = result.table[result.table["part"] == "common genes"].set_index(["embedding", "task"])
    assert table.loc["truth", "knows"].all()
    assert not table.loc["noise", "knows"].any()
    assert (table["beyond_low"] <= table["beyond"]).all()
    assert (table["knows"] == (table["beyond_low"] > 0)).all()
    assert set(table.index.get_level_values("task")) == {"sets", "labels", "pairs", "cells"}


def test_two_halves_are_complementary_and_noise_adds_nothing(study):
    together = study.complementarity.set_index(["first", "second"])
    assert together.loc[("first", "second"), "low"] > 0.02
    assert together.loc[("first", "noise"), "low"] < 0
    assert set(study.complementarity["task"]) == {"sets"}


def test_who_saw_what_is_marked(study):
    table = study.table.set_index(["embedding", "task", "part"])
    assert table.loc[("first", "cells", "common genes"), "shares_evidence"]
    assert not table.loc[("second", "cells", "common genes"), "shares_evidence"]
    assert not table.loc[("first", "sets", "common genes"), "shares_evidence"]


def test_the_tables_are_beside_each_other(study):
    written = pd.read_csv(study.folder / "table.tsv", sep="\t")
    assert len(written) == len(study.table)
    scores = read_scores(study.folder / "scores.parquet")
    assert set(scores["task"]) == {"genesets", "labels", "pairs", "expression"}
    record = json.loads((study.folder / "run.json").read_text())
    assert record["run_id"] == scores["run_id"].iloc[0]
    assert record["results"]["cells"]["computed"] == study.computed


def test_the_table_is_written_for_multiqc(study):
    """Custom content: every scored cell of the common genes, names that a page takes as they are, no NaN."""
    table = study.table[(study.table["part"] == "common genes") & (study.table["row"] != "together")]
    scores, gains = (json.loads((study.folder / name).read_text()) for name in (SCORES, GAINS))
    assert SCORES.endswith("_mqc.json")
    assert GAINS.endswith("_mqc.json")
    assert (scores["plot_type"], gains["plot_type"]) == ("table", "heatmap")
    assert scores["parent_id"] == gains["parent_id"] == "cistron"
    assert scores["id"] != gains["id"]
    assert set(scores["headers"]) == set(table["task"])
    for row in table.itertuples():
        assert scores["data"][row.embedding][row.task] == pytest.approx(row.value, rel=1e-5)
        assert gains["data"][row.embedding][row.task] == pytest.approx(row.gain, rel=1e-3)
    named = write_multiqc(study.folder, "<b>study</b>", study.table)
    assert "<b>" not in named[0].read_text()


def test_a_second_run_computes_nothing_and_gives_the_same(study, world):
    before = values_of(study)
    again = run_study(world / "study.toml", study.folder)
    assert (again.computed, again.reused) == (0, study.computed)
    assert values_of(again).equals(before)


def test_an_added_embedding_costs_its_row_only(study, world, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(study.folder, folder)
    embedding = read_gene_embedding(world / "truth.h5ad", name="partial")
    write_gene_embedding(embedding[:200].copy(), tmp_path / "partial.h5ad")
    found = add_to_study(folder, tmp_path / "partial.h5ad", evidence=["chromatin"])
    plain, halves = 4 * 2, 3  # cells of its row, and of it beside each of the embeddings there
    assert found.computed == plain + halves + 1
    rows = found.table[found.table["embedding"] == "partial"]
    assert set(rows["evidence"]) == {"chromatin"}
    common, every = (
        rows[rows["part"] == part].set_index("task")["value"] for part in ("common genes", "all genes")
    )
    assert every["labels"] < values_of(found, "all genes").loc["truth", "labels"]
    assert len(common) == 4
    assert stored_plan(folder).embeddings[-1].name == "partial"
    assert any(
        "lacks 60 of the 260 genes" in one
        for one in json.loads((folder / "run.json").read_text())["warnings"]
    )
    with pytest.raises(InputError, match="has an embedding 'truth' already"):
        add_to_study(folder, tmp_path / "partial.h5ad", name="truth")


def test_a_changed_setting_is_another_cell(world, tmp_path):
    plan = read_plan(world / "study.toml")
    (tmp_path / "rows").mkdir()
    (tmp_path / "common.txt").write_text("\n".join(read_gene_embedding(world / "truth.h5ad").obs_names))
    rows = make_rows(plan, tmp_path / "rows")
    changed = plan_of(tomllib.loads(PLAN.replace("controls = 5", "controls = 6")), world, "study.toml")
    old, new = (
        {
            (c.row.name, c.task.name, c.part): c.address
            for c in cells_of(one, rows, tmp_path, tmp_path / "common.txt")
        }
        for one in (plan, changed)
    )
    assert {key[1] for key in old if old[key] != new[key]} == {"sets"}
    assert {key for key in old if key[1] == "sets"} == {key for key in old if old[key] != new[key]}
    assert len(set(old.values())) == len(old)


SMALL = "\n".join(PLAN.split("[tasks.pairs]")[0].splitlines()).replace(
    'complementarity = ["sets"]', 'added = ["gaussian"]'
)


@pytest.fixture
def small(world):
    path = world / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def alone(world, tmp_path_factory):
    (world / "small.toml").write_text(SMALL)
    return run_study(world / "small.toml", tmp_path_factory.mktemp("alone") / "study")


def test_a_killed_study_goes_on(small, alone, tmp_path, monkeypatch):
    import cistron.study.cells as cells

    calls = []

    def killed(*arguments, **named):
        if len(calls) == 5:
            raise KeyboardInterrupt
        calls.append(named)
        return compute_cell(*arguments, **named)

    monkeypatch.setattr(cells, "compute_cell", killed)
    with pytest.raises(KeyboardInterrupt):
        run_study(small, tmp_path / "study")
    monkeypatch.undo()
    found = run_study(small, tmp_path / "study")
    assert found.reused == 5
    assert values_of(found).equals(values_of(alone))


def test_a_cluster_with_a_killed_worker_gives_the_same_numbers(small, alone, tmp_path):
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs="CRITICAL"
        ) as cluster,
        Client(cluster) as client,
    ):
        process = client.run(os.getpid)
        first = next(iter(process.values()))
        client.submit(_kill_soon, first, pure=False, workers=[list(process)[1]])
        found = run_study(small, tmp_path / "study", scheduler=cluster.scheduler_address)
        assert first not in client.run(os.getpid).values()
    pd.testing.assert_frame_equal(values_of(found), values_of(alone))
    pd.testing.assert_frame_equal(found.differences, alone.differences)


def _kill_soon(process):
    import time

    time.sleep(0.4)
    os.kill(process, signal.SIGKILL)


def test_how_well_a_gene_is_studied_is_caught(tmp_path):
    """A world in which sets are what is studied: the embedding that knows it does not beat the row of annotations."""
    write_study_world(
        tmp_path,
        StudyWorldSettings(
            genes=260, chromosomes=6, functions=4, sets=12, bias=1.0, pairs=50, edges=50, cells=20
        ),
        seed=2,
    )
    (tmp_path / "study.toml").write_text(
        '[study]\nannotation = "genes.tsv"\nannotation_sets = "sets.gmt"\nadded = ["annotations"]\n[embeddings.studied]\nfile = "studied.h5ad"\n'
        '[embeddings.truth]\nfile = "truth.h5ad"\n[tasks.sets]\nkind = "genesets"\nsets = "sets.gmt"\ncontrols = 2\nminimum = 10\nbackground = "all"\n'
    )
    found = run_study(tmp_path / "study.toml", tmp_path / "study")
    values = values_of(found)["sets"]
    assert values["studied"] > 0.75
    assert values["truth"] < 0.6
    assert values["number of annotations"] >= values["studied"] - 0.05
    from cistron.report.study_finding import findings

    table = found.table[found.table["part"] == "common genes"]
    said = findings(table, found.differences[found.differences["part"] == "common genes"], ["sets"])
    assert "how well a gene is studied gives as much" in said["tasks"][0]["sentence"]
    page = build_study_report(tmp_path / "study", tmp_path / "page.html", figures=False).read_text()
    assert "On chromosomes that were left out, studied reaches" in page


def test_what_is_above_the_best_embedding_is_told_apart():
    rows = [
        {"embedding": name} for name in ("number of annotations", "trivial columns of b", "b", "permuted")
    ]
    assert first_embedding(rows) == (rows[2], rows[:2])
    assert first_embedding(rows[:1]) == (rows[0], [])
    told = render("above.html", above=[{"embedding": "number of annotations", "value": 0.798}])
    assert told.strip() == "Above it, and no embedding: number of annotations (0.798)."


def test_ranks_mark_what_cannot_be_told_from_the_best():
    table = pd.DataFrame(
        {"task": "t", "part": "p", "row": "embedding", "embedding": list("abc"), "value": [0.9, 0.8, 0.7]}
    )
    differences = pd.DataFrame(
        {
            "task": "t",
            "part": "p",
            "first": ["a", "a", "b"],
            "second": ["b", "c", "c"],
            "low": [-0.01, 0.05, 0.01],
        }
    )
    found = mark_best(table, differences)
    assert found["best"].tolist() == [True, True, False]
    assert found["rank"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("controls = 5", "contols = 5", r"\[tasks.sets\]: there is no key 'contols'; did you mean 'controls'"),
        ('kind = "pairs"', 'kind = "pair"', "kind must be one of .*did you mean 'pairs'"),
        ("[tasks.sets]", "[task.sets]", "there is no key 'task'; did you mean 'tasks'"),
        ('evidence = ["dna"]', 'evidence = ["rna"]', "evidence is of .*did you mean 'dna'"),
        ('file = "noise.h5ad"', 'file = "nose.h5ad"', "nose.h5ad does not exist"),
        ('file = "noise.h5ad"', 'combine = ["frst", "second"]', "combine names embeddings with a file. Given: 'frst'; did you mean 'first'"),
        ('complementarity = ["sets"]', 'complementarity = ["set"]', "complementarity names tasks. Given: 'set'; did you mean 'sets'"),
        ('name = "planted"', 'added = ["gausian"]', "did you mean 'gaussian'"),
        ("folds = 2", "folds = 1", r"\[tasks.pairs\]: folds must be 2 or more. Given: 1"),
        ('sets = "sets.gmt"\ncontrols', "controls", "sets is needed for kind genesets"),
        ("[embeddings.noise]", '[embeddings."no<i>se"]', "letters, digits, blanks"),
        ("[study]", "[study", "not valid TOML"),
    ],
)  # fmt: skip
def test_every_key_is_checked_before_any_work(world, old, new, message):
    assert old in PLAN
    (world / "wrong.toml").write_text(PLAN.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_plan(world / "wrong.toml")


def test_a_task_on_which_nothing_can_be_scored_is_an_error_and_not_a_row(world, tmp_path):
    text = SMALL.replace('labels = "labels.tsv"', 'labels = "strange.tsv"')
    (world / "strange.tsv").write_text(
        "gene\tmember\tpart\nENSG99999999999\t1\tholdout\nENSG99999999998\t0\tfold1\n"
    )
    (world / "strange.toml").write_text(text)
    with pytest.raises(InputError, match="task labels: no embedding could be scored"):
        run_study(world / "strange.toml", tmp_path / "study")


def test_names_of_kinds_are_their_keys():
    assert all(name == kind.name for name, kind in KINDS.items())
    for kind in KINDS.values():
        assert callable(kind.function())
        kind.settings_class()()


def test_the_commands_write_an_example_run_it_and_add(run, fails, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, printed, errors = run("study", "init", "--output", "study.toml")
    assert code == 0, errors
    plan = read_plan(Path("study.toml"))
    assert {task.kind.name for task in plan.tasks} == set(KINDS)
    assert set(plan.gene_files) == set(GENE_FILES)
    text = Path("study.toml").read_text()
    start, end = text.index("[tasks.traits]"), text.index("[tasks.labels]")
    Path("study.toml").write_text(
        text[:start] + '[tasks.labels]\nkind = "gene_labels"\nlabels = "study_world/labels.tsv"\n'
        'learner = "ridge"\n'
        if end
        else ""
    )
    Path("study.toml").write_text(
        Path("study.toml").read_text().replace('complementarity = ["sets"]', "complementarity = []")
    )
    code, printed, errors = run("study", "run", "study.toml", "--output", "study", "--no-report")
    assert code == 0, errors
    assert "labels:" in printed
    assert "both: auroc" in printed
    code, printed, errors = run(
        "study", "add", "study", "study_world/truth.h5ad", "--name", "known", "--no-report"
    )
    assert code == 0, errors
    assert "2 cells computed" in printed
    code, printed, errors = run(
        "study", "run", "study.toml", "--output", "study", "--new-common-genes", "--no-report"
    )
    assert code == 0, errors
    assert "0 cells computed" in printed
    code, _, errors = run("report", "build", "study", "--output", "page.html", "--no-figures")
    assert code == 0, errors
    page = Path("page.html").read_text()
    assert f"<title>{read_plan(Path('study.toml')).name}" in page
    assert "known" in page
    shutil.copytree("study", "twin")
    assert "2 folders are studies (study, twin)" in fails(
        "report", "build", "study", "twin", "--output", "x.html"
    )
    assert "leave --title out" in fails("report", "build", "study", "--title", "T", "--output", "x.html")
    assert "is not a study" in fails("study", "add", tmp_path, "study_world/truth.h5ad")
    assert "a study file is a .toml" in fails("study", "init", "--output", "x.txt")
    assert np.isfinite(pd.read_csv("study/table.tsv", sep="\t")["value"]).all()


def test_genes_without_a_vector_keep_those_that_have_one_as_they_are():
    """Level and breadth of expression stay: without them a task says that the embedding carries none."""
    embedding = build_gene_embedding(
        np.eye(3, 2) + 1, ["A", "B", "C"], name="e", method="m", evidence="expression"
    )
    embedding.obs["expression_level"], embedding.obs["expression_breadth"] = [1.0, 2.0, 3.0], [0.1, 0.2, 0.3]
    whole = filled(embedding, {"A", "D"})
    assert list(whole.obs_names) == ["A", "B", "C", "D"]
    assert whole.obs["expression_level"].tolist()[:3] == [1.0, 2.0, 3.0]
    assert np.isnan(whole.obs["expression_breadth"].iloc[3])
    np.testing.assert_allclose(whole.X[3], embedding.X.mean(axis=0))


def test_several_gene_tables_of_a_study_are_joined(tmp_path):
    """Symbols to Entrez and Entrez to Ensembl, neither of which holds both ends."""
    (tmp_path / "a.tsv").write_text("symbol\tentrez_id\nTP53\t7157\nMYC\t4609\n")
    (tmp_path / "b.tsv").write_text(
        "entrez_id\tensembl_gene_id\n7157\tENSG00000141510\n4609\tENSG00000136997\n"
    )
    sets = GeneSets("s", {"both": frozenset({"TP53", "MYC"})}, "symbol")
    found = sets.mapped("ensembl", [tmp_path / "a.tsv", tmp_path / "b.tsv"])
    assert found.members["both"] == {"ENSG00000141510", "ENSG00000136997"}
    with pytest.raises(InputError, match="--gene-map"):
        sets.mapped("ensembl", [])
