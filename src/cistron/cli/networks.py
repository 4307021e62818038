"""``cistron networks``: gene networks from perturbed cells."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

from cistron.cli.method_options import ChosenMethod, add_methods_command, method_options
from cistron.cli.options import FurtherOutput, Output, Seed, Threads
from cistron.cli.running import Writes
from cistron.formats.perturbed_cells import ReadingSettings
from cistron.methods import Count, CountOrZero
from cistron.networks.methods import METHODS
from cistron.runtime import show

app = App(name="networks", help="Gene networks from perturbed single cells.")

add_methods_command(app, METHODS)
Reading = Annotated[ReadingSettings | None, Parameter(name="*", group=Group("Cells", sort_key=10))]


@app.command
@method_options(METHODS, default="default")
def infer(
    cells: Path,
    *,
    output: Output,
    reading: Reading = None,
    chosen: ChosenMethod,
    edges: CountOrZero | None = 1000,
    regulators: Path | None = None,
    name: str | None = None,
    embedding: FurtherOutput = None,
    training_cells: Annotated[bool, Parameter(negative=())] = False,
    strong_only: Annotated[bool, Parameter(negative=())] = False,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Infer a directed gene network.

    Writes a table with source, target, weight and, where the method knows them, sign, probability, direct and
    stability, strongest edge first; a record of the run stands beside it.

    Parameters
    ----------
    cells
        .h5ad, .zarr or .h5mu with a column of perturbations, 10x .h5 with --calls, or CausalBench's .npz.
    edges
        Number of edges to write; 0 writes all that are scored.
    regulators
        File of the genes that may be sources, one a line (for example transcription factors); others are left out.
    name
        Name of the network; that of the method when absent.
    embedding
        Also write the gene embedding that the method learns (catran), .h5ad.
    training_cells
        Use only the 80% of the cells that 'cistron evaluate edges' does not score on.
    strong_only
        CausalBench's filter: perturbations with more than 50 changed genes, 30% knock-down and more than 25 cells,
        and of their cells those whose target is in the lowest tenth of the control cells.
    """
    from cistron.errors import InputError
    from cistron.formats.edges import write_edges
    from cistron.formats.gene_embedding import write_gene_embedding
    from cistron.formats.perturbed_cells import split_cells
    from cistron.networks.estimator import NetworkInference
    from cistron.networks.inputs import composition_remarks, read_regulators
    from cistron.networks.strong_perturbations import strong_perturbations
    from cistron.runtime import RunRecord, check_writable, limit_threads, record_path, say

    method, settings = chosen.method.name, chosen.settings()
    if embedding is not None and not chosen.method.traits.learns_genes:
        learning = " or ".join(one.name for one in METHODS.values() if one.traits.learns_genes)
        raise InputError(
            f"method {method} learns no gene embedding; use --method {learning} with --embedding"
        )
    if not output.name.endswith((".tsv", ".tsv.gz")):
        raise InputError(f"edges are written as .tsv or .tsv.gz. Given: --output {output.name}")
    if not cells.exists():
        raise InputError(f"cells {cells} do not exist")
    for path in (output, *([embedding] if embedding else [])):
        check_writable(path)
    run = RunRecord(
        "networks infer", {"method": method, "preset": chosen.preset, "settings": settings}, [cells], seed
    )
    with limit_threads(threads):
        data = (reading or ReadingSettings()).read(cells)
        if strong_only:
            data = strong_perturbations(data, seed=seed)
        for remark in (*data.remarks, *composition_remarks(data)):
            say(f"{data.name}: {remark}")
            run.warn(remark)
        if training_cells:
            data = data.select(split_cells(data)[0])
        allowed = None if regulators is None else read_regulators(regulators)
        inference = NetworkInference(settings, method=method, seed=seed).fit(data, allowed)
        table = inference.edges(edges or None, name=name, cells_used="training" if training_cells else "all")
    details = inference.network.details if inference.network is not None else {}
    if details.get("direct_effects") is False:
        reason = (
            "fewer than 20 genes were perturbed"
            if details["perturbations"] != "activity"
            else "most perturbed genes do not visibly move (taken as perturbations of activity)"
        )
        remark = f"{reason}, so direct and indirect effects are not told apart"
        say(remark)
        run.warn(remark)
    write_edges(table, output)
    if embedding is not None:
        write_gene_embedding(inference.embed(name), embedding)
    run.record("edges", len(table))
    run.write(record_path(output))
    show(f"wrote {output}: {len(table):,} edges of {len(data.genes):,} genes by {method}")


