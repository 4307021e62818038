"""``cistron omics``: gene embeddings from omics matrices."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cistron.cli.method_options import ChosenMethod, add_methods_command, method_options
from cistron.cli.omics_join import join
from cistron.cli.omics_prepare import prepare
from cistron.cli.omics_tune import tune
from cistron.cli.options import Output, Seed, Threads
from cistron.errors import InputError
from cistron.omics import METHODS, PreprocessingSettings
from cistron.omics.duplicates import Duplicates
from cistron.runtime import show

app = App(name="omics", help="Gene embeddings from omics matrices.")
app.command(join)
app.command(prepare)
app.command(tune)
add_methods_command(app, METHODS)


@app.command
@method_options(METHODS, default="pca")
def embed(
    *matrices: Path,
    output: Output,
    chosen: ChosenMethod,
    dimensions: int | None = None,
    variance: float | None = None,
    scale_components: bool | None = None,
    preprocessing: Annotated[PreprocessingSettings | None, Parameter(name="*")] = None,
    layer: str | None = None,
    genes_in: Literal["auto", "rows", "columns"] = "auto",
    duplicates: Duplicates = "error",
    name: str | None = None,
    evidence: str = "expression",
    licence: str = "",
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Learn a gene embedding from one matrix of genes x samples, or from several with --method vdtf.

    A method that is fitted epoch by epoch keeps its record (log.csv) and, until it is done, its checkpoint in the folder OUTPUT.fit beside
    the output; the same command goes on from there after an interrupt.

    Parameters
    ----------
    matrices
        .h5ad, .zarr or .parquet (streamed), .csv, .tsv or .gct (also .gz); gene ids in the first column. A matrix of
        samples x genes is recognised and transposed.
    dimensions
        Number of dimensions; for pca give this or --variance.
    variance
        Share of the variance to explain (pca); 0.9 when neither is given.
    scale_components
        Give every principal component unit variance, as the report does.
    layer
        Layer of an AnnData to read instead of X.
    genes_in
        Axis that holds the genes; auto looks at the identifiers.
    duplicates
        What becomes of genes that occur more than once: sum (counts, TPM), mean, first, or an error.
    name
        Name of the embedding.
    evidence
        What the matrix measures: expression, perturbation, protein, chromatin, ...
    licence
        Licence of the matrix, kept in the header.
    """
    from cistron.formats import write_gene_embedding
    from cistron.omics import OmicsEmbedder, read_matrix
    from cistron.runtime import check_writable, limit_threads

    if not matrices:
        raise InputError("no matrix was given; name at least one file")
    shared = {"dimensions": dimensions, "variance": variance, "scale_components": scale_components}
    settings = chosen.settings(several=len(matrices) > 1, **shared)
    check_writable(output)
    folder = output.with_suffix(".fit") if chosen.method.traits.trained else None
    with limit_threads(threads):
        embedder = OmicsEmbedder(settings, preprocessing, seed, method=chosen.method.name)
        embedding = embedder.embed(
            *(read_matrix(matrix, layer, genes_in, duplicates=duplicates) for matrix in matrices),
            name=name,
            evidence=evidence,
            licence=licence,
            directory=folder,
        )
    write_gene_embedding(embedding, output)
    if folder is not None:
        (folder / "last.ckpt").unlink(missing_ok=True)
        show(f"record: {folder / 'log.csv'}")
    for remark in embedder.remarks:
        show(f"  {remark}")
    show(f"wrote {output}: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")
