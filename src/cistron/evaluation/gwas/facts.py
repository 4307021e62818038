"""What the reader of a GWAS result must know beside the scores: traits, projection, warnings."""

from typing import Any

import pandas as pd

from cistron.evaluation.gwas.coverage import Scored
from cistron.evaluation.gwas.predictions import Task
from cistron.evaluation.gwas.scoring import Subset
from cistron.evaluation.gwas.traits import PUBLISHED_SUBSET, independent_subset
from cistron.runtime.progress import say


def trait_subsets(z: pd.DataFrame) -> list[Subset]:
    """Sets of traits over which medians are reported: all, the published subset, and an own one with |r| < 0.5."""
    names = list(z.columns)
    subsets = [Subset(f"median of {len(names)} trait{'s' * (len(names) > 1)}", tuple(names))]
    if len(names) == 1:
        return subsets
    published = tuple(name for name in names if name in PUBLISHED_SUBSET)
    if len(published) >= 2:
        subsets.append(Subset(f"median of published subset ({len(published)} traits)", published))
    own = tuple(independent_subset(z))
    if 2 <= len(own) < len(names):
        subsets.append(Subset(f"median of own subset (|r| < 0.5, {len(own)} traits)", own))
    return subsets


def trait_facts(tasks: list[Task], subsets: list[Subset]) -> list[dict[str, Any]]:
    """One record a trait: genes, variance of z, subsets that it belongs to, covariates."""

    def member(word: str, trait: str) -> bool:
        return any(word in subset.name and trait in subset.traits for subset in subsets)

    facts = [
        {
            "trait": trait,
            "genes": len(task.design.genes),
            "variance": round(float(task.design.z[:, index].var()), 4),
            "published_subset": member("published subset", trait),
            "own_subset": member("own subset", trait),
            "covariates": list(task.covariates),
        }
        for task in tasks
        for index, trait in enumerate(task.design.traits)
    ]
    return sorted(facts, key=lambda fact: str(fact["trait"]))


def projection_facts(tasks: list[Task], projection: str) -> dict[str, Any]:
    """What was done about linkage, and what the repair of the covariance did for each trait."""
    if projection == "none":
        return {"kind": "none", "meaning": "not whitened: linkage between neighbouring genes is left in"}
    repairs = {
        trait: {
            "smallest_eigenvalue": round(repair.smallest_eigenvalue, 6),
            "variance": round(repair.variance, 4),
            "ridge": round(repair.ridge, 4),
            "smallest_after": round(repair.smallest_after, 6),
        }
        for task in tasks
        if task.problem.linkage is not None
        for trait, repair in zip(task.design.traits, task.problem.linkage.repairs())
    }
    meaning = {
        "whiten": "generalised least squares with the repaired covariance of the genes",
        "paper": "the published projection L = chol(inverse covariance), which does not whiten",
    }[projection]
    return {"kind": projection, "meaning": meaning, "repairs": repairs}


def gather_warnings(
    tasks: list[Task], scored: list[Scored], scores: pd.DataFrame, projection: str, warnings: list[str]
) -> None:
    """Add to ``warnings`` what the scores alone do not tell, and say each of them."""
    if projection == "none":
        warnings.append(
            "not whitened: no matching .genes.raw file was given, so linkage between genes is left in"
        )
    if projection == "paper":
        warnings.append("the published projection does not whiten; it is here to reproduce the publication")
    covariates = sorted({len(task.covariates) for task in tasks})
    if covariates != [6]:
        warnings.append(
            f"{' or '.join(map(str, covariates))} covariates in the null model: without a .genes.raw file there is no minor allele count"
            if covariates != [0]
            else "the null model is an intercept alone: the traits carry no NSNPS and NPARAM"
        )
    for one in scored:
        facts = one.information
        if facts["matched"] < 0.8 * facts["trait_genes"]:
            warnings.append(
                f"{one.name} covers {facts['matched']:,} of {facts['trait_genes']:,} trait genes; the others get the "
                "missing-gene prediction (see the strata 'covered genes' and 'shared genes')"
            )
    medians = scores[scores["target"].str.startswith("median of") & (scores["stratum"] == "all genes")]
    for kind in ("permuted", "shifted"):
        above = medians[(medians["metric"] == f"delta_r2_{kind}") & (medians["low"] > 0.002)]
        warnings.extend(
            f"the {kind} control of {row.embedding} is above 0 ({row.value:.4f}): do not trust its delta R2"
            for row in above.drop_duplicates("embedding").itertuples()
        )
    for warning in warnings:
        say(f"note: {warning}")
