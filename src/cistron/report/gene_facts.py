"""Everything that a study knows of one gene, ready to be shown as a page or as lines of text."""

from typing import Any

import numpy as np
import pandas as pd

from cistron.plots.style import signed
from cistron.report.gene_drawings import strongest
from cistron.report.gene_evidence import GeneEvidence
from cistron.study.gene_files import GENE_FILES
from cistron.study.genes import COMMANDS, GeneBook, edges_of

EVIDENCE = tuple(kind.name for kind in GENE_FILES.values() if kind.read)
TITLES = {
    "identity": "Symbols and places",
    "traits": "Traits",
    "sets": "Sets",
    "edges": "Regulators and targets",
    "expression": "Expression",
} | {name: GENE_FILES[name].title for name in EVIDENCE}


def absent(book: GeneBook) -> list[str]:
    """Sections that the study has nothing for."""
    there = {
        "identity": (book.genes["symbol"] != "").any(),
        "traits": not book.predictions.empty,
        "sets": bool(book.set_names),
        "edges": not book.edges.empty,
        "expression": not book.expression.empty,
    } | {name: name in book.evidence for name in EVIDENCE}
    return [name for name in TITLES if not there[name]]


def absent_of(key: str) -> dict[str, str]:
    """Title of an absent section, and what would fill it."""
    return {"what": TITLES[key], "how": COMMANDS[key]}


def not_of_gene(key: str) -> dict[str, str]:
    """The same where the study has such files, but not of this gene."""
    return {"what": TITLES[key], "how": f"not this gene; {COMMANDS[key]}"}


def sign_of(row: dict[str, Any]) -> int:
    sign = row.get("sign")
    return 0 if sign is None or sign != sign else int(np.sign(sign))


def share_of(row: dict[str, Any]) -> float | None:
    share = row.get("probability")
    return None if share is None or share != share else round(float(share), 3)


def gene_facts(book: GeneBook, row: pd.Series) -> dict[str, Any]:
    """Everything on one gene, ready to be shown.

    Parameters
    ----------
    book
        What the study knows.
    row
        Row of the gene (:meth:`GeneBook.find`).
    """
    gene, symbols = str(row["gene"]), dict(zip(book.genes["gene"], book.genes["symbol"]))
    own = set(book.sets.get(gene, []))
    neighbours = []
    for name in book.embeddings:
        rows = book.neighbours[(book.neighbours["embedding"] == name) & (book.neighbours["gene"] == gene)]
        near = [
            {
                "name": symbols.get(one.neighbour) or one.neighbour,
                "similarity": float(one.similarity),
                "shared": [
                    book.set_names[number] for number in sorted(own & set(book.sets.get(one.neighbour, [])))
                ][:4],
            }
            for one in rows.sort_values("rank").itertuples()
        ]
        neighbours.append({"embedding": name, "near": near})
    edges = {
        kind: [
            {
                "name": symbols.get(str(one[column])) or str(one[column]),
                "sign": sign_of(one),
                "probability": share_of(one),
                "network": str(one["network"]),
            }
            for one in frame.to_dict("records")
        ]
        for (kind, frame), column in zip(edges_of(book, gene).items(), ("source", "target"))
    }
    traits, models = [], []
    if not book.predictions.empty:
        own_rows = book.predictions[book.predictions["gene"] == gene]
        models = [str(name) for name in book.predictions if " | " in str(name)]
        models = [
            name
            for name in models
            if name.startswith("null | ") or name.rpartition(" | ")[0] in book.embeddings
        ]
        own_rows = own_rows.reindex(own_rows["z"].abs().sort_values(ascending=False).index)
        traits = [
            {
                "trait": str(one["trait"]),
                "z": float(one["z"]),
                "values": [float(one[name]) for name in models],
            }
            for one in own_rows.to_dict("records")
        ]
    evidence = GeneEvidence(book.evidence)
    told, missing = {key: evidence.of(gene, key) for key in EVIDENCE}, absent(book)
    expression = pd.DataFrame() if book.expression.empty else book.expression[book.expression["gene"] == gene]
    return {
        "title": str(row["symbol"] or gene),
        "gene": gene,
        "row": row.to_dict(),
        "sets": [book.set_names[number] for number in sorted(own)],
        "neighbours": neighbours,
        "edges": edges,
        "traits": traits,
        "models": [
            "covariates only" if name.startswith("null | ") else name.rpartition(" | ")[0] for name in models
        ],
        "expression": expression.to_dict("records"),
        "evidence": told,
        "absent": [
            *(absent_of(key) for key in missing),
            *(not_of_gene(key) for key in EVIDENCE if key not in missing and not told[key]),
        ],
        "study": book.plan.name,
    }


def gene_lines(page: dict[str, Any]) -> list[str]:
    """The same in a few lines of text."""
    row = page["row"]
    where = (
        f", chromosome {row['chromosome']} from {row['start'] + 1:,}"
        if row["chromosome"] and row["start"] >= 0
        else ""
    )
    lines = [f"{page['title']} ({page['gene']}{where})"]
    if row["names"]:
        lines.append(f"  also {row['names'].replace(' ', ', ')}")
    for trait in page["traits"][:5]:
        values = ", ".join(
            f"{name} {signed(value, 2)}" for name, value in zip(page["models"], trait["values"])
        )
        lines.append(f"  {trait['trait']}: z {signed(trait['z'], 2)}; predicted: {values}")
    lines += [
        f"  nearest in {one['embedding']}: {', '.join(near['name'] for near in one['near'][:6])}"
        for one in page["neighbours"]
        if one["near"]
    ]
    if page["sets"]:
        more = f" and {len(page['sets']) - 6} more" if len(page["sets"]) > 6 else ""
        lines.append(f"  in {', '.join(page['sets'][:6])}{more}")
    lines += [
        f"  {kind}: {', '.join(one['name'] for one in page['edges'][kind][:8])}"
        for kind in ("regulators", "targets")
        if page["edges"][kind]
    ]
    lines += _evidence_lines(page["evidence"])
    lines += [f"  {one['what']}: nothing here; {one['how']}" for one in page["absent"]]
    return lines


def _evidence_lines(told: dict[str, list[Any]]) -> list[str]:
    lines = []
    if told["tracks"]:
        named = ", ".join(f"{one['track']} {one['top']:.3g}" for one in told["tracks"][:4])
        lines.append(f"  predicted around its start site (highest value): {named}")
    if told["enhancers"]:
        named = ", ".join(f"{one['element']} {one['score']:.3g}" for one in told["enhancers"][:4])
        lines.append(f"  elements that contribute most: {named}")
    if told["variants"]:
        one = told["variants"][0]
        lines.append(
            f"  variants in its window: {len(told['variants'])} listed; most: {one['variant']} {one['id']}, {one['track']} {signed(one['change'], 3)} ({one['scale']})"
        )
    for found in told["epigenesis"]:
        lines += [f"  {line}" for line in strongest(found)]
    for found in told["designs"]:
        lines += [
            f"  design {found['file']}, {one['cell_type']}: {one['before']:.3g} to {one['after']:.3g}, wanted {one['wanted']:.3g}"
            for one in found["outcome"]
            if one["role"] == "target"
        ]
    return lines
