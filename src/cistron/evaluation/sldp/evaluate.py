"""The task: do signed scores of variants agree with the signs of a GWAS (page ``docs/guide/sldp.md``)?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cistron.errors import InputError
from cistron.evaluation.sldp.linkage import Reference
from cistron.evaluation.sldp.regression import (
    BlockComponents,
    Moments,
    SignedTest,
    block_components,
    block_moments,
    chunks_of,
    estimated_heritability,
    flip_signs,
    linkage_scores,
)
from cistron.evaluation.sldp.settings import SldpSettings
from cistron.evaluation.sldp.summary import Trait
from cistron.evaluation.variants.inputs import Scored, allele_keys
from cistron.formats.scores import score_frame
from cistron.runtime.seeds import random_generator
from cistron.runtime.shards import run_each

TASK = "sldp"
METRIC = "functional_correlation"
_MHC = ("6", 25_000_000, 34_000_000)  # GRCh37 and GRCh38 differ by less than its margins
_LEAST = 10  # blocks


@dataclass(frozen=True)
class SldpResult:
    """Scores table, one row an annotation and trait with its z, facts and warnings."""

    scores: pd.DataFrame
    annotations: pd.DataFrame
    facts: dict[str, Any]
    warnings: list[str]


@dataclass(frozen=True)
class _Joined:
    """Scores of one table on the variants of the reference: row in the table (-1 for none) and sign."""

    table: Scored
    rows: np.ndarray
    sign: np.ndarray

    def values(self, rows: np.ndarray) -> np.ndarray:
        found, sign = self.rows[rows], self.sign[rows]
        return np.where(found >= 0, sign, 0.0)[:, None] * self.table.values[found]


def evaluate_sldp(
    reference: Reference,
    traits: Sequence[Trait],
    scored: Sequence[Scored],
    settings: SldpSettings | None = None,
    *,
    seed: int = 0,
    run_id: str = "none",
) -> SldpResult:
    """Regress the signed effects of traits on the signed LD profiles of all columns of scores, in one pass over the reference.

    Parameters
    ----------
    reference
        Genotypes for the linkage.
    traits
        Summary statistics on its variants.
    scored
        Scores; each column is an annotation, 0 where a variant has none.
    settings
        Settings of the task.
    seed
        Seed of sign flips and control.
    run_id
        Identifier of the run.

    Returns
    -------
    SldpResult
        Rows ``functional_correlation`` (r_f: of the effects of variants and the annotation) with p-value and interval from sign flips;
        ``control_value`` is that of the annotation with a random sign for each variant.

    Raises
    ------
    InputError
        If too few blocks are left, or no score is of a variant of the reference.
    """
    settings = settings or SldpSettings()
    remarks = [text for trait in traits for text in trait.remarks]
    joined = [_join(one, reference) for one in scored]
    coverage: list[dict[str, Any]] = []
    for one in joined:
        here = int((one.rows >= 0).sum())
        coverage.append(
            {
                "scores": one.table.name,
                "joined": here,
                "variants": len(one.rows),
                "given": len(one.table.keys),
            }
        )
        if here < _LEAST:
            raise InputError(
                f"{one.table.name}: {here:,} of its {len(one.table.keys):,} variants are in {reference.name}; are positions of the same genome build, counted from 1?"
            )
        if here < len(one.table.keys):
            remarks.append(
                f"{one.table.name}: {here:,} of {len(one.table.keys):,} variants are in {reference.name}; the others are left out, and variants of it without a score count as 0"
            )
    first = _first_pass(reference, traits, settings)
    remarks += first.remarks
    names = [(one.table.name, column) for one in joined for column in one.table.columns]
    heritability = [
        settings.heritability
        or estimated_heritability(
            first.chi_squared[number], first.linkage[number], trait.people, first.variants
        )
        for number, trait in enumerate(traits)
    ]
    moments, spread, sizes, counted = _second_pass(
        reference, traits, joined, first, heritability, settings, seed
    )
    chunk = chunks_of(sizes, settings.chunks)
    rows, table = [], []
    base = {"task": TASK, "dataset": reference.name, "seed": seed, "run_id": run_id, "metric": METRIC}
    for number, trait in enumerate(traits):
        test = flip_signs(_summed(moments[number], chunk), settings.flips, seed)
        scale = np.sqrt(spread / heritability[number])
        found = _of_trait(test, scale, names)
        q_value = _adjusted(found["p_value"].to_numpy())
        table.append(found.assign(trait=trait.name, q_value=q_value, variants=counted))
        rows += [
            {
                **base,
                "target": trait.name,
                "embedding": row.scores,
                "model": "signed LD profile regression",
                "stratum": row.annotation,
                "value": row.correlation,
                "low": row.low,
                "high": row.high,
                "interval": "95% from the spread of sign flips",
                "n": int(size),
                "null_model": "signs of chunks flipped",
                "null_value": 0.0,
                "control_value": row.control,
                "p_value": row.p_value,
            }
            for row, size in zip(found.itertuples(), counted)
            if np.isfinite(row.correlation)
        ]
    empty = int((counted == 0).sum())
    if empty:
        remarks.append(
            f"{empty:,} of {len(names):,} columns of scores are 0 everywhere in the blocks that are used; they have no row"
        )
    if not rows:
        raise InputError(f"no column of the scores varies over the variants of {reference.name}")
    facts = {
        "coverage": coverage,
        "blocks": len(sizes),
        "dropped": first.dropped,
        "chunks": int(chunk.max()) + 1,
        "variants": first.variants,
        "people": reference.people,
        "annotations": len(names),
        "heritability": {trait.name: round(value, 4) for trait, value in zip(traits, heritability)},
    }
    return SldpResult(score_frame(rows), pd.concat(table, ignore_index=True), facts, remarks)


def _join(scored: Scored, reference: Reference) -> _Joined:
    """Find the score of each variant; letters exchanged turn the sign."""
    variants = reference.variants
    if not reference.has_alleles:
        place = {
            key.partition(">")[0].rsplit(":", 1)[0]: row
            for row, key in reversed(list(enumerate(scored.keys)))
        }
        keys = [f"{name}:{at}" for name, at in zip(variants["chromosome"], variants["position"])]
        rows = np.array([place.get(key, -1) for key in keys], np.int64)
        return _Joined(scored, rows, np.ones(len(rows)))
    place = {key: row for row, key in enumerate(scored.keys)}
    columns = {what: what for what in ("chromosome", "position", "ref", "alt")}
    straight = np.array([place.get(key, -1) for key in allele_keys(variants, columns)], np.int64)
    turned = allele_keys(variants, columns | {"ref": "alt", "alt": "ref"})
    other = np.array([place.get(key, -1) for key in turned], np.int64)
    return _Joined(scored, np.where(straight >= 0, straight, other), np.where(straight >= 0, 1.0, -1.0))


@dataclass(frozen=True)
class _First:
    """What the first pass finds: frequencies, LD scores, what is dropped."""

    frequency: np.ndarray
    used: np.ndarray
    chi_squared: list[np.ndarray]
    linkage: list[np.ndarray]
    variants: int
    dropped: int
    remarks: list[str]


def _standardised(genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standardised genotypes (0 where missing) of variants that vary, which these are, and frequencies of all."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(genotypes)
        number = np.maximum(known.sum(0), 1)
        mean = np.where(known, genotypes, 0).sum(0) / number
        centred = np.where(known, genotypes - mean, 0)
    deviation = np.sqrt((centred**2).sum(0) / len(genotypes))
    varies = deviation > 1e-9
    return centred[:, varies] / deviation[varies], varies, mean / 2


def _in_mhc(variants: pd.DataFrame, rows: np.ndarray) -> bool:
    own = variants.iloc[rows]
    place = own["position"].to_numpy()
    return bool(own["chromosome"].iloc[0] == _MHC[0] and place.max() >= _MHC[1] and place.min() <= _MHC[2])


def _first_pass(reference: Reference, traits: Sequence[Trait], settings: SldpSettings) -> _First:
    frequency, used = np.full(len(reference.variants), np.nan), np.zeros(len(reference.variants), bool)
    linkage: list[list[np.ndarray]] = [[] for _ in traits]
    chi: list[list[np.ndarray]] = [[] for _ in traits]
    blocks = 0
    number = int(reference.variants["block"].nunique())
    every = reference.rows_of_blocks()
    kept = [rows for rows in every if settings.keep_mhc or not _in_mhc(reference.variants, rows)]
    dropped = number - len(kept)
    items = [{"rows": rows} for rows in kept]
    found = run_each(
        _linkage_of_block, items, {"source": reference.source}, description="LD scores", unit="blocks"
    )
    for rows, (varies, own, scores) in zip(kept, found):
        frequency[rows] = own
        used[rows] = varies
        if not varies.any():
            continue
        blocks += 1
        for place, trait in enumerate(traits):
            z = trait.z[rows[varies]]
            told = np.isfinite(z)
            linkage[place].append(scores[told])
            chi[place].append(z[told] ** 2)
    if blocks < _LEAST:
        raise InputError(
            f"{reference.name}: {blocks} linkage blocks with variants; signs of at least {_LEAST} are flipped (blocks come from the file, --blocks or --block-length)"
        )
    remarks = (
        [f"{dropped:,} block{'' if dropped == 1 else 's'} of the MHC (chromosome 6, 25 to 34 Mb) left out"]
        if dropped
        else []
    )
    return _First(
        frequency,
        used,
        [np.concatenate(one) for one in chi],
        [np.concatenate(one) for one in linkage],
        int(used.sum()),
        dropped,
        remarks,
    )


def _linkage_of_block(source: Any, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which variants of a block vary, frequencies of all, LD scores of those that vary."""
    values, varies, frequency = _standardised(source.read(rows))
    return varies, frequency, linkage_scores(values) if varies.any() else np.zeros(0)


