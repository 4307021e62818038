"""Signed LD profile regression on planted cohorts: calibration under nulls, power, what confounders do, and another panel for the linkage.

``python -m benchmarks sldp``. 330 blocks of 40 variants on 22 chromosomes, 600 people; GWAS of 50,000 people, heritability .3; every null
2,000 draws, every power 400. The linkage of half of the rows is of other people of the same panels than that of the traits.
"""

import os
import sys
from pathlib import Path

import numpy as np

from cistron.evaluation.sldp.evaluate import _background
from cistron.evaluation.sldp.regression import (
    Moments,
    SignedTest,
    block_components,
    block_moments,
    flip_signs,
)
from cistron.world.mosaic_cohort import MosaicCohort, MosaicSettings, mosaic_cohort, planted_traits

PEOPLE, HERITABILITY = 50_000, 0.3
PANEL = "sequence/susieR_N3finemapping/N3finemapping.npz"


def real_panel() -> np.ndarray | None:
    """Genotypes of the real locus as 0, 1 and 2; its columns are centred and scaled copies of them."""
    path = Path(os.environ.get("CISTRON_TEST_DATA", "../shared/data")) / PANEL
    if not path.exists():
        return None
    with np.load(path) as arrays:
        values = arrays["X"].astype(np.float64)
    whole = []
    for column in values.T:
        levels = np.unique(column.round(4))
        step = np.diff(levels).min()
        whole.append(np.rint((column - levels[0]) / step).clip(0, 2))
    return np.array(whole, np.int8).T


def prepared(traits: MosaicCohort, linkage: MosaicCohort) -> list:
    """Components of each block of the linkage, with score, its size, score leaning on the minor allele, and background."""
    variants = traits.variants
    score = variants["score"].to_numpy()
    minor = np.where(variants["frequency"] < 0.5, 1.0, -1.0)
    background = _background(variants["frequency"].to_numpy(), np.ones(len(score), bool), 5)
    annotations = np.column_stack([score, np.abs(score), score + minor, background])
    genotypes = linkage.standardised()
    return [
        block_components(genotypes[:, rows], annotations[rows], np.ones(len(rows), bool))
        for rows in traits.block_rows()
    ]


def statistics_of(
    cohort: MosaicCohort, blocks: list, number: int, *, background: bool = True, **planted: object
) -> SignedTest:
    """Statistics of the three annotations on traits."""
    z = planted_traits(cohort, number, 7, heritability=HERITABILITY, people=PEOPLE, **planted)  # type: ignore[arg-type]
    moments = [
        block_moments(block, z[rows] / np.sqrt(PEOPLE), PEOPLE, HERITABILITY / len(z), 5)
        for block, rows in zip(blocks, cohort.block_rows())
    ]
    if not background:
        moments = [Moments(one.xx, one.xb[:, :0], one.xy, one.bb[:0, :0], one.by[:0]) for one in moments]
    return flip_signs(moments, 10_000, 1)


def main() -> None:
    """Print one table."""
    simulated, real = MosaicSettings(), real_panel()
    worlds = [("simulated", None)] + ([("every other block real", real)] if real is not None else [])
    sys.stdout.write(
        "| haplotypes | linkage of | trait | annotation | draws | P(p < .05) | P(p < .01) | mean r_f | planted |\n|---|---|---|---|---|---|---|---|---|\n"
    )
    for name, panel in worlds:
        cohort = mosaic_cohort(simulated, 1, panel=panel)
        others = mosaic_cohort(simulated, 1, panel=panel, people_seed=9)
        if (
            others.genotypes.shape != cohort.genotypes.shape
        ):  # a rare variant that does not vary in one of them
            both = np.intersect1d(cohort.variants["id"], others.variants["id"])
            cohort, others = (_only(one, both) for one in (cohort, others))
        for source, linkage in (("the same people", cohort), ("other people", others)):
            blocks = prepared(cohort, linkage)
            spread = np.sqrt(sum(block.spread[0] for block in blocks) / HERITABILITY)
            rows = [
                ("polygenic", 0, 2000, {}, True, 0.0),
                ("effects larger where the score is, of either sign", 0, 2000, {"enriched": True}, True, 0.0),
                ("the same", 1, 2000, {"enriched": True}, True, 0.0),
                ("minor alleles lower it", 0, 2000, {"minor_allele": 0.1}, True, 0.0),
                ("minor alleles lower it", 2, 2000, {"minor_allele": 0.1}, True, 0.0),
                ("minor alleles lower it", 2, 400, {"minor_allele": 0.1}, False, 0.0),
            ]
            rows += [
                ("follows the score", 0, 400, {"signed": signed}, True, signed)
                for signed in (0.02, 0.035, 0.05, 0.1, 0.2)
            ]
            for trait, place, number, planted, background, truth in rows:
                found = statistics_of(cohort, blocks, number, background=background, **planted)
                p_value, effect = found.p_value[place], found.effect[place] * spread
                words = ("score", "size of the score", "score leaning on the minor allele")[place]
                words += "" if background else ", background left in"
                mean = f"{effect.mean():.3f} +- {effect.std():.3f} | {truth:g}" if place == 0 else " | "
                sys.stdout.write(
                    f"| {name} | {source} | {trait} | {words} | {number:,} | {(p_value < 0.05).mean():.3f} | {(p_value < 0.01).mean():.3f} | {mean} |\n"
                )


def _only(cohort: MosaicCohort, names: np.ndarray) -> MosaicCohort:
    kept = cohort.variants["id"].isin(names).to_numpy()
    return MosaicCohort(
        cohort.genotypes[:, kept], cohort.variants[kept].reset_index(drop=True), cohort.settings
    )
