"""The finding of a study in words: which embedding for which question, what is within chance, what no embedding knows."""

from typing import Any

import pandas as pd

_BIAS = "number of annotations"


def order_of_rows(table: pd.DataFrame) -> list[str]:
    """Embeddings by their mean rank over the tasks, best first; added rows behind them.

    Parameters
    ----------
    table
        Cells on the common genes.
    """
    ranks = table.assign(place=table.groupby("task")["value"].rank(ascending=False))
    mean = ranks.groupby("embedding")["place"].mean()
    kinds = table.drop_duplicates("embedding").set_index("embedding")["row"]
    return sorted(kinds.index, key=lambda name: (kinds[name] != "embedding", mean.get(name, 1e9), name))


def best_embedding(table: pd.DataFrame) -> str:
    """The embedding with the best mean rank over the tasks, on the common genes."""
    own = table[(table["part"] == "common genes") & (table["row"] == "embedding")]
    return str(order_of_rows(own)[0])


def findings(table: pd.DataFrame, differences: pd.DataFrame, tasks: list[str]) -> dict[str, Any]:
    """What a reader takes home.

    Parameters
    ----------
    table
        Cells on the common genes.
    differences
        Paired differences on the common genes.
    tasks
        Tasks in their order.

    Returns
    -------
    dict
        ``headline`` (one sentence), ``tasks`` (``task, kind, sentence`` each), ``chance`` (how many differences are within it), ``ties`` (which),
        ``unknown`` (what no embedding knows), ``idle`` (embeddings that know nothing of any task).
    """
    sentences, winners, nothing = [], [], []
    for task in tasks:
        rows = table[(table["task"] == task) & table["value"].notna()].sort_values("value", ascending=False)
        own = rows[rows["row"] == "embedding"]
        if own.empty:
            sentences.append({"task": task, "kind": "open", "sentence": "no embedding could be scored."})
            continue
        best = own.iloc[0]
        equals = [name for name in own.loc[own["best"], "embedding"] if name != best["embedding"]]
        clear = bool(own["beats_control"].any())
        if not clear:
            nothing.append(task)
            sentence = (
                f"no embedding does reliably better than its control; the highest is {best['embedding']} at {best['value']:.3f} "
                f"[{best['low']:.3f}, {best['high']:.3f}], no information is {best['null_value']:.3g}."
            )
            sentences.append({"task": task, "kind": "unfounded", "sentence": sentence})
            continue
        winners.append(str(best["embedding"]))
        against = differences[(differences["task"] == task) & (differences["first"] == best["embedding"])]
        metric = f"{metric_name(str(best['metric']))} " if "metric" in rows else ""
        sentence = f"{best['embedding']} ({metric}{best['value']:.3f} [{best['low']:.3f}, {best['high']:.3f}], no information is {best['null_value']:.3g})"
        if equals:
            named = ", ".join(map(str, equals[:4])) + (
                f" and {len(equals) - 4} more" if len(equals) > 4 else ""
            )
            sentence += f"; {named} {'is' if len(equals) == 1 else 'are'} indistinguishable from it"
        elif len(own) > 1:
            sentence += _ahead(against, str(own.iloc[1]["embedding"]))
        sentence += _beyond(best)
        sentence += _against_added(rows, differences[differences["task"] == task], str(best["embedding"]))
        if best["shares_evidence"]:
            sentence += "; it saw the kind of evidence that the answers are made of"
        sentences.append({"task": task, "kind": "better", "sentence": f"{sentence}."})
    names = table.loc[table["row"] == "embedding", "embedding"]
    tested = differences[differences["first"].isin(names) & differences["second"].isin(names)]
    within = tested[~(tested["low"] > 0)]
    chance = (
        f"{len(within)} of {len(tested)} differences between two embeddings are within chance."
        if len(tested)
        else ""
    )
    knows = (
        table[(table["row"] == "embedding") & table["value"].notna()]
        .groupby("embedding")["beats_control"]
        .any()
    )
    idle = [str(name) for name in dict.fromkeys(names) if name in knows.index and not knows[name]]
    return {
        "headline": _headline(winners, nothing, len(tasks)),
        "tasks": sentences,
        "chance": chance,
        "ties": _ties(within),
        "unknown": _unknown(nothing, len(sentences)),
        "idle": idle,
    }


def metric_name(metric: str) -> str:
    """A metric as a reader knows it."""
    return {
        "auroc": "AUROC",
        "delta_r2": "ΔR²",
        "pearson_across_genes": "correlation",
        "r": "correlation",
    }.get(metric, metric)


def _ahead(against: pd.DataFrame, second: str) -> str:
    """By how much the best is ahead of the next."""
    one = against[against["second"] == second]
    if not len(one) or "value" not in one:
        return f"; next is {second}"
    row = one.iloc[0]
    return f"; next is {second}, lower by {row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


def _ties(within: pd.DataFrame) -> list[dict[str, str]]:
    """Pairs that cannot be told apart, by task."""
    return [
        {
            "task": str(task),
            "pairs": ", ".join(f"{row.first} and {row.second}" for row in rows.head(6).itertuples())
            + (f" and {len(rows) - 6} more" if len(rows) > 6 else ""),
        }
        for task, rows in within.groupby("task", sort=False)
    ]


def _unknown(nothing: list[str], tasks: int) -> str:
    if nothing:
        return f"On {', '.join(nothing)} no embedding does reliably better than its control: nothing may be read from the order there."
    return f"On {'each of the ' + str(tasks) + ' tasks' if tasks > 1 else 'the task'} at least one embedding does reliably better than its control."


def _beyond(best: pd.Series) -> str:
    """Whether the best embedding knows anything: that word rests on its gain beyond trivial columns."""
    what = "covariates, places and controls" if best.get("kind") == "gwas" else "trivial columns of genes"
    if pd.isna(best.get("beyond")):
        return f"; it was not compared with {what}, so nothing is said about what it knows"
    bounds = f"{best['beyond']:+.3f} [{best['beyond_low']:+.3f}, {best['beyond_high']:+.3f}]"
    if best["knows"]:
        return f"; it knows something that {what} do not tell (gain beyond them {bounds})"
    return f"; no reliable gain beyond {what} is shown ({bounds})"


def _against_added(rows: pd.DataFrame, differences: pd.DataFrame, best: str) -> str:
    """What trivial rows reach."""
    text = ""
    added = rows[(rows["row"] == "added")]
    for row in added.itertuples():
        one = differences[(differences["first"] == best) & (differences["second"] == row.embedding)]
        beaten = bool(len(one) and one["low"].iloc[0] > 0)
        if beaten or row.embedding == "permuted":
            continue
        what = (
            "how well a gene is studied gives as much"
            if row.embedding == _BIAS
            else f"{row.embedding} is not reliably below it"
        )
        text += f"; {what} ({row.value:.3f})"
    return text


def _headline(winners: list[str], nothing: list[str], tasks: int) -> str:
    if not winners:
        return f"No embedding does reliably better than its control on any of the {tasks} tasks."
    counts = pd.Series(winners).value_counts()
    first, number = str(counts.index[0]), int(counts.iloc[0])
    text = f"{first} is the highest on {number} of {tasks} tasks" if tasks > 1 else f"{first} is the highest"
    if len(counts) > 1:
        text += ", " + ", ".join(f"{name} on {int(count)}" for name, count in counts.iloc[1:4].items())
    if nothing:
        text += f"; on {', '.join(nothing)} no embedding does better than its control"
    return f"{text}."
