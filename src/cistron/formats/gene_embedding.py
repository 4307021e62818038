"""The gene-embedding format: an AnnData with one row a gene (page ``docs/formats/gene_embedding.md``)."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.formats.anndata_files import read_h5ad, write_anndata
from cistron.formats.header import UNKNOWN, header_problems, joined, provenance_fields, without_local_paths
from cistron.formats.tables import first_line, read_table
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.spreadsheets import spreadsheet_damage
from cistron.runtime import say
from cistron.runtime.files import atomic_path
from cistron.runtime.text_files import plain_name

KIND = "gene_embedding"
SCHEMA_VERSION = 1
_TEXT_FIELDS = (
    "name",
    "method",
    "identifier_namespace",
    "genome_build",
    "evidence",
    "licence",
    "software_version",
)


def build_gene_embedding(
    values: np.ndarray,
    genes: Sequence[str],
    *,
    name: str,
    method: str,
    evidence: str | Iterable[str],
    identifier_namespace: str | None = None,
    genome_build: str = "",
    licence: str = "",
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    sources: Iterable[str | Path] = (),
    standard_deviation: np.ndarray | None = None,
    dimension_names: Sequence[str] | None = None,
) -> anndata.AnnData:
    """Build a gene embedding that passes :func:`check_gene_embedding`.

    Parameters
    ----------
    values
        Embedding, float [gene, dimension]; stored as float32.
    genes
        Unique gene identifiers, one a row. A gene without evidence must be left out, not given zeros.
    name
        Short name that tables and figures show.
    method
        Method that made it (``pca``, ``enformer``, ...).
    evidence
        Kinds of evidence in it, of :data:`cistron.formats.EVIDENCE`; several are joined with ``+``.
    identifier_namespace
        ``ensembl``, ``symbol``, ``entrez`` or ``other``; guessed from ``genes`` when absent.
    genome_build
        For example ``GRCh38``; empty where no coordinates were used.
    licence
        Licence of the source data.
    seed
        Seed of the run that made it.
    parameters
        Settings of the method, stored as JSON text.
    sources
        Files that it was made from; path and SHA-256 are stored.
    standard_deviation
        Posterior standard deviation, float [gene, dimension], for variational methods.
    dimension_names
        Unique names of the dimensions; ``d0``, ``d1``, ... when absent.

    Returns
    -------
    AnnData
        ``obs`` = genes, ``X`` float32 [gene, dimension], header in ``uns["cistron"]``.

    Raises
    ------
    InputError
        If what was given breaks a rule of the format.
    """
    try:
        values = np.array(values, dtype=np.float32)  # a copy: the embedding must not change with its source
    except (TypeError, ValueError) as error:
        raise InputError(
            f"embedding {name}: its values are not numbers ({first_line(error)}); expected float [gene, dimension]"
        ) from error
    if values.ndim != 2 or values.shape[0] != len(genes):
        raise InputError(
            f"embedding {name}: values must be [gene, dimension] with one row a gene. "
            f"Given: shape {values.shape} for {len(genes):,} genes"
        )
    genes = [str(gene) for gene in genes]
    if dimension_names is None:
        dimension_names = [f"d{number}" for number in range(values.shape[1])]
    _refuse_doubled(genes, "gene ids", f"embedding {name}", "keep one row a gene")
    _refuse_doubled(list(map(str, dimension_names)), "dimension names", f"embedding {name}", "rename them")
    embedding = anndata.AnnData(
        X=values,
        obs=pd.DataFrame(index=pd.Index(genes, name="gene")),
        var=pd.DataFrame(index=pd.Index(list(map(str, dimension_names)), name="dimension")),
    )
    if standard_deviation is not None:
        embedding.layers["std"] = np.asarray(standard_deviation, dtype=np.float32)
    embedding.uns["cistron"] = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "method": method,
        "identifier_namespace": identifier_namespace or guess_namespace(genes),
        "genome_build": genome_build,
        "evidence": joined(evidence),
        "licence": licence,
        **provenance_fields(parameters, sources, seed),
    }
    require_valid(embedding, f"embedding {name}")
    return embedding


def check_gene_embedding(embedding: anndata.AnnData) -> list[str]:
    """List what breaks the format; an empty list means that the embedding is valid.

    Parameters
    ----------
    embedding
        What to check.

    Returns
    -------
    list of str
        One sentence a problem.
    """
    problems = []
    header = embedding.uns.get("cistron")
    if not isinstance(header, Mapping) or header.get("kind") != KIND:
        problems.append(
            "uns['cistron'] with kind 'gene_embedding' is absent (add it with 'cistron embedding convert')"
        )
        header = {}
    else:
        problems += header_problems(header, fields=_TEXT_FIELDS, newest=SCHEMA_VERSION, evidence_needed=True)
    if embedding.n_obs == 0 or embedding.n_vars == 0:
        problems.append(f"it is empty: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")
        return problems
    if not embedding.obs_names.is_unique:
        doubled = embedding.obs_names[embedding.obs_names.duplicated()].unique()
        problems.append(f"{len(doubled):,} gene ids occur more than once, for example {doubled[0]}")
    if not embedding.var_names.is_unique:
        doubled = embedding.var_names[embedding.var_names.duplicated()].unique()
        problems.append(f"{len(doubled):,} dimension names occur more than once, for example {doubled[0]}")
    if hasattr(embedding.X, "toarray"):
        problems.append("X is sparse; an embedding is dense float32")
        return problems
    values = np.asarray(embedding.X)
    if values.dtype != np.float32:
        problems.append(f"X is {values.dtype}, not float32")
    if values.dtype.kind != "f":
        return problems
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        problems.append(
            f"{int(bad.sum()):,} genes have NaN or infinite values, for example {embedding.obs_names[bad][0]} "
            "(leave out genes without evidence)"
        )
    zero = ~values.any(axis=1)
    if zero.any():
        problems.append(
            f"{int(zero.sum()):,} genes are rows of zeros, for example {embedding.obs_names[zero][0]} "
            "(leave out genes without evidence)"
        )
    if "std" in embedding.layers and not (np.asarray(embedding.layers["std"]) >= 0).all():
        problems.append("layers['std'] has negative or missing values")
    return problems


def require_valid(embedding: anndata.AnnData, what: str) -> None:
    """Raise an :class:`InputError` that names ``what`` and its first problem, unless the embedding is valid."""
    problems = check_gene_embedding(embedding)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(f"{what} breaks the gene-embedding format: {problems[0]}{more}")


def embedding_information(embedding: anndata.AnnData) -> dict[str, Any]:
    """Give the header of an embedding with its shape, as plain values."""
    header = {key: value for key, value in embedding.uns["cistron"].items() if key != "sources"}
    return {**header, "genes": embedding.n_obs, "dimensions": embedding.n_vars}


def embedding_genes(embedding: anndata.AnnData) -> pd.Index:
    """Genes of an embedding as they are joined with others: Ensembl ids without versions.

    Raises
    ------
    IdentifierError
        If two genes become one when versions are cut off.
    """
    header = embedding.uns["cistron"]
    ids = pd.Index(
        normalise_identifiers(embedding.obs_names, str(header["identifier_namespace"])),
        name=embedding.obs_names.name,
    )
    if not ids.is_unique:
        raise IdentifierError(
            f"embedding {header['name']}: {int(ids.duplicated().sum()):,} genes occur more than once when versions are cut "
            f"off, for example {ids[ids.duplicated()][0]}; keep one row each"
        )
    return ids


def write_gene_embedding(embedding: anndata.AnnData, path: str | Path) -> None:
    """Check an embedding and write it as .h5ad, whole or not at all.

    Raises
    ------
    InputError
        If the embedding breaks the format, the name does not end in .h5ad, or the folder cannot be written.
    """
    path = Path(path)
    if path.suffix != ".h5ad":
        raise InputError(
            f"a gene embedding is written as .h5ad. Given: {path.name}; export other forms with 'cistron embedding convert'"
        )
    require_valid(embedding, f"embedding {path.name}")
    with atomic_path(path) as partial:
        write_anndata(embedding, partial)


def read_gene_embedding(
    path: str | Path, *, name: str | None = None, evidence: str | None = None, strict: bool = True
) -> anndata.AnnData:
    """Read a gene embedding from .h5ad, .parquet, .tsv/.csv(.gz) or word2vec text.

    Tables have gene identifiers in the first column (or the index) and one column a dimension. They carry no
    header, so it is made here: namespace guessed from the ids, method ``imported``.

    Parameters
    ----------
    path
        File to read.
    name
        Name to give; that of the header, or the file name, when absent.
    evidence
        Evidence to record for a file without a header; ``unknown`` when absent, which is said.
    strict
        Raise on a broken format; ``False`` is for ``cistron embedding check``.

    Returns
    -------
    AnnData
        The embedding, checked.

    Raises
    ------
    InputError
        If the file cannot be read or breaks the format.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"embedding {path} does not exist")
    if path.suffix == ".h5ad":
        embedding = read_h5ad(path)
        if "cistron" not in embedding.uns and not strict:
            return embedding
        if "cistron" not in embedding.uns:
            raise InputError(
                f"{path.name} is an AnnData without the gene-embedding header; "
                f"make one of a matrix with 'cistron omics embed', or add the header with 'cistron embedding convert {path.name} OUTPUT.h5ad --evidence KIND'"
            )
        if isinstance(embedding.uns["cistron"], Mapping):
            header = dict(embedding.uns["cistron"])
            without_local_paths(header)
            _forget_assumed_evidence(header)
            embedding.uns["cistron"] = header
            if evidence is None and UNKNOWN in str(header.get("evidence", "")).split("+"):
                say(_UNKNOWN_EVIDENCE.format(path.name))
        else:
            del embedding.uns["cistron"]  # something else of the same name; the check says what is absent
        if name is not None and "cistron" in embedding.uns:
            embedding.uns["cistron"]["name"] = name
    else:
        table = read_table(path)
        embedding = _from_table(table, path, name, evidence)
    if strict:
        require_valid(embedding, path.name)
    return embedding


