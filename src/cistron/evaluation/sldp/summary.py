"""GWAS summary statistics, as LDSC, PLINK, the GWAS Catalogue and others write them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.sldp.linkage import Reference
from cistron.genes.chromosomes import normalise_chromosomes
from cistron.runtime.tables import read_text_table

NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("SNP", "rsid", "rs_id", "variant_id", "MarkerName", "ID", "snp"),
        "chromosome": ("CHR", "#CHROM", "chromosome", "chr", "CHROM", "chrom", "#chr"),
        "position": ("BP", "POS", "base_pair_location", "position", "pos", "bp"),
        "effect_allele": ("A1", "effect_allele", "EA", "Allele1", "alt", "ALT", "a1"),
        "other_allele": ("A2", "other_allele", "OA", "NEA", "Allele2", "ref", "REF", "a2"),
        "z": ("Z", "z", "zscore", "Zscore", "Z_STAT", "T_STAT"),
        "effect": ("BETA", "beta", "Effect", "b"),
        "error": ("SE", "standard_error", "se", "StdErr"),
        "people": ("N", "n", "sample_size", "n_total", "N_total", "OBS_CT", "Neff"),
    }
)
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class Trait:
    """A trait on the variants of a reference.

    Attributes
    ----------
    name
        Name of the file.
    z
        z-scores of the counted allele of the reference, float64 [variant]; NaN where the trait has none.
    people
        Mean number of people.
    effects
        z / sqrt(N), float64 [variant].
    remarks
        What was set aside.
    """

    name: str
    z: np.ndarray
    people: float
    effects: np.ndarray
    remarks: tuple[str, ...]


def read_trait(path: str | Path, reference: Reference, people: float | None = None) -> Trait:
    """Read summary statistics and align them with a reference: by place and alleles, or by identifier where there are no places.

    Parameters
    ----------
    path
        Delimited text with the effect allele, the other allele, z (or effect and its error), N, and places or identifiers.
    reference
        The reference.
    people
        Number of people, where the table does not tell.

    Raises
    ------
    InputError
        If columns are absent or too few variants are those of the reference.
    """
    path = Path(path)
    frame = read_text_table(path, "summary statistics").frame
    found = {what: next((name for name in names if name in frame), "") for what, names in NAMES.items()}
    if (
        found["effect_allele"] == "A1"
        and not any(name in frame for name in ("A2",))
        and {"REF", "ALT"} <= set(frame)
    ):
        first = frame["A1"].str.upper()  # PLINK 2: A1 is REF or ALT, the other allele is the other one
        frame = frame.assign(_other=np.where(first == frame["ALT"].str.upper(), frame["REF"], frame["ALT"]))
        found["other_allele"] = "_other"
    places = bool(found["chromosome"] and found["position"])
    needed = ["effect_allele", "other_allele"] + ([] if places else ["id"])
    needed += ["z"] if not (found["effect"] and found["error"]) else []
    absent = [what for what in needed if not found[what]]
    if absent:
        raise InputError(
            f"{path.name} has no column for the {absent[0].replace('_', ' ')}; expected one of {', '.join(NAMES[absent[0]])}. Given: {', '.join(frame.columns[:10])}"
        )
    numbers = {
        what: pd.to_numeric(frame[found[what]], errors="coerce")
        if found[what]
        else pd.Series(np.nan, frame.index)
        for what in ("z", "effect", "error", "people")
    }
    z = numbers["z"] if found["z"] else numbers["effect"] / numbers["error"]
    size = numbers["people"].fillna(people if people is not None else np.nan)
    if size.isna().all():
        raise InputError(f"{path.name} does not tell the number of people (column N); give --people")
    table = pd.DataFrame(
        {
            "first": frame[found["effect_allele"]].str.upper().to_numpy(),
            "second": frame[found["other_allele"]].str.upper().to_numpy(),
            "z": z.to_numpy(np.float64),
            "people": size.to_numpy(np.float64),
        }
    )
    variants = reference.variants
    if places:
        table["chromosome"] = normalise_chromosomes(frame[found["chromosome"]].tolist())
        table["position"] = pd.to_numeric(frame[found["position"]], errors="coerce").to_numpy(np.float64)
        join = ["chromosome", "position"]
    else:
        table["id"] = frame[found["id"]].to_numpy()
        join = ["id"]
    known = np.isfinite(table["z"]) & (table["people"] > 0)
    remarks = []
    if not known.all():
        remarks.append(
            f"{path.name}: {int((~known).sum()):,} of {len(known):,} rows are set aside: they have no z or no number of people"
        )
    table = table[known]
    side = variants[[*join, "ref", "alt"]].reset_index(names="row")
    if "position" in join:
        side["position"] = side["position"].astype(np.float64)
    merged = side.merge(table, on=join)
    sign = _signs(merged, reference.has_alleles)
    ambiguous = int((sign == 0).sum())
    if ambiguous:
        remarks.append(
            f"{path.name}: {ambiguous:,} of {len(merged):,} variants of the reference are set aside: other alleles, or A/T and C/G, whose strand cannot be told"
        )
    if not reference.has_alleles:
        remarks.append(
            f"{reference.name} does not tell its alleles: the effect allele of {path.name} is taken for the counted one"
        )
    merged = merged[sign != 0].assign(sign=sign[sign != 0]).drop_duplicates("row")
    if len(merged) < 100:
        raise InputError(
            f"{path.name}: {len(merged):,} variants are those of {reference.name} ({len(variants):,}); are identifiers or the build others?"
        )
    values = np.full(len(variants), np.nan)
    values[merged["row"]] = merged["sign"] * merged["z"]
    effects = np.full(len(variants), np.nan)
    effects[merged["row"]] = merged["sign"] * merged["z"] / np.sqrt(merged["people"])
    name = path.name.removesuffix(".gz").removesuffix(".sumstats").removesuffix(".tsv").removesuffix(".txt")
    return Trait(name, values, float(merged["people"].mean()), effects, tuple(remarks))


def _signs(merged: pd.DataFrame, told: bool) -> np.ndarray:
    """1 where the effect allele is the counted one, -1 where it is the other, 0 where that cannot be told."""
    if not told:
        return np.ones(len(merged), np.int64)
    alt, ref = merged["alt"].str.upper(), merged["ref"].str.upper()
    first, second = merged["first"], merged["second"]
    turned = [text.str.translate(_COMPLEMENT) for text in (first, second)]
    same = ((first == alt) & (second == ref)) | ((turned[0] == alt) & (turned[1] == ref))
    other = ((first == ref) & (second == alt)) | ((turned[0] == ref) & (turned[1] == alt))
    return np.where(same & other, 0, np.where(same, 1, np.where(other, -1, 0)))
