"""The report of a study: what it says, and in what order."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.report.study import build_study_report, read_study
from cistron.report.study_finding import findings, order_of_rows
from cistron.study.gene_layout import gene_layout

sys.path.insert(0, str(Path(__file__).parent))
try:
    from planted_study import HOSTILE
finally:
    sys.path.remove(str(Path(__file__).parent))


def test_the_page_opens_on_the_picture_and_ends_with_what_was_run(study):
    text = (study / "report.html").read_text()
    body = text[text.index("<main") :]
    order = [
        "What to use for what",
        "<svg",
        "Which embedding for which question",
        "Look up a gene",
        "Map of all genes",
        "Labels of genes: terms",
    ]
    order += [
        "Gene networks: network",
        "Expression of unseen genes: cells",
        "worth together",
        "beyond chance",
        "Coverage and evidence",
        "What was run",
    ]
    places = [
        body.rindex(word) if ": " in word else body.index(word) for word in order
    ]  # remarks name chapters, too
    assert places == sorted(places)
    assert text.index('<dl class="facts wide">') > text.index("Coverage and evidence")
    assert "<i>study</i>" not in text
    assert HOSTILE not in text


def test_the_picture_holds_every_cell(study):
    _, tables = read_study(study)
    common = tables["table"].query("part == 'common genes' and row != 'together'")
    text = (study / "report.html").read_text()
    tips = re.findall(r'data-tip="([^"]*)"', text[: text.index("Which embedding for which question")])
    assert len(tips) == len(common) == 12
    assert all(f"{row.embedding}, {row.task}" in " ".join(tips) for row in common.itertuples())
    assert sum("indistinguishable from the best" in tip for tip in tips) == int(common["best"].sum())
    assert sum("not above its control" in tip for tip in tips) == int((~common["beats_control"]).sum())


def test_the_finding_says_who_wins_who_ties_and_where_nothing_is_known(study):
    table = pd.DataFrame(
        {
            "task": list("aaabbb"), "row": ["embedding"] * 6, "embedding": ["x", "y", "z"] * 2, "value": [0.9, 0.89, 0.7, 0.52, 0.51, 0.5],
            "low": [0.85, 0.84, 0.6, 0.4, 0.4, 0.4], "high": [0.95, 0.94, 0.8, 0.6, 0.6, 0.6], "null_value": [0.5] * 6,
            "beyond": [0.2, 0.1, np.nan] * 2, "beyond_low": [0.1, -0.1, np.nan] * 2, "beyond_high": [0.3, 0.3, np.nan] * 2,
            "knows": [True, False, False] * 2, "kind": ["gene_labels"] * 6,
            "best": [True, True, False, True, True, True], "beats_control": [True, True, True, False, False, False], "shares_evidence": [True] + [False] * 5,
        }
    )  # fmt: skip
    differences = pd.DataFrame(
        {"task": ["a", "a"], "first": ["x", "x"], "second": ["y", "z"], "low": [-0.1, 0.1]}
    )
    said = findings(table, differences, ["a", "b"])
    assert (
        said["headline"]
        == "x is the highest on 1 of 2 tasks; on b no embedding does better than its control."
    )
    assert "it knows something that trivial columns of genes do not tell (gain beyond them +0.200 [+0.100, +0.300])" in said["tasks"][0]["sentence"]  # fmt: skip
    table.loc[0, "knows"] = False
    assert "no reliable gain beyond trivial columns" in findings(table, differences, ["a", "b"])["tasks"][0]["sentence"]  # fmt: skip
    table.loc[0, "beyond"] = np.nan
    assert "nothing is said about what it knows" in findings(table, differences, ["a", "b"])["tasks"][0]["sentence"]  # fmt: skip
    assert "y is indistinguishable from it" in said["tasks"][0]["sentence"]
    assert "it saw the kind of evidence" in said["tasks"][0]["sentence"]
    assert said["tasks"][1]["kind"] == "unfounded"
    assert said["chance"] == "1 of 2 differences between two embeddings are within chance."
    assert said["ties"] == [{"task": "a", "pairs": "x and y"}]
    assert said["unknown"].startswith("On b no embedding does reliably better than its control")
    assert said["idle"] == []
    table.loc[:, ["best", "beats_control"]] = [[True, True], [False, False], [False, False]] * 2
    differences = differences.assign(value=[0.01, 0.2], high=[0.12, 0.3])
    said = findings(table, differences, ["a", "b"])
    assert "next is y, lower by 0.010 [-0.100, 0.120]" in said["tasks"][0]["sentence"]
    assert (
        said["unknown"]
        == "On each of the 2 tasks at least one embedding does reliably better than its control."
    )
    assert said["idle"] == ["y", "z"]
    assert order_of_rows(table) == ["x", "y", "z"]


def test_the_map_keeps_near_genes_near_and_is_the_same_twice():
    """Four groups of genes stay together, the landmarks and the others alike; the same values give the same bytes."""
    generator = np.random.default_rng(0)
    group = np.arange(240) % 4
    values = generator.normal(size=(4, 6))[group] * 3 + 0.3 * generator.normal(size=(240, 6))
    places = gene_layout(values, landmarks=120)
    assert np.array_equal(places, gene_layout(values, landmarks=120))
    assert np.abs(places).max() == pytest.approx(1, abs=1e-6)
    away = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(away, np.inf)
    assert (group[np.argsort(away, axis=1)[:, :5]] == group[:, None]).mean() > 0.98
    assert gene_layout(values[:3]).shape == (3, 2)
    assert gene_layout(values[:, :1]).shape == (240, 2)


def test_an_unfinished_folder_is_said(tmp_path):
    with pytest.raises(InputError, match="not a finished study"):
        build_study_report(tmp_path, tmp_path / "r.html")
