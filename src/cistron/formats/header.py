"""What the headers of AnnData files have in common: provenance as a table, and checks that read alike."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

import cistron
from cistron.genes.identity import NAMESPACES
from cistron.runtime.files import sha256_of

# Kinds of evidence that something knows of a gene.
EVIDENCE = ("expression", "dna", "protein", "perturbation", "chromatin", "literature")
UNKNOWN = "unknown"  # evidence of a file that does not say what it was made from


def provenance_fields(
    parameters: Mapping[str, Any] | None, sources: Iterable[str | Path], seed: int
) -> dict[str, Any]:
    """Give the header's part that says how a file was made: parameters as JSON, sources with SHA-256, seed, version.

    Parameters
    ----------
    parameters
        Settings that made the file.
    sources
        Files that it was made from; they are hashed.
    seed
        Seed of the run.
    """
    paths = [Path(source) for source in sources]
    return {
        "parameters": json.dumps(dict(parameters or {}), sort_keys=True, default=str),
        "sources": pd.DataFrame(
            {"file": [path.name for path in paths], "sha256": [sha256_of(path) for path in paths]},
            dtype=object,
        ),
        "seed": int(seed),
        "software_version": cistron.__version__,
    }


def without_local_paths(header: dict[str, Any]) -> None:
    """Upgrade the sources of a header that was written when they held whole paths."""
    sources = header.get("sources")
    if isinstance(sources, pd.DataFrame) and "path" in sources:
        names = [Path(str(path)).name for path in sources["path"]]
        header["sources"] = sources.drop(columns="path").assign(file=names)[["file", "sha256"]]


def joined(names: str | Iterable[str]) -> str:
    """Join names with ``+``, each once; a text may be divided by ``+`` or commas already."""
    parts = names.replace(",", "+").split("+") if isinstance(names, str) else list(names)
    return "+".join(dict.fromkeys(part.strip() for part in parts if part.strip()))


def header_problems(
    header: Mapping[str, Any], *, fields: Iterable[str], newest: int, evidence_needed: bool
) -> list[str]:
    """List what is wrong with a header.

    Parameters
    ----------
    header
        ``uns["cistron"]``.
    fields
        Fields that must be there.
    newest
        Newest schema version that this code reads.
    evidence_needed
        Whether an empty ``evidence`` breaks the format.
    """
    problems = [f"uns['cistron']['{field}'] is absent" for field in fields if field not in header]
    version = str(header.get("schema_version", 0))
    if not version.isdigit():
        problems.append(f"schema version {version!r} is not a number")
    elif int(version) > newest:
        problems.append(f"schema version {version} is newer than {newest}; update cistron")
    evidence = str(header.get("evidence", ""))
    known = set(evidence.split("+")) <= {*EVIDENCE, UNKNOWN}
    if "evidence" in header and not known and (evidence or evidence_needed):
        problems.append(
            f"evidence {evidence!r} is not made of {', '.join((*EVIDENCE, UNKNOWN))} joined with '+'"
        )
    if header.get("identifier_namespace", "other") not in NAMESPACES:
        problems.append(
            f"identifier_namespace {header['identifier_namespace']!r} is not one of {', '.join(NAMESPACES)}"
        )
    return problems
