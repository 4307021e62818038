"""Choose the genes of a store: those that start sites, bigWigs, arrays and expression all have; the others are reported."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cistron.chromatin.inputs import read_columns
from cistron.errors import IdentifierError, InputError
from cistron.formats.gene_tracks import bare_name
from cistron.formats.prediction import SPLIT_PARTS
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genes.identity import guess_namespace, join_advice, normalise_identifiers, without_version
from cistron.genome.bigwig import open_bigwig
from cistron.genome.tracks import chromosome_names
from cistron.runtime import say


def on_chromosomes(
    genes: pd.DataFrame, bigwigs: list[Path], lengths: Mapping[str, int], uncovered: str, allow_loss: bool
) -> pd.DataFrame:
    """Keep the genes on chromosomes that the bigWigs have, and check that no start site lies behind its chromosome's end.

    Parameters
    ----------
    genes
        Start sites.
    bigwigs
        Files of one assembly.
    lengths
        Its chromosomes (:func:`cistron.genome.bigwig.assembly_lengths`).
    uncovered
        With ``zero``, a chromosome that one file lacks and another has counts as 0 in the first; with ``skip`` it is lost, and
        so it is where the file lacks more than half of the chromosomes (a file of one chromosome, or a cut one).
    allow_loss
        Go on without the genes of chromosomes that are lost.

    Returns
    -------
    DataFrame
        Rows of ``genes``.

    Raises
    ------
    InputError
        If a chromosome is lost, or a start site lies behind an end.
    """
    known = {normalise_chromosome(name): int(size) for name, size in lengths.items()}
    for path in bigwigs:
        own = open_bigwig(path).chroms()
        there = {normalise_chromosome(name) for name in own}
        place = genes["chromosome"].map(normalise_chromosome)
        empty = place.isin(known.keys() - there)
        if uncovered == "zero" and empty.any() and 2 * len(known.keys() - there) <= len(known):
            names = sorted(genes.loc[empty, "chromosome"].unique())
            say(
                f"{path.name} has no record on {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}, which other bigWigs have: "
                f"counted as 0 for {int(empty.sum()):,} genes"
            )
            there |= known.keys()
        lost = ~place.isin(there)
        if lost.any():
            if not allow_loss or lost.all():
                chromosome_names(own, sorted(genes.loc[lost, "chromosome"].unique()), f"bigWig {path.name}")
            say(f"left out: {lost.sum():,} genes on chromosomes that {path.name} lacks")
            genes = genes[~lost].reset_index(drop=True)
    ends = genes["chromosome"].map(lambda name: known[normalise_chromosome(name)])
    behind = genes[genes["position"] >= ends]
    if len(behind):
        row = behind.iloc[0]
        raise InputError(
            f"{len(behind):,} start sites lie behind the end of their chromosome, for example {row['gene']} at "
            f"{row['chromosome']}:{row['position']:,} ({known[normalise_chromosome(row['chromosome'])]:,} bp in the bigWigs); is the "
            "annotation of another genome build?"
        )
    return genes


def meet_expression(
    genes: pd.DataFrame, levels: pd.DataFrame | None, cell_types: list[str], what: str, allow_loss: bool
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Keep the genes that the marks and the expression table both have, and report how many each lost.

    Too few is less than 95% of the smaller side: a table of all genes may meet the marks of a few, and the other way round.

    Parameters
    ----------
    genes
        Start sites, one row per gene.
    levels
        Expression, genes x cell types, or ``None``.
    cell_types
        Cell types of the marks; the table must have them all.
    what
        Name of the side that the genes are of, for messages.
    allow_loss
        Go on when too few genes meet.
    """
    if levels is None:
        return genes, None
    absent = [name for name in cell_types if name not in levels]
    if absent:
        alike = [column for column in levels if bare_name(column) == bare_name(absent[0])]
        raise InputError(
            f"the expression table has no column for {len(absent)} of {len(cell_types)} cell types, for example {absent[0]!r}; it has "
            + (f"{alike[0]!r}: write the name the same way in both" if alike else ", ".join(list(levels)[:6]))
        )
    found = levels.index.isin(set(genes["gene"]))
    kept = genes[genes["gene"].isin(set(levels.index))].reset_index(drop=True)
    smaller = min(len(levels), len(genes))
    lost = int((~found).sum())
    if kept.empty or (len(kept) < 0.95 * smaller and not allow_loss):
        advice = join_advice(levels.index[~found], genes["gene"].tolist(), "the expression table", what)
        raise IdentifierError(
            f"{lost:,} of {len(levels):,} genes of the expression table are not in {what}: {advice}"
            f"{'' if kept.empty else ', or go on with --allow-loss'}"
        )
    if lost:
        say(f"left out: {lost:,} of {len(levels):,} genes of the expression table are not in {what}")
    if len(kept) < len(genes):
        say(f"left out: {len(genes) - len(kept):,} of {len(genes):,} genes of {what} have no expression")
    return kept, levels.loc[kept["gene"]]


def known_genes(
    genes: pd.DataFrame, wanted: list[str], what: str, annotation: str, allow_loss: bool
) -> pd.DataFrame:
    """Rows of the annotation for the genes of the arrays, in their order.

    Parameters
    ----------
    genes
        Start sites, one row per gene.
    wanted
        Genes of the arrays.
    what, annotation
        Names of the two sides, for messages.
    allow_loss
        Go on when more than 5% of the genes are lost.
    """
    indexed = genes.set_index("gene", drop=False)
    present = [gene for gene in wanted if gene in indexed.index]
    lost = len(wanted) - len(present)
    if not present or (lost > 0.05 * len(wanted) and not allow_loss):
        missing = next(gene for gene in wanted if gene not in indexed.index)
        raise IdentifierError(
            f"{lost:,} of {len(wanted):,} genes of {what} are not in {annotation}, for example {missing}; give the annotation they come "
            f"from{', or go on with --allow-loss' if present else ''}"
        )
    return indexed.loc[present].reset_index(drop=True)


def read_split(path: Path, genes: list[str]) -> list[str]:
    table = read_columns(path, ("gene", "split"), "split")
    ids = normalise_identifiers(table["gene"], guess_namespace(table["gene"]))
    parts = dict(zip(ids, checked_parts(table["split"], f"split {path.name}")))
    found = [parts.get(without_version(gene), "unused") for gene in genes]
    if "train" not in found:
        raise InputError(f"split {path.name}: no gene of the data is in the part train")
    return found


def checked_parts(parts: pd.Series, what: str) -> list[str]:
    parts = parts.replace({"valid": "validation"})
    unknown = parts[~parts.isin(SPLIT_PARTS)]
    if len(unknown):
        raise InputError(f"{what}: parts are {', '.join(SPLIT_PARTS)}. Given: {unknown.iloc[0]!r}")
    return parts.tolist()
