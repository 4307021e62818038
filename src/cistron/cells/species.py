"""Cells of two species as one matrix: shared cell types x the genes of both, so that a model of gene features learns from both.

A feature of DNA or protein means the same in both species, and a cell type that both have is one row. Orthologous genes are one homology
group: split by group, they are held out together, because the expression of an ortholog is nearly that of the gene.
"""

from collections.abc import Sequence
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cistron.cells.inputs import Cells, pseudobulk
from cistron.errors import IdentifierError, InputError
from cistron.formats.gene_embedding import build_gene_embedding, embedding_genes
from cistron.genes.identity import normalise_identifiers
from cistron.runtime.tables import read_text_table

LEAST_TYPES = 3


def read_orthologs(path: str | Path) -> pd.DataFrame:
    """Read pairs of orthologous genes: the first two columns of a table with or without a header.

    Parameters
    ----------
    path
        Table, packed or not; Ensembl versions are cut.

    Returns
    -------
    DataFrame
        Columns ``first`` and ``second``, pairs without an empty id.

    Raises
    ------
    InputError
        If the file cannot be read or has fewer than two columns.
    """
    frame = read_text_table(path, "table of orthologs", header=None).frame
    if frame.shape[1] < 2:
        raise InputError(
            f"{Path(path).name}: a table of orthologs has two columns of gene ids. Given: {frame.shape[1]}"
        )
    pairs = frame.iloc[:, :2].astype("string").fillna("").astype(str)
    pairs.columns = ["first", "second"]
    for column in pairs:
        pairs[column] = normalise_identifiers(pairs[column], "ensembl")
    return pairs[(pairs["first"] != "") & (pairs["second"] != "")].reset_index(drop=True)


def ortholog_groups(genes: Sequence[Sequence[str]], pairs: pd.DataFrame) -> tuple[list[str], int]:
    """Group of each gene: genes that are linked by orthology, one to many too, share one.

    Parameters
    ----------
    genes
        Genes of each species.
    pairs
        Of :func:`read_orthologs`, in either order of the species.

    Returns
    -------
    list of str
        Group of every gene, in the order of the species; a gene without an ortholog is a group of its own.
    int
        Number of groups that have genes of both species.

    Raises
    ------
    IdentifierError
        If no pair links the species.
    """
    everyone = [gene for species in genes for gene in species]
    place = {gene: number for number, gene in enumerate(everyone)}
    known = pairs[pairs["first"].isin(place.keys()) & pairs["second"].isin(place.keys())]
    links = [[place[gene] for gene in known[column]] for column in ("first", "second")]
    graph = sparse.coo_matrix((np.ones(len(known)), links), shape=(len(everyone), len(everyone)))
    _, label = connected_components(graph, directed=False)
    boundary = len(genes[0])
    both = set(label[:boundary]) & set(label[boundary:])
    if not both:
        raise IdentifierError(
            f"the table of orthologs links none of the genes of both species, for example {everyone[0]} and {everyone[-1]}; give "
            "a table of the ids that the cells have"
        )
    return [f"group {number}" for number in label], len(both)


def join_species(
    parts: Sequence[Cells], names: Sequence[str], column: str, pairs: pd.DataFrame
) -> tuple[anndata.AnnData, list[str]]:
    """Sum the counts of the cell types that both species have, and put the genes of both side by side.

    Parameters
    ----------
    parts
        Cells of two species with raw counts.
    names
        Names of the species.
    column
        Column of the cell types.
    pairs
        Of :func:`read_orthologs`.

    Returns
    -------
    AnnData
        Types x genes of both; counts of either species are scaled to the same total in each type (the larger of the two) and rounded.
        ``var`` has ``species`` and ``group``.
    list of str
        What was set aside.

    Raises
    ------
    InputError
        If fewer than 3 types are shared, or a gene id stands in both species.
    """
    bulks = [pseudobulk(part, column) for part in parts]
    types = [list(bulk.observations.index) for bulk in bulks]
    shared = [name for name in types[0] if name in set(types[1])]
    if len(shared) < LEAST_TYPES:
        raise InputError(
            f"{len(shared)} cell types of {column!r} are shared by {' and '.join(names)}, {LEAST_TYPES} are needed; name them alike. Given: "
            f"{', '.join(types[0][:4])} and {', '.join(types[1][:4])}"
        )
    doubled = set(parts[0].genes) & set(parts[1].genes)
    if doubled:
        raise InputError(
            f"{len(doubled):,} gene ids stand in both species, for example {min(doubled)}; use ids that tell species, as Ensembl's do"
        )
    remarks = [
        f"{name}: cell types that only it has are left out: {', '.join(only[:5])}{' ...' if len(only) > 5 else ''}"
        for name, own in zip(names, types)
        if (only := [one for one in own if one not in set(shared)])
    ]
    counts = [
        np.vstack([block.toarray() for _, block in bulk.blocks()])[[own.index(one) for one in shared]]
        for bulk, own in zip(bulks, types)
    ]
    totals = np.stack([one.sum(axis=1) for one in counts])
    if (totals <= 0).any():
        raise InputError(
            f"cell type {shared[int(np.argmin(totals.min(axis=0)))]!r} has no counts in one of the species"
        )
    scaled = [np.rint(one * (totals.max(axis=0) / own)[:, None]) for one, own in zip(counts, totals)]
    groups, linked = ortholog_groups([part.genes for part in parts], pairs)
    remarks.append(
        f"{len(shared):,} cell types are shared; {linked:,} groups of orthologs have genes of both species"
    )
    genes = [gene for part in parts for gene in part.genes]
    species = np.repeat(list(names), [len(part.genes) for part in parts])
    table = pd.DataFrame({"species": species, "group": groups}, index=pd.Index(genes))
    observations = pd.DataFrame({"cell_type": shared}, index=pd.Index(shared))
    values = sparse.csr_matrix(np.hstack(scaled).astype(np.float32))
    return anndata.AnnData(values, obs=observations, var=table), remarks


def stack_embeddings(embeddings: Sequence[anndata.AnnData]) -> anndata.AnnData:
    """Put the genes of two embeddings of the same columns below each other.

    Parameters
    ----------
    embeddings
        One for each species, made by the same model.

    Raises
    ------
    InputError
        If columns differ or a gene stands in both.
    """
    first, second = embeddings
    if list(first.var_names) != list(second.var_names):
        raise InputError(
            f"embeddings of two species must have the same columns, made by one model. Given: {first.n_vars} and {second.n_vars} columns, "
            f"{first.var_names[0]} ... and {second.var_names[0]} ..."
        )
    genes = [*embedding_genes(first), *embedding_genes(second)]
    if len(set(genes)) < len(genes):
        raise InputError("a gene stands in both embeddings; use ids that tell species, as Ensembl's do")
    headers = [one.uns["cistron"] for one in embeddings]
    evidence = "+".join(dict.fromkeys("+".join(str(header["evidence"]) for header in headers).split("+")))
    return build_gene_embedding(
        np.vstack([np.asarray(one.X, dtype=np.float32) for one in embeddings]),
        genes,
        name=" and ".join(dict.fromkeys(str(header["name"]) for header in headers)),
        method=str(headers[0]["method"]),
        evidence=evidence,
        identifier_namespace=str(headers[0]["identifier_namespace"]),
        dimension_names=list(map(str, first.var_names)),
    )
