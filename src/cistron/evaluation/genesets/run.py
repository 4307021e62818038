"""Run the gene-set task on files and write its result folder."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.genesets.evaluate import GeneSetSettings, evaluate_gene_sets
from cistron.evaluation.genesets.sets import read_chromosomes, read_gene_sets
from cistron.formats.gene_embedding import read_gene_embedding
from cistron.formats.scores import write_scores
from cistron.runtime.files import check_writable
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
    output = Path(output)
    if output.is_file():
        raise InputError(f"cannot write to {output}: it is a file; give a folder")
    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    check_writable(output / "scores.parquet")
    files = [Path(path) for path in (*embeddings, sets, genes, identifiers) if path is not None]
    absent = [path for path in files if not path.exists()]
    if absent:
        raise InputError(f"{absent[0]} does not exist")
    read = [read_gene_embedding(path) for path in embeddings]
    spaces = {str(embedding.uns["cistron"]["identifier_namespace"]) for embedding in read}
    if len(spaces) > 1:
        raise InputError(
            f"the embeddings name genes in different ways ({', '.join(sorted(spaces))}); convert with 'cistron genes map'"
        )
    namespace = spaces.pop()
    collection = read_gene_sets(sets)
    if namespace != "other":
        collection = collection.mapped(namespace, None if identifiers is None else Path(identifiers))
    chromosomes = read_chromosomes(genes)
    record = RunRecord("evaluate genesets", settings, files, seed)
    with limit_threads(threads):
        result = evaluate_gene_sets(read, collection, chromosomes, settings, seed=seed, run_id=record.run_id)
    for name, value in result.facts.items():
        record.record(name, value)
    for warning in result.warnings:
        record.warn(warning)
    write_scores(result.scores, output / "scores.parquet")
    record.write(output / "run.json")
    return result.scores
