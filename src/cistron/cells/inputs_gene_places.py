"""Chromosome, start site and homology group of each gene, which splits of the genes need."""

from pathlib import Path

import numpy as np
import pandas as pd

from cistron.cells.inputs import Cells
from cistron.genes.columns import find_columns
from cistron.genes.places import read_gene_places
from cistron.genes.start_sites import choose_start_sites
from cistron.runtime import say


def read_gene_table(path: str | Path) -> pd.DataFrame:
    """Read where the genes lie and which belong together.

    Parameters
    ----------
    path
        What :func:`cistron.genes.places.read_gene_places` takes; a table may also have a column ``group`` (homology group
        or family).

    Returns
    -------
    DataFrame
        Indexed by gene, with what the file has of ``chromosome``, ``position`` (0-based start site; the
        middle of a gene without a strand), ``group`` and others.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    places = read_gene_places(path, "gene table")
    for remark in places.remarks:
        say(remark)
    table = places.genes.set_index("gene")
    if "chromosome" in table:
        table["chromosome"] = table["chromosome"].replace("", None)
    if "group" in table:
        table["group"] = table["group"].replace("", None)
    if places.form == "gtf":
        known = places.transcripts[places.transcripts["strand"] != "."]
        table["position"] = choose_start_sites(known).set_index("gene")["position"].reindex(table.index)
    if {"start", "end"} <= set(table.columns):
        middle = (table["start"] + table["end"]) // 2
        position = table["position"] if "position" in table else pd.Series(np.nan, table.index)
        unknown = int((position.isna() & middle.notna()).sum())
        if unknown:
            say(f"{places.name}: {unknown:,} genes have no strand; their middle stands for the start site")
        table["position"] = position.fillna(middle)
    return table


def genes_of(cells: Cells) -> pd.DataFrame:
    """Gene table of what the cells' own ``var`` says, under any usual names of the columns."""
    table = cells.variables.copy()
    found = find_columns(list(table.columns))
    others = {
        found[what]: what
        for what in ("chromosome", "start", "end", "strand", "position")
        if what in found and what not in table
    }
    table = table.rename(columns=others)
    if others:
        told = ", ".join(f"{what} from {column!r}" for column, what in others.items())
        say(f"{cells.name}: places of the genes are those of its var: {told} (--annotation gives others)")
    if "position" not in table and "start" in table:
        table["position"] = table["start"]
    if "group" not in table and "family" in table:
        table["group"] = table["family"]
    return table
