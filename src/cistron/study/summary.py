"""From the cells to the table: gains, ranks with their uncertainty, what two embeddings are worth together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cistron.statistics import bootstrap_p_value, percentile_interval
from cistron.study.cells import Cell
from cistron.study.requests import COMMON
from cistron.study.rows import TOGETHER

_NORMAL = 3.92  # an interval of 95% is that many standard errors wide


def table_of(cells: Sequence[Cell], found: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """One row a cell.

    Parameters
    ----------
    cells
        Cells.
    found
        What each holds, by address.

    Returns
    -------
    DataFrame
        ``task, kind, embedding, row, part, metric, value, low, high, null_value, control_value, p_value, n, unit,
        gain`` (in standard errors of its interval), ``beats_control, beyond, beyond_low, beyond_high, knows, shares_evidence,
        best, problem``. ``beyond`` is what the embedding adds to trivial columns (to covariates and places, or to a control, of a
        GWAS), empty where there were none to compare with; it ``knows`` something where the interval of that lies above 0.
        ``best`` marks those that are indistinguishable from the best embedding of the task and part.
    """
    rows = []
    for cell in cells:
        one = found[cell.address]
        base = {
            "task": cell.task.name,
            "kind": cell.task.kind.name,
            "embedding": cell.row.name,
            "row": cell.row.kind,
            "part": cell.part,
            "genes": len(cell.row.genes),
            "dimensions": cell.row.dimensions,
            "evidence": "+".join(cell.row.evidence),
            "shares_evidence": bool(set(cell.row.evidence) & set(cell.task.evidence)),
            "problem": one.get("problem", ""),
        }
        if "problem" not in one:
            width = (one["high"] - one["low"]) / _NORMAL
            gain = (one["value"] - one["null"]) / width if width > 0 else np.nan
            control = one["control"]
            beyond, beyond_low, beyond_high = one["beyond"]
            base |= {
                "metric": one["metric"],
                "value": one["value"],
                "low": one["low"],
                "high": one["high"],
                "null_value": one["null"],
                "control_value": control,
                "p_value": one["p_value"],
                "n": one["n"],
                "unit": one["unit"],
                "gain": gain,
                "beyond": beyond,
                "beyond_low": beyond_low,
                "beyond_high": beyond_high,
                "knows": beyond_low is not None and beyond_low > 0,
                "beats_control": bool(
                    one["low"] > (max(control, one["null"]) if control == control else one["null"])
                ),
            }
        rows.append(base)
    columns = [
        "task", "kind", "embedding", "row", "part", "metric", "value", "low", "high", "null_value", "control_value",
        "p_value", "n", "unit", "gain", "beats_control", "beyond", "beyond_low", "beyond_high", "knows", "shares_evidence", "genes", "dimensions", "evidence", "problem",
    ]  # fmt: skip
    table = pd.DataFrame(rows).reindex(columns=columns)
    for name in ("beats_control", "knows"):
        table[name] = table[name].fillna(False).astype(bool)
    return table


def differences_of(cells: Sequence[Cell], found: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """Paired differences of all rows of each task and part: ``task, part, first, second, value, low, high, p_value``.

    The bootstrap samples of a task are the same for every embedding, so they are subtracted sample by sample.
    """
    rows = []
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        if cell.row.kind != "together" and "problem" not in found[cell.address]:
            groups.setdefault((cell.task.name, cell.part), []).append(cell)
    for (task, part), group in groups.items():
        group = sorted(group, key=lambda cell: -found[cell.address]["value"])
        for place, first in enumerate(group):
            rows += [
                {"task": task, "part": part, "first": first.row.name, "second": second.row.name}
                | _paired(found[first.address], found[second.address])
                for second in group[place + 1 :]
            ]
    columns = ["task", "part", "first", "second", "value", "low", "high", "p_value"]
    return pd.DataFrame(rows, columns=columns)


def _paired(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, float]:
    value = first["value"] - second["value"]
    a, b = (np.array(one["draws"], dtype=np.float64) for one in (first, second))
    if len(a) != len(b) or not len(a):
        return {"value": value, "low": np.nan, "high": np.nan, "p_value": np.nan}
    samples = (a - b)[:, None]
    low, high = percentile_interval(samples)
    return {
        "value": value,
        "low": min(float(low[0]), value),
        "high": max(float(high[0]), value),
        "p_value": float(bootstrap_p_value(samples)[0]),
    }


def mark_best(table: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    """Add ``rank`` among the embeddings of a task and part, and ``best``: not distinguishable from the first."""
    table = table.copy()
    table["rank"], table["best"] = pd.array([pd.NA] * len(table), dtype="Int64"), False
    for (task, part), group in table[(table["row"] == "embedding") & table["value"].notna()].groupby(
        ["task", "part"]
    ):
        order = group.sort_values("value", ascending=False)
        table.loc[order.index, "rank"] = np.arange(1, len(order) + 1)
        first = order["embedding"].iloc[0]
        against = differences[
            (differences["task"] == task) & (differences["part"] == part) & (differences["first"] == first)
        ]
        behind = set(against.loc[against["low"] > 0, "second"])
        table.loc[[place for place in order.index if table.at[place, "embedding"] not in behind], "best"] = (
            True
        )
    return table


def complementarity_of(cells: Sequence[Cell], found: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """What two embeddings together gain over the better of both: ``task, first, second, value, low, high, p_value``."""
    single = {
        (cell.task.name, cell.row.name): found[cell.address]
        for cell in cells
        if cell.part == COMMON and cell.row.kind == "embedding" and "problem" not in found[cell.address]
    }
    rows = []
    for cell in cells:
        if cell.row.kind != "together" or "problem" in found[cell.address]:
            continue
        first, second = cell.row.name.split(TOGETHER, 1)
        parts = [single.get((cell.task.name, one)) for one in (first, second)]
        if parts[0] is None or parts[1] is None:
            continue
        better = max((one for one in parts if one is not None), key=lambda one: one["value"])
        rows.append(
            {"task": cell.task.name, "first": first, "second": second} | _paired(found[cell.address], better)
        )
    return pd.DataFrame(rows, columns=["task", "first", "second", "value", "low", "high", "p_value"])


def coverage_of(cells: Sequence[Cell], common: int) -> pd.DataFrame:
    """Genes and evidence of each row, and how many of the common genes it has."""
    seen = {}
    for cell in cells:
        if cell.row.kind != "together":
            seen[cell.row.name] = {
                "embedding": cell.row.name,
                "row": cell.row.kind,
                "genes": len(cell.row.genes),
                "dimensions": cell.row.dimensions,
                "evidence": "+".join(cell.row.evidence),
                "common": common,
            }
    return pd.DataFrame(list(seen.values()))
