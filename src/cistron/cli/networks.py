"""``cistron networks``: gene networks from perturbed cells."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cistron.cli.method_options import ChosenMethod, add_methods_command, method_options
from cistron.cli.options import (
    ControlLabel,
    Excluded,
    FurtherOutput,
    GeneColumn,
    Guide,
    Layer,
    MinimumCells,
    Modality,
    Output,
    Perturbation,
    Scale,
    Seed,
    Threads,
    renamed,
)
from cistron.cli.running import Writes
from cistron.methods import CountOrZero
from cistron.networks.methods import METHODS
from cistron.runtime import show

app = App(name="networks", help="Gene networks from perturbed single cells.")

add_methods_command(app, METHODS)


@app.command
@method_options(METHODS, default="default")
def infer(
    cells: Path,
    *,
    output: Output,
    perturbation: Perturbation = "perturbation",
    control: ControlLabel = "non-targeting",
    excluded: Excluded = ("excluded",),
    guide: Guide = None,
    layer: Layer = None,
    gene_column: GeneColumn = None,
    modality: Modality = None,
    scale: Scale = "auto",
    minimum_cells: MinimumCells = 2,
    chosen: ChosenMethod,
    edges: CountOrZero | None = 1000,
    name: str | None = None,
    output_embedding: Annotated[FurtherOutput, renamed("--output-embedding", "--embedding")] = None,
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
        Raw counts with a column of perturbed genes: .h5ad, .zarr, .h5mu and others, or CausalBench's .npz.
    edges
        Number of edges to write; 0 writes all that are scored.
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
        threads=threads,
        perturbation=perturbation,
        control=control,
        excluded=excluded,
        guide=guide,
        layer=layer,
        scale=scale,
        minimum_cells=minimum_cells,
        gene_column=gene_column,
        modality=modality,
    )
    show(f"wrote {output}: {len(table):,} edges of {len(inference.genes):,} genes by {inference.method}")


@app.command
def quality(
    cells: Path,
    *,
    perturbation: Perturbation = "perturbation",
    control: ControlLabel = "non-targeting",
    excluded: Excluded = ("excluded",),
    guide: Guide = None,
    layer: Layer = None,
    gene_column: GeneColumn = None,
    modality: Modality = None,
    scale: Scale = "auto",
    minimum_cells: MinimumCells = 2,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"]), Writes()] = None,
) -> None:
    """Tell how many cells each perturbation has and whether its knock-down is seen.

    Parameters
    ----------
    cells
        Raw counts with a column of perturbed genes: .h5ad, .zarr, .h5mu and others, or CausalBench's .npz.
    output
        Write the table of all perturbations (.tsv); the first 20 are printed.
    """
    from cistron.networks.quality import quality_file

    table, lines = quality_file(
        cells,
        output,
        perturbation=perturbation,
        control=control,
        excluded=excluded,
        guide=guide,
        layer=layer,
        scale=scale,
        minimum_cells=minimum_cells,
        gene_column=gene_column,
        modality=modality,
    )
    for line in lines:
        show(line)
    if output is not None:
        show(f"wrote {output}: {len(table):,} perturbations")
    else:
        show(table.head(20).to_string(index=False, float_format=lambda value: f"{value:.3g}"))
