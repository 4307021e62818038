"""Where genes lie and which belong together: the table that gene splits need."""

from pathlib import Path

import pandas as pd

from cistron.cells.inputs import Cells
from cistron.errors import InputError
from cistron.formats.tables import first_line
from cistron.genes.annotation import read_annotation
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genome.regions import read_regions

_NAMES = ("gene", "gene_id", "ensembl", "ensembl_gene_id", "symbol", "gene_name")


def read_gene_table(path: str | Path) -> pd.DataFrame:
    """Read a gene table.

    Parameters
    ----------
    path
        GTF; BED with the gene in column 4; or .tsv, .csv, .parquet with a column ``gene`` (or with genes in the first
        column) and any of ``chromosome``, ``position`` (or ``start``, ``end``, ``strand``; 0-based, half-open) and ``group``
        (homology group or family).

    Returns
    -------
    DataFrame
        Indexed by gene, with what the file has of ``chromosome``, ``position``, ``group`` and others. Of a BED region
        the middle is taken as the position, of a gene its 5' end.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"gene table {path} does not exist")
    suffixes = {suffix for suffix in path.suffixes if suffix != ".gz"}
    if suffixes & {".gtf", ".gff"}:
        table = read_annotation(path)
    elif ".bed" in suffixes:
        regions = read_regions(path).rename(columns={"name": "gene"})
        table = regions.assign(position=(regions["start"] + regions["end"]) // 2)
    else:
        table = _read_delimited(path)
    table = table.assign(gene=normalise_identifiers(table["gene"], guess_namespace(table["gene"])))
    table = table.drop_duplicates("gene").set_index("gene")
    if "position" not in table and {"start", "end"} <= set(table.columns):
        minus = table["strand"] == "-" if "strand" in table else False
        table["position"] = table["start"].where(~(table["start"].notna() & minus), table["end"] - 1)
    return table


def _read_delimited(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path).reset_index()
        else:
            kind = [suffix for suffix in path.suffixes if suffix != ".gz"][-1:] or [""]
            table = pd.read_csv(
                path, sep="," if kind[0] == ".csv" else "\t", dtype={"chromosome": str, "group": str}
            )
    except Exception as error:  # pandas and pyarrow raise nearly anything for a damaged table
        raise InputError(
            f"gene table {path.name} cannot be read ({first_line(error)}); expected a GTF, a BED, or a table with a column gene"
        ) from error
    lowered = {str(column).lower(): column for column in table.columns}
    named = next((lowered[name] for name in _NAMES if name in lowered), None)
    if named is None and not table.shape[1]:
        raise InputError(f"gene table {path.name} is empty; expected a column gene")
    table = table.rename(columns={named if named is not None else table.columns[0]: "gene"})
    return table.assign(gene=table["gene"].astype(str))


def genes_of(cells: Cells, path: str | Path | None) -> pd.DataFrame:
    """Gene table of a file, or what the cells' own ``var`` says where there is none."""
    if path is not None:
        return read_gene_table(path)
    table = cells.variables.copy()
    if "position" not in table and "start" in table:
        table["position"] = table["start"]
    if "group" not in table and "family" in table:
        table["group"] = table["family"]
    return table
