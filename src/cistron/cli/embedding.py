"""``cistron embedding``: check, convert and combine gene embeddings."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cistron.cli.options import Destination, GeneColumn, Output, renamed
from cistron.errors import InputError
from cistron.runtime import show

app = App(name="embedding", help="Check, convert and combine gene embeddings.")


@app.command
def check(*embeddings: Path) -> None:
    """Check embedding files against the format and print what they are.

    Parameters
    ----------
    embeddings
        Files to check: .h5ad, .parquet, .tsv, .csv or word2vec text.
    """
    from cistron.formats import check_gene_embedding, embedding_information, read_gene_embedding

    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    broken = []
    for path in embeddings:
        embedding = read_gene_embedding(path, strict=False)
        problems = check_gene_embedding(embedding)
        show(f"{path}: {'valid' if not problems else 'NOT VALID'}")
        for problem in problems:
            show(f"  problem: {problem}")
        if problems:
            broken.append(path.name)
            continue
        for key, value in embedding_information(embedding).items():
            text = f"{value:,}" if isinstance(value, int) else str(value)
            show(f"  {key}: {text if len(text) <= 200 else text[:197] + '...'}")
    if broken:
        raise InputError(f"{len(broken)} of {len(embeddings)} embeddings are not valid: {', '.join(broken)}")


@app.command
def convert(
    source: Path,
    destination: Destination,
    *,
    name: str | None = None,
    evidence: str | None = None,
    licence: str | None = None,
    varm: str | None = None,
    gene_column: GeneColumn = None,
) -> None:
    """Convert an embedding between .h5ad, .parquet, .tsv, .csv and word2vec text.

    Parameters
    ----------
    source
        File to read.
    destination
        File to write; its suffix says the form. Only .h5ad keeps the header.
    name
        New name of the embedding.
    evidence
        What it was made from: expression, dna, protein, perturbation, chromatin, literature, joined with '+'; of a table that does not
        say it, unknown when absent.
    licence
        Licence of the source data.
    varm
        Take what stands under this name in varm of a .h5ad of cells: one row of numbers per gene.
    """
    from cistron.formats.gene_embedding_exchange import adopt_gene_embedding, export_gene_embedding

    if varm is not None:
        from cistron.formats.gene_embedding_varm import embedding_from_varm

        if evidence is None:
            raise InputError("--varm: say what the vectors were made from with --evidence")
        embedding = embedding_from_varm(
            source, varm, evidence=evidence, gene_column=gene_column, name=name, licence=licence or ""
        )
    elif gene_column is not None:
        raise InputError("--gene-column goes with --varm")
    else:
        embedding = adopt_gene_embedding(source, name=name, evidence=evidence, licence=licence)
    export_gene_embedding(embedding, destination)
    show(f"wrote {destination}: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")


@app.command
def combine(
    *embeddings: Path,
    output: Output,
    join: Literal["inner", "outer"] = "inner",
    equal_variance: Annotated[bool, renamed("--equal-variance", "--scale")] = True,
    name: Annotated[str | None, Parameter(help="Name of the result.")] = None,
) -> None:
    """Concatenate embeddings of the same genes.

    Parameters
    ----------
    embeddings
        At least two embedding files.
    join
        inner keeps the genes that all cover; outer keeps all, a block that lacks a gene gives its mean.
    equal_variance
        Give each block the same total variance.
    """
    from cistron.formats import combine_gene_embeddings, read_gene_embedding, write_gene_embedding

    combined = combine_gene_embeddings(
        [read_gene_embedding(path) for path in embeddings], join=join, scale=equal_variance, name=name
    )
    write_gene_embedding(combined, output)
    show(f"wrote {output}: {combined.n_obs:,} genes x {combined.n_vars:,} dimensions")
