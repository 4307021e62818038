"""The search over all genes in the report of a study: everything that is known of each, packed into the page."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.report.blocks import Block, pack_indices, pack_json, pack_numbers, pack_similarity
from cistron.report.gene_evidence import GeneEvidence
from cistron.report.gene_facts import EVIDENCE, TITLES, absent, absent_of, not_of_gene, share_of, sign_of
from cistron.report.gene_map import layout_block, map_section
from cistron.report.page import Section, render
from cistron.study.gene_layout import stored_layout
from cistron.study.genes import GeneBook, read_gene_book

_PREFIX = "study_"
_NO_GENE = 0xFFFFFFFF
_PIECE = 256  # genes of which the evidence is unpacked together
_TRACKS = 40_000  # tracks of all genes together: about 4 MB
_BYTES = 24_000_000  # of the packed predictions; nearest genes, sets, edges and expression are always in


def gene_sections(folder: Path, best: str) -> list[Section]:
    """The search for a gene in the report of a study, and the map of all genes.

    Parameters
    ----------
    folder
        Folder of the study.
    best
        Embedding that the map shows.
    """
    book = read_gene_book(folder)
    layout = stored_layout(book.files[best])
    return [search_section_of(book, layout), map_section(book, layout, best, _PREFIX)]


def search_section_of(book: GeneBook, layout: pd.DataFrame | None = None) -> Section:
    """The search over a book of genes.

    Parameters
    ----------
    book
        What the study knows.
    layout
        Places of the genes on the map, ``gene, x, y``.
    """
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
    missing = absent(book)
    head = {
        "traits": traits,
        "scored": len(genes),
        "nulls": nulls,
        "embeddings": entries,
        "neighbours": 10,
        "piece": _PIECE,
        "absent": [absent_of(key) for key in missing],
        "titles": {key: TITLES[key] for key in EVIDENCE},
        "other": {key: not_of_gene(key) for key in EVIDENCE if key not in missing},
    }
    blocks.append(pack_json("head", head))
    columns = ("gene", "symbol", "chromosome", "start", "end", "strand", "biotype", "names")
    blocks.append(pack_json("genes", {column: genes[column].tolist() for column in columns}))
    blocks.append(
        pack_json(
            "sets", {"names": book.set_names, "of": [book.sets.get(gene, []) for gene in genes["gene"]]}
        )
    )
    blocks.append(pack_json("facts", _facts(book, genes)))
    if layout is not None:
        blocks.append(layout_block(genes, layout))
    told, fewer = _evidence(book, genes)
    # in pieces, because only that of the gene which is looked up is unpacked
    for first in range(0, len(genes), _PIECE):
        piece = {
            key: {row: one for row, one in rows.items() if first <= row < first + _PIECE}
            for key, rows in told.items()
        }
        if any(piece.values()):
            blocks.append(pack_json(f"evidence {first // _PIECE}", piece))
    body = render(
        "gene_search.html",
        prefix=_PREFIX,
        blocks=blocks,
        count=len(genes),
        examples=_examples(genes, told),
        embeddings=len(book.embeddings),
        left_out=[name for name in book.embeddings if traits and name not in shown],
        fewer_tracks=fewer,
    )
    return Section("genes", "Look up a gene", body)


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
                kept[own].append([str(other), sign_of(row), share_of(row), number[str(row["network"])]])
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


def _evidence(book: GeneBook, genes: pd.DataFrame) -> tuple[dict[str, Any], int | None]:
    """What files of other commands say, by row of the gene; and how many tracks of each gene fit, where not all do."""
    evidence, place = GeneEvidence(book.evidence), {gene: row for row, gene in enumerate(genes["gene"])}
    told = {
        key: {place[gene]: evidence.of(gene, key) for gene in evidence.genes(key) if gene in place}
        for key in EVIDENCE
    }
    count = sum(len(tracks) for tracks in told["tracks"].values())
    if count <= _TRACKS:
        return told, None
    fit = max(1, _TRACKS // len(told["tracks"]))
    told["tracks"] = {row: tracks[:fit] for row, tracks in told["tracks"].items()}
    return told, fit


def _plain(values: np.ndarray) -> list[float | None]:
    return [None if not np.isfinite(one) else round(float(one), 3) for one in values]


def _examples(genes: pd.DataFrame, told: dict[str, Any]) -> list[dict[str, str]]:
    """Three genes to begin with: those that most kinds of files tell of, then the first that have a symbol."""
    known = np.zeros(len(genes))
    for rows in told.values():
        known[list(rows)] += 1
    named = (genes["symbol"] != "").to_numpy()
    order = np.lexsort((np.arange(len(genes)), ~named, -known))[:3]
    return [{"gene": row.gene, "name": row.symbol or row.gene} for row in genes.iloc[order].itertuples()]
