"""The gene view: z-scores, held-out predictions and neighbours of every gene, packed into the page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.report.blocks import Block, pack_indices, pack_json, pack_numbers, pack_similarity
from cistron.report.page import Section, render
from cistron.report.result import Result

BYTE_LIMIT = 6_500_000  # of all blocks; with figures and tables a page stays below 8 MB
_Z_STEP, _PREDICTION_STEP = 0.01, 0.005
_NEIGHBOURS = 10
_NO_GENE = 0xFFFFFFFF


def gene_section(
    result: Result, ranking: Sequence[dict[str, Any]], prefix: str, byte_limit: int = BYTE_LIMIT
) -> Section | None:
    """Make the gene view, or nothing where the run wrote no predictions.

    Embeddings enter best first until ``byte_limit`` is reached; the section says which were left out.

    Parameters
    ----------
    result
        Result of the task ``gwas``.
    ranking
        ``GwasScores.ranking``.
    prefix
        Start of identifiers.
    byte_limit
        Upper bound of the packed data, in bytes of the page.
    """
    predictions = result.table(
        "predictions.parquet", ["gene", "symbol", "trait"], ["chromosome", "start", "z"]
    )
    if predictions is None or predictions.empty:
        return None
    genes, rows = _genes(predictions)
    traits = predictions["trait"].cat.remove_unused_categories()
    cells = (traits.cat.codes.to_numpy(), rows)
    shape = (len(traits.cat.categories), len(genes))
    neighbours = result.table(
        "neighbours.parquet", ["embedding", "gene", "neighbour"], ["rank", "similarity"]
    )
    if neighbours is not None:
        genes = _with_neighbours(genes, neighbours)

    def matrix(column: str) -> np.ndarray:
        return _matrix(predictions[column], cells, shape)

    models = list(dict.fromkeys(record["model"] for record in ranking))
    nulls = [model for model in models if f"null | {model}" in predictions]
    blocks = [pack_numbers("z", matrix("z"), _Z_STEP)]
    blocks += [pack_numbers(f"null {model}", matrix(f"null | {model}"), _PREDICTION_STEP) for model in nulls]
    shown: list[dict[str, Any]] = []
    left_out: list[str] = []
    for number, record in enumerate(ranking):
        column = f"{record['embedding']} | {record['model']}"
        new: list[Block] = []
        if column in predictions:
            new.append(pack_numbers(f"prediction {number}", matrix(column), _PREDICTION_STEP))
            # another model of the same embedding has the same neighbours
            if neighbours is not None and all(entry["embedding"] != record["embedding"] for entry in shown):
                new += _neighbour_blocks(record["embedding"], number, neighbours, genes)
        if not new or sum(len(block.data) for block in (*blocks, *new)) > byte_limit:
            left_out.append(record["label"])
            continue
        blocks += new
        shown.append(_entry(record, new))
    blocks.append(pack_json("head", _head(traits.cat.categories, shape[1], nulls, shown)))
    blocks.append(pack_json("genes", {column: genes[column].tolist() for column in genes}))
    body = render(
        "gene_view.html",
        prefix=prefix,
        blocks=blocks,
        count=shape[1],
        traits=shape[0],
        examples=_examples(genes, matrix("z")),
        left_out=left_out,
    )
    return Section("genes", "Gene view", body)


def _entry(record: dict[str, Any], blocks: Sequence[Block]) -> dict[str, str]:
    """Tell the page which blocks belong to an embedding."""
    names = [block.name for block in blocks] + ["", ""]
    return {
        "label": record["label"],
        "embedding": record["embedding"],
        "prediction": names[0],
        "neighbours": names[1],
        "similarity": names[2],
    }


def _head(
    traits: pd.Index, scored: int, nulls: Sequence[str], shown: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Tell the page what the blocks hold."""
    only = "covariates only"
    return {
        "traits": [str(trait) for trait in traits],
        "scored": scored,
        "nulls": [
            {"label": only if len(nulls) == 1 else f"{only} · {model}", "prediction": f"null {model}"}
            for model in nulls
        ],
        "embeddings": list(shown),
        "neighbours": _NEIGHBOURS,
    }


def _genes(predictions: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Give one row a gene (text, for the page) and the row of each prediction."""
    codes, names = pd.factorize(predictions["gene"].astype(str))
    first = predictions.iloc[np.unique(codes, return_index=True)[1]]
    symbols = first["symbol"].astype("object").where(first["symbol"].notna(), "")
    genes = pd.DataFrame(
        {
            "gene": names,
            "symbol": symbols.astype(str).to_numpy(),
            "chromosome": first["chromosome"].astype(str).to_numpy(),
            "start": [int(start) if start == start else -1 for start in first["start"].astype(float)],
        }
    )
    return genes, codes


def _with_neighbours(genes: pd.DataFrame, neighbours: pd.DataFrame) -> pd.DataFrame:
    """Add the genes that only occur as neighbours: an embedding may cover genes that no trait has."""
    known = set(genes["gene"])
    further = [name for name in pd.unique(neighbours["neighbour"].astype(str)) if name not in known]
    more = pd.DataFrame({"gene": further, "symbol": "", "chromosome": "", "start": -1})
    return pd.concat([genes, more], ignore_index=True) if further else genes


def _matrix(values: pd.Series, cells: tuple[np.ndarray, np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Turn a column of the long table into [trait, gene]; absent pairs are NaN."""
    if not pd.api.types.is_numeric_dtype(values):
        raise InputError(f"predictions.parquet: column {values.name!r} is not of numbers")
    matrix = np.full(shape, np.nan, dtype=np.float32)
    matrix[cells] = values.to_numpy(np.float32)
    return matrix


def _neighbour_blocks(
    embedding: str, number: int, neighbours: pd.DataFrame, genes: pd.DataFrame
) -> list[Block]:
    """Pack the neighbours [gene, rank] of one embedding and their similarities."""
    rows = neighbours[(neighbours["embedding"] == embedding) & neighbours["rank"].between(1, _NEIGHBOURS)]
    place = pd.Index(genes["gene"])
    source = place.get_indexer(rows["gene"].astype(str))
    rank = rows["rank"].to_numpy(np.int64) - 1
    known = source >= 0
    index = np.full((len(genes), _NEIGHBOURS), _NO_GENE, dtype=np.uint32)
    similarity = np.full(index.shape, np.nan)
    index[source[known], rank[known]] = place.get_indexer(rows["neighbour"].astype(str))[known]
    similarity[source[known], rank[known]] = rows["similarity"].to_numpy(np.float64)[known]
    return [pack_indices(f"neighbours {number}", index), pack_similarity(f"similarity {number}", similarity)]


def _examples(genes: pd.DataFrame, z: np.ndarray) -> list[dict[str, str]]:
    """Pick three genes of different chromosomes with large z-scores as examples."""
    best: list[dict[str, str]] = []
    chromosomes: set[str] = set()
    named = bool((genes["symbol"].iloc[: z.shape[1]] != "").any())
    for gene in np.argsort(-np.abs(np.nan_to_num(z)).max(axis=0), kind="stable"):
        row = genes.iloc[int(gene)]
        if row["chromosome"] not in chromosomes and (row["symbol"] or not named):
            chromosomes.add(row["chromosome"])
            best.append({"gene": row["gene"], "name": row["symbol"] or row["gene"]})
        if len(best) == 3:
            break
    return best
