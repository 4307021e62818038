"""The chromatin part of the demo: planted marks, three methods and a control, the map of what marks do, a designed epigenome."""

import dataclasses
from pathlib import Path
from typing import Any


def run(directory: Path, seed: int) -> dict[str, Any]:
    """Plant marks whose rules are known, fit on most chromosomes, and ask the network for the rules.

    Parameters
    ----------
    directory
        Folder to write to: ``world/``, ``marks.zarr``, models, predictions, ``scores/``, ``map/``.
    seed
        Seed of the world and of the networks.

    Returns
    -------
    dict
        ``lines`` to print, ``folders`` of scores and map for the report, ``across`` (correlation across cell types by method).
    """
    import numpy as np

    from cistron.chromatin import (
        BuildSettings,
        ExpressionPredictor,
        NetworkSettings,
        build_gene_tracks,
        predict_expression,
        save_chromatin_model,
    )
    from cistron.chromatin.design import design_epigenome
    from cistron.chromatin.epigenesis import epigenesis
    from cistron.chromatin.epigenesis_output import gene_places, main_table, write_epigenesis_folder
    from cistron.chromatin.model_quality import model_quality
    from cistron.chromatin.settings import DesignSettings, EpigenesisSettings, NetworkFit
    from cistron.evaluation.expression import run_expression
    from cistron.formats.prediction import write_prediction
    from cistron.runtime import RunRecord, limit_threads
    from cistron.world.chromatin import ChromatinWorldSettings, chromatin_world, write_binned

    world = chromatin_world(ChromatinWorldSettings(genes=1100, cell_types=4), seed=seed)
    files = write_binned(world, directory / "world")
    store = build_gene_tracks(
        directory / "marks.zarr",
        binned=files["marks"],
        annotation=files["genes"],
        expression=files["expression"],
        settings=BuildSettings(transform="logged", genome_build="planted"),
    )
    fit = NetworkFit(epochs=15, learning_rate=4e-3, warmup_steps=0, patience=None)
    small = NetworkSettings(channels=16, kernel=5, dilations=(1, 2), dropout=0.3, members=3, fit=fit)
    single = dataclasses.replace(small, members=1)
    wanted: list[tuple[str, str, Any, bool]] = [
        ("network", "network", small, False),
        ("ridge", "ridge", None, False),
        ("network, permuted", "network", single, True),
    ]
    paths, across, model = [], {}, None
    test = np.flatnonzero(np.isin(world.genes["chromosome"], [f"chr{number}" for number in range(15, 23)]))
    for name, method, settings, permuted in wanted:
        with limit_threads(1):  # networks this small are faster so
            fitted = ExpressionPredictor(settings, method=method, seed=seed).fit(store, permuted=permuted)
        model = model or fitted
        result = predict_expression(fitted, store, name=name)
        paths.append(directory / f"{name.replace(', ', '_')}.h5ad")
        write_prediction(paths[-1], result)
        across[name] = _within_genes(result.layers["predicted"][:, test], result.layers["observed"][:, test])
    assert model is not None
    save_chromatin_model(model, directory / "model")
    run_expression(paths, directory / "scores", seed=seed)
    asked = EpigenesisSettings(cell_type=store.cell_types[0], genes=40)
    record = RunRecord("chromatin epigenesis", asked, [directory / "model" / "model.safetensors"], seed)
    with limit_threads(1):
        found = epigenesis(model, store, test, asked, seed=seed)
        quality = model_quality(model, store, seed=seed)
    write_epigenesis_folder(
        found, directory / "map", record, "network", quality=quality, places=gene_places(found, store)
    )
    table = main_table(found).set_index(["mark", "start"])["effect"]
    gene = test[:1]
    with limit_threads(1):
        design = design_epigenome(model, store, gene, DesignSettings(fold=3.0))
    true = design.share(_true_change(world, design, gene))
    lines = [
        "chromatin: correlation across 4 cell types within genes of held-out chromosomes (1 is all): "
        + ", ".join(f"{name} {value:.2f}" for name, value in across.items()),
        f"chromatin: a peak of H3K27ac at the start site of one cell type moves its predicted expression by {table['H3K27ac', 0]:+.2f}, "
        f"one of H3K27me3 by {table['H3K27me3', 0]:+.2f}, of H3K27ac at the planted enhancer (-7 kb) by {table['H3K27ac', -7000]:+.2f}",
        f"chromatin: designed 3-fold expression of {store.genes[gene[0]]}: {design.share(design.achieved)[0]:.0%} of the wanted change by "
        f"the network, {true[0]:.0%} by the planted rules",
    ]
    return {
        "lines": lines,
        "folders": [directory / "scores", directory / "map"],
        "across": across,
        "true_share": float(true[0]),
    }


def _within_genes(predicted: Any, observed: Any) -> float:
    """Correlation over cell types and genes of what is left when each gene's mean is taken off."""
    import numpy as np

    first, second = ((part - part.mean(axis=0)).ravel() for part in (predicted, observed))
    return float(np.corrcoef(first, second)[0, 1])


def _true_change(world: Any, design: Any, gene: Any) -> Any:
    """Change of expression that the planted rules give for a design, added to the expression predicted before the design."""
    change = world.true_expression(design.designed, gene) - world.true_expression(design.original, gene)
    return design.start + change
