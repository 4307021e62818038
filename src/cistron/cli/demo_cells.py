"""The cells part of the demo: planted cells, genes and cells held out, four predictions against the generator's ceiling."""

from pathlib import Path

import numpy as np


def run(directory: Path, seed: int) -> dict[str, object]:
    """Plant cells, train on a part of genes and cells, and score predictions of the rest.

    Parameters
    ----------
    directory
        Folder to write to: ``world/``, models, predictions, ``scores/``.
    seed
        Seed of the world and of the methods.

    Returns
    -------
    dict
        ``lines`` to print, ``folder`` of the scores for the report, ``unseen`` correlation by prediction.
    """
    from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
    from cistron.cells.predicting import write_predictions
    from cistron.evaluation.expression import ExpressionSettings, run_expression
    from cistron.world.cells import CellWorldSettings, cell_world, write_cell_world

    directory = Path(directory)
    settings = CellWorldSettings(genes=400, chromosomes=8, cells=500, cell_types=5, donors=5)
    world = cell_world(settings, seed=seed)
    files = write_cell_world(world, directory / "world")
    cells = read_cells(files["cells"])
    split = split_both(cells, SplitSettings(), genes=world.cells.var, seed=seed)
    paths, order = [], []
    for name, method, sources, permuted in (
        ("bilinear", "bilinear", [files["embedding"]], False),
        ("ridge", "ridge", [files["embedding"]], False),
        ("bilinear, one-hot", "bilinear", ["one-hot"], False),
        ("bilinear, permuted embedding", "bilinear", [files["embedding"]], True),
    ):
        features = read_features(sources, cells.genes, split.genes, permute=permuted, seed=seed)
        model = CellExpression(method=method, seed=seed).fit(cells, features, split, cell_type="cell_type")
        stem = name.replace(", ", "_").replace(" ", "_")
        model.save(directory / "models" / stem)
        paths.append(directory / f"{stem}.h5ad")
        write_predictions(model, cells, paths[-1], name=name)
        order.append(list(model.genes))
    scores = run_expression(
        paths, directory / "scores", ExpressionSettings(draws=100, permutations=2, halvings=2), seed=seed
    )
    rows = scores[
        (scores["stratum"] == "unseen genes, unseen cells")
        & (scores["metric"] == "pearson_across_genes")
        & (scores["target"] == "cells")
    ].set_index("embedding")
    lines = [
        f"expression of unseen genes in unseen cells of a planted world (correlation within a cell; the generator's own "
        f"ceiling is {_ceiling(world, split, cells):.2f}):"
    ]
    for name in ("bilinear", "ridge", "bilinear, permuted embedding"):
        row = rows.loc[name]
        lines.append(f"  {name}: {row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]")
    lines.append("  one-hot: undefined, its rows of unseen genes are untrained")
    unseen = {str(name): float(value) for name, value in rows["value"].items()}
    return {"lines": lines, "folder": directory / "scores", "unseen": unseen}


def _ceiling(world, split, cells) -> float:  # type: ignore[no-untyped-def]  # the world loads when the demo runs
    """Mean correlation, within unseen cells, of unseen genes with what their embedding tells at best."""
    genes = np.array(split.genes.part_of(cells.genes))
    rows = np.array(split.cells.part_of(cells.observations.index)) == "test"
    counts = world.cells.X[rows].toarray()
    observed = np.log1p(1e4 * counts / counts[:, genes == "train"].sum(axis=1, keepdims=True))
    known = world.known_rate[rows][:, genes == "test"]
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(known, observed[:, genes == "test"])]))
