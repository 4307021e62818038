"""Distal elements of genes as further tracks: the signal of each mark over the elements that a table of contacts links to a gene."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from cistron.errors import InputError
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genes.columns import plain_column
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.runtime import say
from cistron.runtime.tables import read_text_table

SUFFIX = " distal"  # of the track of a mark over distal elements
# names of the columns, without case and signs: ours, those of the ABC model's predictions, of ENCODE-rE2G, of other contact tables
_COLUMNS = {
    "gene": ("gene", "targetgeneensemblid", "targetgene", "gene_id", "symbol"),
    "chromosome": ("chromosome", "chr", "chrom", "seqnames"),
    "start": ("start", "chromstart"),
    "end": ("end", "chromend"),
    "score": ("score", "abc_score", "contact", "weight"),
}
_CELL_TYPE = ("cell_type", "celltype")


def read_contacts(
    path: str | Path, genes: pd.DataFrame, cell_types: Sequence[str], window: int
) -> pd.DataFrame:
    """Read which elements are linked to which genes.

    Parameters
    ----------
    path
        Table with ``gene`` (identifier or symbol), ``chromosome``, ``start``, ``end`` (0-based, half-open) and ``score``, one row a
        link; with ``cell_type`` a link counts in that cell type alone. The columns of the ABC model (``chr``, ``TargetGene``,
        ``ABC.Score``, ``CellType``) are known too.
    genes
        Genes of the store: ``gene``, ``chromosome``, ``position``, and ``symbol`` where it is known.
    cell_types
        Cell types of the store.
    window
        Base pairs of the window around a start site; elements whose middle lies in it are left out, because the bins show them.

    Returns
    -------
    DataFrame
        ``row`` (of the gene), ``chromosome``, ``start``, ``end``, ``score``, ``cell_type`` (its number; -1 for all).

    Raises
    ------
    InputError
        If a column is absent, a place or a score is not a number or below zero, or no link is of a gene and cell type of the store.
    """
    path = Path(path)
    table = read_text_table(path, "table of contacts")
    plain = {plain_column(name): name for name in reversed(table.columns)}
    found = {what: next((plain[n] for n in names if n in plain), None) for what, names in _COLUMNS.items()}
    absent = [what for what, name in found.items() if name is None]
    if absent:
        raise InputError(
            f"table of contacts {path.name} has no column for the {absent[0]}; expected one of {', '.join(_COLUMNS[absent[0]])}. "
            f"Given: {', '.join(table.columns[:8])}"
        )
    links = pd.DataFrame({what: table.text(str(name)) for what, name in found.items()})
    for what in ("start", "end", "score"):
        numbers = pd.to_numeric(links[what], errors="coerce")
        wrong = ~np.isfinite(numbers) | (numbers < 0)
        if wrong.any():
            raise InputError(
                f"table of contacts {path.name}: {what} must be a number of at least 0. Given: {links[what][wrong].iloc[0]!r} in row "
                f"{int(np.flatnonzero(wrong)[0]) + 1:,}"
            )
        links[what] = numbers if what == "score" else numbers.astype("int64")
    empty = np.flatnonzero(links["end"] <= links["start"])
    if len(empty):
        raise InputError(
            f"table of contacts {path.name}: row {empty[0] + 1:,} ends where it starts or before; places are 0-based and half-open"
        )
    column = next((plain[name] for name in _CELL_TYPE if name in plain), None)
    links["cell_type"] = -1
    if column is not None:
        numbers_of = {name: number for number, name in enumerate(cell_types)}
        links["cell_type"] = [numbers_of.get(name, -2) for name in table.text(column)]
    names = normalise_identifiers(links["gene"], guess_namespace(links["gene"]))
    rows = {str(gene): number for number, gene in enumerate(genes["gene"])}
    if "symbol" in genes:
        rows = {str(symbol): number for number, symbol in enumerate(genes["symbol"]) if symbol} | rows
    links["row"] = [rows.get(name, rows.get(raw, -1)) for name, raw in zip(names, links["gene"])]
    kept = links[(links["row"] >= 0) & (links["cell_type"] > -2)].reset_index(drop=True)
    if kept.empty:
        what, theirs, ours = (
            ("cell type", table.text(str(column))[0], cell_types[0])
            if (links["row"] >= 0).any()
            else ("gene", links["gene"].iloc[0] if len(links) else "none", genes["gene"].iloc[0])
        )
        raise InputError(
            f"table of contacts {path.name}: no link is of a {what} of the marks (it has {theirs}, they have {ours}); name them alike"
        )
    home = genes["chromosome"].map(normalise_chromosome).to_numpy()[kept["row"]]
    same = kept["chromosome"].map(normalise_chromosome).to_numpy() == home
    middle = ((kept["start"] + kept["end"]) // 2).to_numpy()
    near = same & (np.abs(middle - genes["position"].to_numpy()[kept["row"]]) < window // 2)
    if near.all():
        raise InputError(
            f"table of contacts {path.name}: all {len(kept):,} elements lie in the window of their gene, whose bins show them; give distal ones"
        )
    kept = kept[~near].reset_index(drop=True)
    with_link = kept["row"].nunique()
    say(
        f"contacts {path.name}: {len(kept):,} of {len(links):,} links are used"
        + (f" ({int(near.sum()):,} lie in the window of their gene)" if near.any() else "")
        + f"; {with_link:,} of {len(genes):,} genes have one, the others have 0 in the distal tracks"
    )
    if not same.all():
        say(
            f"contacts {path.name}: {int((~same).sum()):,} links are with an element of another chromosome than the gene's; they count too"
        )
    return kept.drop(columns="gene")


def elements_of(links: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Give each element once, as windows, and the number of the element of each link."""
    places = ["chromosome", "start", "end"]
    elements = links[places].drop_duplicates().reset_index(drop=True)
    number = links[places].merge(elements.reset_index(names="number"), on=places, how="left")["number"]
    return elements.assign(strand="+"), number.to_numpy()


def contact_weights(links: pd.DataFrame, number: np.ndarray, genes: int, cell_type: int) -> csr_array:
    """Weights of the elements of each gene in a cell type, sparse [gene, element]; the weights of a gene sum to 1, or it has none.

    Parameters
    ----------
    links
        Of :func:`read_contacts`.
    number
        Element of each link, of :func:`elements_of`.
    genes
        Genes of the store.
    cell_type
        Number of the cell type.
    """
    own = links["cell_type"].isin([-1, cell_type]).to_numpy() & (links["score"] > 0).to_numpy()
    rows, scores = links["row"].to_numpy()[own], links["score"].to_numpy(np.float64)[own]
    total = np.bincount(rows, scores, minlength=genes)
    shape = (genes, int(number.max()) + 1)
    return csr_array((scores / total[rows], (rows, number[own])), shape=shape)


def distal_signal(weights: csr_array, signal: np.ndarray, transform: str) -> np.ndarray:
    """Average a track over the elements of each gene, float32 [gene]; 0 without an element.

    Parameters
    ----------
    weights
        Of :func:`contact_weights`.
    signal
        Values of the elements, float [element], transformed as the bins are.
    transform
        As of :class:`cistron.chromatin.settings.BuildSettings`. With ``log1p-mean`` the mean is that of the signal, before the logarithm.
    """
    if transform == "log1p-mean":
        return np.log1p(weights @ np.expm1(signal, dtype=np.float64)).astype(np.float32)
    return np.asarray(weights @ signal.astype(np.float64)).astype(np.float32)
