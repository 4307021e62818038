"""Planted GWAS: gene z-scores that depend on functions, on covariates, and on linkage."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg, stats

from cistron.errors import InputError
from cistron.formats.magma import GeneCorrelations
from cistron.runtime.seeds import random_generator
from cistron.world.genes import GENERATOR_VERSION, PlantedGenes


@dataclass(frozen=True)
class PlantedGwas:
    """Gene statistics of several traits with the truth about them.

    Attributes
    ----------
    table
        Long table ``TRAIT GENE CHR START STOP NSNPS NPARAM N MAC ZSTAT P``; positions 1-based inclusive, as MAGMA's.
    effects
        Effect of each function on the mean z-score of each trait, float64 [function, trait].
    traits
        Names of the traits. The last one, ``no_signal``, depends on covariates and linkage only.
    """

    table: pd.DataFrame
    effects: np.ndarray
    traits: tuple[str, ...]

    def genes_out(self, trait: str) -> pd.DataFrame:
        """Rows of one trait in the columns of a ``.genes.out`` file."""
        if trait not in self.traits:
            raise InputError(f"the planted GWAS has no trait {trait!r}; it has {', '.join(self.traits)}")
        return self.table[self.table["TRAIT"] == trait].drop(columns=["TRAIT"]).reset_index(drop=True)


def plant_gwas(genes: PlantedGenes, traits: int = 6, signal: float = 0.06) -> PlantedGwas:
    """Plant gene z-scores.

    z = covariates + functions x effects + e, e ~ N(0, s^2 R), with R the linkage of the genes. The functions
    explain the share ``signal`` of the variance of z in every trait but the last.

    Parameters
    ----------
    genes
        The planted genes.
    traits
        Number of traits with signal; one without is added.
    signal
        Share of the variance of z that the functions explain.

    Returns
    -------
    PlantedGwas
        Statistics and truth.
    """
    generator = random_generator(genes.seed, "world", "gwas", GENERATOR_VERSION)
    size, functions = genes.functions.shape
    length = (genes.table["end"] - genes.table["start"]).to_numpy()
    snps = 3 + generator.poisson(length / 250.0)
    parameters = np.maximum(1, np.round(snps * generator.beta(2, 6, size)))
    count = 400_000
    minor = np.round(generator.lognormal(10.5, 0.6, size), 4)
    names = [*(f"trait_{number + 1}" for number in range(traits)), "no_signal"]
    effects = np.zeros((functions, traits + 1))
    for trait in range(traits):
        chosen = generator.choice(functions, size=min(4, functions), replace=False)
        effects[chosen, trait] = generator.standard_normal(len(chosen))
        effects[:, trait] /= np.linalg.norm(effects[:, trait])
    # Bigger genes have larger z-scores, as in real data.
    covariate = np.log(parameters)
    covariate = (covariate - covariate.mean()) / covariate.std()
    factors = [
        (rows, linalg.cholesky(block + 1e-6 * np.eye(len(rows)), lower=True))
        for rows, block in GeneCorrelations(_plain_table(genes, snps, parameters), genes.correlations)
        .dense_blocks()
        .values()
    ]
    deviation = 1.6
    tables = []
    for trait, name in enumerate(names):
        noise = np.empty(size)
        for rows, factor in factors:
            noise[rows] = factor @ generator.standard_normal(len(rows))
        signal_part = np.sqrt(signal / (1 - signal)) * (genes.functions @ effects[:, trait])
        z = 0.3 + deviation * (noise + signal_part + 0.1 * covariate)
        table = _plain_table(genes, snps, parameters)
        table.insert(0, "TRAIT", name)
        table["N"], table["MAC"], table["ZSTAT"] = float(count), minor, np.round(z, 5)
        table["P"] = stats.norm.sf(table["ZSTAT"])
        tables.append(table)
    return PlantedGwas(pd.concat(tables, ignore_index=True), effects, tuple(names))


def planted_correlations(genes: PlantedGenes, gwas: PlantedGwas, trait: str) -> GeneCorrelations:
    """The linkage of the genes as the contents of a ``.genes.raw`` file that matches a trait.

    Parameters
    ----------
    genes
        Planted genes, with their linkage.
    gwas
        Planted traits.
    trait
        Name of the trait.
    """
    columns = ["GENE", "CHR", "START", "STOP", "NSNPS", "NPARAM", "N", "MAC", "ZSTAT"]
    return GeneCorrelations(gwas.genes_out(trait)[columns], genes.correlations)


def _plain_table(genes: PlantedGenes, snps: np.ndarray, parameters: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "GENE": genes.table["gene"],
            "CHR": genes.table["chromosome"],
            "START": genes.table["start"] + 1.0,
            "STOP": genes.table["end"].astype(np.float64),
            "NSNPS": snps.astype(np.float64),
            "NPARAM": parameters,
        }
    )
