"""Files of other commands that the page of a gene shows: tracks, variants, enhancers, marks, designs, networks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cistron.errors import InputError
from cistron.study.checks import require_keys, require_texts


@dataclass(frozen=True)
class GeneFileKind:
    """One kind of file of the table ``[genes]`` of a study.

    Attributes
    ----------
    name
        Key in ``study.toml``.
    title
        Heading on the page of a gene.
    command
        Command that writes such a file, complete but for the names of files.
    read
        ``"module:function"`` from a file and the genes of a study to a table with a column ``gene``.
    """

    name: str
    title: str
    command: str
    read: str = ""

    def advice(self) -> str:
        """What fills the section of a gene where a study has no such file."""
        output = self.command.rpartition("--output ")[2]
        return f"{self.command}, then cistron study add STUDY {output}"


_DNA, _MARKS = "cistron.study.gene_dna", "cistron.study.gene_marks"
GENE_FILES = {
    kind.name: kind
    for kind in (
        GeneFileKind(
            "tracks",
            "Tracks predicted from its DNA",
            "cistron sequence predict --genome GENOME.fa --regions SITES.bed --weights MODEL --output tracks.zarr",
            f"{_DNA}:read_tracks",
        ),
        GeneFileKind(
            "enhancers",
            "Elements that contribute most",
            "cistron sequence enhancers PAIRS.tsv --genome GENOME.fa --annotation GENES.gtf --weights MODEL --output contributions.tsv",
            f"{_DNA}:read_enhancers",
        ),
        GeneFileKind(
            "variants",
            "Variants scored in its window",
            "cistron sequence variants VARIANTS.vcf --genome GENOME.fa --weights MODEL --output variants.parquet",
            f"{_DNA}:read_variants",
        ),
        GeneFileKind(
            "epigenesis",
            "What its marks do",
            "cistron chromatin epigenesis MODEL MARKS.zarr --gene GENE --output map",
            f"{_MARKS}:read_epigenesis_of_genes",
        ),
        GeneFileKind(
            "designs",
            "Designed marks",
            "cistron chromatin design MODEL MARKS.zarr --gene GENE --output design.zarr",
            f"{_MARKS}:read_designs",
        ),
        GeneFileKind(
            "networks",
            "Regulators and targets",
            "cistron networks infer SCREEN.h5ad --output edges.tsv",
        ),
    )
}


def gene_files_of(table: object, folder: Path, where: str) -> dict[str, tuple[Path, ...]]:
    """Check the table ``[genes]`` of a study file.

    Parameters
    ----------
    table
        The table; a key of :data:`GENE_FILES` to one or several paths.
    folder
        Folder that paths are relative to.
    where
        Name of the table, for messages.

    Raises
    ------
    InputError
        If a key is unknown, or a file does not exist or is of another kind.
    """
    if not isinstance(table, dict):
        raise InputError(f"{where} must be a table of files. Given: {table!r}")
    require_keys(table, GENE_FILES, where)
    found: dict[str, tuple[Path, ...]] = {}
    for key, value in table.items():
        paths = []
        for name in require_texts(value, f"{where} {key}"):
            path = folder / name
            if not path.exists():
                raise InputError(
                    f"{where} {key}: {name} does not exist (paths are relative to the study file)"
                )
            kind = kind_of_file(path)
            if kind != key:
                what = "no such file" if kind is None else f"of the kind {kind}"
                raise InputError(
                    f"{where} {key}: {name} is {what}; {key} is what '{' '.join(GENE_FILES[key].command.split()[:3])}' writes"
                )
            paths.append(path)
        found[key] = tuple(dict.fromkeys(paths))
    return found


def kind_of_file(path: Path) -> str | None:
    """Tell by its content which key of :data:`GENE_FILES` a file belongs under; ``None`` for anything else.

    Parameters
    ----------
    path
        File or folder that exists.
    """
    if path.is_dir():
        return _kind_of_store(epigenesis_store(path))
    if path.suffix == ".parquet":
        return "variants" if _parquet_kind(path) == "variant_scores" else None
    try:
        with _opened(path) as handle:
            first = handle.read(4096)
    except (OSError, EOFError, UnicodeDecodeError):
        return None
    lines = [line for line in first.splitlines() if line]
    if not lines:
        return None
    columns = next((line for line in lines if not line.startswith("#")), "").split("\t")
    if {"gene", "method", "score", "in_window"} <= set(columns):
        return "enhancers"
    if columns[:2] == ["source", "target"]:
        return "networks"
    return None


def epigenesis_store(path: Path) -> Path:
    """The map of a folder of ``cistron chromatin epigenesis``, or the folder itself."""
    inner = path / "map.zarr"
    return inner if inner.is_dir() else path


def _kind_of_store(path: Path) -> str | None:
    try:
        attributes: Mapping[str, Any] = json.loads((path / "zarr.json").read_text(encoding="utf-8"))[
            "attributes"
        ]
        kind = attributes["cistron"]["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if kind == "epigenesis":
        return "epigenesis"
    if kind != "tracks" or "origin" in attributes:  # measured marks are no predictions
        return None
    return "designs" if "outcome" in attributes else "tracks"


def _parquet_kind(path: Path) -> str:
    import pyarrow.parquet as pq

    try:
        return str((pq.read_schema(path).metadata or {}).get(b"cistron.kind", b"").decode())
    except (
        Exception
    ):  # damaged metadata makes pyarrow raise nearly anything; the reader of that kind says what is wrong
        return ""


def _opened(path: Path):  # type: ignore[no-untyped-def]  # a text stream, plain or gzip
    import gzip

    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")
