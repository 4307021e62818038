"""The report of a study: one picture, the finding in words, a chapter a task, complementarity, coverage, what was run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cistron.errors import InputError
from cistron.plots.heat_map import CELL_INCHES, heat_map
from cistron.plots.study_map import study_map
from cistron.plots.style import figure_style, signed
from cistron.report.build import TASKS, finish_page, sections_of
from cistron.report.drawing import Drawing
from cistron.report.gene_page import gene_sections
from cistron.report.page import Chapter, Section, build_page, render
from cistron.report.result import read_result
from cistron.report.run_record import duration, flat
from cistron.report.study_finding import best_embedding, findings, metric_name, order_of_rows
from cistron.runtime import track
from cistron.runtime.files import check_writable
from cistron.study.kinds import KINDS

_PREFIX = "study_"


def build_study_report(
    folder: str | Path, output: str | Path, *, further: Sequence[str | Path] = (), figures: bool = True
) -> Path:
    """Write the page of a study that was run.

    Parameters
    ----------
    folder
        Folder of the study.
    output
        HTML file; figures go to ``figures/`` beside it.
    further
        Result folders of other tasks, which become chapters behind those of the study.
    figures
        Save the figures as files too.

    Raises
    ------
    InputError
        If the folder is no finished study.
    """
    folder, output = Path(folder), Path(output)
    run, tables = read_study(folder)
    check_writable(output)
    table, differences = tables["table"], tables["differences"]
    tasks = list(dict.fromkeys(table["task"]))
    first = [
        _picture_section(table, differences, tasks),
        *gene_sections(folder, best_embedding(table)),
    ]
    chapters = [Chapter(str(_title(folder)), _PREFIX, run, tuple(first))]
    for number, task in enumerate(track(tasks, "report of the study", unit="tasks"), 1):
        place = folder / "tasks" / task
        if not (place / "scores.parquet").exists():
            continue
        result = read_result(place)
        prefix = f"{result.task}_{number}_"
        kind = KINDS[str(table.loc[table["task"] == task, "kind"].iloc[0])]
        # the search over all genes stands at the top of the page, with all that a chapter's own would show
        own = [section for section in sections_of(result, prefix) if section.anchor != "genes"]
        chapters.append(Chapter(f"{kind.title}: {task}", prefix, result.run, tuple(own)))
    for number, place in enumerate(track(further, "report", unit="further chapters"), len(tasks) + 1):
        result = read_result(place)
        prefix = f"{result.task}_{number}_"
        title = f"{TASKS[result.task][0]}: {', '.join(dict.fromkeys(result.scores['dataset']))}"
        chapters.append(Chapter(title, prefix, result.run, tuple(sections_of(result, prefix))))
    last = [
        *_complementarity_sections(tables["complementarity"]),
        _difference_section(differences, tasks),
        _coverage_section(tables["coverage"], table),
        _run_section(run),
    ]
    chapters.append(Chapter("Behind the table", f"{_PREFIX}behind_", run, tuple(last)))
    page = build_page(str(_title(folder)), chapters, study=True)
    return finish_page(page, chapters, output, figures=figures)


def read_study(folder: Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """The record and the tables of a study.

    Raises
    ------
    InputError
        If one is absent or broken.
    """
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        tables = {
            name: pd.read_csv(folder / f"{name}.tsv", sep="\t", keep_default_na=False, na_values=[""])
            for name in ("table", "differences", "complementarity", "coverage")
        }
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder} is not a finished study ({error}); make it with 'cistron study run'"
        ) from error
    for column in ("beats_control", "knows", "best", "shares_evidence"):
        tables["table"][column] = tables["table"][column].astype(str) == "True"
    for column in ("problem", "evidence"):
        tables["table"][column] = tables["table"][column].fillna("").astype(str)
    for name in ("task", "embedding"):
        tables["table"][name] = tables["table"][name].astype(str)
    return run, tables


def _title(folder: Path) -> str:
    try:
        return str(json.loads((folder / "plan.json").read_text())["study"]["name"])
    except (OSError, ValueError, KeyError):
        return "Study"


def _picture_section(table: pd.DataFrame, differences: pd.DataFrame, tasks: list[str]) -> Section:
    common = table[(table["part"] == "common genes") & (table["row"] != "together")]
    rows = order_of_rows(common)
    drawing = _picture(common, rows, tasks, f"{_PREFIX}picture")
    everything = table[(table["part"] == "all genes") & (table["row"] != "together")]
    body = render(
        "study_picture.html",
        drawing=drawing,
        finding=findings(common, differences[differences["part"] == "common genes"], tasks),
        tasks=[
            {
                "name": task,
                "question": KINDS[str(common.loc[common["task"] == task, "kind"].iloc[0])].question,
                "metric": _metric(common, task),
                "unit": _first(common, task, "unit"),
            }
            for task in tasks
        ],
        rows=[
            {
                "name": name,
                "added": bool((common.loc[common["embedding"] == name, "row"] == "added").all()),
                "evidence": _first(common[common["embedding"] == name], None, "evidence"),
                "cells": [_cell(common, everything, name, task) for task in tasks],
            }
            for name in rows
        ],
    )
    return Section("finding", "What to use for what", body, (drawing,))


def _metric(table: pd.DataFrame, task: str) -> str:
    return metric_name(_first(table, task, "metric"))


def _first(table: pd.DataFrame, task: str | None, column: str) -> str:
    rows = table if task is None else table[table["task"] == task]
    known = rows[column].dropna()
    return str(known.iloc[0]) if len(known) else ""


def _cell(common: pd.DataFrame, everything: pd.DataFrame, name: str, task: str) -> dict[str, Any]:
    def pick(table: pd.DataFrame) -> Mapping[str, Any]:
        rows = table[(table["embedding"] == name) & (table["task"] == task)]
        if not len(rows):
            return {}
        return {key: None if pd.isna(value) else value for key, value in rows.iloc[0].items()}

    one, other = pick(common), pick(everything)
    return {**one, "everything": other.get("value"), "problem": one.get("problem") or ""}


def _picture(common: pd.DataFrame, rows: list[str], tasks: list[str], name: str) -> Drawing:
    with figure_style():
        figure = Figure(figsize=(2.2 + 0.78 * len(tasks), 0.9 + 0.31 * len(rows)))
        ax = figure.add_subplot()
        study_map(common, ax, row_order=rows, column_order=tasks)
        own = [row for row in rows if (common.loc[common["embedding"] == row, "row"] == "embedding").any()]
        if len(own) < len(rows):
            ax.axhline(len(own), color="#6b7a8c", linewidth=1.2)
    remarks, texts = [], []
    for row in rows:
        for task in tasks:
            found = common[(common["embedding"] == row) & (common["task"] == task)]
            text = f"{row}, {task}: not scored"
            if len(found) and pd.notna(found["value"].iloc[0]):
                one = found.iloc[0]
                text = (
                    f"{row}, {task}: {_metric(common, task)} {one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}], {signed(one['gain'], 1)} standard "
                    f"errors above the null{_marks(one)}{'; indistinguishable from the best' if one['best'] else ''}"
                )
                texts.append(text)
                remarks.append(text)
    return Drawing(name, figure, "; ".join(texts[:60]), {"cells": remarks}, smallest=0.6)


def _marks(cell: Mapping[str, Any]) -> str:
    """What is said of a cell behind its figure."""
    if not cell["beats_control"]:
        return "; not above its control"
    if cell["knows"]:
        return f"; beyond trivial columns {signed(cell['beyond'], 3)} [{signed(cell['beyond_low'], 3)}, {signed(cell['beyond_high'], 3)}]"
    if pd.notna(cell["beyond"]):
        return "; not shown to know what trivial columns do not"
    return "; not compared with trivial columns"


def _complementarity_sections(table: pd.DataFrame) -> list[Section]:
    if table.empty:
        return []
    drawings = []
    for number, (task, part) in enumerate(table.groupby("task", sort=False)):
        both = pd.concat([part, part.rename(columns={"first": "second", "second": "first"})])
        names = list(dict.fromkeys([*part["first"], *part["second"]]))
        with figure_style():
            figure = Figure(figsize=(1.8 + CELL_INCHES[0] * len(names), 1.2 + CELL_INCHES[1] * len(names)))
            heat_map(
                both,
                figure.add_subplot(),
                row="first",
                column="second",
                row_order=names,
                column_order=names,
                decimals=3,
            )
        description = "; ".join(
            f"{row.first} and {row.second}: {signed(row.value, 3)}" for row in part.itertuples()
        )
        drawings.append((str(task), Drawing(f"{_PREFIX}together_{number}", figure, description)))
    rows = table.assign(clear=table["low"] > 0).sort_values("value", ascending=False).to_dict("records")
    body = render("study_together.html", drawings=drawings, rows=rows)
    return [
        Section("together", "What two embeddings are worth together", body, tuple(one for _, one in drawings))
    ]


def _difference_section(differences: pd.DataFrame, tasks: list[str]) -> Section:
    rows = differences[differences["part"] == "common genes"]
    parts = {
        task: rows[rows["task"] == task].assign(clear=lambda frame: frame["low"] > 0).to_dict("records")
        for task in tasks
    }
    return Section(
        "differences", "Which differences are beyond chance", render("study_differences.html", parts=parts)
    )


def _coverage_section(coverage: pd.DataFrame, table: pd.DataFrame) -> Section:
    shared = table[table["shares_evidence"] & (table["row"] == "embedding")]
    marks = shared.groupby("embedding")["task"].apply(lambda tasks: sorted(set(tasks))).to_dict()
    rows = [{**row, "marks": marks.get(row["embedding"], [])} for row in coverage.to_dict("records")]
    body = render("study_coverage.html", rows=rows, common=int(coverage["common"].iloc[0]))
    return Section("coverage", "Coverage and evidence", body)


def _run_section(run: dict[str, Any]) -> Section:
    facts = {name: value for name, value in run["results"].items() if name not in ("coverage", "genes")}
    body = render(
        "run.html",
        run=run,
        duration=duration(run.get("seconds")),
        inputs=run["inputs"],
        settings=flat(run["settings"]),
        facts=flat(facts),
    )
    return Section("run", "What was run", body)


__all__ = ["build_study_report", "read_study"]
