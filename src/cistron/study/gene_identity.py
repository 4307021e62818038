"""Who the genes of a study are: symbols, other ids and aliases, where they lie and start."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.study.plan import StudyPlan

if TYPE_CHECKING:
    from cistron.genes.places import GenePlaces


def identity_of(plan: StudyPlan, genes: Sequence[str]) -> pd.DataFrame:
    """Symbols, places and further names of genes.

    Parameters
    ----------
    plan
        The study; ``annotation`` and ``gene_map`` say who its genes are.
    genes
        Ids.

    Returns
    -------
    DataFrame
        ``gene, symbol, entrez, chromosome, start, end, strand, biotype, site`` (start site, 0-based; -1 where it is not known), ``names``
        (other ids and aliases, blanks between).
    """
    from cistron.genes.gene_map import read_gene_map
    from cistron.genes.places import read_gene_places

    columns = ("symbol", "entrez", "chromosome", "start", "end", "strand", "biotype")
    table = pd.DataFrame({"gene": list(genes)})
    if plan.annotation is not None:
        read = read_gene_places(plan.annotation, "annotation")
        places = read.genes.drop_duplicates("gene")
        table = table.merge(
            places[["gene", *(one for one in columns if one in places)]], on="gene", how="left"
        )
        table = table.merge(_sites(read), on="gene", how="left")
    for column in columns:
        if column not in table:
            table[column] = -1 if column in ("start", "end") else ""
    if "site" not in table:
        table["site"] = -1
    aliases: dict[str, list[str]] = {}
    for path in plan.gene_map:
        found = read_gene_map(path)
        ids = found.table.set_index("ensembl")
        if not (found.table["ensembl"] != "").any():
            continue
        ids = ids[~ids.index.duplicated()]
        for column in ("symbol", "entrez"):
            own = ids[column].reindex(table["gene"]).fillna("").to_numpy()
            table[column] = np.where(
                table[column].fillna("").astype(str) == "", own, table[column].fillna("").astype(str)
            )
        for old, current in found.older_names.items():
            aliases.setdefault(current, []).append(old)
    for column in ("symbol", "entrez", "chromosome", "strand", "biotype"):
        table[column] = table[column].fillna("").astype(str)
    for column in ("start", "end", "site"):
        table[column] = pd.to_numeric(table[column], errors="coerce").fillna(-1).astype(np.int64)
    table["names"] = [
        " ".join(dict.fromkeys([*([entrez] if entrez else []), *aliases.get(symbol, [])]))
        for symbol, entrez in zip(table["symbol"], table["entrez"])
    ]
    return table


def _sites(places: "GenePlaces") -> pd.DataFrame:
    """Start sites of the one rule; none where the annotation has no strands."""
    try:
        sites, _ = places.start_sites()
    except InputError:
        return pd.DataFrame({"gene": pd.Series(dtype=str), "site": pd.Series(dtype=np.int64)})
    return sites.rename(columns={"position": "site"})[["gene", "site"]]


def places_of(genes: pd.DataFrame) -> dict[str, int]:
    """Row of each name in lower case: ids win over symbols, symbols over aliases.

    Parameters
    ----------
    genes
        Of :func:`identity_of`.
    """
    found: dict[str, int] = {}
    for row, names in enumerate(genes["names"]):
        for name in str(names).split():
            found.setdefault(name.lower(), row)
    for column in ("symbol", "gene"):
        for row, name in enumerate(genes[column]):
            if name:
                found[str(name).lower()] = row
    return found
