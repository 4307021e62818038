"""``study.toml``: which embeddings, which tasks; read and checked before any work."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cistron.errors import InputError
from cistron.formats import EVIDENCE
from cistron.methods import with_given
from cistron.study.checks import (
    check_task_settings,
    flat_settings,
    nearest,
    require_keys,
    require_text,
    require_texts,
)
from cistron.study.gene_files import gene_files_of
from cistron.study.kinds import TaskKind, find_kind

ADDED = ("permuted", "gaussian", "covariates", "annotations")
_STUDY = (
    "name",
    "seed",
    "annotation",
    "gene_map",
    "covariates",
    "annotation_sets",
    "added",
    "complementarity",
)
_NAME = re.compile(r"[\w][\w .+()-]{0,59}")


@dataclass(frozen=True)
class EmbeddingPlan:
    """One embedding: a file, or several side by side."""

    name: str
    file: Path | None = None
    combine: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskPlan:
    """One task: its kind, inputs and settings."""

    name: str
    kind: TaskKind
    inputs: Mapping[str, tuple[Path, ...]]
    settings: Mapping[str, Any]
    evidence: tuple[str, ...] = ()

    def settings_object(self) -> Any:
        """Settings of the kind, defaults of a study included."""
        return with_given(self.kind.settings_class()(), {**self.kind.defaults, **self.settings})


@dataclass(frozen=True)
class StudyPlan:
    """A whole study.

    Attributes
    ----------
    name, seed
        Title and seed.
    embeddings, tasks
        Rows and columns of the table.
    annotation
        Where genes lie; chromosomes are left out by it, and gene lengths are taken from it.
    gene_map
        Tables between gene ids.
    covariates
        Table of further covariates of genes (GC content, mean expression), for the row ``covariates alone``.
    annotation_sets
        Gene sets whose number per gene is the row ``number of annotations``.
    added
        Which rows are added.
    complementarity
        Tasks on which every two embeddings are also scored together.
    gene_files
        Files of other commands that the page of a gene shows, by the keys of :data:`cistron.study.gene_files.GENE_FILES`.
    """

    name: str
    seed: int
    embeddings: tuple[EmbeddingPlan, ...]
    tasks: tuple[TaskPlan, ...]
    annotation: Path | None = None
    gene_map: tuple[Path, ...] = ()
    covariates: Path | None = None
    annotation_sets: Path | None = None
    added: tuple[str, ...] = ADDED
    complementarity: tuple[str, ...] = ()
    text: str = field(default="", compare=False)
    gene_files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def with_gene_file(self, kind: str, path: Path) -> "StudyPlan":
        """The same study with one more file for the page of a gene.

        Parameters
        ----------
        kind
            Key of :data:`cistron.study.gene_files.GENE_FILES`.
        path
            The file.
        """
        there = self.gene_files.get(kind, ())
        if path.resolve() in {one.resolve() for one in there}:
            return self
        return replace(self, gene_files={**self.gene_files, kind: (*there, path)})

    def with_embedding(self, embedding: EmbeddingPlan) -> "StudyPlan":
        """The same study with one more embedding.

        Raises
        ------
        InputError
            If there is one of that name with another file.
        """
        for one in self.embeddings:
            if one.name == embedding.name and one != embedding:
                raise InputError(
                    f"the study has an embedding {one.name!r} already; give the new one another name with --name"
                )
        if embedding in self.embeddings:
            return self
        return replace(self, embeddings=(*self.embeddings, embedding))


def read_plan(path: str | Path) -> StudyPlan:
    """Read ``study.toml``; paths in it are relative to it.

    Raises
    ------
    InputError
        If a key, a name, a value or a file is wrong; the table, the key and the nearest right one are named.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not valid TOML: {error}") from error
    return plan_of(tables, path.parent, path.name, text)


