"""Match a ``.genes.raw`` file to traits, so that no study is whitened with another study's linkage."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.gwas.checks import check_no_rows_cut
from cistron.evaluation.gwas.traits import TraitDesign
from cistron.formats.magma import GeneCorrelations, read_genes_raw

MINIMUM_SHARE = 0.95


@dataclass(frozen=True)
class LinkedDesign:
    """A design with the correlations of its genes.

    Attributes
    ----------
    design
        Traits, with ``MAC``.
    correlations
        Correlations of exactly these genes, in this order.
    """

    design: TraitDesign
    correlations: GeneCorrelations


def read_covariances(path: str | Path) -> dict[str, GeneCorrelations]:
    """Read one ``.genes.raw`` file (key ``*``) or a folder of ``TRAIT.genes.raw`` files (key = trait).

    Raises
    ------
    InputError
        If nothing can be read.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(
            f"covariance {path} does not exist; give a .genes.raw file or a folder of TRAIT.genes.raw files"
        )
    if not path.is_dir():
        return {"*": read_genes_raw(path)}
    files = sorted(file for file in path.iterdir() if file.name.endswith((".genes.raw", ".genes.raw.gz")))
    if not files:
        raise InputError(f"covariance folder {path} holds no .genes.raw file")
    return {file.name.removesuffix(".gz").removesuffix(".genes.raw"): read_genes_raw(file) for file in files}


def link(design: TraitDesign, correlations: GeneCorrelations, name: str) -> LinkedDesign:
    """Match a design with the correlations of its own MAGMA run.

    Parameters
    ----------
    design
        Traits.
    correlations
        Contents of a ``.genes.raw`` file.
    name
        Name of that file, for messages.

    Returns
    -------
    LinkedDesign
        The design with MAC.

    Raises
    ------
    InputError
        If fewer than 95% of the genes are in the file, or fewer than 95% of the shared ones have the same
        number of variants: then the file comes from another run. If fewer than all are: then rows were cut from it.
    """
    raw = correlations.genes.set_index("GENE")
    inside = design.genes["GENE"].isin(raw.index).to_numpy()
    trait = (
        design.traits[0]
        if len(design.traits) == 1
        else f"{design.traits[0]} and {len(design.traits) - 1} more traits"
    )
    equal = 0.0
    if inside.any() and "NSNPS" in design.genes:
        mine = design.genes.loc[inside]
        theirs = raw.loc[mine["GENE"]]
        equal = float(np.mean(mine["NSNPS"].to_numpy() == theirs["NSNPS"].to_numpy()))
    if inside.mean() < MINIMUM_SHARE or ("NSNPS" in design.genes and equal < MINIMUM_SHARE):
        raise InputError(
            f"{name} does not match {trait}: it has {int(inside.sum()):,} of {len(inside):,} genes, and {equal:.0%} of these with "
            "the same number of variants; both must come from one MAGMA run. Leave out --covariance to go on "
            "without whitening"
        )
    check_no_rows_cut(design, correlations, name)
    selected = correlations.select(list(design.genes["GENE"]))
    properties = selected.genes[["NSNPS", "NPARAM", "MAC"]]
    genes = design.genes.drop(columns=[column for column in properties if column in design.genes]).join(
        properties
    )
    return LinkedDesign(replace(design, genes=genes), selected)


def gene_table_of(correlations: GeneCorrelations) -> pd.DataFrame:
    """Places and properties of the genes of a ``.genes.raw`` file, for trait matrices that carry none."""
    return correlations.genes.drop(columns=["ZSTAT", "N"])
