"""``cistron omics``: gene embeddings from omics matrices."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cistron.cli.method_options import ChosenMethod, add_methods_command, method_options
from cistron.cli.omics_join import join
from cistron.cli.omics_prepare import prepare
from cistron.cli.omics_tune import tune
from cistron.cli.options import (
    Devices,
    GeneColumn,
    GenesIn,
    Layer,
    Modality,
    Nodes,
    Output,
    Scheduler,
    Seed,
    Strategy,
    Threads,
    TrainingPrecision,
    Workers,
)
from cistron.cli.running import InCloud
from cistron.omics import METHODS, PreprocessingSettings
from cistron.omics.settings_preparation import Duplicates
from cistron.runtime import show

app = App(name="omics", help="Gene embeddings from omics matrices.")
app.command(join)
app.command(prepare)
app.command(tune)
add_methods_command(app, METHODS)


@app.command
@method_options(METHODS, default="pca")
def embed(
    *matrices: Annotated[Path, InCloud()],
    output: Output,
    chosen: ChosenMethod,
    dimensions: int | None = None,
    variance: float | None = None,
    scale_components: bool | None = None,
    preprocessing: Annotated[PreprocessingSettings | None, Parameter(name="*")] = None,
    layer: Layer = None,
    genes_in: GenesIn = "auto",
    gene_column: GeneColumn = None,
    modality: Modality = None,
    duplicates: Duplicates = "error",
    name: str | None = None,
    evidence: str = "expression",
    licence: str = "",
    devices: Devices = None,
    nodes: Nodes = None,
    strategy: Strategy = None,
    precision: TrainingPrecision = None,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = None,
) -> None:
    """Learn a gene embedding from one matrix of genes x samples, or from several with --method vdtf or soft-impute.

    A method that is fitted epoch by epoch keeps its record (log.csv) and, until it is done, its checkpoint in the folder OUTPUT.fit beside
    the output; the same command goes on from there after an interrupt.

    Parameters
    ----------
    matrices
        .h5ad, .zarr, .h5mu, or the .h5 or a folder of Cell Ranger (streamed), .parquet (streamed), .csv, .tsv or .gct (also .gz); gene ids in
        the first column. A matrix of samples x genes is recognised and transposed.
    dimensions
        Number of dimensions; for pca give this or --variance.
    variance
        Share of the variance to explain (pca); 0.9 when neither is given.
    scale_components
        Give every principal component unit variance, as the report does.
    duplicates
        What becomes of genes that occur more than once: sum (counts, TPM), mean, first, or an error.
    name
        Name of the embedding.
    evidence
        What the matrix measures: expression, perturbation, protein, chromatin, ...
    licence
        Licence of the matrix, kept in the header.
    """
    from cistron.omics import OmicsEmbedder

    shared = {
        "dimensions": dimensions,
        "variance": variance,
        "scale_components": scale_components,
        "devices": devices,
        "nodes": nodes,
        "strategy": strategy,
        "precision": precision,
    }
    arguments = chosen.estimator_arguments(several=len(matrices) > 1, **shared)
    embedder = OmicsEmbedder(preprocessing=preprocessing, seed=seed, **arguments)
    embedding = embedder.embed_files(
        matrices,
        output,
        reading={
            "layer": layer,
            "genes_in": genes_in,
            "gene_column": gene_column,
            "modality": modality,
            "duplicates": duplicates,
        },
        threads=threads,
        name=name,
        evidence=evidence,
        licence=licence,
    )
    if embedder.log is not None:
        show(f"record: {embedder.log}")
    for remark in embedder.remarks:
        show(f"  {remark}")
    show(f"wrote {output}: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")
