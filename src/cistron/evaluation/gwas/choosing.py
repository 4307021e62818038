"""A GWAS score to choose settings by: it sees odd or even chromosomes alone, so that figures can be reported on the others."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import anndata
import numpy as np

from cistron.evaluation.gwas.evaluate import GwasSettings, evaluate_gwas
from cistron.evaluation.gwas.traits import TraitCollection, TraitDesign, read_traits


def score_to_choose_by(
    traits: str | Path, chromosomes: Literal["odd", "even"] = "odd"
) -> Callable[[anndata.AnnData], float]:
    """Give a function that scores a gene embedding by the median delta R2 over traits.

    Parameters
    ----------
    traits
        What :func:`read_traits` takes.
    chromosomes
        Chromosomes whose genes are used.
    """
    collection = read_traits(traits)
    designs = []
    for design in collection.designs:
        numbers = design.genes["CHR"].astype(str)
        wanted = 1 if chromosomes == "odd" else 0
        rows = np.array([number.isdigit() and int(number) % 2 == wanted for number in numbers])
        designs.append(TraitDesign(design.traits, design.genes[rows].reset_index(drop=True), design.z[rows]))
    chosen = TraitCollection(collection.name, tuple(designs))

    def score(embedding: anndata.AnnData) -> float:
        with tempfile.TemporaryDirectory() as folder:
            settings = GwasSettings(controls=0, draws=20)
            scores = evaluate_gwas([embedding], chosen, settings, directory=folder).scores
        rows = scores[(scores["metric"] == "delta_r2") & (scores["stratum"] == "all genes")]
        single = rows[~rows["target"].str.startswith("median of")]
        return float(np.median(single["value"]))

    return score
