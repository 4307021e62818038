"""``cistron networks``: gene networks from perturbed cells."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cistron.cli.method_options import ChosenMethod, add_methods_command, method_options
from cistron.cli.options import FurtherOutput, Output, Scheduler, Seed, Threads, Workers, renamed
from cistron.cli.perturbed_cells import Reading
from cistron.cli.running import InCloud, Writes
from cistron.methods import Count, CountOrZero, Share
from cistron.networks.methods import METHODS
from cistron.runtime import show

app = App(name="networks", help="Gene networks from perturbed single cells.")

add_methods_command(app, METHODS)


@app.command
@method_options(METHODS, default="default")
def infer(
    cells: Annotated[Path, InCloud()],
    *,
    output: Output,
    reading: Reading = None,
    chosen: ChosenMethod,
    edges: CountOrZero | None = 1000,
    regulators: Path | None = None,
    name: str | None = None,
    output_embedding: Annotated[FurtherOutput, renamed("--output-embedding", "--embedding")] = None,
    training_cells: Annotated[bool, Parameter(negative=())] = False,
    strong_only: Annotated[bool, Parameter(negative=())] = False,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
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
    output_embedding
        Also write the gene embedding that the method learns (catran), .h5ad.
    training_cells
        Use only the 80% of the cells that 'cistron evaluate edges' does not score on.
    strong_only
        CausalBench's filter: perturbations with more than 50 changed genes, 30% knock-down and more than 25 cells,
        and of their cells those whose target is in the lowest tenth of the control cells.
    """
    from cistron.networks.estimator import NetworkInference

    inference = NetworkInference(**chosen.estimator_arguments(), seed=seed)
    table = inference.infer_file(
        cells,
        output,
        edges=edges or None,
        name=name,
        embedding=output_embedding,
        training_cells=training_cells,
        strong_only=strong_only,
        regulators=regulators,
        reading=reading,
        threads=threads,
    )
    show(f"wrote {output}: {len(table):,} edges of {len(inference.genes):,} genes by {inference.method}")


@app.command
def quality(
    cells: Annotated[Path, InCloud()],
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
    from cistron.networks.quality import quality_file

    table, lines = quality_file(cells, output, reading=reading, seed=seed)
    for line in lines:
        show(line)
    if output is not None:
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
    cells: Annotated[Path, InCloud()],
    *,
    output: Output,
    reading: Reading = None,
    method: str = "default",
    fractions: tuple[Share, ...] = (0.0, 0.25, 0.5, 0.75, 1.0),
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
    from cistron.evaluation.edges.causalbench import challenge_score, run_regimes
    from cistron.networks.estimator import CausalBenchModel

    needs_perturbations = METHODS.find(method).traits.interventions
    model = CausalBenchModel(method, edges=edges)
    table = run_regimes(
        model, cells, output, fractions=fractions, least_edges=edges, seed=seed, reading=reading
    )
    show(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))
    if needs_perturbations and (table["fraction"] == 0).any():
        show(f"fraction 0 is of the partial correlation: {method} needs perturbed cells")
    interventional = table[table["fraction"] > 0]
    if len(interventional) > 1:
        show(
            f"area under the mean Wasserstein distance (CausalBench's challenge): {challenge_score(interventional):.4f}"
        )
    show(f"wrote {output}")
