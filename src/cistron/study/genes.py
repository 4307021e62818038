"""What a study knows of each gene, for the page of a gene: who it is, its traits, neighbours, sets, edges and expression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.neighbours import nearest_neighbours
from cistron.runtime.files import atomic_path
from cistron.study.gene_evidence import gather
from cistron.study.gene_files import GENE_FILES
from cistron.study.gene_identity import identity_of, places_of
from cistron.study.plan import StudyPlan
from cistron.study.rows import make_rows
from cistron.study.run import ROWS, TASKS, stored_plan

_NEIGHBOURS = 10
_EDGES = 15
# What is absent from a page, and what would fill it.
COMMANDS = {
    "identity": "[study] annotation = FILE and gene_map = [FILE] in the study file ('cistron data fetch hgnc_complete_set')",
    "traits": '[tasks.NAME] kind = "gwas" with traits, then cistron study run',
    "sets": '[tasks.NAME] kind = "genesets" with sets, then cistron study run',
    "expression": '[tasks.NAME] kind = "expression" with cells, then cistron study run',
    "edges": GENE_FILES["networks"].advice(),
} | {kind.name: kind.advice() for kind in GENE_FILES.values() if kind.read}


@dataclass
class GeneBook:
    """All that is known of the genes of a study.

    Attributes
    ----------
    plan
        The study.
    folder
        Its folder.
    genes
        ``gene, symbol, chromosome, start, end, strand, biotype, names`` (other ids and aliases, blanks between), one row a gene.
    neighbours
        Nearest genes in each embedding: ``embedding, gene, rank, neighbour, similarity``.
    predictions
        z-score and held-out predictions, one row a gene and trait; empty without a task of GWAS.
    set_names, sets
        Names of all sets, and the numbers of those that each gene is in.
    edges
        ``network, source, target, weight`` and where known ``sign, probability``.
    expression
        ``embedding, gene, cell_type, seen, measured, predicted``.
    embeddings
        Names of the embeddings.
    evidence
        What files of other commands say of genes, a table a key of :data:`cistron.study.gene_files.GENE_FILES` (networks are in ``edges``).
    files
        File of each embedding within the study.
    """

    plan: StudyPlan
    folder: Path
    genes: pd.DataFrame
    neighbours: pd.DataFrame
    predictions: pd.DataFrame
    set_names: list[str]
    sets: dict[str, list[int]]
    edges: pd.DataFrame
    expression: pd.DataFrame
    embeddings: list[str] = field(default_factory=list)
    evidence: dict[str, pd.DataFrame] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    @cached_property
    def _places(self) -> dict[str, int]:
        return places_of(self.genes)

    def find(self, name: str) -> pd.Series:
        """The gene of an id, a symbol or an alias.

        Raises
        ------
        InputError
            If the study has no such gene; near names are told.
        """
        import difflib

        row = self._places.get(name.strip().lower())
        if row is None:
            near = difflib.get_close_matches(name.strip().lower(), self._places, 3, 0.75)
            advice = (
                f"; near are {', '.join(str(self.genes['symbol'].iloc[self._places[one]] or one) for one in near)}"
                if near
                else ""
            )
            known = "symbols and aliases come from [study] annotation and gene_map" if not advice else ""
            raise InputError(
                f"the study has no gene {name.strip()[:60]!r} among its {len(self.genes):,}{advice}{'; ' + known if known else ''}"
            )
        return self.genes.iloc[row]


def read_gene_book(folder: str | Path) -> GeneBook:
    """Gather what a finished study knows of genes.

    Parameters
    ----------
    folder
        Folder of the study.

    Raises
    ------
    InputError
        If the folder is no study.
    """
    folder = Path(folder)
    plan = stored_plan(folder)
    rows = [row for row in make_rows(plan, folder / ROWS) if row.kind == "embedding"]
    near = [_neighbours(row.name, row.file) for row in rows]
    everything = sorted(frozenset().union(*(row.genes for row in rows)))
    set_names, sets = _sets(plan, everything)
    genes = identity_of(plan, everything)
    names = {name: str(genes["gene"].iloc[row]) for name, row in places_of(genes).items()}
    return GeneBook(
        plan,
        folder,
        genes,
        pd.concat(near, ignore_index=True),
        _of_tasks(plan, folder, "gwas", "predictions", first=True),
        set_names,
        sets,
        _edges(plan, names),
        _of_tasks(plan, folder, "expression", "by_type", first=True),
        [row.name for row in rows],
        gather(plan, folder, genes, names),
        {row.name: row.file for row in rows},
    )


def _neighbours(name: str, file: Path) -> pd.DataFrame:
    """Nearest genes, computed once for the content of an embedding."""
    kept = file.with_suffix(".neighbours.parquet")
    if not kept.exists():
        embedding = anndata.read_h5ad(file)
        found = nearest_neighbours(np.asarray(embedding.X), embedding.obs_names, name, _NEIGHBOURS)
        with atomic_path(kept) as partial:
            found.to_parquet(partial, index=False)
    return pd.read_parquet(kept)


def _of_tasks(plan: StudyPlan, folder: Path, kind: str, name: str, *, first: bool) -> pd.DataFrame:
    found = [
        pd.read_parquet(path)
        for task in plan.tasks
        if task.kind.name == kind and (path := folder / TASKS / task.name / f"{name}.parquet").exists()
    ]
    return found[0] if found and first else pd.concat(found) if found else pd.DataFrame()


def _sets(plan: StudyPlan, genes: Sequence[str]) -> tuple[list[str], dict[str, list[int]]]:
    """Sets of the gene-set tasks and terms of the label tasks, by gene."""
    from cistron.evaluation.genesets import read_gene_sets
    from cistron.evaluation.labels import read_labels
    from cistron.genes.identity import guess_namespace

    namespace = guess_namespace(genes)
    members: dict[str, frozenset[str]] = {}
    for task in plan.tasks:
        if task.kind.name == "genesets":
            sets = read_gene_sets(task.inputs["sets"][0])
            if namespace not in ("other", sets.namespace) and plan.gene_map:
                sets = sets.mapped(namespace, plan.gene_map[0])
            members |= sets.members
        elif task.kind.name == "gene_labels":
            labels = read_labels(task.inputs["labels"][0])
            if labels.kind != "member":
                continue
            if namespace not in ("other", labels.namespace):
                if not plan.gene_map:
                    continue
                labels = labels.mapped(namespace, plan.gene_map)
            own = labels.frame[labels.frame["value"] > 0]
            members |= {str(term): frozenset(part["gene"]) for term, part in own.groupby("term")}
    names, known = list(members), set(genes)
    found: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        for gene in members[name] & known:
            found.setdefault(gene, []).append(number)
    return names, found


def _edges(plan: StudyPlan, names: Mapping[str, str]) -> pd.DataFrame:
    """Edges of the tasks and of the networks of ``[genes]``, under the ids of the study where it knows the genes."""
    from cistron.formats.edges import read_edges

    files = [
        path
        for task in plan.tasks
        if task.kind.name == "edges"
        for path in (*task.inputs["truth"], *task.inputs.get("networks", ()))
    ]
    parts = []
    for path in dict.fromkeys([*files, *plan.gene_files.get("networks", ())]):
        edges = read_edges(path)
        columns = [
            name for name in ("source", "target", "weight", "sign", "probability") if name in edges.table
        ]
        part = edges.table[columns].assign(network=edges.name)
        for end in ("source", "target"):
            part[end] = [names.get(str(name).lower(), str(name)) for name in part[end]]
        parts.append(part)
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["source", "target", "weight", "network"])
    )


def edges_of(book: GeneBook, gene: str) -> dict[str, pd.DataFrame]:
    """Strongest regulators and targets of a gene, ``regulators`` and ``targets``."""
    edges = book.edges.sort_values("weight", ascending=False)
    return {
        "regulators": edges[edges["target"] == gene].head(_EDGES),
        "targets": edges[edges["source"] == gene].head(_EDGES),
    }
