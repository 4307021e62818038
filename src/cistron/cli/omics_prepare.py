"""``cistron omics prepare``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output, Scheduler, Workers, renamed
from cistron.cli.running import InCloud
from cistron.omics.settings_preparation import PreparationSettings, SourceName
from cistron.runtime import show


@dataclass(frozen=True)
class _Settings(PreparationSettings):
    __doc__ = PreparationSettings.__doc__
    universe: Annotated[Path | None, renamed("--genes", "--universe")] = None
    group: Annotated[str, renamed("--cell-type", "--group")] = PreparationSettings.group
    genes_in: Annotated[str | None, renamed("--gene-column", "--genes-in")] = None


def prepare(
    source: SourceName,
    file: Annotated[Path, InCloud()],
    *,
    output: Output,
    settings: Annotated[_Settings | None, Parameter(name="*")] = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Turn the file of a public source, or anybody's matrix, into a matrix of genes x samples (.h5ad).

    What is larger than memory is streamed. Values are on the scale on which they are embedded: embed
    with --log no.

    Parameters
    ----------
    source
        depmap: CRISPR gene effects or expression (.csv); gtex: TPM of all samples (.gct, .gct.gz, .parquet); hpa: long tables of tissues,
        cell types, cell lines or immune cells (.tsv, .tsv.zip); hpa-isoforms: RNA isoforms (.tsv, .tsv.zip);
        tabula-sapiens: single cells (.h5ad, .zarr, .h5mu, or the .h5 or a folder of Cell Ranger), pseudobulk by class of cells; matrix: any matrix that
        omics embed reads.
    file
        The file of the source.
    """
    from cistron.omics.sources import prepare_file

    prepared = prepare_file(source, file, output, settings or _Settings())
    for step in prepared.steps:
        show(f"  {step}")
    show(f"wrote {output}: {len(prepared.genes):,} genes x {len(prepared.samples):,} samples")
