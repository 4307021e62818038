"""Run the gene-set task on files and write its result folder."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.genesets.evaluate import GeneSetSettings, evaluate_gene_sets
from cistron.evaluation.genesets.sets import chromosomes_of, read_gene_sets
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.evaluation.rivals import read_rivals
from cistron.formats.gene_embedding import embedding_genes, read_gene_embedding
from cistron.genes.places import read_gene_places
from cistron.runtime.provenance import RunRecord
from cistron.runtime.threads import limit_threads


def run_gene_sets(
    embeddings: Sequence[str | Path],
    sets: str | Path,
    genes: str | Path,
    output: str | Path,
    settings: GeneSetSettings | None = None,
    *,
    identifiers: str | Path | None = None,
    rivals: Sequence[str | Path] = (),
    seed: int = 0,
    threads: int | None = 1,
) -> pd.DataFrame:
    """Score embedding files on gene sets and write ``scores.parquet`` and ``run.json``.

    Parameters
    ----------
    embeddings
        Gene embeddings, in any form that :func:`read_gene_embedding` takes.
    sets
        What :func:`read_gene_sets` takes.
    genes
        What :func:`read_chromosomes` takes, with the embeddings' ids.
    output
        Folder to write to.
    settings
        Settings of the task.
    identifiers
        Table between namespaces, where sets and embeddings name genes differently.
    rivals
        Further trivial columns: tables, or gene embeddings that carry level and breadth of expression.
    seed, threads
        How the work runs.

    Returns
    -------
    DataFrame
        The scores.

    Raises
    ------
    InputError
        If an input cannot be used.
    """
    settings = settings or GeneSetSettings()
    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    output, files = require_folder(output, (*embeddings, sets, genes, identifiers, *rivals))
    read = [read_gene_embedding(path) for path in embeddings]
    for embedding in read:
        embedding.obs_names = embedding_genes(embedding)
    spaces = {str(embedding.uns["cistron"]["identifier_namespace"]) for embedding in read}
    if len(spaces) > 1:
        raise InputError(
            f"the embeddings name genes in different ways ({', '.join(sorted(spaces))}); convert with 'cistron genes map'"
        )
    namespace = spaces.pop()
    collection = read_gene_sets(sets)
    if namespace != "other":
        collection = collection.mapped(namespace, None if identifiers is None else Path(identifiers))
    places = read_gene_places(genes, "gene table")
    chromosomes = chromosomes_of(places)
    trivial = read_rivals(places, *rivals)
    record = RunRecord("evaluate genesets", settings, files, seed)
    with limit_threads(threads):
        result = evaluate_gene_sets(
            read, collection, chromosomes, settings, rivals=trivial, seed=seed, run_id=record.run_id
        )
    write_folder(output, record, result.scores, tables={}, facts=result.facts, warnings=result.warnings)
    return result.scores
