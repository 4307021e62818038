"""Genotypes of a reference for the linkage, block by block: PLINK files by a library, or an npz file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.npz import read_npz
from cistron.genes.chromosomes import human_chromosomes, normalise_chromosomes

_KEYS = ("genotypes", "chromosome", "position")


class _Source(Protocol):
    def read(self, rows: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Reference:
    """A reference panel.

    Attributes
    ----------
    name
        Name of the files.
    variants
        ``chromosome``, ``position`` (1-based), ``ref``, ``alt`` (the counted allele; both empty where the file does not tell), ``id``, ``block``.
    people
        Number of people.
    source
        Where genotypes are read from.
    """

    name: str
    variants: pd.DataFrame
    people: int
    source: _Source

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows of each block and its genotypes, float64 [person, variant], NaN where missing."""
        for rows in self.rows_of_blocks():
            yield rows, self.source.read(rows)

    def rows_of_blocks(self) -> list[np.ndarray]:
        """Rows of each block, int [variant]."""
        return list(self.variants.groupby("block", sort=True).indices.values())

    @property
    def has_alleles(self) -> bool:
        """Whether the alleles are told."""
        return bool((self.variants["alt"] != "").all())


@dataclass(frozen=True)
class _Array:
    genotypes: np.ndarray

    def read(self, rows: np.ndarray) -> np.ndarray:
        values = self.genotypes[:, rows].astype(np.float64)
        if np.issubdtype(self.genotypes.dtype, np.integer):
            values[values < 0] = np.nan
        return values


@dataclass(frozen=True)
class _Plink:
    path: Path

    def __reduce__(self) -> Any:
        return _Plink, (self.path.absolute(),)

    def read(self, rows: np.ndarray) -> np.ndarray:
        from bed_reader import open_bed

        with open_bed(self.path, num_threads=1) as bed:
            return np.asarray(bed.read(index=(slice(None), rows), dtype="float32"), np.float64)


def read_reference(
    path: str | Path, *, blocks: str | Path | None = None, block_length: int = 1_000_000
) -> Reference:
    """Open a reference: the prefix or ``.bed`` of PLINK files (needs bed-reader), or ``.npz``.

    Parameters
    ----------
    path
        ``.npz`` with ``genotypes`` [person, variant], ``chromosome``, ``position`` and where there are ``block``, ``ref``, ``alt`` (the
        counted allele), ``id``; or PLINK files, whose allele 1 is counted.
    blocks
        BED of linkage blocks; variants outside of all are left out.
    block_length
        Base pairs of blocks where neither names any.

    Raises
    ------
    InputError
        If the files cannot be read, keys are absent, or no variant lies in a block.
    """
    path = Path(path)
    variants, people, source = _from_npz(path) if path.suffix == ".npz" else _from_plink(path)
    if blocks is not None:
        variants["block"] = _within(variants, Path(blocks))
        if (variants["block"] < 0).all():
            raise InputError(
                f"no variant of {path.name} lies in a block of {Path(blocks).name}; are they of the same build?"
            )
    elif "block" not in variants:
        place = variants["position"].to_numpy(np.int64) // block_length
        order = dict.fromkeys(variants["chromosome"])
        code = (
            variants["chromosome"].map({name: number for number, name in enumerate(order)}).to_numpy(np.int64)
        )
        variants["block"] = np.unique(code * 10**6 + place, return_inverse=True)[1]
    kept = variants["block"].to_numpy() >= 0
    if not kept.all():
        source = _Rows(source, np.flatnonzero(kept))
    return Reference(path.name, variants[kept].reset_index(drop=True), people, source)


@dataclass(frozen=True)
class _Rows:
    """Some variants of another source."""

    source: _Source
    rows: np.ndarray

    def read(self, rows: np.ndarray) -> np.ndarray:
        return self.source.read(self.rows[rows])