def _refuse_doubled(names: list[str], kind: str, what: str, remedy: str) -> None:
    index = pd.Index(names)
    if not index.is_unique:
        doubled = index[index.duplicated()].unique()
        raise IdentifierError(
            f"{what}: {len(doubled):,} {kind} occur more than once, for example {doubled[0]}; {remedy}"
        )


_UNKNOWN_EVIDENCE = "{} does not say what it was made from: its evidence is unknown; say it with 'cistron embedding convert --evidence KIND'"


def _forget_assumed_evidence(header: dict[str, Any]) -> None:
    """Upgrade a header of the time when a table that did not say its evidence was taken for expression."""
    try:
        parameters = json.loads(str(header.get("parameters", "{}")))
    except ValueError:
        return
    if (
        isinstance(parameters, dict)
        and parameters.get("evidence_assumed") is True
        and header.get("evidence") == "expression"
    ):
        header["evidence"] = UNKNOWN
        header["parameters"] = json.dumps(
            {key: value for key, value in parameters.items() if key != "evidence_assumed"}
        )


_TOKEN = re.compile(r"</?[a-z_]+\d*>|\[[A-Z]+\]")  # <pad>, <cls>, </s>, [MASK]
_NUMBERED = re.compile(r"(.*?)[ _.-]?\d+")


