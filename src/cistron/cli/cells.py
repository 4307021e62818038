"""``cistron cells``: expression of genes in single cells from gene embeddings."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

from cistron.cells.methods import METHODS
from cistron.cells.settings import (
    AttentionName,
    CellGroups,
    GeneSplit,
    HeadName,
    PredictRequest,
    SplitSettings,
    TrainRequest,
)
from cistron.cli.cells_compare import compare
from cistron.cli.cells_export import export_cell_eval
from cistron.cli.cells_species import join_species
from cistron.cli.method_options import ChosenMethod, add_methods_command, method_options
from cistron.cli.options import (
    READING,
    AllowLoss,
    CellType,
    Devices,
    Donor,
    GeneColumn,
    GeneMap,
    Layer,
    Modality,
    Nodes,
    Output,
    Scale,
    Scheduler,
    Seed,
    Strategy,
    Threads,
    TrainingPrecision,
    Workers,
    renamed,
)
from cistron.cli.running import InCloud, Reads
from cistron.methods import NotNegative, Share
from cistron.runtime import show

app = App(name="cells", help="Expression of genes in single cells, both never seen, from gene embeddings.")

add_methods_command(app, METHODS)
app.command(compare)
app.command(export_cell_eval, name="export-cell-eval")
app.command(join_species, name="join-species")
SPLITTING = Group("Splitting", sort_key=10)
MinimumCounts = Annotated[
    NotNegative,
    Parameter(group=READING, help="Leave out cells with fewer counts in the training genes; 0 keeps all."),
]


@app.command
@method_options(METHODS, default="bilinear")
def train(
    cells: Annotated[Path, InCloud()],
    *,
    output: Output,
    embedding: Annotated[tuple[str, ...], Reads(("one-hot",))] = ("one-hot",),
    chosen: ChosenMethod,
    head: HeadName | None = None,
    attention: AttentionName | None = None,
    factors: int | None = None,
    epochs: int | None = None,
    devices: Devices = None,
    nodes: Nodes = None,
    strategy: Strategy = None,
    precision: TrainingPrecision = None,
    negative_control: Annotated[
        Literal["none", "permuted-embedding"], renamed("--negative-control", "--control")
    ] = "none",
    unit: Literal["cell", "cell-type"] = "cell",
    minimum_coverage: Share = 0.5,
    split: Annotated[Path | None, Parameter(group=SPLITTING)] = None,
    gene_split: Annotated[GeneSplit, Parameter(group=SPLITTING)] = "chromosome",
    cell_split: Annotated[CellGroups, Parameter(group=SPLITTING)] = "random",
    annotation: Annotated[
        Path | None, renamed("--annotation", "--gene-table"), Parameter(group=SPLITTING)
    ] = None,
    regions: Annotated[Path | None, Parameter(group=SPLITTING)] = None,
    test_chromosome: Annotated[tuple[str, ...], Parameter(group=SPLITTING)] = (),
    validation_chromosome: Annotated[tuple[str, ...], Parameter(group=SPLITTING)] = (),
    test_genes: Annotated[Share, Parameter(group=SPLITTING)] = 0.2,
    validation_genes: Annotated[Share, Parameter(group=SPLITTING)] = 0.1,
    test_cells: Annotated[Share, Parameter(group=SPLITTING)] = 0.2,
    validation_cells: Annotated[Share, Parameter(group=SPLITTING)] = 0.1,
    cell_type: CellType = None,
    donor: Donor = "donor",
    layer: Layer = None,
    gene_column: GeneColumn = None,
    modality: Modality = None,
    scale: Scale = "auto",
    gene_map: GeneMap = (),
    minimum_counts: MinimumCounts = 0.0,
    allow_loss: AllowLoss = False,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = None,
) -> None:
    """Train a model on training cells x training genes.

    Writes a folder with the weights, the settings, a model card, the split of both axes (split.json) and a record of the run.

    Parameters
    ----------
    cells
        Raw counts, read in blocks: .h5ad, .zarr, .h5mu, or the .h5 or a folder of Cell Ranger.
    embedding
        Gene embeddings in the shared format, joined side by side; with one-hot, seen genes keep what their own cells say of them.
    head
        What the transformer predicts; negative-binomial when absent.
    attention
        Attention of the transformer; exact when absent.
    factors
        Cell factors of bilinear and ridge.
    epochs
        Epochs of the transformer, at most.
    negative_control
        Give each gene the embedding of another.
    unit
        cell-type sums the counts of each type first and trains on these pseudobulks.
    minimum_coverage
        Smallest share of the cells' genes that the embeddings must cover.
    split
        Split of both axes from another run (split.json), in place of the options below.
    gene_split
        How genes are held out: whole chromosomes, whole homology groups, the regions of a sequence model, or at random.
    cell_split
        How cells are held out; none trains on all cells.
    annotation
        Where genes lie and their groups: GTF, GFF3, BED or a table (docs/formats/gene_places.md); the cells' var when absent.
    regions
        BED with train, valid or test in column 4, for --gene-split regions (Enformer publishes one).
    test_chromosome
        Chromosomes that are held out for the test; drawn by --test-genes when absent.
    validation_chromosome
        Chromosomes that are held out for choosing.
    test_genes
        Share of the genes for the test.
    validation_genes
        Share of the genes for choosing.
    test_cells
        Share of the cells (donors, cell types) for the test.
    validation_cells
        Share of the cells (donors, cell types) for choosing.
    """
    from cistron.cells.estimator import train_model
    from cistron.datasets.gene_tables import gene_tables
    from cistron.runtime import limit_threads

    request = TrainRequest(
        cells=cells,
        embeddings=embedding,
        method=chosen.method.name,
        preset=chosen.preset,
        settings=chosen.settings(
            head=head,
            attention=attention,
            factors=factors,
            epochs=epochs,
            devices=devices,
            nodes=nodes,
            strategy=strategy,
            precision=precision,
        ),
        permute=negative_control == "permuted-embedding",
        unit="cell type" if unit == "cell-type" else "cell",
        minimum_coverage=minimum_coverage,
        split_file=split,
        splitting=SplitSettings(
            gene_split,
            cell_split,
            test_genes,
            validation_genes,
            test_cells,
            validation_cells,
            test_chromosome,
            validation_chromosome,
        ),
        gene_table=annotation,
        regions=regions,
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
    with limit_threads(threads):
        model = train_model(request, output)
    counts = [len(part) for part in (model.split.genes.train, model.split.cells.train)]
    show(
        f"wrote {output}: {request.method} of {counts[0]:,} training genes and {counts[1]:,} training cells; genes held out "
        f"{model.split.genes.how}, cells {model.split.cells.how}"
    )


@app.command
def predict(
    model: Path,
    cells: Annotated[Path, InCloud()],
    *,
    output: Output,
    embedding: tuple[Path, ...] = (),
    part: Annotated[Literal["all", "held-out", "test"], renamed("--part", "--genes")] = "all",
    unit: Literal["cell", "cell-type"] = "cell",
    annotation: Annotated[Path | None, renamed("--annotation", "--gene-table")] = None,
    name: str | None = None,
    donor: Donor = "donor",
    layer: Layer = None,
    gene_column: GeneColumn = None,
    modality: Modality = None,
    scale: Scale = "auto",
    gene_map: GeneMap = (),
    minimum_counts: MinimumCounts = 0.0,
    allow_loss: AllowLoss = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = None,
) -> None:
    """Predict expression of all genes in all cells, seen or not.

    No value of a gene takes part in its own prediction: a seen gene is predicted from the other four fifths of the
    training genes, a held-out one from all training genes. Writes predictions beside observations, with the part of the
    split of every cell and gene; 'cistron evaluate expression' scores such files.

    Parameters
    ----------
    model
        Folder that 'cistron cells train' wrote.
    cells
        Cells of the same scale in any of the forms of training, genes in any order; the training data or other cells.
    embedding
        Embeddings of genes that the model does not know yet, with the same columns as in training.
    part
        Part of the split whose genes are written.
    unit
        cell-type averages over the cells of a type (and part of the split).
    annotation
        Gene places; adds the chromosomes of the genes to the file.
    name
        Name that tables show; method and embedding when absent.
    """
    from cistron.cells.predicting import predict_file
    from cistron.datasets.gene_tables import gene_tables
    from cistron.runtime import limit_threads

    request = PredictRequest(
        model=model,
        cells=cells,
        embeddings=embedding,
        genes=part,
        unit="cell type" if unit == "cell-type" else "cell",
        gene_table=annotation,
        donor=donor,
        name=name,
        layer=layer,
        gene_column=gene_column,
        modality=modality,
        scale=scale,
        gene_map=gene_tables(gene_map),
        minimum_counts=minimum_counts,
        allow_loss=allow_loss,
    )
    with limit_threads(threads):
        observations, written, written_unit = predict_file(request, output)
    show(f"wrote {output}: {observations:,} {written_unit}s x {written:,} genes")


@app.command
def embed(model: Path, *, output: Output, name: str | None = None) -> None:
    """Write what a model learned of each gene as a gene embedding: its mean and loadings on cell factors.

    Parameters
    ----------
    model
        Folder that 'cistron cells train' wrote.
    name
        Name of the embedding; method and input embedding when absent.
    """
    from cistron.cells.saving import load_cell_model
    from cistron.formats.gene_embedding import write_gene_embedding

    result = load_cell_model(model).embed(name)
    write_gene_embedding(result, output)
    show(f"wrote {output}: {result.n_obs:,} genes x {result.n_vars:,} dimensions")


@app.command
def census(
    *, filter_cells: str, output: Output, organism: str = "Homo sapiens", version: str = "stable"
) -> None:
    """Fetch cells of CELLxGENE's Census as .h5ad (needs the package cellxgene-census).

    Parameters
    ----------
    filter_cells
        Filter in the Census's language, for example "tissue == 'blood' and is_primary_data == True".
    organism
        As the Census names it.
    version
        Version of the Census; a date makes the result repeatable.
    """
    from cistron.cells.census import fetch_census

    count, genes = fetch_census(output, filter_cells=filter_cells, organism=organism, version=version)
    show(f"wrote {output}: {count:,} cells x {genes:,} genes")
