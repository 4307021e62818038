"""Tables beside the cells: which guides were called in which cell, and which gene a guide targets."""

from pathlib import Path

import pandas as pd

from cistron.errors import InputError

_CELL = ("cell", "cell_barcode", "barcode", "cell_id", "index", "cell barcode")
_CALL = (
    "feature_call",
    "perturbation",
    "guide",
    "grna",
    "sgrna",
    "guide_identity",
    "guide_id",
    "gene",
    "target",
    "label",
)
_GUIDE = ("guide", "grna", "sgrna", "sgid", "sgrna_id", "guide_id", "feature_call", "id", "protospacer")
_GENE = (
    "gene",
    "target",
    "target_gene",
    "target_gene_name",
    "gene_name",
    "symbol",
    "perturbation",
    "target_gene_id",
)


def _table(path: Path, what: str) -> pd.DataFrame:
    if not path.exists():
        raise InputError(f"{what} {path} does not exist")
    plain = path.name.removesuffix(".gz").removesuffix(".xz")
    separator = "," if plain.endswith(".csv") else "\t"
    try:
        table = pd.read_csv(
            path, sep=separator, dtype=str, comment="#", keep_default_na=False, encoding="utf-8-sig"
        )
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{what} {path.name} cannot be read as a table ({str(error)[:100]})") from error
    if len(table.columns) < 2 or not len(table):
        raise InputError(
            f"{what} {path.name}: expected a table with a header and at least two columns (.csv with commas, others with "
            f"tabs). Given: {len(table):,} rows with {', '.join(map(str, table.columns[:4])) or 'no columns'}"
        )
    return table


def _column(table: pd.DataFrame, names: tuple[str, ...], fallback: int) -> str:
    lowered = {str(column).strip().lower(): column for column in table.columns}
    return str(next((lowered[name] for name in names if name in lowered), table.columns[fallback]))


def read_guide_table(path: str | Path) -> dict[str, str]:
    """Read the gene of each guide: columns such as ``guide`` and ``gene``, else the first two. Empty is a control.

    Raises
    ------
    InputError
        If the file is no table or names a guide twice with different genes.
    """
    path = Path(path)
    table = _table(path, "guide table")
    guide = _column(table, _GUIDE, 0)
    gene = _column(table.drop(columns=guide), _GENE, 0)
    pairs = table[[guide, gene]].apply(lambda column: column.str.strip()).drop_duplicates()
    pairs = pairs[pairs[guide] != ""]
    doubled = pairs[guide][pairs[guide].duplicated()]
    if len(doubled):
        raise InputError(
            f"guide table {path.name}: guide {doubled.iloc[0]} has two genes; expected one row a guide"
        )
    return {guide: gene or "non-targeting" for guide, gene in zip(pairs[guide], pairs[gene])}


def read_calls(path: str | Path, cells: pd.Index) -> tuple[list[str], str]:
    """Read what was called in each cell; several rows of a cell are joined by ``+``.

    Cell Ranger's ``protospacer_calls_per_cell.csv`` and tables of a cell and a guide, gene or label are read.

    Parameters
    ----------
    path
        Table of calls (.csv, .tsv, also .gz).
    cells
        Names of the cells.

    Returns
    -------
    list of str
        Label of each cell, empty where nothing was called.
    str
        How many cells were met, for the user.

    Raises
    ------
    InputError
        If the file is no table or shares no cell.
    """
    path = Path(path)
    table = _table(path, "calls")
    cell = _column(table, _CELL, 0)
    call = _column(table.drop(columns=cell), _CALL, 0)
    labels = table[call].str.strip()
    joined = (
        labels[labels != ""].groupby(table[cell].str.strip()).agg(lambda rows: "+".join(dict.fromkeys(rows)))
    )
    met = cells.isin(joined.index)
    without = ""
    if not met.any():  # AAAC... in one file, AAAC...-1 in the other
        short, named = (index.str.replace(r"-\d+$", "", regex=True) for index in (cells, joined.index))
        if short.is_unique and named.is_unique and short.isin(named).any():
            joined.index, cells = named, short
            met, without = cells.isin(named), ", names compared without their '-1'"
    if not met.any():
        raise InputError(
            f"calls {path.name}: none of {len(joined):,} cells (for example {joined.index[0] if len(joined) else 'none'}) is "
            f"among the {len(cells):,} cells of the data (for example {cells[0]}); are suffixes such as '-1' the same?"
        )
    remark = (
        f"{int(met.sum()):,} of {len(cells):,} cells have a call in column {call!r} of {path.name}{without}; "
        f"{len(joined) - int(met.sum()):,} called cells are not in the data"
    )
    return joined.reindex(cells).fillna("").tolist(), remark
