"""``cistron genes``: map gene identifiers."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cistron.cli.options import AllowLoss, Output, renamed
from cistron.cli.running import Fetched
from cistron.runtime import show

app = App(name="genes", help="Map gene identifiers.")

Namespace = Literal["ensembl", "symbol", "entrez"]


@app.command(name="map")
def map_(
    source: Path,
    *,
    to: Namespace,
    gene_map: Annotated[
        list[Path],
        renamed("--gene-map", "--table"),
        Fetched("fetch one with 'cistron data fetch hgnc_complete_set'"),
    ],
    output: Output,
    from_: Annotated[Namespace | None, Parameter(name="--from")] = None,
    allow_loss: AllowLoss = False,
) -> None:
    """Give the genes of a file identifiers of another namespace.

    SOURCE is a gene embedding or a matrix (.h5ad, .parquet, .tsv, .csv) with gene ids in the first column,
    or a text file with one id a line. Genes that cannot be mapped are left out and counted.

    Parameters
    ----------
    source
        File whose genes are mapped.
    to
        Namespace to map to.
    gene_map
        Table between gene ids: HGNC's complete set, a GENCODE GTF, or any table with two of Ensembl id, symbol, Entrez id.
        Give it twice to go through what both have (Ensembl to symbol, symbol to Entrez).
    from_
        Namespace of the file; guessed from the ids when absent.
    """
    from cistron.formats.gene_mapping import map_file

    show(map_file(source, output, target=to, table=gene_map, source_namespace=from_, allow_loss=allow_loss))
    show(f"wrote {output}")