def _background(frequency: np.ndarray, used: np.ndarray, bins: int) -> np.ndarray:
    """Direction of the minor allele in bins of its frequency, equally many variants each; float64 [variant, bin]."""
    minor = np.minimum(frequency, 1 - frequency)
    result = np.zeros((len(frequency), bins))
    if not bins:
        return result
    edges = np.quantile(minor[used], np.linspace(0, 1, bins + 1)[1:-1])
    rows = np.flatnonzero(used)
    result[rows, np.searchsorted(edges, minor[rows], side="right")] = np.where(
        frequency[rows] <= 0.5, 1.0, -1.0
    )
    return result


def _second_pass(
    reference: Reference,
    traits: Sequence[Trait],
    joined: Sequence[_Joined],
    first: _First,
    heritability: Sequence[float],
    settings: SldpSettings,
    seed: int,
) -> tuple[list[list[Moments]], np.ndarray, list[int], np.ndarray]:
    """Moments of each trait and block, v' R v and number of scored variants of each annotation, sizes of blocks."""
    background = _background(first.frequency, first.used, settings.background_bins)
    number = sum(len(one.table.columns) for one in joined)
    moments: list[list[Moments]] = [[] for _ in traits]
    spread, counted, sizes = np.zeros(2 * number), np.zeros(number, np.int64), []
    items = [
        {"block": block, "rows": rows, "kept": kept}
        for block, rows in enumerate(reference.rows_of_blocks())
        if len(kept := rows[first.used[rows]])
    ]
    shared = {
        "source": reference.source,
        "traits": traits,
        "joined": joined,
        "background": background,
        "variances": [one / first.variants for one in heritability],
        "kept_variance": settings.kept_variance,
        "seed": seed,
    }
    for found in run_each(_moments_of_block, items, shared, description="signed LD profiles", unit="blocks"):
        if found is None:
            continue  # a block that one of the traits does not have says nothing of it
        of_traits, size, here, products = found
        for place, one in enumerate(of_traits):
            moments[place].append(one)
        sizes.append(size)
        counted += here
        spread += products[: 2 * number]
    if len(sizes) < _LEAST:
        raise InputError(
            f"{len(sizes)} linkage blocks have variants of all traits; signs of at least {_LEAST} are flipped"
        )
    return moments, spread, sizes, counted


