"""``cistron omics``: gene embeddings from omics matrices."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from cistron.cli.omics_join import join
from cistron.cli.omics_prepare import prepare
from cistron.cli.omics_tune import tune
from cistron.cli.options import PRESET, Output, Seed, Threads
from cistron.cli.presets import put_over
from cistron.errors import InputError
from cistron.omics import AutoencoderSettings, PcaSettings, PreprocessingSettings, VdtfSettings
from cistron.runtime import show

app = App(name="omics", help="Gene embeddings from omics matrices.")
app.command(join)
app.command(prepare)
app.command(tune)
Method = Literal["pca", "autoencoder", "vdtf"]
Preset = Literal["default", "paper"]


def network_settings(
    method: str,
    dimensions: int | None,
    variance: float | None,
    preset: str,
    matrices: int,
    given: AutoencoderSettings | VdtfSettings | None,
) -> Any:
    """Settings of a network: the preset, with what was given on the command line put over it."""
    if variance is not None:
        raise InputError(f"--variance is for --method pca; give --dimensions to {method}")
    kind = AutoencoderSettings if method == "autoencoder" else VdtfSettings
    base: Any = kind()
    if preset == "paper":
        base = VdtfSettings.paper_many() if method == "vdtf" and matrices > 1 else kind.paper()
    settings = put_over(base, given, kind()) if given is not None else base
    if dimensions is None:
        return settings
    name = "dimensions" if method == "autoencoder" else "gene_dimension"
    return dataclasses.replace(settings, **{name: dimensions})


@app.command
def embed(
    *matrices: Path,
    output: Output,
    method: Method = "pca",
    dimensions: int | None = None,
    variance: float | None = None,
    scale_components: bool = False,
    preset: Annotated[Preset, PRESET] = "default",
    preprocessing: Annotated[PreprocessingSettings | None, Parameter(name="*")] = None,
    autoencoder: AutoencoderSettings | None = None,
    vdtf: VdtfSettings | None = None,
    layer: str | None = None,
    genes_in: Literal["auto", "rows", "columns"] = "auto",
    name: str | None = None,
    evidence: str = "expression",
    licence: str = "",
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Learn a gene embedding from one matrix of genes x samples, or from several with --method vdtf.

    A network keeps its record (log.csv) and, until it is done, its checkpoint in the folder OUTPUT.fit beside
    the output; the same command goes on from there after an interrupt.

    Parameters
    ----------
    matrices
        .h5ad or .zarr (streamed), .parquet, .csv or .tsv (also .gz); gene ids in the first column. A matrix of
        samples x genes is recognised and transposed.
    method
        pca: principal components; autoencoder; vdtf: variational deep tensor factorisation.
    dimensions
        Number of dimensions; for pca give this or --variance.
    variance
        Share of the variance to explain (pca); 0.9 when neither is given.
    scale_components
        Give every principal component unit variance, as the report does.
    preset
        paper: the settings of the publication (autoencoder, vdtf).
    layer
        Layer of an AnnData to read instead of X.
    genes_in
        Axis that holds the genes; auto looks at the identifiers.
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
    given = autoencoder if method == "autoencoder" else vdtf
    if method == "pca":
        settings: Any = PcaSettings(dimensions, variance, scale=scale_components)
    else:
        settings = network_settings(method, dimensions, variance, preset, len(matrices), given)
    check_writable(output)
    folder = None if method == "pca" else output.with_suffix(".fit")
    with limit_threads(threads):
        embedder = OmicsEmbedder(settings, preprocessing, seed)
        embedding = embedder.embed(
            *(read_matrix(matrix, layer, genes_in) for matrix in matrices),
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
