"""``cistron omics prepare``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.options import Output
from cistron.omics.prepared import PreparationSettings
from cistron.runtime import show

Source = Literal["depmap", "gtex", "hpa-isoforms", "tabula-sapiens", "matrix"]


def prepare(
    source: Source,
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
    from cistron.errors import InputError
    from cistron.omics.sources import SOURCES
    from cistron.omics.writing import write_matrix
    from cistron.runtime import check_writable

    if not file.exists():
        raise InputError(f"{file} does not exist; 'cistron data list' names public sources")
    check_writable(output)
    settings = settings or PreparationSettings()
    prepared = SOURCES[source](file, settings)
    if len(prepared.genes) < 2 or len(prepared.samples) < 2:
        raise InputError(
            f"{file.name}: {len(prepared.genes):,} genes x {len(prepared.samples):,} samples are left; at least 2 of each are needed"
        )
    write_matrix(
        output,
        prepared.genes,
        prepared.samples,
        prepared.blocks,
        steps=prepared.steps,
        sources=[file] if file.is_file() else [],
        sample_table=prepared.sample_table,
    )
    for step in prepared.steps:
        show(f"  {step}")
    show(f"wrote {output}: {len(prepared.genes):,} genes x {len(prepared.samples):,} samples")
