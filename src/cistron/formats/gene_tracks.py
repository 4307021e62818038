"""Tracks around start sites with the expression of the genes beside: what the chromatin wing fits on.

A store of :mod:`cistron.formats.tracks` (sequences = genes, in the direction of transcription) with two more parts: an array
``expression`` [gene, cell type] and the origin of each track.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr

from cistron.errors import IdentifierError, InputError
from cistron.formats.store import CHECKED, attribute, open_store, stored_array
from cistron.formats.tracks import Tracks, create_tracks, open_tracks

GENES_PER_CHUNK = 64
ORIGIN_COLUMNS = ("cell_type", "mark", "source", "kind", "sha256")
# parameters that say what bins and marks are, where they are not plain
LAYOUT = ("gene_body_bins", "distal_marks")
KINDS = ("measured", "imputed")
_WHAT = "a store of 'cistron chromatin build'"
_BETWEEN = re.compile(r"[\s_\-\u2010-\u2015\u2212]+")


@dataclass(frozen=True)
class GeneTracks:
    """An open store of tracks around start sites.

    Attributes
    ----------
    tracks
        The store: ``values`` float32 [gene, cell type, mark, bin] on disk, ``measured`` bool [cell type, mark].
    expression
        float32 [gene, cell type], NaN where it was not measured; ``None`` where the store has none.
    scale
        What the expression is, for example ``log1p_tpm``; empty without.
    origin
        One row a track: cell type, mark, source, ``measured`` or ``imputed``, SHA-256.
    path
        Folder of the store.
    """

    tracks: Tracks
    expression: np.ndarray | None
    scale: str
    origin: pd.DataFrame
    path: Path

    @property
    def genes(self) -> list[str]:
        """Identifiers of the genes."""
        return self.tracks.sequences["name"].tolist()

    @property
    def marks(self) -> list[str]:
        """Names of the marks."""
        return self.tracks.tracks["name"].tolist()

    @property
    def cell_types(self) -> list[str]:
        """Names of the cell types."""
        return self.tracks.cell_types

    @property
    def bins(self) -> int:
        """Number of bins of a window."""
        return int(self.tracks.values.shape[3])

    @property
    def parameters(self) -> dict[str, Any]:
        """How the values were made: transform, treatment of uncovered base pairs."""
        return dict(json.loads(self.tracks.header["parameters"]))

    @property
    def gene_body_bins(self) -> int:
        """Bins behind the start site that span the gene body, each gene's scaled to them; 0 where all bins are of one size."""
        return int(self.parameters.get("gene_body_bins", 0))

    @property
    def distal(self) -> np.ndarray:
        """Which marks are tracks over distal elements, the same number in all bins of a gene, bool [mark]."""
        return np.isin(self.marks, list(self.parameters.get("distal_marks", ())))

    def require_start_site_bins(self, what: str) -> None:
        """Raise where gene bodies are scaled, because a place in the genome is no bin of one size there."""
        if self.gene_body_bins:
            raise InputError(
                f"{self.path.name} has gene bodies scaled to {self.gene_body_bins:,} bins, and {what} needs bins of one size; build without "
                "--gene-body-bins"
            )

    def positions(self) -> np.ndarray:
        """Left ends of the bins in base pairs from the start site, int [bin]; in scaled gene bodies as if they were not scaled."""
        return (np.arange(self.bins) - self.bins // 2) * self.tracks.bin_size

    def require_expression(self) -> np.ndarray:
        """Give the expression, or say that there is none."""
        if self.expression is None:
            raise InputError(
                f"{self.path} has no expression; build it again with --expression to fit or score on it"
            )
        return self.expression

    def gene_numbers(self, names: Sequence[str]) -> np.ndarray:
        """Give the rows of genes by identifier or symbol.

        Raises
        ------
        IdentifierError
            If a name is not among them.
        """
        known = {name: number for number, name in enumerate(self.genes)}
        if "symbol" in self.tracks.sequences:
            known = {str(s): n for n, s in enumerate(self.tracks.sequences["symbol"])} | known
        absent = [name for name in names if name not in known]
        if absent:
            raise IdentifierError(
                f"{len(absent):,} of {len(names):,} genes are not in {self.path.name}, for example {absent[0]}; its genes look "
                f"like {self.genes[0]}"
            )
        return np.array([known[name] for name in names], dtype=np.int64)


def bare_name(name: str) -> str:
    """Reduce a name to a form without case, blanks, hyphens and underscores, to find two spellings of one name."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", name)).casefold()


def require_distinct(names: Iterable[str], what: str) -> None:
    """Raise if two names differ only in case, blanks, hyphens or underscores, because one mark would then be two tracks.

    Parameters
    ----------
    names
        Names; the same name may stand more than once.
    what
        What they are names of, for the message.

    Raises
    ------
    InputError
        Naming the two.
    """
    seen: dict[str, str] = {}
    for name in dict.fromkeys(map(str, names)):
        other = seen.setdefault(bare_name(name), name)
        if other != name:
            raise InputError(
                f"{what} {other!r} and {name!r} differ in case, blanks or hyphens only; write one name the same way everywhere"
            )


def create_gene_tracks(
    path: str | Path,
    *,
    genes: pd.DataFrame,
    cell_types: Sequence[str],
    marks: Sequence[str],
    bins: int,
    bin_size: int,
    measured: np.ndarray,
    expression: np.ndarray | None,
    scale: str,
    origin: pd.DataFrame,
    name: str,
    method: str,
    genome_build: str = "",
    licence: str = "",
    parameters: Mapping[str, Any] | None = None,
    chromosomes: Mapping[str, int] | None = None,
) -> GeneTracks:
    """Make a store whose values are still to be written.

    Parameters
    ----------
    path
        Folder to make.
    genes
        Columns of a sequence (name, chromosome, start, end, strand), optional ``symbol`` and ``split``.
    cell_types, marks
        Names along the second and third axis.
    bins, bin_size
        Size of a window.
    measured
        bool [cell type, mark].
    expression
        float [gene, cell type] or ``None``.
    scale
        What it is: ``log1p_tpm``, ``log1p_counts``, ...
    origin
        Columns of :data:`ORIGIN_COLUMNS`, one row a measured track.
    name, method, genome_build, licence, parameters, chromosomes
        As of any tracks.

    Raises
    ------
    InputError
        If sizes contradict each other, names occur twice, or a cell type or mark has no track at all.
    """
    for what, names in (("genes", genes["name"]), ("cell types", cell_types), ("marks", marks)):
        index = pd.Index(names)
        if not index.is_unique:
            raise InputError(f"{what} occur more than once, for example {index[index.duplicated()][0]}")
    require_distinct(cell_types, "cell types")
    require_distinct(marks, "marks")
    empty = [cell_types[n] for n in np.flatnonzero(~measured.any(axis=1)).tolist()]
    empty += [marks[n] for n in np.flatnonzero(~measured.any(axis=0)).tolist()]
    if empty:
        raise InputError(f"{empty[0]} has no track at all; leave it out")
    create_tracks(
        path,
        name=name,
        method=method,
        sequences=genes,
        tracks=pd.DataFrame({"name": list(marks)}),
        bins=bins,
        bin_size=bin_size,
        cell_types=cell_types,
        measured=measured,
        genome_build=genome_build,
        licence=licence,
        parameters=parameters,
        chromosomes=chromosomes,
        sequences_per_chunk=GENES_PER_CHUNK,
    )
    root = zarr.open_group(str(path), mode="r+")
    if expression is not None:
        expression = np.asarray(expression, np.float32)
        if expression.shape != (len(genes), len(cell_types)):
            raise InputError(
                f"expression must be [gene, cell type] = {[len(genes), len(cell_types)]}. Given: {list(expression.shape)}"
            )
        root.create_array("expression", data=expression, fill_value=np.nan, compressors=CHECKED)
    root.attrs["expression_scale"] = scale if expression is not None else ""
    root.attrs["origin"] = {column: origin[column].astype(str).tolist() for column in ORIGIN_COLUMNS}
    return open_gene_tracks(path, writable=True)


def open_gene_tracks(path: str | Path, *, writable: bool = False) -> GeneTracks:
    """Open a store that ``cistron chromatin build`` wrote.

    Raises
    ------
    InputError
        If it is no store of tracks, one without origin of its tracks (predictions of the sequence wing), damaged or not whole.
    """
    path = Path(path)
    tracks = open_tracks(path, writable=writable)
    root = open_store(path, _WHAT)
    if "origin" not in root.attrs:
        raise InputError(
            f"{path} holds tracks, but not of 'cistron chromatin build'; build it from bigWigs first"
        )
    origin = attribute(root, path, "origin", dict, _WHAT)
    if not set(ORIGIN_COLUMNS) <= origin.keys() or len({len(column) for column in origin.values()}) > 1:
        raise InputError(f"{path} is not {_WHAT}: the origin of its tracks is damaged; build it again")
    scale = str(root.attrs.get("expression_scale", ""))
    expression = None
    if scale or "expression" in root:
        stored = stored_array(root, path, "expression", "f", 2, _WHAT)
        if stored.shape != tracks.values.shape[:2]:
            raise InputError(
                f"{path} is not {_WHAT}: expression is {stored.shape}, expected {tracks.values.shape[:2]}; it is damaged, build it again"
            )
        expression = stored[:].astype(np.float32)
    return GeneTracks(tracks, expression, scale, pd.DataFrame(origin), path)
