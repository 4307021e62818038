"""``cistron cells compare``: a method beside its controls in the four quadrants of a split."""

from pathlib import Path
from typing import Annotated, Literal

from cistron.cells.methods import METHODS
from cistron.cells.settings import CellGroups, CompareRequest, GeneSplit, SplitSettings
from cistron.cli.method_options import ChosenMethod, method_options
from cistron.cli.options import (
    AllowLoss,
    CellType,
    Donor,
    GeneColumn,
    GeneMap,
    Layer,
    Modality,
    Output,
    Scale,
    Seed,
    Threads,
)
from cistron.cli.running import InCloud, Reads
from cistron.methods import Count, NotNegative, Share
from cistron.runtime import show


@method_options(METHODS, default="bilinear")
def compare(
    cells: Annotated[Path, InCloud()],
    *,
    embedding: Annotated[tuple[str, ...], Reads(("one-hot",))],
    output: Output,
    chosen: ChosenMethod,
    unit: Literal["cell", "cell-type"] = "cell",
    minimum_coverage: Share = 0.5,
    split: Path | None = None,
    gene_split: GeneSplit = "chromosome",
    cell_split: CellGroups = "random",
    annotation: Path | None = None,
    regions: Path | None = None,
    test_chromosome: tuple[str, ...] = (),
    validation_chromosome: tuple[str, ...] = (),
    scored_cells: Count = 1000,
    scored_genes: Count = 3000,
    draws: Count = 200,
    cell_type: CellType = None,
    donor: Donor = "donor",
    layer: Layer = None,
    gene_column: GeneColumn = None,
    modality: Modality = None,
    scale: Scale = "auto",
    gene_map: GeneMap = (),
    minimum_counts: NotNegative = 0.0,
    allow_loss: AllowLoss = False,
    report: bool = True,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Compare a method with its controls on one split: permuted embedding, one-hot, nearest type and gene mean.

    Fits every row on the same training cells and genes, predicts held-out ones, and scores the four quadrants of seen and unseen
    genes and cells. Writes predictions, scores (as 'cistron evaluate expression'), one picture (quadrants.png, .pdf) and a report.

    Parameters
    ----------
    cells
        Raw counts in any form of 'cistron cells train'.
    embedding
        Gene embeddings in the shared format, joined side by side.
    unit
        cell-type sums the counts of each type first.
    minimum_coverage
        Smallest share of the cells' genes that the embeddings must cover.
    split
        Split of both axes from another run (split.json), in place of the options below.
    gene_split
        How genes are held out: whole chromosomes, whole homology groups, the regions of a sequence model, or at random.
    cell_split
        How cells are held out.
    annotation
        Where genes lie and their groups; the cells' var when absent.
    regions
        BED with train, valid or test in column 4, for --gene-split regions.
    test_chromosome
        Chromosomes that are held out for the test; drawn when absent.
    validation_chromosome
        Chromosomes that are held out for choosing.
    scored_cells
        Cells of the training and of the test part that are predicted and scored, at most; drawn by the seed.
    scored_genes
        Genes of the training and of the test part that are predicted and scored, at most.
    draws
        Bootstrap samples of genes.
    minimum_counts
        Leave out cells with fewer counts in the training genes; 0 keeps all.
    report
        Write the HTML report.
    """
    from cistron.cells.controls import write_compared
    from cistron.datasets.gene_tables import gene_tables
    from cistron.evaluation.expression import ExpressionSettings, run_expression
    from cistron.report.quadrants import quadrant_drawing
    from cistron.runtime import limit_threads
    from cistron.runtime.files import destination_of

    request = CompareRequest(
        cells=cells,
        embeddings=embedding,
        method=chosen.method.name,
        preset=chosen.preset,
        settings=chosen.settings(),
        unit="cell type" if unit == "cell-type" else "cell",
        minimum_coverage=minimum_coverage,
        split_file=split,
        splitting=SplitSettings(
            gene_split,
            cell_split,
            test_chromosomes=test_chromosome,
            validation_chromosomes=validation_chromosome,
        ),
        gene_table=annotation,
        regions=regions,
        scored_cells=scored_cells,
        scored_genes=scored_genes,
        cell_type=cell_type,
        donor=donor,
        layer=layer,
        gene_column=gene_column,
        modality=modality,
        scale=scale,
        gene_map=gene_tables(gene_map),
        minimum_counts=minimum_counts,
        allow_loss=allow_loss,
        seed=seed,
    )
    settings = ExpressionSettings(draws=draws, permutations=2, halvings=0)
    output = destination_of(output)  # links are followed
    with limit_threads(threads):
        paths = write_compared(request, output / "predictions")
        scores = run_expression(paths, output / "scores", settings, seed=seed, threads=threads)
    drawing = quadrant_drawing(scores, "cell types" if unit == "cell-type" else "cells")
    for path in drawing.save(output):
        show(f"picture: {path}")
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output / 'scores'], output / 'report.html')}")
    show(f"scores: {output / 'scores' / 'scores.parquet'}")
