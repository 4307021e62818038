"""``cistron omics``: gene embeddings from omics matrices."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cistron.cli.options import Output, Seed, Threads
from cistron.omics import PcaSettings, PreprocessingSettings

app = App(name="omics", help="Gene embeddings from omics matrices.")


@app.command
def embed(
    matrix: Path,
    *,
    output: Output,
    method: Literal["pca"] = "pca",
    dimensions: int | None = None,
    variance: float | None = None,
    preprocessing: Annotated[PreprocessingSettings | None, Parameter(name="*")] = None,
    layer: str | None = None,
    name: str | None = None,
    evidence: str = "expression",
    licence: str = "",
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Learn a gene embedding from a matrix of genes x samples.

    Parameters
    ----------
    matrix
        .h5ad or .zarr (streamed), .parquet, .csv or .tsv (also .gz); gene ids in the first column. A matrix of
        samples x genes is recognised and transposed.
    method
        pca: principal components.
    dimensions
        Number of dimensions; give this or --variance.
    variance
        Share of the variance to explain; 0.9 when neither is given.
    layer
        Layer of an AnnData to read instead of X.
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

    settings = PcaSettings(dimensions=dimensions, variance=variance)
    check_writable(output)
    with limit_threads(threads):
        embedder = OmicsEmbedder(settings, preprocessing, seed)
        embedding = embedder.embed(read_matrix(matrix, layer), name=name, evidence=evidence, licence=licence)
    write_gene_embedding(embedding, output)
    for remark in embedder.remarks:
        print(f"  {remark}")
    print(f"wrote {output}: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")
