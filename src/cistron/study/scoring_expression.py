"""Expression of unseen genes as a task of a study: the cells wing fits, the expression task scores what it predicted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd

from cistron.methods import CountOrZero, Range, Share, check_settings
from cistron.study.requests import Outcome, Request, beyond_of, outcome_of_row, read_once


@dataclass(frozen=True)
class ExpressionTaskSettings:
    """Settings of the task.

    Attributes
    ----------
    method
        Method of the cells wing between embedding and expression: bilinear or ridge.
    cell_type
        Column of the cells with their types.
    gene_split
        How genes are held out: whole chromosomes (of the annotation, or of the cells' own table), or random.
    test_genes, test_cells
        Shares that are held out.
    controls
        Fits with the genes of the embedding permuted.
    draws
        Bootstrap samples of genes.
    """

    method: Literal["bilinear", "ridge"] = "ridge"
    cell_type: str = "cell_type"
    gene_split: Literal["chromosome", "random"] = "chromosome"
    test_genes: Share = 0.3
    test_cells: Share = 0.2
    controls: CountOrZero = 1
    draws: Annotated[int, Range(20)] = 200

    def __post_init__(self) -> None:
        check_settings(self)


def score_expression(request: Request) -> Outcome:
    """Mean over cells of the correlation across genes never seen, in cells never seen."""
    from cistron.cells import CellExpression, read_features
    from cistron.cells.predicting import write_predictions
    from cistron.evaluation.expression import ExpressionSettings, align, evaluate_expression, headline

    settings = request.settings_object()
    embedding = request.read_embedding()
    namespace = str(embedding.uns["cistron"]["identifier_namespace"])
    cells, split = read_once(
        _cells, request.one("cells"), request.annotation, request.gene_map, namespace, settings, request.seed
    )
    name = str(embedding.uns["cistron"]["name"])
    folder = Path(request.working) / "expression"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for draw in range(1 + settings.controls):
        features = read_features(
            [embedding],
            cells.genes,
            split.genes,
            permute=draw > 0,
            minimum_coverage=0.0,
            seed=request.seed + draw,
        )
        labels = settings.cell_type if settings.cell_type in cells.observations else None
        model = CellExpression(method=settings.method, seed=request.seed).fit(
            cells, features, split, cell_type=labels
        )
        path = folder / f"{draw}.h5ad"
        write_predictions(model, cells, path, name=name if draw == 0 else f"{name}, permuted {draw}")
        paths.append(path)
    scored = evaluate_expression(
        align(paths),
        ExpressionSettings(draws=settings.draws, permutations=1, halvings=0),
        rivals=request.rivals(embedding),
        seed=request.seed,
    )
    scores = scored.scores
    stratum = headline(scores.loc[scores["embedding"] == name, "stratum"].unique())
    rows = scores[
        (scores["stratum"] == stratum)
        & (scores["metric"] == "pearson_across_genes")
        & (scores["target"] == "cells")
    ].set_index("embedding", drop=False)
    row = rows.loc[name].copy()
    permuted = [rows.loc[one, "value"] for one in rows.index if str(one).startswith(f"{name}, permuted")]
    row["control_value"] = float(np.mean(permuted)) if permuted else np.nan
    row["null_value"] = row["null_value"] if row["null_value"] == row["null_value"] else 0.0
    draws = _gene_draws(paths[0], settings.draws, request.seed)
    value = float(row["value"])
    draws = draws - np.nanmean(draws) + value
    kept = scores[~scores["embedding"].astype(str).str.startswith(f"{name}, permuted")]
    return outcome_of_row(
        row,
        draws,
        "genes",
        scores=kept.reset_index(drop=True),
        beyond=beyond_of(scores, name, stratum=stratum, target="cells"),
        tables={
            "per_gene": scored.per_gene[scored.per_gene["embedding"] == name],
            "by_type": _by_type(paths[0], name),
        },
        facts=scored.facts,
        warnings=scored.warnings,
    )


def _by_type(path: Path, name: str) -> pd.DataFrame:
    """Mean of each gene in the cells of each type, measured and predicted; for the page of a gene."""
    import anndata

    prediction = anndata.read_h5ad(path)
    types = (
        prediction.obs["cell_type"].astype(str)
        if "cell_type" in prediction.obs
        else pd.Series("all cells", prediction.obs.index)
    )
    part = prediction.var["split"].astype(str).to_numpy()
    frames = []
    for kind in sorted(types.unique()):
        chosen = prediction[(types == kind).to_numpy()]
        means = {
            layer: np.asarray(chosen.layers[layer], dtype=np.float64).mean(axis=0)
            for layer in ("observed", "predicted")
        }
        frames.append(
            pd.DataFrame(
                {
                    "embedding": name,
                    "gene": prediction.var_names,
                    "cell_type": kind,
                    "seen": part == "train",
                    "measured": means["observed"].astype(np.float32),
                    "predicted": means["predicted"].astype(np.float32),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _gene_draws(path: Path, draws: int, seed: int) -> np.ndarray:
    """Mean correlation within unseen cells in bootstrap samples of the unseen genes, float64 [draw]."""
    import anndata

    from cistron.runtime.seeds import random_generator

    prediction = anndata.read_h5ad(path)
    genes = (prediction.var["split"].astype(str) == "test").to_numpy()
    cells = (prediction.obs["split"].astype(str) == "test").to_numpy()
    chosen = prediction[cells, genes]
    order = np.argsort(chosen.var_names.to_numpy())
    predicted, observed = (
        np.asarray(chosen.layers[name], dtype=np.float64)[:, order] for name in ("predicted", "observed")
    )
    number = predicted.shape[1]
    generator = random_generator(seed, "bootstrap over unseen genes", number)
    found = np.empty(draws)
    for draw in range(draws):
        times = generator.multinomial(number, np.full(number, 1 / number)) / number
        x = predicted - (predicted @ times)[:, None]
        y = observed - (observed @ times)[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            r = ((x * y) @ times) / np.sqrt(((x**2) @ times) * ((y**2) @ times))
        found[draw] = np.nanmean(r)
    return found


def _cells(path, annotation, gene_map, namespace, settings, seed):  # type: ignore[no-untyped-def]  # of the cells wing, which loads late
    from cistron.cells import SplitSettings, read_cells, split_both
    from cistron.cells.inputs_gene_places import genes_of, read_gene_table

    cells = read_cells(
        path, gene_map=[Path(one) for one in gene_map] or None, namespace=namespace, allow_loss=True
    )
    splitting = SplitSettings(
        genes=settings.gene_split,
        test_genes=settings.test_genes,
        validation_genes=0.0,
        test_cells=settings.test_cells,
        validation_cells=0.0,
    )
    places = None
    if settings.gene_split == "chromosome":
        places = genes_of(cells) if annotation is None else read_gene_table(annotation)
    assert places is None or isinstance(places, pd.DataFrame)
    return cells, split_both(cells, splitting, genes=places, seed=seed)
