"""``cistron networks``: gene networks from perturbed cells."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cistron.cli.method_options import ChosenMethod, add_methods_command, method_options
from cistron.cli.options import FurtherOutput, Output, Seed, Threads
from cistron.cli.running import Writes
from cistron.methods import Count, CountOrZero
from cistron.networks.methods import METHODS
from cistron.runtime import show

app = App(name="networks", help="Gene networks from perturbed single cells.")

add_methods_command(app, METHODS)
ScaleName = Literal["auto", "counts", "log-normalised", "continuous"]


@app.command
@method_options(METHODS, default="default")
def infer(
    cells: Path,
    *,
    output: Output,
    perturbation: str = "perturbation",
    control: str = "non-targeting",
    excluded: tuple[str, ...] = ("excluded",),
    guide: str | None = None,
    layer: str | None = None,
    scale: ScaleName = "auto",
    minimum_cells: Count = 2,
    chosen: ChosenMethod,
    edges: CountOrZero | None = 1000,
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
        .h5ad with raw counts and a column of perturbed genes, or CausalBench's .npz.
    perturbation
        Column of obs that names the perturbed gene of each cell.
    control
        Label of the control cells in that column.
    excluded
        Labels whose cells are not used.
    guide
        Column of obs that names the guide.
    layer
        Layer with the counts; X, or layers["counts"] where there is one, when absent.
    scale
        What the values are; auto finds out.
    minimum_cells
        Fewest cells of a perturbation.
    edges
        Number of edges to write; 0 writes all that are scored.
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
    from cistron.networks.estimator import NetworkInference

    inference = NetworkInference(**chosen.estimator_arguments(), seed=seed)
    table = inference.infer_file(
        cells,
        output,
        edges=edges or None,
        name=name,
        embedding=embedding,
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
    )
    show(f"wrote {output}: {len(table):,} edges of {len(inference.genes):,} genes by {inference.method}")


@app.command
def quality(
    cells: Path,
    *,
    perturbation: str = "perturbation",
    control: str = "non-targeting",
    excluded: tuple[str, ...] = ("excluded",),
    guide: str | None = None,
    layer: str | None = None,
    scale: ScaleName = "auto",
    minimum_cells: Count = 2,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"]), Writes()] = None,
) -> None:
    """Tell how many cells each perturbation has and whether its knock-down is seen.

    Parameters
    ----------
    cells
        .h5ad with raw counts and a column of perturbed genes, or CausalBench's .npz.
    perturbation
        Column of obs that names the perturbed gene of each cell.
    control
        Label of the control cells in that column.
    excluded
        Labels whose cells are not used.
    guide
        Column of obs that names the guide.
    layer
        Layer with the counts.
    scale
        What the values are; auto finds out.
    minimum_cells
        Fewest cells of a perturbation.
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
    )
    for line in lines:
        show(line)
    if output is not None:
        show(f"wrote {output}: {len(table):,} perturbations")
    else:
        show(table.head(20).to_string(index=False, float_format=lambda value: f"{value:.3g}"))
