"""Positives and matched negatives from fine-mapped eQTL, by the published rule."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.variants.eqtl_inputs import EqtlTable
from cistron.evaluation.variants.settings_eqtl import EqtlSettings
from cistron.runtime.seeds import random_generator

SAME_GENE, OTHER_GENE, GIVEN = "same gene", "other gene", "given"


def choose_variants(
    table: EqtlTable, settings: EqtlSettings, seed: int = 0
) -> tuple[pd.DataFrame, list[str]]:
    """Choose positives and negatives of each tissue.

    Given sets are taken as they are. Else a positive is a variant with more than ``positive_pip``; its negative is drawn from the
    variants of its gene with less than ``negative_pip`` and \\|z\\| above ``negative_z`` (tied to the gene by linkage alone), or, where
    there is none left, of any gene with \\|z\\| above ``other_gene_z``. No variant is taken twice in a tissue.
    Source: Avsec et al. 2021, Methods, "eQTL classification"; Wang et al. 2021.

    Parameters
    ----------
    table
        Associations.
    settings
        Limits of the rule.
    seed
        Seed of the draws.

    Returns
    -------
    chosen : DataFrame
        Rows of the table with ``positive`` (bool) and ``matched`` (of negatives: ``same gene``, ``other gene`` or ``given``).
    remarks : list of str
        What was left out.

    Raises
    ------
    InputError
        If no tissue has a positive and a negative.
    """
    frame = table.frame
    if frame["set"].notna().all():
        positive = frame["set"].to_numpy() == 1
        chosen = frame.assign(positive=positive, matched=np.where(positive, "", GIVEN))
        return _once_each(chosen), []
    parts, unmatched = [], 0
    for tissue, own in frame.groupby("tissue", sort=True):
        found, lost = _of_tissue(own, settings, random_generator(seed, "matched negatives", str(tissue)))
        parts.append(found)
        unmatched += lost
    chosen = pd.concat(parts, ignore_index=True)
    if not chosen["positive"].any():
        high, low = (
            int((frame["pip"] > settings.positive_pip).sum()),
            int((frame["pip"] < settings.negative_pip).sum()),
        )
        raise InputError(
            f"{table.name}: no positive with a matched negative: {high:,} rows have a pip above {settings.positive_pip:g}, {low:,} one below "
            f"{settings.negative_pip:g}; tables of credible sets alone hold no negatives, give the full output of the fine-mapping (with z)"
        )
    remarks = [f"{unmatched:,} positives have no matched negative and are left out"] if unmatched else []
    return chosen, remarks


def _once_each(chosen: pd.DataFrame) -> pd.DataFrame:
    """One row a variant and tissue, positives first: a variant of several genes would lie in training and test."""
    order = np.argsort(~chosen["positive"].to_numpy(), kind="stable")
    return chosen.iloc[order].drop_duplicates(["tissue", "key"]).sort_index().reset_index(drop=True)


def _of_tissue(
    own: pd.DataFrame, settings: EqtlSettings, random: np.random.Generator
) -> tuple[pd.DataFrame, int]:
    """Positives of a tissue with a negative each, and how many had none."""
    positives = own[own["pip"] > settings.positive_pip].sort_values("pip", ascending=False, kind="stable")
    positives = positives.drop_duplicates("key")
    taken = set(positives["key"])
    low = own[(own["pip"] < settings.negative_pip) & ~own["key"].isin(taken)]
    strength = low["z"].abs().to_numpy()
    near, far = low[strength > settings.negative_z], low[strength > settings.other_gene_z]
    pools = {
        gene: _shuffled(rows.index.to_numpy(), random)
        for gene, rows in near[near["gene"].isin(set(positives["gene"]))].groupby("gene", sort=True)
    }
    others = _shuffled(far.index.to_numpy(), random)
    keys = dict(zip(low.index, low["key"]))
    kept: list[int] = []
    drawn: list[int] = []
    kinds: list[str] = []
    order = [positives.index[place] for place in random.permutation(len(positives))]
    # every positive first looks at its own gene, so that one from elsewhere never takes what a gene needs
    waiting = []
    for row in order:
        found = _next(pools.get(own.at[row, "gene"], iter(())), keys, taken)
        if found is None:
            waiting.append(row)
            continue
        kept.append(row)
        drawn.append(found)
        kinds.append(SAME_GENE)
    lost = 0
    for row in waiting:
        found = _next(others, keys, taken)
        if found is None:
            lost += 1
            continue
        kept.append(row)
        drawn.append(found)
        kinds.append(OTHER_GENE)
    return (
        pd.concat(
            [
                own.loc[kept].assign(positive=True, matched=""),
                own.loc[drawn].assign(positive=False, matched=kinds),
            ],
            ignore_index=True,
        ),
        lost,
    )


def _shuffled(rows: np.ndarray, random: np.random.Generator) -> Iterator[int]:
    return iter(random.permutation(rows).tolist())


def _next(pool: Iterator[int], keys: dict[int, str], taken: set[str]) -> int | None:
    """Next row of a pool whose variant was not taken; takes it."""
    for row in pool:
        if keys[row] not in taken:
            taken.add(keys[row])
            return row
    return None