@app.command
def quality(
    cells: Path,
    *,
    reading: Reading = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"]), Writes()] = None,
    seed: Seed = 0,
) -> None:
    """Tell what each perturbation did: cells, knock-down, energy distance from control cells, genes moved.

    Parameters
    ----------
    cells
        .h5ad, .zarr or .h5mu with a column of perturbations, 10x .h5 with --calls, or CausalBench's .npz.
    output
        Write the table of all perturbations (.tsv); the first 20 are printed.
    """
    from cistron.networks.inputs import perturbation_quality, quality_summary
    from cistron.runtime import atomic_path

    data = (reading or ReadingSettings()).read(cells)
    table = perturbation_quality(data, seed=seed)
    for line in quality_summary(table, data):
        show(line)
    if output is not None:
        with atomic_path(output) as partial:
            table.to_csv(partial, sep="\t", index=False, float_format="%.5g")
        show(f"wrote {output}: {len(table):,} perturbations")
    else:
        show(table.head(20).to_string(index=False, float_format=lambda value: f"{value:.3g}"))


@app.command
def export(
    network: Path, *, output: Output, form: Literal["graphml", "decoupler", "pyscenic"] = "graphml"
) -> None:
    """Write a network for another tool.

    Parameters
    ----------
    network
        Edge table: source, target, weight[, sign, probability].
    form
        graphml (Cytoscape, Gephi, networkx), decoupler (source, target, weight with its sign), or pyscenic (TF, target,
        importance); the last two as .csv.
    """
    from cistron.formats.edges import read_edges
    from cistron.networks.exports import export_edges

    edges = read_edges(network)
    export_edges(edges, output, form)
    show(f"wrote {output}: {len(edges):,} edges for {form}")


@app.command
def regimes(
    cells: Path,
    *,
    output: Output,
    reading: Reading = None,
    method: str = "default",
    fractions: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0),
    edges: Count = 1000,
    seed: Seed = 0,
) -> None:
    """Score a method in CausalBench's regimes: observational (fraction 0), partial, interventional (1).

    Networks come from 80% of the cells, of the perturbed ones only those of a fraction of the genes; the other cells score
    them. Writes a table (.tsv): edges, mean Wasserstein distance, that of permuted labels, share that is significant.

    Parameters
    ----------
    cells
        .h5ad, .zarr or .h5mu with a column of perturbations, 10x .h5 with --calls, or CausalBench's .npz.
    method
        Name of the method.
    fractions
        Fractions of the perturbed genes.
    edges
        Edges that the method gives.
    """
    from cistron.evaluation.edge_models import challenge_score, evaluate_model
    from cistron.networks.estimator import CausalBenchModel
    from cistron.runtime import atomic_path

    METHODS.find(method)
    data = (reading or ReadingSettings()).read(cells)
    model = CausalBenchModel(method, edges=edges)
    table = evaluate_model(model, data, fractions=fractions, seed=seed, least_edges=edges)
    with atomic_path(output) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.6g")
    show(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))
    interventional = table[table["fraction"] > 0]
    if len(interventional) > 1:
        show(
            f"area under the mean Wasserstein distance (CausalBench's challenge): {challenge_score(interventional):.4f}"
        )
    show(f"wrote {output}")
