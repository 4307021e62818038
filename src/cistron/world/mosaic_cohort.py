"""A cohort whose genome is a mosaic of independent linkage blocks, with planted traits and expression.

Within a block, people are drawn with replacement from a panel (real genotypes where they are given, else simulated haplotypes), so that
linkage is that of the panel; between blocks they are drawn independently. A signed score says of some variants what they do. Version 1;
a change of the generator changes the version.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from scipy import linalg

from cistron.errors import InputError
from cistron.methods import Range, check_settings
from cistron.runtime.seeds import random_generator

VERSION = 1
CHROMOSOMES = 22
SPAN = 60_000_000  # base pairs over which the blocks of a chromosome stand evenly: some of chromosome 6 lie in the MHC
_HAPLOTYPES = 400  # of a simulated panel
_PROXIES = 0.3  # share of variants that repeat their neighbour but for a few haplotypes


@dataclass(frozen=True)
class MosaicSettings:
    """Size of the cohort.

    Attributes
    ----------
    blocks
        Independent linkage blocks on 22 chromosomes.
    variants
        Variants of a block, over 100 kb.
    people
        People.
    linkage
        Correlation of neighbouring variants before alleles are cut from it, in simulated haplotypes.
    functional
        Share of variants with a score.
    """

    blocks: Annotated[int, Range(CHROMOSOMES)] = 330
    variants: Annotated[int, Range(5)] = 40
    people: Annotated[int, Range(20)] = 600
    linkage: Annotated[float, Range(0, 1, open_high=True)] = 0.98
    functional: Annotated[float, Range(0, 1)] = 0.25

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class MosaicCohort:
    """Genotypes and what is planted in them.

    Attributes
    ----------
    genotypes
        Copies of ``alt``, int8 [person, variant].
    variants
        ``chromosome``, ``position`` (1-based), ``ref``, ``alt``, ``id``, ``block``, ``frequency`` (of ``alt``), ``score`` (signed effect
        of ``alt``; 0 where it has none).
    settings
        Settings.
    """

    genotypes: np.ndarray
    variants: pd.DataFrame
    settings: MosaicSettings

    def standardised(self) -> np.ndarray:
        """Genotypes with mean 0 and variance 1, float64 [person, variant]."""
        values = self.genotypes.astype(np.float64)
        return (values - values.mean(0)) / values.std(0)

    def block_rows(self) -> list[np.ndarray]:
        """Variants of each block."""
        return list(
            np.split(
                np.arange(len(self.variants)), np.cumsum(self.variants["block"].value_counts(sort=False))[:-1]
            )
        )


def mosaic_cohort(
    settings: MosaicSettings | None = None,
    seed: int = 0,
    *,
    panel: np.ndarray | None = None,
    people_seed: int = 0,
) -> MosaicCohort:
    """Draw a cohort.

    Parameters
    ----------
    settings
        Size.
    seed
        Seed of panels and scores.
    panel
        Real genotypes (0, 1, 2), [person, variant], from stretches of which every other block is drawn; simulated ones when absent.
    people_seed
        Seed of the people: another one draws other people of the same panels, such as a reference for the linkage.

    Raises
    ------
    InputError
        If the panel has fewer variants than a block.
    """
    settings = settings or MosaicSettings()
    if panel is not None and panel.shape[1] < settings.variants:
        raise InputError(f"the panel has {panel.shape[1]} variants; a block has {settings.variants}")
    random = random_generator(seed, "mosaic cohort", VERSION)
    columns, rows = [], []
    homes = 1 + np.arange(settings.blocks) * CHROMOSOMES // settings.blocks
    for block, chromosome in enumerate(homes.tolist()):
        own = np.flatnonzero(homes == chromosome)
        start = SPAN * (block - int(own[0]) + 1) // (len(own) + 1)
        people = random_generator(people_seed, "mosaic people", seed, block)
        if panel is not None and block % 2:
            first = int(random.integers(panel.shape[1] - settings.variants + 1))
            part = panel[:, first : first + settings.variants]
            columns.append(part[people.integers(0, len(part), settings.people)])
        else:
            haplotypes = _haplotypes(random, settings)
            chosen = people.integers(0, len(haplotypes), (2, settings.people))
            columns.append(haplotypes[chosen[0]] + haplotypes[chosen[1]])
        places = start + np.sort(random.choice(100_000, settings.variants, replace=False))
        refs = random.integers(0, 4, settings.variants)
        alts = (refs + random.integers(1, 4, settings.variants)) % 4
        rows += [
            (str(chromosome), int(place), "ACGT"[ref], "ACGT"[alt], block)
            for place, ref, alt in zip(places, refs, alts)
        ]
    genotypes = np.concatenate(columns, axis=1).astype(np.int8)
    frame = pd.DataFrame(rows, columns=["chromosome", "position", "ref", "alt", "block"])
    frame.insert(4, "id", [f"planted{number}" for number in range(len(frame))])
    functional = random.random(len(frame)) < settings.functional
    frame["score"] = np.where(functional, random.standard_normal(len(frame)), 0.0)
    frame["frequency"] = genotypes.mean(0) / 2
    varies = genotypes.std(0) > 0
    return MosaicCohort(genotypes[:, varies], frame[varies].reset_index(drop=True), settings)


def _haplotypes(random: np.random.Generator, settings: MosaicSettings) -> np.ndarray:
    """Simulate a panel: a chain of normal numbers along the block, cut at the quantile of each allele frequency; int8 [haplotype, variant]."""
    noise = random.standard_normal((_HAPLOTYPES, settings.variants))
    chain = np.empty_like(noise)
    chain[:, 0] = noise[:, 0]
    for place in range(1, settings.variants):
        chain[:, place] = (
            settings.linkage * chain[:, place - 1] + np.sqrt(1 - settings.linkage**2) * noise[:, place]
        )
    frequency = random.beta(0.8, 1.2, settings.variants) * 0.9 + 0.05
    panel = chain < np.quantile(chain, frequency, axis=0).diagonal()
    # alleles of one old haplotype: many variants have a neighbour that says nearly the same, as in people
    for place in range(1, settings.variants):
        if random.random() < _PROXIES:
            panel[:, place] = panel[:, place - 1] ^ (random.random(_HAPLOTYPES) < random.uniform(0, 0.05))
    return panel.astype(np.int8)


def planted_traits(
    cohort: MosaicCohort,
    traits: int,
    seed: int = 0,
    *,
    signed: float = 0.0,
    enriched: bool = False,
    minor_allele: float = 0.0,
    heritability: float = 0.3,
    people: int = 50_000,
) -> np.ndarray:
    """Draw GWAS z-scores of traits, float64 [variant, trait].

    Effects on standardised genotypes are b = signed x score + minor_allele x (direction of the minor allele) + noise, each part scaled to
    variance 1 before; then b is scaled to the heritability, and z = sqrt(people) R b + e with e ~ N(0, R).

    Parameters
    ----------
    cohort
        Cohort, whose linkage R is that of the trait.
    traits
        Number of traits, drawn independently.
    seed
        Seed.
    signed
        Correlation of effect and score.
    enriched
        Whether the noise is larger where the score is, without regard to its sign.
    minor_allele
        Correlation of the effect with the direction of the minor allele.
    heritability
        Of the trait.
    people
        Of the GWAS.
    """
    random = random_generator(seed, "mosaic traits", VERSION)
    score, frequency = cohort.variants["score"].to_numpy(), cohort.variants["frequency"].to_numpy()
    known, minor = score / score.std(), np.where(frequency < 0.5, 1.0, -1.0)
    size = np.sqrt(np.where(score != 0, 4.0, 1.0)) * (1 + np.abs(known)) if enriched else np.ones(len(score))
    noise = random.standard_normal((len(score), traits)) * (size / np.sqrt((size**2).mean()))[:, None]
    rest = np.sqrt(max(0.0, 1 - signed**2 - minor_allele**2))
    effect = signed * known[:, None] + minor_allele * minor[:, None] + rest * noise
    effect *= np.sqrt(heritability / len(score))
    genotypes = cohort.standardised()
    result = np.empty_like(effect)
    for rows in cohort.block_rows():
        own = genotypes[:, rows]
        linkage = own.T @ own / len(own)
        factor = linalg.cholesky(linkage + 1e-6 * np.eye(len(rows)), lower=True)
        result[rows] = np.sqrt(people) * linkage @ effect[rows]
        result[rows] += factor @ random.standard_normal((len(rows), traits))
    return result


def planted_eqtl(
    cohort: MosaicCohort, seed: int = 0, *, tissues: int = 2, explained: float = 0.15
) -> pd.DataFrame:
    """Draw expression of one gene a block, test it and fine-map it (one causal variant; Wakefield 2009).

    The causal variant is one with a score, nearer the start site more often; it raises expression where its score is positive.

    Parameters
    ----------
    cohort
        Cohort.
    seed
        Seed.
    tissues
        Tissues; each gene has the same causal variant in all of them, and other noise.
    explained
        Share of the variance of expression that it explains.

    Returns
    -------
    DataFrame
        In the columns of GTEx: ``variant_id``, ``gene_id``, ``tissue``, ``tss_distance``, ``maf``, ``slope``, ``slope_se``, ``z``, ``pip``;
        and ``causal``, which no study knows.
    """
    random = random_generator(seed, "mosaic eqtl", VERSION)
    genotypes, variants = cohort.standardised(), cohort.variants
    people, parts = len(genotypes), []
    for number, rows in enumerate(cohort.block_rows()):
        own = variants.iloc[rows]
        site = int(own["position"].iloc[int(random.integers(len(own)))])
        distance = own["position"].to_numpy() - site
        weight = np.abs(own["score"].to_numpy()) / (1 + np.abs(distance) / 5_000)
        if not weight.any():
            continue
        causal = int(random.choice(len(own), p=weight / weight.sum()))
        direction = np.sign(own["score"].iloc[causal])
        for tissue in range(tissues):
            expression = direction * np.sqrt(explained) * genotypes[:, rows[causal]]
            expression = expression + np.sqrt(1 - explained) * random.standard_normal(people)
            slope = genotypes[:, rows].T @ (expression - expression.mean()) / people
            error = np.sqrt((expression.var() - slope**2) / people)
            z = slope / error
            prior = 0.15**2 / (0.15**2 + error**2)
            evidence = 0.5 * np.log(1 - prior) + 0.5 * z**2 * prior
            pip = np.exp(evidence - evidence.max())
            alleles = zip(own["chromosome"], own["position"], own["ref"], own["alt"])
            parts.append(
                pd.DataFrame(
                    {
                        "variant_id": [
                            f"chr{name}_{place}_{ref}_{alt}_b38" for name, place, ref, alt in alleles
                        ],
                        "gene_id": f"PLANTED{number:04d}",
                        "tissue": f"tissue{tissue}",
                        "tss_distance": distance,
                        "maf": np.minimum(own["frequency"], 1 - own["frequency"]).to_numpy(),
                        "slope": slope,
                        "slope_se": error,
                        "z": z,
                        "pip": pip / pip.sum(),
                        "causal": np.arange(len(own)) == causal,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)
