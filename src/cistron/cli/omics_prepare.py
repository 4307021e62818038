"""``cistron omics prepare``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output
from cistron.omics.settings_preparation import PreparationSettings, SourceName
from cistron.runtime import show


def prepare(
    source: SourceName,
    file: Path,
    *,
    output: Output,
    settings: Annotated[PreparationSettings | None, Parameter(name="*")] = None,
) -> None:
    """Turn the file of a public source, or anybody's matrix, into a matrix of genes x samples (.h5ad).

    What is larger than memory is streamed. Values are on the scale on which they are embedded: embed
    with --log no.

    Parameters
    ----------
    source
        depmap: CRISPR gene effects (.csv); gtex: TPM of all samples (.gct, .gct.gz); hpa-isoforms: RNA isoforms (.tsv);
        tabula-sapiens: single cells (.h5ad, .zarr), pseudobulk by class of cells; matrix: any matrix that
        omics embed reads.
    file
        The file of the source.
    """
    from cistron.omics.sources import prepare_file

    prepared = prepare_file(source, file, output, settings)
    for step in prepared.steps:
        show(f"  {step}")
    show(f"wrote {output}: {len(prepared.genes):,} genes x {len(prepared.samples):,} samples")