def plan_of(tables: Mapping[str, Any], folder: Path, name: str, text: str = "") -> StudyPlan:
    """Check the tables of a study file.

    Parameters
    ----------
    tables
        Content of the file.
    folder
        Folder that its paths are relative to.
    name
        Name of the file, for messages.
    text
        The file as it stands.
    """
    require_keys(tables, ("study", "embeddings", "tasks", "genes"), name)
    for part in ("study", "embeddings", "tasks"):
        if not isinstance(tables.get(part, {}), dict):
            raise InputError(
                f"{name}: {part} must be a table, for example [{part}.NAME]. Given: {tables[part]!r}"
            )
    own = tables.get("study", {})
    require_keys(own, _STUDY, f"{name} [study]")
    embeddings = _embeddings(tables.get("embeddings", {}), folder, name)
    tasks = _tasks(tables.get("tasks", {}), folder, name)
    seed = own.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise InputError(f"{name} [study]: seed must be a whole number. Given: {seed!r}")
    added = tuple(_texts_or_none(own.get("added", list(ADDED)), f"{name} [study] added"))
    for one in added:
        if one not in ADDED:
            raise InputError(
                f"{name} [study]: added rows are {', '.join(ADDED)}. Given: {one!r}{nearest(one, ADDED)}"
            )
    together = tuple(_texts_or_none(own.get("complementarity", []), f"{name} [study] complementarity"))
    for one in together:
        if one not in [task.name for task in tasks]:
            names = [task.name for task in tasks]
            raise InputError(
                f"{name} [study]: complementarity names tasks. Given: {one!r}{nearest(one, names)}"
            )
    files = {
        key: None if key not in own else _file(own[key], folder, f"{name} [study] {key}")
        for key in ("annotation", "covariates", "annotation_sets")
    }
    maps = own.get("gene_map", [])
    return StudyPlan(
        require_text(own.get("name", "Study"), f"{name} [study] name"),
        seed,
        embeddings,
        tasks,
        gene_map=tuple(
            _file(one, folder, f"{name} [study] gene_map")
            for one in _texts_or_none(maps, f"{name} [study] gene_map")
        ),
        added=added,
        complementarity=together,
        text=text,
        gene_files=gene_files_of(tables.get("genes", {}), folder, f"{name} [genes]"),
        **files,
    )


def _texts_or_none(value: Any, where: str) -> list[str]:
    return [] if value == [] else require_texts(value, where)


def _file(value: Any, folder: Path, where: str) -> Path:
    path = folder / require_text(value, where)
    if not path.exists():
        raise InputError(f"{where}: {value} does not exist (paths are relative to the study file)")
    return path


def _name(name: str, where: str) -> str:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{where}: a name has letters, digits, blanks and . + ( ) - _ only, and at most 60 of them. Given: {name[:70]!r}"
        )
    return name


def _embeddings(tables: Mapping[str, Any], folder: Path, file: str) -> tuple[EmbeddingPlan, ...]:
    if not tables:
        raise InputError(f'{file}: there is no embedding; add [embeddings.NAME] with file = "..."')
    found = []
    for name, table in tables.items():
        where = f"{file} [embeddings.{name}]"
        if not isinstance(table, dict):
            raise InputError(f"{where} must be a table with file or combine. Given: {table!r}")
        require_keys(table, ("file", "combine", "evidence"), where)
        if ("file" in table) == ("combine" in table):
            raise InputError(f"{where}: give either file or combine")
        evidence = tuple(require_texts(table["evidence"], f"{where} evidence")) if "evidence" in table else ()
        for one in evidence:
            if one not in EVIDENCE:
                raise InputError(
                    f"{where}: evidence is of {', '.join(EVIDENCE)}. Given: {one!r}{nearest(one, EVIDENCE)}"
                )
        path = _file(table["file"], folder, f"{where} file") if "file" in table else None
        combined = tuple(require_texts(table["combine"], f"{where} combine")) if "combine" in table else ()
        found.append(EmbeddingPlan(_name(name, where), path, combined, evidence))
    files = [one.name for one in found if one.file is not None]
    for plan in found:
        for part in plan.combine:
            if part not in files:
                raise InputError(
                    f"{file} [embeddings.{plan.name}]: combine names embeddings with a file. Given: {part!r}{nearest(part, files)}"
                )
        if plan.combine and len(set(plan.combine)) < 2:
            raise InputError(f"{file} [embeddings.{plan.name}]: combine needs at least two embeddings")
    return tuple(found)


def _tasks(tables: Mapping[str, Any], folder: Path, file: str) -> tuple[TaskPlan, ...]:
    if not tables:
        raise InputError(f'{file}: there is no task; add [tasks.NAME] with kind = "..."')
    found = []
    for name, table in tables.items():
        where = f"{file} [tasks.{name}]"
        if not isinstance(table, dict):
            raise InputError(f"{where} must be a table with a kind. Given: {table!r}")
        kind = find_kind(table.get("kind"), where)
        inputs = {}
        for key, needed in kind.inputs.items():
            if key not in table:
                if needed:
                    raise InputError(f"{where}: {key} is needed for kind {kind.name}")
                continue
            given = require_texts(table[key], f"{where} {key}") if key in kind.lists else [table[key]]
            inputs[key] = tuple(_file(one, folder, f"{where} {key}") for one in given)
        evidence = (
            tuple(require_texts(table["evidence"], f"{where} evidence"))
            if "evidence" in table
            else kind.evidence
        )
        rest = {key: value for key, value in table.items() if key not in ("kind", "evidence", *kind.inputs)}
        settings = flat_settings(rest)
        found.append(TaskPlan(_name(name, where), kind, inputs, settings, evidence))
        check_task_settings(found[-1], where)
    return tuple(found)
