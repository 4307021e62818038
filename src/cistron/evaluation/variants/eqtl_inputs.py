"""Fine-mapped eQTL of tissues, in the columns of SuSiE output or with given sets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.variants.inputs import allele_keys, read_any_table
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genome import build_name

NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "variant": ("variant", "variant_id", "variant_hg38", "variantId", "SNP", "id"),
        "chromosome": ("chromosome", "chrom", "chr", "Chrom"),
        "position": ("position", "pos", "Pos"),
        "ref": ("ref", "Ref", "allele1"),
        "alt": ("alt", "Alt", "allele2"),
        "gene": ("gene", "gene_id", "phenotype_id", "molecular_trait_id"),
        "tissue": ("tissue", "Tissue", "tissue_id", "cell_type", "qtl_group", "dataset_id"),
        "pip": ("pip", "PIP"),
        "z": ("z", "zscore", "z_score"),
        "slope": ("slope", "beta", "beta_marginal", "effect"),
        "error": ("slope_se", "se", "se_marginal"),
        "distance": ("distance", "tss_distance", "distance_to_tss", "dist_to_tss"),
        "frequency": ("frequency", "allele_frequency", "af", "maf", "MAF"),
        "set": ("set", "label"),
    }
)
_NUMBERS = ("pip", "z", "slope", "error", "distance", "frequency")
_VARIANT = re.compile(
    r"(?:chr)?([\w.]+?)[:_-](\d+)[:_-]([ACGTN*-]+)[:_-]([ACGTN*-]+)(?:[:_-](b37|b38|hg19|hg38))?",
    re.IGNORECASE,
)
_BUILDS = {"b37": "GRCh37", "hg19": "GRCh37", "b38": "GRCh38", "hg38": "GRCh38"}
_SETS = {"positive": True, "pos": True, "causal": True, "1": True, "true": True} | dict.fromkeys(
    ("negative", "neg", "control", "0", "false"), False
)


@dataclass(frozen=True)
class EqtlTable:
    """Fine-mapped associations, one row a tissue, gene and variant.

    Attributes
    ----------
    name
        Name of the collection.
    build
        Genome build of the positions; empty where the table does not say.
    frame
        ``tissue``, ``gene``, ``chromosome``, ``position`` (1-based), ``ref``, ``alt``, ``key`` and ``swapped`` (the alleles named as
        in scores, and with the letters exchanged), ``set`` (1, 0, or NaN where the table gives none), ``pip``, ``z``, ``effect``
        (signed, of ``alt``), ``distance`` (absolute, base pairs), ``frequency``; NaN where not given.
    remarks
        What was set aside.
    """

    name: str
    build: str
    frame: pd.DataFrame
    remarks: tuple[str, ...]


def read_eqtl(path: str | Path, build: str = "") -> EqtlTable:
    """Read fine-mapped eQTL: output of SuSiE (GTEx, eQTL Catalogue), or a table with sets of positives and negatives.

    Parameters
    ----------
    path
        Parquet or delimited text with a variant (``chr1_13550_G_A_b38``, or chromosome, position, ref and alt), a gene, and ``pip`` with
        ``z`` (or slope and its error), or ``set``; ``tissue``, ``distance``, ``frequency`` where there are.
    build
        Genome build that is wanted; empty for any.

    Raises
    ------
    InputError
        If columns are absent, variants cannot be read, or the table is of another build.
    """
    path = Path(path)
    frame = read_any_table(path, "eQTL")
    found = {what: next((name for name in names if name in frame), "") for what, names in NAMES.items()}
    if not found["gene"]:
        raise InputError(_absent(path, frame, "gene"))
    if not found["pip"] and not found["set"]:
        raise InputError(
            f"{path.name} has neither a column pip (SuSiE's posterior probability) nor a column set (positive or negative). "
            f"Given: {', '.join(map(str, frame.columns[:8]))}"
        )
    result, own = _places(frame, found, path)
    if own and build and build_name(build) in ("GRCh37", "GRCh38") and build_name(build) != own:
        raise InputError(
            f"{path.name} has positions of {own}, the scores are of {build_name(build)}; score the variants on {own}"
        )
    remarks = []
    for what in _NUMBERS:
        cells = frame[found[what]] if found[what] else pd.Series(np.nan, frame.index)
        result[what] = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
    result["z"] = result["z"].where(result["z"].notna(), result["slope"] / result["error"])
    result["effect"] = result["slope"].where(result["slope"].notna(), result["z"])
    result["distance"] = result["distance"].abs()
    result["gene"] = frame[found["gene"]].astype(str).to_numpy()
    result["tissue"] = (
        frame[found["tissue"]].astype(str).to_numpy() if found["tissue"] else path.name.split(".")[0]
    )
    result["set"] = _sets(frame, found["set"], path)
    told = result["pip"].notna() if not found["set"] else result["set"].notna()
    if ((result["pip"] < 0) | (result["pip"] > 1 + 1e-6)).any():
        raise InputError(
            f"{path.name}: column {found['pip']!r} leaves [0, 1]; expected posterior probabilities"
        )
    if not told.all():
        remarks.append(
            f"{path.name}: {int((~told).sum()):,} of {len(told):,} rows are set aside: they have no {'pip' if not found['set'] else 'set'}"
        )
    result = result[told]
    # SuSiE lists a variant once a credible set: the row with the most probability stands for it
    order = result["pip"].fillna(0).to_numpy().argsort(kind="stable")[::-1]
    kept = result.iloc[order].drop_duplicates(["tissue", "gene", "key"]).sort_index()
    if len(kept) < len(result):
        remarks.append(
            f"{path.name}: {len(result) - len(kept):,} rows repeat a variant of a tissue and gene; the one with the most probability is taken"
        )
    return EqtlTable(
        path.name.split(".")[0],
        own,
        kept.drop(columns=["slope", "error"]).reset_index(drop=True),
        tuple(remarks),
    )


def _absent(path: Path, frame: pd.DataFrame, what: str) -> str:
    return (
        f"{path.name} has no column for the {what}; expected one of {', '.join(NAMES[what])}. "
        f"Given: {', '.join(map(str, frame.columns[:8]))}"
    )


def _places(frame: pd.DataFrame, found: Mapping[str, str], path: Path) -> tuple[pd.DataFrame, str]:
    """Read where variants lie: four columns, or one name."""
    four = ("chromosome", "position", "ref", "alt")
    own = ""
    if all(found[what] for what in four):
        parts = frame[[found[what] for what in four]].astype(str)
        parts.columns = list(four)
    else:
        if not found["variant"]:
            raise InputError(_absent(path, frame, "variant"))
        texts = frame[found["variant"]].astype(str)
        matches = [_VARIANT.fullmatch(text) for text in texts]
        bad = next((place for place, match in enumerate(matches) if match is None), None)
        if bad is not None:
            raise InputError(
                f"{path.name}, row {bad + 1}: the variant {texts.iloc[bad]!r} does not say its alleles; expected chr1_13550_G_A, or columns chromosome, position, ref and alt"
            )
        groups = [match.groups() for match in matches if match is not None]
        parts = pd.DataFrame([group[:4] for group in groups], columns=list(four))
        builds = {_BUILDS[str(group[4]).lower()] for group in groups if group[4]}
        if len(builds) > 1:
            raise InputError(
                f"{path.name} holds variants of {' and '.join(sorted(builds))}; give one of them"
            )
        own = next(iter(builds), "")
    place = pd.to_numeric(parts["position"], errors="coerce")
    if place.isna().any():
        raise InputError(f"{path.name}: {int(place.isna().sum()):,} rows have no position that is a number")
    result = pd.DataFrame(
        {
            "chromosome": [normalise_chromosome(name) for name in parts["chromosome"]],
            "position": place.to_numpy(np.int64),
            "ref": parts["ref"].str.upper().to_numpy(),
            "alt": parts["alt"].str.upper().to_numpy(),
        }
    )
    columns = {what: what for what in four}
    result["key"] = allele_keys(result, columns)
    result["swapped"] = allele_keys(result, columns | {"ref": "alt", "alt": "ref"})
    return result, own


def _sets(frame: pd.DataFrame, column: str, path: Path) -> np.ndarray:
    """Given sets as 1, 0 and NaN."""
    if not column:
        return np.full(len(frame), np.nan)
    words = frame[column].astype(str).str.strip().str.lower()
    empty = words.isin(["", "nan", "none", "<na>"])
    unknown = sorted(set(words[~empty]) - {*_SETS, "1.0", "0.0"})
    if unknown:
        raise InputError(
            f"{path.name}: column {column!r} holds {unknown[0]!r}; expected positive or negative (or 1 and 0)"
        )
    numbers = {**_SETS, "1.0": True, "0.0": False}
    return np.array([np.nan if gone else float(numbers[word]) for word, gone in zip(words, empty)])