def _refuse_transposed(rows: list[str], columns: list[str], name: str) -> None:
    """Raise where columns are genes and rows dimensions (``d0``, ``d1``, ...)."""
    kinds = guess_namespace(rows), guess_namespace(columns)
    stems = {found[1] if (found := _NUMBERED.fullmatch(row)) else row for row in rows}
    certain = kinds[1] == "ensembl" and kinds[0] != "ensembl"
    likely = len(columns) > len(rows) and len(stems) == 1 and kinds[0] != "ensembl" and kinds[1] == "symbol"
    symbols = {found[1] if (found := _NUMBERED.fullmatch(column)) else column for column in columns}
    if certain or (likely and len(symbols) > 1 and all(column == column.upper() for column in columns)):
        raise InputError(
            f"{name} has genes in columns ({columns[0]}, ...) and dimensions in rows ({rows[0]}, ...); transpose it"
        )


def _from_table(table: pd.DataFrame, path: Path, name: str | None, evidence: str | None) -> anndata.AnnData:
    tokens = [str(name) for name in table.index if _TOKEN.fullmatch(str(name))]
    if tokens:
        say(
            f"{path.name}: {len(tokens):,} rows are tokens of a language model and no genes, left out: {', '.join(tokens[:6])}"
        )
        table = table.loc[[not _TOKEN.fullmatch(str(name)) for name in table.index]]
    given = table.index.astype(str)
    genes = pd.Index(normalise_identifiers(given, guess_namespace(given)))
    if guess_namespace(given) == "ensembl" and list(genes) != list(given):
        say(f"{path.name}: versions were cut off the Ensembl ids")
    _refuse_transposed(list(genes), [str(column) for column in table.columns], path.name)
    _refuse_doubled(list(genes), "gene ids", path.name, "keep one row a gene")
    damage = spreadsheet_damage(genes)
    if damage:
        say(f"{path.name}: {damage}")
    if evidence is None:
        say(_UNKNOWN_EVIDENCE.format(path.name))
    stem = plain_name(path)
    return build_gene_embedding(
        table.to_numpy(np.float32),
        list(genes),
        name=name or stem[: stem.rfind(".")],
        method="imported",
        evidence=evidence or UNKNOWN,
        sources=[path],
        dimension_names=[str(column) for column in table.columns],
    )