def _from_npz(path: Path) -> tuple[pd.DataFrame, int, _Source]:
    found = read_npz(path)
    absent = [name for name in _KEYS if name not in found]
    if absent:
        raise InputError(
            f"{path.name} has no array {absent[0]!r}; expected {', '.join(_KEYS)} and where there are block, ref, alt, id. Given: {', '.join(found)}"
        )
    genotypes = found["genotypes"]
    if (
        genotypes.ndim != 2
        or genotypes.shape[0] < 3
        or any(
            len(np.ravel(found[name])) not in (1, genotypes.shape[1]) for name in found if name != "genotypes"
        )
    ):
        raise InputError(
            f"{path.name}: genotypes must be [person, variant] with one value of each other array a variant. Given: {genotypes.shape}, "
            + ", ".join(f"{name} {found[name].shape}" for name in found if name != "genotypes")
        )
    size = genotypes.shape[1]
    wide = {
        name: np.broadcast_to(np.ravel(values), size) for name, values in found.items() if name != "genotypes"
    }
    frame = pd.DataFrame(
        {
            "chromosome": normalise_chromosomes([str(name) for name in wide["chromosome"]]),
            "position": wide["position"].astype(np.int64),
            "ref": wide["ref"].astype(str) if "ref" in wide else "",
            "alt": wide["alt"].astype(str) if "alt" in wide else "",
            "id": wide["id"].astype(str) if "id" in wide else "",
        }
    )
    if "block" in wide:
        frame["block"] = np.unique(wide["block"], return_inverse=True)[1]
    return frame, len(genotypes), _Array(genotypes)


def _from_plink(path: Path) -> tuple[pd.DataFrame, int, _Source]:
    try:
        from bed_reader import open_bed
    except ImportError as error:
        raise InputError(
            "PLINK files are read by bed-reader, which is not installed: pip install bed-reader (or the extra 'linkage')"
        ) from error
    stem = path.with_suffix("") if path.suffix in (".bed", ".bim", ".fam") else path
    for suffix in (".bed", ".bim", ".fam"):
        if not stem.with_name(stem.name + suffix).is_file():
            raise InputError(
                f"{stem.name}{suffix} does not exist; a reference is .npz or the three files .bed, .bim and .fam of PLINK"
            )
    bed_path = stem.with_name(stem.name + ".bed")
    try:
        with open_bed(bed_path) as bed:
            frame = pd.DataFrame(
                {
                    "chromosome": human_chromosomes([str(name) for name in bed.chromosome]),
                    "position": bed.bp_position.astype(np.int64),
                    "ref": bed.allele_2.astype(str),
                    "alt": bed.allele_1.astype(str),
                    "id": bed.sid.astype(str),
                }
            )
            people = int(bed.iid_count)
            bed.read(index=(slice(0, 1), slice(-1, None)), dtype="float32")  # a cut file is told now
    except (OSError, ValueError, IndexError) as error:
        raise InputError(
            f"{bed_path.name} cannot be read as PLINK files ({error}); one of the three may be cut"
        ) from error
    return frame, people, _Plink(bed_path)


def _within(variants: pd.DataFrame, path: Path) -> np.ndarray:
    """Block of each variant by a BED, -1 outside of all."""
    rows = [
        line.split()
        for line in path.read_text().splitlines()
        if line.strip() and not line.startswith(("#", "track", "browser"))
    ]
    if rows and not all(cell.isdigit() for cell in rows[0][1:3]):
        rows = rows[1:]  # LDetect's files have a header
    if not rows or any(len(row) < 3 or not (row[1].isdigit() and row[2].isdigit()) for row in rows):
        raise InputError(
            f"{path.name} is not a BED of linkage blocks; expected chromosome, start and end in each line"
        )
    return _assign(
        variants,
        normalise_chromosomes([row[0] for row in rows]),
        [(int(row[1]), int(row[2])) for row in rows],
    )


def _assign(variants: pd.DataFrame, names: Sequence[str], spans: Sequence[tuple[int, int]]) -> np.ndarray:
    result = np.full(len(variants), -1, np.int64)
    place = variants["position"].to_numpy(np.int64) - 1
    chromosome = variants["chromosome"].to_numpy(str)
    for number, (name, (low, high)) in enumerate(zip(names, spans)):
        result[(chromosome == name) & (place >= low) & (place < high)] = number
    return result