def _moments_of_block(
    source: Any,
    traits: Sequence[Trait],
    joined: Sequence[_Joined],
    background: np.ndarray,
    variances: Sequence[float],
    kept_variance: float,
    seed: int,
    block: int,
    rows: np.ndarray,
    kept: np.ndarray,
) -> tuple[list[Moments], int, np.ndarray, np.ndarray] | None:
    """Moments of each trait, number of variants, scored variants and v' R v of each annotation; ``None`` if a trait lacks the block."""
    values, _, _ = _standardised(source.read(rows))
    own = np.concatenate([one.values(kept) for one in joined], axis=1)
    signs = random_generator(seed, "random signs", block).choice([-1.0, 1.0], (len(kept), 1))
    together = np.concatenate([own, own * signs, background[kept]], axis=1)
    done: dict[bytes, BlockComponents] = {}
    moments = []
    for trait, variance in zip(traits, variances):
        typed = np.isfinite(trait.effects[kept])
        if not typed.any():
            return None
        key = typed.tobytes()
        if key not in done:
            done[key] = block_components(values, together, typed, kept_variance)
        effects = trait.effects[kept][typed][:, None]
        moments.append(block_moments(done[key], effects, trait.people, variance, background.shape[1]))
    return moments, len(kept), (own != 0).sum(0), next(iter(done.values())).spread


def _summed(moments: Sequence[Moments], chunk: np.ndarray) -> list[Moments]:
    result: dict[int, Moments] = {}
    for number, one in zip(chunk.tolist(), moments):
        result[number] = result[number] + one if number in result else one
    return list(result.values())


def _of_trait(test: SignedTest, scale: np.ndarray, names: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """One row an annotation; the second half of the statistics is of the control."""
    number = len(names)
    value, error = (part[:, 0] * scale for part in (test.effect, test.error))
    return pd.DataFrame(
        {
            "scores": [name for name, _ in names],
            "annotation": [column for _, column in names],
            "correlation": value[:number],
            "low": (value - 1.96 * error)[:number],
            "high": (value + 1.96 * error)[:number],
            "z": test.z[:number, 0],
            "p_value": test.p_value[:number, 0],
            "control": value[number:],
            "control_p_value": test.p_value[number:, 0],
        }
    )


def _adjusted(p_values: np.ndarray) -> np.ndarray:
    """q-values over the annotations of a trait (Benjamini and Hochberg)."""
    known = np.isfinite(p_values)
    result = np.full(len(p_values), np.nan)
    if known.any():
        result[known] = stats.false_discovery_control(p_values[known])
    return result
