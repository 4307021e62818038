"""Measured effects of variants, and anybody's scores of them, joined by allele."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.tables import first_line
from cistron.formats.variant_scores import SAD, SITE_COLUMNS
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genome import build_name
from cistron.genome.variants import trimmed
from cistron.runtime.tables import read_text_table

NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "element": ("element", "Element"),
        "split": ("split", "Split"),
        "chromosome": ("chromosome", "chrom", "Chrom", "chr"),
        "position": ("position", "Pos", "pos", "pos_grch37_1based", "pos_grch38_1based"),
        "ref": ("ref", "Ref"),
        "alt": ("alt", "Alt"),
        "value": ("value", "Coefficient", "effect"),
        "confidence": ("confidence", "Confidence"),
        "p_value": ("pValue", "p_value", "pvalue"),
        "release": ("Release", "build"),
    }
)
_NEEDED = ("element", "chromosome", "position", "ref", "alt", "value")
TRAIN = "train"
STRETCH = 10  # base pairs that are drawn, and held out, together


@dataclass(frozen=True)
class Measured:
    """Effects in a reporter assay.

    Attributes
    ----------
    name
        Name of the collection.
    build
        Genome build of the positions; empty where the table does not say.
    frame
        One row a variant and element: ``element``, ``train`` (bool), ``key`` (chromosome, position and letters, trimmed),
        ``collection`` (name of the table), ``position``, ``ref``, ``alt``, ``value``, ``confidence`` and ``p_value`` (NaN where not given), ``locus`` (elements that overlap
        have one).
    remarks
        What was set aside.
    """

    name: str
    build: str
    frame: pd.DataFrame
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Scored:
    """Scores of variants: ``values`` float64 [variant, column], ``keys`` of each variant, ``build`` where it is told."""

    name: str
    build: str
    keys: list[str]
    values: np.ndarray
    columns: list[str]


def read_any_table(path: Path, what: str) -> pd.DataFrame:
    """Read Parquet or text."""
    if path.suffix == ".parquet":
        try:
            return pd.read_parquet(path)
        # Damaged metadata makes pyarrow raise nearly anything (KeyError, TypeError, its own errors).
        except Exception as error:
            raise InputError(
                f"{path.name} cannot be read as a table ({first_line(error)}); it may be truncated"
            ) from error
    return read_text_table(path, what).frame


def allele_keys(frame: pd.DataFrame, columns: Mapping[str, str]) -> list[str]:
    """Name alleles so that ``C`` to ``-`` at 11 and ``AC`` to ``A`` at 10 are one."""
    result = []
    cells = zip(*(frame[columns[what]] for what in ("chromosome", "position", "ref", "alt")))
    for name, position, ref, alt in cells:
        letters = [str(text).upper().replace("-", "") for text in (ref, alt)]
        place, old, new = trimmed(int(position), letters[0].encode(), letters[1].encode())
        result.append(f"{normalise_chromosome(str(name))}:{place}:{old.decode()}>{new.decode()}")
    return result


def _found(frame: pd.DataFrame, path: Path, needed: Sequence[str]) -> dict[str, str]:
    found = {what: next((name for name in names if name in frame), "") for what, names in NAMES.items()}
    absent = [what for what in needed if not found[what]]
    if absent:
        raise InputError(
            f"{path.name} has no column for the {absent[0]} of a variant; expected one of {', '.join(NAMES[absent[0]])}. "
            f"Given: {', '.join(map(str, frame.columns[:8]))}"
        )
    return found


def read_measured(path: str | Path, build: str = "") -> Measured:
    """Read effects of a reporter assay: the CAGI5 tables, satMut tables, or the same under other common names.

    Parameters
    ----------
    path
        Parquet or delimited text; positions are counted from 1, ``-`` is a deletion.
    build
        Genome build that is wanted, where the table holds several (``Release``).

    Raises
    ------
    InputError
        If columns are absent or hold no numbers, or the table is of another build.
    """
    path = Path(path)
    frame = read_any_table(path, "measured effects")
    columns = _found(frame, path, _NEEDED)
    own, remarks = _build_of(frame, columns, path, build)
    if columns["release"]:
        frame = frame[[build_name(str(name)) == own for name in frame[columns["release"]]]]
    numbers = {}
    for what in ("position", "value", "confidence", "p_value"):
        cells = frame[columns[what]] if columns[what] else pd.Series(np.nan, frame.index)
        numbers[what] = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
    kept = np.isfinite(numbers["position"]) & np.isfinite(numbers["value"])
    if not kept.any():
        raise InputError(f"{path.name}: no row has a position and a value that are numbers")
    if not kept.all():
        remarks.append(
            f"{path.name}: {int((~kept).sum()):,} of {len(kept):,} rows are set aside: they have no position or no value"
        )
    frame = frame[kept]
    result = pd.DataFrame(
        {
            "collection": path.name.split(".")[0],
            "element": frame[columns["element"]].astype(str).to_numpy(),
            "train": (frame[columns["split"]].astype(str).str.lower() == TRAIN).to_numpy()
            if columns["split"]
            else False,
            "chromosome": [normalise_chromosome(str(name)) for name in frame[columns["chromosome"]]],
            "position": numbers["position"][kept].astype(np.int64),
            "ref": frame[columns["ref"]].astype(str).str.upper().to_numpy(),
            "alt": frame[columns["alt"]].astype(str).str.upper().to_numpy(),
            "value": numbers["value"][kept],
            "confidence": numbers["confidence"][kept],
            "p_value": numbers["p_value"][kept],
            "key": allele_keys(frame.assign(**{columns["position"]: numbers["position"][kept]}), columns),
        }
    )
    if not result["train"].any():  # no split is given: every other stretch
        result["train"] = (result["position"] // STRETCH) % 2 == 0
    result["locus"] = _loci(result)
    return Measured(path.name.split(".")[0], own, result.reset_index(drop=True), tuple(remarks))


def join_measured(tables: Sequence[Measured]) -> Measured:
    """Put several collections together: what overlaps on the genome is one locus, whichever table it stands in.

    An element that stands in several tables gets the name of its table behind its own.

    Raises
    ------
    InputError
        If the tables are of several genome builds.
    """
    builds = sorted({one.build for one in tables if one.build})
    if len(builds) > 1:
        raise InputError(
            f"{tables[0].name} and {tables[1].name} are of {' and '.join(builds)}; give tables of one build (--build where a table holds both)"
        )
    known = [set(one.frame["element"]) for one in tables]
    frames = []
    for number, one in enumerate(tables):
        others = set().union(*(names for place, names in enumerate(known) if place != number))
        names = {name: f"{name} ({one.name})" if name in others else name for name in known[number]}
        frames.append(one.frame.assign(element=one.frame["element"].map(names), collection=one.name))
    frame = pd.concat(frames, ignore_index=True)
    frame["locus"] = _loci(frame)
    remarks = tuple(text for one in tables for text in one.remarks)
    return Measured(" and ".join(one.name for one in tables), builds[0] if builds else "", frame, remarks)


def _build_of(
    frame: pd.DataFrame, columns: Mapping[str, str], path: Path, build: str
) -> tuple[str, list[str]]:
    if columns["release"]:
        builds = sorted({build_name(str(name)) for name in frame[columns["release"]]})
        own = build_name(build) if build else builds[0]
        if own not in builds or (len(builds) > 1 and not build):
            raise InputError(
                f"{path.name} holds positions of {' and '.join(builds)}, the scores are of {build or 'a build that they do not name'}; give scores of one of them, or --build"
            )
        return own, []
    told = (
        "GRCh37" if "grch37" in columns["position"] else "GRCh38" if "grch38" in columns["position"] else ""
    )
    if told and build and build_name(build) in ("GRCh37", "GRCh38") and build_name(build) != told:
        raise InputError(
            f"{path.name} has positions of {told}, the scores are of {build_name(build)}; score the variants on {told}"
        )
    return told, []


def _loci(frame: pd.DataFrame) -> np.ndarray:
    """Number elements so that those that overlap on the genome have one number: they are the same DNA."""
    spans = frame.groupby("element", sort=False).agg(
        chromosome=("chromosome", "first"), low=("position", "min"), high=("position", "max")
    )
    spans = spans.sort_values(["chromosome", "low"])
    number, reach, last, found = -1, -1, "", {}
    for row in spans.itertuples():
        if row.chromosome != last or row.low > reach:
            number, reach, last = number + 1, row.high, row.chromosome
        reach = max(reach, row.high)
        found[row.Index] = number
    return frame["element"].map(found).to_numpy()


def read_scored(path: str | Path) -> Scored:
    """Read scores of variants: a table of ``cistron sequence variants``, or any with chromosome, position, ref, alt and numbers.

    Parameters
    ----------
    path
        Parquet or delimited text. Columns ``sad:`` are taken where there are any, else all that are numbers.

    Raises
    ------
    InputError
        If columns are absent or no column holds numbers.
    """
    path = Path(path)
    frame = read_any_table(path, "scores")
    columns = _found(frame, path, ("chromosome", "position", "ref", "alt"))
    used = {*columns.values(), *SITE_COLUMNS}
    named = [str(name) for name in frame if str(name).startswith(SAD)]
    numeric = named or [
        str(name)
        for name in frame
        if name not in used and pd.to_numeric(frame[name], errors="coerce").notna().all()
    ]
    if not numeric:
        raise InputError(
            f"{path.name} has no column of scores: expected sad:TRACK, or columns of numbers beside chromosome, position, ref and alt"
        )
    values = frame[numeric].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    if not np.isfinite(values).all():
        raise InputError(
            f"{path.name}: scores are missing or infinite in {int((~np.isfinite(values)).any(1).sum()):,} rows; give each variant its scores"
        )
    positions = pd.to_numeric(frame[columns["position"]], errors="coerce")
    if positions.isna().any():
        raise InputError(
            f"{path.name}: {int(positions.isna().sum()):,} rows have no position that is a number"
        )
    return Scored(path.name.split(".")[0], _header_build(path), allele_keys(frame, columns), values, numeric)


def _header_build(path: Path) -> str:
    """Genome build of a table of variant scores; empty of any other."""
    if path.suffix != ".parquet":
        return ""
    import json

    import pyarrow.parquet as pq

    header = (pq.read_schema(path).metadata or {}).get(b"cistron.header", b"{}")
    return str(json.loads(header).get("genome_build", ""))
