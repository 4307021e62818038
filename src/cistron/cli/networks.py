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
    from cistron.errors import InputError
    from cistron.formats.edges import write_edges
    from cistron.formats.gene_embedding import write_gene_embedding
    from cistron.formats.perturbed_cells import read_perturbed_cells, split_cells
    from cistron.networks.estimator import NetworkInference
    from cistron.networks.strong_perturbations import strong_perturbations
    from cistron.runtime import RunRecord, check_writable, limit_threads, record_path, say

    method, settings = chosen.method.name, chosen.settings()
    if output_embedding is not None and not chosen.method.traits.learns_genes:
        learning = " or ".join(one.name for one in METHODS.values() if one.traits.learns_genes)
        raise InputError(
            f"method {method} learns no gene embedding; use --method {learning} with --output-embedding"
        )
    if not output.name.endswith((".tsv", ".tsv.gz")):
        raise InputError(f"edges are written as .tsv or .tsv.gz. Given: --output {output.name}")
    if not cells.exists():
        raise InputError(f"cells {cells} do not exist")
    for path in (output, *([output_embedding] if output_embedding else [])):
        check_writable(path)
    run = RunRecord(
        "networks infer", {"method": method, "preset": chosen.preset, "settings": settings}, [cells], seed
    )
    with limit_threads(threads):
        data = read_perturbed_cells(
            cells,
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
        if strong_only:
            data = strong_perturbations(data, seed=seed)
        for remark in data.remarks:
            say(f"{data.name}: {remark}")
            run.warn(remark)
        if training_cells:
            data = data.select(split_cells(data)[0])
        inference = NetworkInference(settings, method=method, seed=seed).fit(data)
        table = inference.edges(edges or None, name=name, cells_used="training" if training_cells else "all")
    details = inference.network.details if inference.network is not None else {}
    if details.get("direct_effects") is False:
        reason = (
            "fewer than 20 genes were perturbed"
            if details["knock_down_seen"]
            else "most perturbed genes do not fall (taken as perturbations of activity)"
        )
        remark = f"{reason}, so direct and indirect effects are not told apart"
        say(remark)
        run.warn(remark)
    write_edges(table, output)
    if output_embedding is not None:
        write_gene_embedding(inference.embed(name), output_embedding)
    run.record("edges", len(table))
    run.write(record_path(output))
    show(f"wrote {output}: {len(table):,} edges of {len(data.genes):,} genes by {method}")


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
    from cistron.formats.perturbed_cells import read_perturbed_cells
    from cistron.networks.inputs import perturbation_quality, quality_summary
    from cistron.runtime import atomic_path

    data = read_perturbed_cells(
        cells,
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
    table = perturbation_quality(data)
    for line in quality_summary(table, data):
        show(line)
    if output is not None:
        with atomic_path(output) as partial:
            table.to_csv(partial, sep="\t", index=False, float_format="%.5g")
        show(f"wrote {output}: {len(table):,} perturbations")
    else:
        show(table.head(20).to_string(index=False, float_format=lambda value: f"{value:.3g}"))
