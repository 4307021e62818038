# ruff: noqa: RUF001  (true minus signs and dashes, as a reader sees them)
"""From result folders to a page: what it holds, what it escapes, what it refuses."""

import base64
import hashlib
import json
import re
import sys
import types
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cistron.errors import InputError
from cistron.formats.scores import read_scores, write_scores
from cistron.report import build_report
from cistron.report.build import TASKS, sections_of
from cistron.report.gene_view import _examples
from cistron.report.gwas_drawings import _axes
from cistron.report.page import Section, count, fixed, p_value, render
from cistron.report.result import read_result
from cistron.report.run_record import duration, flat


class Page(HTMLParser):
    """Collects what a browser would make of a page: tags, ids, links, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.ids, self.links, self.labels_for = [], [], [], []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        values = dict(attributes)
        if "id" in values:
            self.ids.append(values["id"])
        self.links += [values[name] for name in ("href", "src", "xlink:href") if values.get(name)]

    def handle_data(self, data):
        self.words += data


@pytest.fixture(scope="module")
def page_text(make_result, tmp_path_factory) -> str:
    """Page of a run with 5 traits and 3 embeddings."""
    folder = make_result(
        tmp_path_factory.mktemp("run"), traits=5, embeddings=3, warnings=["the box holds this"]
    )
    return build_report([folder], folder / "report.html").read_text()


def test_a_page_has_every_section_and_its_figures(run, make_result, tmp_path):
    folder = make_result(tmp_path / "run", traits=5, embeddings=3)
    code, output, _ = run("report", "build", folder, "--output", tmp_path / "out" / "page.html")
    assert code == 0
    assert output.strip() == str(tmp_path / "out" / "page.html")
    names = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    drawings = ("summary", "heat_map", "box_plot", "intervals", "full_against_null")
    assert names == {f"gwas_{name}.{kind}" for name in drawings for kind in ("png", "pdf")}
    page = Page((tmp_path / "out" / "page.html").read_text())
    for anchor in (
        "finding",
        "coverage",
        "heat-map",
        "distribution",
        "null",
        "traits",
        "genes",
        "method",
        "run",
    ):
        assert f"gwas_{anchor}" in page.ids
    assert not list(tmp_path.rglob("*.partial-*"))


def test_ids_are_unique_and_links_lead_somewhere_on_the_page(page_text):
    page = Page(page_text)
    assert len(set(page.ids)) == len(page.ids)
    files = {link for link in page.links if not link.startswith("#")}
    assert files
    assert all(re.fullmatch(r"figures/\w+\.(png|pdf)", link) for link in files)  # beside the page
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_policy_forbids_requests_and_names_our_script_by_its_hash(page_text):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page_text)[1]
    assert policy.startswith("default-src 'none';")
    script = re.search(r"<script>(.*)</script>", page_text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    addresses = set(re.findall(r"https?://[^\"' <)]+", page_text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_the_page_tells_inputs_settings_version_seed_and_time(make_result, tmp_path):
    source = tmp_path / "SHBG.genes.out"
    source.write_text("x")
    folder = make_result(tmp_path / "run", inputs=[source], seed=4711)
    words = Page(build_report([folder], tmp_path / "r.html", figures=False).read_text()).words
    run = json.loads((folder / "run.json").read_text())
    for part in (run["run_id"], run["cistron_version"], "4711", "SHBG.genes.out", run["inputs"][0]["sha256"][:12],
                 "projection", "bootstrap", run["started"]):  # fmt: skip
        assert str(part) in words
    assert run["inputs"][0]["sha256"] not in words


def test_hostile_names_are_text_everywhere(make_result, tmp_path):
    hostile = [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "$\\frac{",
        "{{ 7 * 7 }}",
        "性状 ]]> &amp;",
    ]
    folder = make_result(tmp_path / "run", traits=hostile, embeddings=["<b>e</b>", "</style></script><i>"],
                         warnings=["<u>careful</u>"], dataset="<title>d", genes=30)  # fmt: skip
    text = build_report([folder], tmp_path / "r.html", title="</title><b>").read_text()
    page = Page(text)
    assert not {"b", "img", "u"} & set(page.tags)
    plain = Page(build_report([make_result(tmp_path / "plain", traits=5)], tmp_path / "p.html").read_text())
    assert page.tags.count("script") - plain.tags.count("script") == 0
    assert "onerror=alert(1)>" in page.words
    assert "{{ 7 * 7 }}" in page.words


@pytest.mark.parametrize(("traits", "embeddings"), [(1, 1), (1, 3), (2, 1), (30, 13)])
def test_any_number_of_traits_and_embeddings(make_result, tmp_path, traits, embeddings):
    folder = make_result(tmp_path / "run", traits=traits, embeddings=embeddings, genes=44)
    words = Page(build_report([folder], tmp_path / "r.html", figures=False).read_text()).words
    assert f"{traits * embeddings} of {traits * embeddings} rows" in words


def test_pairs_that_were_not_scored_are_shown_as_missing(make_result, tmp_path):
    folder = make_result(tmp_path / "run", traits=4, embeddings=2)
    scores = read_scores(folder / "scores.parquet")
    gone = (scores["target"] == "trait_1") & (scores["embedding"] == "emb_0")
    write_scores(scores[~gone], folder / "scores.parquet")
    text = build_report([folder], tmp_path / "r.html", figures=False).read_text()
    assert "trait_1 · emb_0: not scored" in text
    assert "7 of 7 rows" in text
    assert "Published subset" in text


def test_columns_of_subsets_that_no_trait_is_of_are_left_out(make_result, tmp_path):
    text = build_report(
        [make_result(tmp_path / "run", traits=3)], tmp_path / "r.html", figures=False
    ).read_text()
    assert "Published subset" not in text


def test_models_have_a_column_where_there_are_several(make_result, tmp_path):
    folder = make_result(tmp_path / "run", traits=3)
    column = '<th scope="col">Model</th>'
    assert column not in build_report([folder], tmp_path / "r.html", figures=False).read_text()
    scores = read_scores(folder / "scores.parquet")
    write_scores(pd.concat([scores, scores.assign(model="linear")]), folder / "scores.parquet")
    assert column in build_report([folder], tmp_path / "two.html", figures=False).read_text()


def test_scores_without_interval_null_and_control_still_make_a_page(make_result, tmp_path):
    folder = make_result(tmp_path / "run", traits=4, embeddings=2)
    scores = read_scores(folder / "scores.parquet")
    scores.loc[:, ["low", "high", "null_value", "control_value", "p_value", "n"]] = np.nan
    scores["n"] = scores["n"].astype("Int64")
    write_scores(scores[scores["metric"] != "delta_r2_permuted"], folder / "scores.parquet")
    words = Page(build_report([folder], tmp_path / "r.html", figures=False).read_text()).words
    assert "has no interval, so nothing can be said" in words


def test_a_run_without_predictions_has_no_gene_view(make_result, tmp_path):
    folder = make_result(tmp_path / "run")
    (folder / "predictions.parquet").unlink()
    page = Page(build_report([folder], tmp_path / "r.html", figures=False).read_text())
    assert "gwas_genes" not in page.ids
    assert "gwas_traits" in page.ids


def test_several_runs_become_chapters_that_do_not_clash(make_result, tmp_path):
    folders = [make_result(tmp_path / name, traits=3, dataset=name) for name in ("first", "second")]
    text = build_report(folders, tmp_path / "r.html").read_text()
    page = Page(text)
    assert len(set(page.ids)) == len(page.ids)
    assert {"gwas_1_finding", "gwas_2_finding"} <= set(page.ids)
    assert len(list((tmp_path / "figures").glob("gwas_2_*.png"))) == 5


def test_the_gene_view_drops_the_worst_embeddings_first_and_says_so(make_result, tmp_path):
    from cistron.report.gene_view import gene_section
    from cistron.report.gwas_scores import GwasScores

    folder = make_result(tmp_path / "run", traits=5, embeddings=3, genes=400, strengths=[0.6, 0.0, 0.3])
    result = read_result(folder)
    ranking = GwasScores(result.scores).ranking
    whole = gene_section(result, ranking, "g_")
    assert "leaves out" not in whole.body
    size = sum(map(len, re.findall(r'class="block"[^>]*>([^<]*)<', whole.body)))
    part = gene_section(result, ranking, "g_", byte_limit=int(size * 0.8))
    assert "scored least: emb_1." in part.body


def test_a_page_of_full_size_stays_below_8_megabytes(make_result, tmp_path):
    folder = make_result(tmp_path / "run", traits=30, embeddings=3, genes=17_973)
    page = build_report([folder], tmp_path / "r.html", figures=False)
    assert page.stat().st_size < 8_000_000
    assert "leaves out" not in page.read_text()


def test_the_same_run_gives_the_same_page(make_result, tmp_path):
    folder = make_result(tmp_path / "run")
    first = build_report([folder], tmp_path / "a.html").read_bytes()
    figure = (tmp_path / "figures" / "gwas_heat_map.pdf").read_bytes()
    assert build_report([folder], tmp_path / "a.html").read_bytes() == first
    assert (tmp_path / "figures" / "gwas_heat_map.pdf").read_bytes() == figure


def _keep_other_run(folder, make_result, tmp_path):
    other = read_scores(make_result(tmp_path / "other") / "scores.parquet")
    write_scores(
        pd.concat([read_scores(folder / "scores.parquet"), other], ignore_index=True),
        folder / "scores.parquet",
    )


def _set(column, value):
    def change(folder, *_):
        scores = read_scores(folder / "scores.parquet")
        scores[column] = value
        write_scores(scores, folder / "scores.parquet")

    return change


def _without_traits(folder, *_):
    scores = read_scores(folder / "scores.parquet")
    write_scores(scores[scores["target"].str.startswith("median")], folder / "scores.parquet")


def _without_value(folder, *_):
    table = pq.read_table(folder / "scores.parquet")
    empty = pa.nulls(len(table), pa.float64())
    place = table.column_names.index("value")
    pq.write_table(table.set_column(place, "value", empty), folder / "scores.parquet")


BROKEN = {
    "no scores.parquet": lambda folder, *_: (folder / "scores.parquet").unlink(),
    "not a readable scores table": lambda folder, *_: (folder / "scores.parquet").write_bytes(b"PAR1 torn"),
    "not of scores": lambda folder, *_: pd.DataFrame({"a": [1]}).to_parquet(folder / "scores.parquet"),
    "has no rows": lambda folder, *_: write_scores(read_scores(folder / "scores.parquet").iloc[:0], folder / "scores.parquet"),
    "no run.json": lambda folder, *_: (folder / "run.json").unlink(),
    "not readable JSON": lambda folder, *_: (folder / "run.json").write_text("{"),
    "it has no 'run_id'": lambda folder, *_: (folder / "run.json").write_text("[]"),
    "mixes the scores of 2 runs": _keep_other_run,
    "do not belong together": _set("run_id", "another"),
    "no report for task 'horoscope'": _set("task", "horoscope"),
    "no delta_r2 of a trait": _without_traits,
    "column 'value' has empty cells": _without_value,
    "predictions.parquet is not a readable table": lambda folder, *_: (folder / "predictions.parquet").write_bytes(b"PAR1"),
    "has no column 'symbol'": lambda folder, *_: pd.read_parquet(folder / "predictions.parquet").drop(columns="symbol").to_parquet(folder / "predictions.parquet"),
}  # fmt: skip


@pytest.mark.parametrize("message", BROKEN)
def test_broken_folders_are_one_clear_line_and_leave_nothing(fails, make_result, tmp_path, message):
    folder = make_result(tmp_path / "run", traits=2, embeddings=1, genes=20)
    BROKEN[message](folder, make_result, tmp_path)
    assert message in fails("report", "build", folder, "--output", tmp_path / "out" / "r.html")
    assert not list((tmp_path / "out").iterdir() if (tmp_path / "out").exists() else [])


def test_wrong_arguments_are_one_clear_line(fails, make_result, tmp_path):
    folder = make_result(tmp_path / "run", traits=2, embeddings=1, genes=20)
    assert "no result folder" in fails("report", "build")
    assert "does not exist" in fails("report", "build", tmp_path / "absent")
    assert "given twice" in fails("report", "build", folder, tmp_path / "." / "run")
    assert "an .html file" in fails("report", "build", folder, "--output", tmp_path / "r.pdf")
    (tmp_path / "file").write_text("")
    assert "cannot write" in fails("report", "build", folder, "--output", tmp_path / "file" / "r.html")


def test_every_task_of_the_list_leads_to_a_function(make_result, tmp_path):
    assert all(":" in target for _, target in TASKS.values())
    result = read_result(make_result(tmp_path / "run"))
    assert sections_of(result, "x_")[0].anchor == "finding"


def test_numbers_in_words():
    assert fixed(-0.00412) == "−0.0041"
    assert fixed(None) == fixed(float("nan")) == count(None) == p_value(float("nan")) == "–"
    assert count(17973) == "17,973"
    assert [p_value(p) for p in (0.0123, 0.999, 1.2e-6, 0.0)] == ["0.012", "1", "1.2×10⁻⁶", "0"]
    assert [duration(s) for s in (None, 3.21, 59, 61, 7500)] == [
        "not recorded",
        "3.2 seconds",
        "59 seconds",
        "1 min 01 s",
        "2 h 05 min",
    ]
    assert flat({"a": {"b": 1, "c": [1, 2]}, "d": "x"}) == [("a.b", "1"), ("a.c", "[1, 2]"), ("d", "x")]


def test_the_package_holds_what_the_page_needs():
    from importlib.resources import files

    root = files("cistron.report")
    for name in (
        "assets/page.css",
        "assets/page.js",
        "assets/table.js",
        "assets/genes.js",
        "templates/page.html",
    ):
        assert root.joinpath(name).is_file()
    assert files("cistron.plots").joinpath("cistron.mplstyle").is_file()


def test_output_of_a_wrong_kind_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match="html file"):
        build_report([tmp_path / "absent"], tmp_path / "r.txt")


def test_a_new_task_is_one_function_and_one_line(monkeypatch, make_result, tmp_path):
    def edges_sections(result, prefix):
        return [
            Section("finding", "Finding", render("macros.html")),
            Section("more", f"{prefix}<more>", "a < b"),
        ]

    module = types.ModuleType("cistron_test_edges")
    module.edges_sections = edges_sections
    monkeypatch.setitem(sys.modules, "cistron_test_edges", module)
    monkeypatch.setitem(TASKS, "edges", ("Edges", "cistron_test_edges:edges_sections"))
    folder = make_result(tmp_path / "run")
    _set("task", "edges")(folder)
    page = Page(build_report([folder], tmp_path / "r.html").read_text())
    assert {"edges_finding", "edges_more", "edges_run"} <= set(page.ids)
    assert "edges_<more>" in page.words
    assert "a < b" in page.words


def test_examples_are_the_genes_of_largest_z_on_different_chromosomes():
    genes = pd.DataFrame(
        {"gene": list("abcdef"), "symbol": ["A", "B", "", "D", "E", "F"], "chromosome": list("112233")}
    )
    z = np.array([[0, 5, -9, 1, 0, 0], [-6, 0, 0, np.nan, 3, 4]])
    assert [one["gene"] for one in _examples(genes, z)] == ["a", "f", "d"]


def test_axes_have_the_size_that_is_asked_for():
    figure, axes = _axes(5.0, 2.0)
    box = axes.get_position()
    np.testing.assert_allclose(
        [box.width * figure.get_figwidth(), box.height * figure.get_figheight()], [5, 2]
    )
