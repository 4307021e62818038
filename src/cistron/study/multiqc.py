"""The table of a study for MultiQC: custom content, files that end in ``_mqc.json`` (docs.seqera.io/multiqc/custom_content)."""

import html
import json
from pathlib import Path
from typing import Any

import pandas as pd

from cistron.runtime.files import atomic_path
from cistron.study.kinds import KINDS
from cistron.study.scoring import COMMON

SCORES, GAINS = "study_scores_mqc.json", "study_gains_mqc.json"


def write_multiqc(folder: Path, name: str, table: pd.DataFrame) -> list[Path]:
    """Write a table of scores and a heat map of gains, on the common genes.

    Parameters
    ----------
    folder
        Folder of the study.
    name
        Name of the study.
    table
        One row a cell, of :func:`cistron.study.summary.mark_best`.

    Returns
    -------
    list of Path
        The files.
    """
    rows = table[(table["part"] == COMMON) & (table["row"] != "together") & table["value"].notna()]
    tasks = list(dict.fromkeys(rows["task"].astype(str)))
    own = list(dict.fromkeys(rows["embedding"].astype(str)))
    # MultiQC puts names and descriptions into its page as they are
    parent = {
        "parent_id": "cistron",
        "parent_name": "cistron",
        "parent_description": f"Gene embeddings on tasks: {html.escape(name)}",
    }
    scores: dict[str, dict[str, Any]] = {one: {} for one in own}
    gains: dict[str, dict[str, Any]] = {one: {} for one in own}
    headers = {}
    for task in tasks:
        first = rows[rows["task"] == task].iloc[0]
        headers[task] = {
            "title": html.escape(task),
            "description": html.escape(f"{KINDS[str(first['kind'])].question} ({first['metric']})"),
            "format": "{:,.3f}",
            "scale": "Blues",
        }
    for row in rows.itertuples():
        scores[str(row.embedding)][str(row.task)] = float(f"{row.value:.6g}")
        if row.gain == row.gain:
            gains[str(row.embedding)][str(row.task)] = float(f"{row.gain:.4g}")
    contents: dict[str, dict[str, Any]] = {
        SCORES: {
            "id": "cistron_study_scores",
            "section_name": "Scores",
            "description": f"Score of each embedding on each task, on the genes that all cover; rows added to judge by: {html.escape(', '.join(_added(rows)) or 'none')}.",
            "plot_type": "table",
            "pconfig": {"id": "cistron_study_scores_table", "title": "cistron: scores", "col1_header": "Embedding"},
            "headers": headers,
            "data": scores,
        },
        GAINS: {
            "id": "cistron_study_gains",
            "section_name": "Gain over no information",
            "description": "In standard errors; below 2 nothing is known.",
            "plot_type": "heatmap",
            "pconfig": {
                "id": "cistron_study_gains_heatmap",
                "title": "cistron: gain over no information",
                "xlab": "Task",
                "ylab": "Embedding",
            },
            "data": gains,
        },
    }  # fmt: skip
    for file, content in contents.items():
        with atomic_path(folder / file) as partial:
            partial.write_text(
                json.dumps(parent | content, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8"
            )
    return [folder / file for file in contents]


def _added(rows: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(rows.loc[rows["row"] == "added", "embedding"].astype(str)))
