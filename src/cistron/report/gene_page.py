"""The page of a gene: in the report of a study a search over all genes, packed into the page; and a page of one gene."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.plots.style import signed
from cistron.report.blocks import Block, pack_indices, pack_json, pack_numbers, pack_similarity
from cistron.report.page import Chapter, Section, build_page, render
from cistron.runtime.files import atomic_path, check_writable
from cistron.study.genes import COMMANDS, GeneBook, edges_of, read_gene_book

_NO_GENE = 0xFFFFFFFF
_BYTES = 24_000_000  # of the packed predictions; nearest genes, sets, edges and expression are always in


def gene_search_section(folder: Path) -> Section:
    """The search for a gene in the report of a study.

    Parameters
    ----------
    folder
        Folder of the study.
    """
    return search_section_of(read_gene_book(folder))


def search_section_of(book: GeneBook) -> Section:
    """The same for a book of genes."""
    genes = _with_scored_first(book)
    blocks, traits, nulls, shown = _prediction_blocks(book, genes)
    place = pd.Index(genes["gene"])
    entries = []
    for number, name in enumerate(book.embeddings):
        new = _neighbour_blocks(name, number, book.neighbours, place)
        blocks += new
        entries.append(
            {
                "label": name,
                "embedding": name,
                "prediction": shown.get(name, ""),
                "neighbours": new[0].name,
                "similarity": new[1].name,
            }
        )
    head = {
        "traits": traits,
        "scored": len(genes),
        "nulls": nulls,
        "embeddings": entries,
        "neighbours": 10,
        "absent": [{"what": _TITLES[key], "how": COMMANDS[key]} for key in absent(book)],
    }
    blocks.append(pack_json("head", head))
    columns = ("gene", "symbol", "chromosome", "start", "names")
    blocks.append(pack_json("genes", {column: genes[column].tolist() for column in columns}))
    blocks.append(
        pack_json(
            "sets", {"names": book.set_names, "of": [book.sets.get(gene, []) for gene in genes["gene"]]}
        )
    )
    blocks.append(pack_json("facts", _facts(book, genes)))
    body = render(
        "gene_search.html",
        prefix="study_",
        blocks=blocks,
        count=len(genes),
        examples=_examples(genes),
        embeddings=len(book.embeddings),
        left_out=[name for name in book.embeddings if traits and name not in shown],
    )
    return Section("genes", "Look up a gene", body)


_TITLES = {
    "identity": "Symbols and places",
    "traits": "Traits",
    "sets": "Sets",
    "edges": "Regulators and targets",
    "expression": "Expression",
    "tracks": "What its DNA predicts, variants",
    "marks": "What its marks do",
}


def absent(book: GeneBook) -> list[str]:
    """Sections that the study has nothing for."""
    missing = []
    if not (book.genes["symbol"] != "").any():
        missing.append("identity")
    if book.predictions.empty:
        missing.append("traits")
    if not book.set_names:
        missing.append("sets")
    if book.edges.empty:
        missing.append("edges")
    if book.expression.empty:
        missing.append("expression")
    return [*missing, "tracks", "marks"]


def _with_scored_first(book: GeneBook) -> pd.DataFrame:
    if book.predictions.empty:
        return book.genes
    scored = book.genes["gene"].isin(set(book.predictions["gene"].astype(str)))
    return pd.concat([book.genes[scored], book.genes[~scored]], ignore_index=True)


def _prediction_blocks(
    book: GeneBook, genes: pd.DataFrame
) -> tuple[list[Block], list[str], list[dict[str, str]], dict[str, str]]:
    """z-scores and predictions [trait, gene]; of embeddings as many as fit."""
    frame = book.predictions
    if frame.empty:
        return [], [], [], {}
    traits = list(dict.fromkeys(frame["trait"].astype(str)))
    rows = frame["trait"].astype(str).map({name: place for place, name in enumerate(traits)}).to_numpy()
    columns = pd.Index(genes["gene"]).get_indexer(frame["gene"].astype(str))
    known = columns >= 0

    def matrix(name: str) -> np.ndarray:
        values = np.full((len(traits), len(genes)), np.nan, dtype=np.float32)
        values[rows[known], columns[known]] = frame[name].to_numpy(np.float32)[known]
        return values

    null = next((name for name in frame if str(name).startswith("null | ")), None)
    blocks = [pack_numbers("z", matrix("z"), 0.01)]
    nulls = []
    if null is not None:
        blocks.append(pack_numbers("null", matrix(null), 0.005))
        nulls.append({"label": "covariates only", "prediction": "null"})
    shown = {}
    for number, name in enumerate(book.embeddings):
        column = next((one for one in frame if str(one).rpartition(" | ")[0] == name), None)
        if column is None:
            continue
        block = pack_numbers(f"prediction {number}", matrix(column), 0.005)
        if sum(len(one.data) for one in (*blocks, block)) > _BYTES:
            continue
        blocks.append(block)
        shown[name] = block.name
    return blocks, traits, nulls, shown


def _neighbour_blocks(name: str, number: int, table: pd.DataFrame, place: pd.Index) -> list[Block]:
    rows = table[(table["embedding"] == name) & table["rank"].between(1, 10)]
    source = place.get_indexer(rows["gene"].astype(str))
    rank = rows["rank"].to_numpy(np.int64) - 1
    index = np.full((len(place), 10), _NO_GENE, dtype=np.uint32)
    similarity = np.full(index.shape, np.nan)
    index[source, rank] = place.get_indexer(rows["neighbour"].astype(str))
    similarity[source, rank] = rows["similarity"].to_numpy(np.float64)
    return [pack_indices(f"neighbours {number}", index), pack_similarity(f"similarity {number}", similarity)]


def _facts(book: GeneBook, genes: pd.DataFrame) -> dict[str, Any]:
    """Edges and expression as compact lists by row of the gene."""
    place = {gene: row for row, gene in enumerate(genes["gene"])}
    edges = book.edges.sort_values("weight", ascending=False, kind="stable")
    networks = list(dict.fromkeys(edges["network"].astype(str))) if len(edges) else []
    number = {name: at for at, name in enumerate(networks)}
    regulators: dict[int, list[Any]] = {}
    targets: dict[int, list[Any]] = {}
    for row in edges.to_dict("records"):
        source, target = place.get(str(row["source"])), place.get(str(row["target"]))
        for own, other, kept in ((target, row["source"], regulators), (source, row["target"], targets)):
            if own is not None and len(kept.setdefault(own, [])) < 15:
                kept[own].append([str(other), _sign(row), _share(row), number[str(row["network"])]])
    facts: dict[str, Any] = {"networks": networks, "regulators": regulators, "targets": targets}
    if len(book.expression):
        frame = book.expression[book.expression["embedding"] == book.embeddings[0]]
        if frame.empty:
            frame = book.expression[book.expression["embedding"] == book.expression["embedding"].iloc[0]]
        types = list(dict.fromkeys(frame["cell_type"].astype(str)))
        wide = {
            name: frame.pivot(index="gene", columns="cell_type", values=name).reindex(columns=types).round(3)
            for name in ("measured", "predicted")
        }
        facts["expression"] = {
            "embedding": str(frame["embedding"].iloc[0]),
            "types": types,
            "of": {
                place[str(gene)]: [_plain(values), _plain(wide["predicted"].loc[gene].to_numpy())]
                for gene, values in zip(wide["measured"].index, wide["measured"].to_numpy())
                if str(gene) in place
            },
        }
    return facts


def _plain(values: np.ndarray) -> list[float | None]:
    return [None if not np.isfinite(one) else round(float(one), 3) for one in values]


def _sign(row: dict[str, Any]) -> int:
    sign = row.get("sign")
    return 0 if sign is None or sign != sign else int(np.sign(sign))


def _share(row: dict[str, Any]) -> float | None:
    share = row.get("probability")
    return None if share is None or share != share else round(float(share), 3)


def _examples(genes: pd.DataFrame) -> list[dict[str, str]]:
    named = genes[genes["symbol"] != ""].head(3) if (genes["symbol"] != "").any() else genes.head(3)
    return [{"gene": row.gene, "name": row.symbol or row.gene} for row in named.itertuples()]


def build_gene_page(folder: str | Path, gene: str, output: str | Path) -> Path:
    """Write the page of one gene; it needs no script.

    Parameters
    ----------
    folder
        Folder of a finished study.
    gene
        Symbol, alias or id.
    output
        HTML file.

    Raises
    ------
    InputError
        If the study has no such gene.
    """
    book = read_gene_book(folder)
    row = book.find(gene)
    output = check_writable(Path(output))
    page = gene_facts(book, row)
    run: dict[str, Any] = {"warnings": []}
    sections = [Section("gene", page["title"], render("gene_static.html", **page))]
    text = build_page(
        f"{page['title']}: {book.plan.name}",
        [Chapter(page["title"], "gene_", run, tuple(sections))],
        study=True,
    )
    with atomic_path(output) as partial:
        partial.write_text(text, encoding="utf-8")
    return output


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
                "sign": _sign(one),
                "probability": _share(one),
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
        "absent": [{"what": _TITLES[key], "how": COMMANDS[key]} for key in absent(book)],
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
    lines += [f"  {one['what']}: nothing here; {one['how']}" for one in page["absent"]]
    return lines
