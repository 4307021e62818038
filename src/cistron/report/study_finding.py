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
        ``headline`` (one sentence), ``tasks`` (``task, kind, sentence`` each), ``chance`` (how many differences are within it).
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
        sentence = f"{best['embedding']} ({best['value']:.3f} [{best['low']:.3f}, {best['high']:.3f}])"
        if equals:
            named = ", ".join(map(str, equals[:4])) + (
                f" and {len(equals) - 4} more" if len(equals) > 4 else ""
            )
            sentence += f"; {named} {'is' if len(equals) == 1 else 'are'} indistinguishable from it"
        sentence += _against_added(rows, differences[differences["task"] == task], str(best["embedding"]))
        if best["shares_evidence"]:
            sentence += "; it saw the kind of evidence that the answers are made of"
        sentences.append({"task": task, "kind": "better", "sentence": f"{sentence}."})
    tested = differences[
        differences["first"].isin(table.loc[table["row"] == "embedding", "embedding"])
        & differences["second"].isin(table.loc[table["row"] == "embedding", "embedding"])
    ]
    within = int((~(tested["low"] > 0)).sum())
    chance = (
        f"{within} of {len(tested)} differences between two embeddings are within chance."
        if len(tested)
        else ""
    )
    return {"headline": _headline(winners, nothing, len(tasks)), "tasks": sentences, "chance": chance}


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
        text += f"; on {', '.join(nothing)} no embedding knows more than its control"
    return f"{text}."
