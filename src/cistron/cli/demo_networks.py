"""The networks part of the demo: planted knock-out cells, four methods, one report against the planted network."""

from pathlib import Path


def run(directory: Path, seed: int) -> dict[str, object]:
    """Plant a network, infer it from its cells by several methods, and score them on held-out cells and the truth.

    Parameters
    ----------
    directory
        Folder to write to: ``world/``, one edge table a method, ``scores/``.
    seed
        Seed of the world and of the methods.

    Returns
    -------
    dict
        ``lines`` to print, ``folder`` of the scores for the report, ``auprc`` by method.
    """
    from cistron.evaluation.edges import evaluate_edges
    from cistron.evaluation.edges.rows import EdgeEvaluationSettings
    from cistron.evaluation.edges.run import write_edge_evaluation
    from cistron.formats.edges import read_edges, write_edges
    from cistron.formats.perturbed_cells import read_perturbed_cells, split_cells
    from cistron.networks import NetworkInference
    from cistron.runtime import RunRecord
    from cistron.world.networks import NetworkWorldSettings, network_world, write_network_world

    directory = Path(directory)
    settings = NetworkWorldSettings(genes=60, cells_per_knockout=50)
    world = write_network_world(network_world(settings, seed=seed), directory / "world")
    cells = read_perturbed_cells(world["cells"], guide="guide")
    training = cells.select(split_cells(cells)[0])
    paths = []
    for method in ("default", "mean-shift", "direct", "correlation"):
        inference = NetworkInference(method=method, seed=seed).fit(training)
        paths.append(directory / f"{method}.tsv")
        write_edges(inference.edges(None, cells_used="training"), paths[-1])
    tables = [read_edges(path) for path in paths]
    truth = read_edges(world["truth"], name="planted network")
    record = RunRecord("evaluate edges", {"demo": True}, [*paths, *world.values()], seed)
    result = evaluate_edges(
        tables,
        cells=cells,
        truth=truth,
        settings=EdgeEvaluationSettings(edges=200, omission_draws=200),
        seed=seed,
        run_id=record.run_id,
    )
    write_edge_evaluation(result, tables, record, directory / "scores")
    rows = result.scores[result.scores["metric"] == "auprc"].set_index("embedding")
    signs = result.scores[result.scores["metric"] == "sign_accuracy"].set_index("embedding")["value"]
    lines = [
        f"edges of a planted network of 60 genes found from {len(training.perturbation):,} cells (AUPRC; 1 is all):"
    ]
    lines += [
        f"  {name}: {row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" for name, row in rows.iterrows()
    ]
    lines.append(f"  signs right among the true edges of the default method: {signs['default']:.0%}")
    auprc = {str(name): float(value) for name, value in rows["value"].items()}
    return {"lines": lines, "folder": directory / "scores", "auprc": auprc}
