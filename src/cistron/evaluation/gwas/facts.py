"""What the reader of a GWAS result must know beside the scores: traits, projection, warnings."""

from typing import Any

import pandas as pd

from cistron.evaluation.gwas.coverage import Scored
from cistron.evaluation.gwas.positions import POSITION_NAMES
from cistron.evaluation.gwas.scoring import ALL_GENES, FILLED, POSITIONS_ALONE, Subset
from cistron.evaluation.gwas.tasks import PUBLISHED, Task
from cistron.evaluation.gwas.traits import PUBLISHED_SUBSET, independent_subset
from cistron.evaluation.gwas.variants import Plan
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
            "position_covariates": list(POSITION_NAMES) if task.positional else [],
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
        if task.linkage is not None
        for trait, repair in zip(task.design.traits, task.linkage.repairs())
    }
    meaning = {
        "whiten": "generalised least squares with the repaired covariance of the genes",
        "paper": "the published projection L = chol(inverse covariance), which does not whiten",
    }[projection]
    return {"kind": projection, "meaning": meaning, "repairs": repairs}


def gather_warnings(
    tasks: list[Task],
    scored: list[Scored],
    scores: pd.DataFrame,
    plan: Plan,
    projection: str,
    warnings: list[str],
) -> None:
    """Add to ``warnings`` what the scores alone do not tell, and say each of them.

    Parameters
    ----------
    tasks, scored, scores, plan
        What was fitted and what it gave.
    projection
        ``whiten``, ``none`` or ``paper``.
    warnings
        Warnings so far; others are appended.
    """
    if projection == "none":
        warnings.append(
            "not whitened: no matching .genes.raw file was given, so linkage between genes is left in"
        )
    if projection == "paper":
        warnings.append("the published projection does not whiten; it is here to reproduce the publication")
    warnings += _covariate_warnings(tasks, plan)
    for one in scored:
        facts = one.information
        if facts["matched"] < 0.8 * facts["trait_genes"]:
            warnings.append(
                f"{one.name} covers {facts['matched']:,} of {facts['trait_genes']:,} trait genes; both models are fitted and "
                f"scored on these alone (the stratum '{FILLED}' has the score over all genes)"
            )
    medians = scores[scores["target"].str.startswith("median of")]
    # The first summary is over all traits.
    medians = medians[medians["target"] == medians["target"].iloc[0]] if len(medians) else medians
    warnings += _coverage_warnings(medians)
    warnings += _control_warnings(medians[medians["stratum"] == ALL_GENES], plan)
    for warning in warnings:
        say(f"note: {warning}")


def _covariate_warnings(tasks: list[Task], plan: Plan) -> list[str]:
    found = []
    covariates = sorted({len(task.covariates) for task in tasks})
    if covariates == [0]:
        found.append("the traits carry no NSNPS and NPARAM, so the null model lacks MAGMA's covariates")
    elif not all("inverse minor allele count" in task.covariates for task in tasks):
        found.append(
            f"{' or '.join(map(str, covariates))} covariates besides positions in the null model: without a .genes.raw file there is "
            "no minor allele count"
        )
    if plan.null == PUBLISHED:
        found.append(
            f"the published null model knows nothing of where genes lie; the row '{POSITIONS_ALONE}' says what places gain over it"
            if plan.both_nulls
            else "the published null model knows nothing of where genes lie, and the traits carry no places to compare with"
        )
    number = max(int(task.mhc.sum()) for task in tasks)
    if number and not plan.mhc:
        found.append(
            f"{number:,} genes of the MHC (chromosome 6, 25 to 36 Mb) are left out of fitting and scoring; --keep-mhc keeps them"
        )
    return found


def _coverage_warnings(medians: pd.DataFrame) -> list[str]:
    """Remark where the genes that an embedding lacks move its score by more than its interval."""
    gains = medians[medians["metric"] == "delta_r2"].set_index(["embedding", "stratum"])
    found = []
    for embedding in gains.index.get_level_values("embedding").unique():
        if (embedding, FILLED) not in gains.index:
            continue
        headline, filled = gains.loc[(embedding, ALL_GENES)], gains.loc[(embedding, FILLED)]
        if not headline["low"] <= filled["value"] <= headline["high"]:
            found.append(
                f"{embedding}: delta R2 is {headline['value']:+.4f} on the covered genes and {filled['value']:+.4f} over all genes of the "
                "traits, which is outside the interval: the second figure tells of coverage, not of knowledge"
            )
    return found


def _control_warnings(medians: pd.DataFrame, plan: Plan) -> list[str]:
    found = []
    for kind in plan.kinds:
        above = medians[(medians["metric"] == f"delta_r2_{kind}") & (medians["low"] > 0.002)]
        found += [
            f"the {kind} control of {row.embedding} is above 0 ({row.value:.4f}): do not trust its delta R2"
            for row in above.itertuples()
        ]
    gains = medians[(medians["metric"] == "delta_r2") & (medians["low"] > 0)]["embedding"]
    for kind in plan.kinds:
        rows = medians[(medians["metric"] == f"delta_r2_minus_{kind}") & (medians["low"] <= 0)]
        found += [
            f"{row.embedding} does not clearly gain more than its {kind} control (difference {row.value:+.4f})"
            for row in rows.itertuples()
            if row.embedding in set(gains)
        ]
    return found
