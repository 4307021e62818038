"""Run the label task on files and write its result folder."""

from collections.abc import Sequence
from pathlib import Path

import anndata

from cistron.errors import InputError
from cistron.evaluation.genesets.sets import read_chromosomes
from cistron.evaluation.labels.evaluate import LabelResult, evaluate_labels
from cistron.evaluation.labels.settings import LabelSettings
from cistron.evaluation.labels.tables import read_labels
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.evaluation.rivals import read_rivals
from cistron.formats.gene_embedding import read_gene_embedding
from cistron.genes.lists import read_gene_list
from cistron.genes.places import read_gene_places
from cistron.runtime.provenance import RunRecord
from cistron.runtime.threads import limit_threads


def shared_namespace(embeddings: Sequence[anndata.AnnData]) -> str:
    """The one namespace of the embeddings.

    Raises
    ------
    InputError
        If they have several.
    """
    spaces = {str(embedding.uns["cistron"]["identifier_namespace"]) for embedding in embeddings}
    if len(spaces) > 1:
        raise InputError(
            f"the embeddings name genes in different ways ({', '.join(sorted(spaces))}); convert with 'cistron genes map'"
        )
    return spaces.pop()


def run_labels(
    embeddings: Sequence[str | Path],
    labels: str | Path,
    output: str | Path,
    settings: LabelSettings | None = None,
    *,
    annotation: str | Path | None = None,
    gene_map: Sequence[str | Path] = (),
    genes: str | Path | None = None,
    rivals: str | Path | None = None,
    seed: int = 0,
    threads: int | None = 1,
) -> LabelResult:
    """Score embedding files on labels of genes and write the result folder.

    Parameters
    ----------
    embeddings
        Gene embeddings, in any form that :func:`read_gene_embedding` takes.
    labels
        What :func:`read_labels` takes.
    output
        Folder to write to.
    settings
        Settings of the task.
    annotation
        Where genes lie: whole chromosomes are left out for labels without given parts and for gains, and density and length of
        genes are among the trivial columns.
    gene_map
        Tables between gene ids, joined where one alone does not hold both; for labels that name genes differently.
    genes
        List of genes, in the ids of the labels: others are left out.
    rivals
        Further trivial columns, a table that :func:`cistron.evaluation.rivals.read_rivals` takes.
    seed, threads
        How the work runs.

    Returns
    -------
    LabelResult
        Scores, summary, differences, predictions.

    Raises
    ------
    InputError
        If an input cannot be used.
    """
    settings = settings or LabelSettings()
    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    folder, files = require_folder(output, (*embeddings, labels, annotation, *gene_map, genes, rivals))
    table = read_labels(labels)
    if genes is not None:
        wanted = set(read_gene_list(Path(genes), "genes"))
        table = table.only(wanted)
        if table.frame.empty:
            raise InputError(
                f"{Path(genes).name}: none of its {len(wanted):,} genes is in {table.name}; give a list with the ids of the labels"
            )
    read = [read_gene_embedding(path) for path in embeddings]
    table = table.mapped(shared_namespace(read), [Path(path) for path in gene_map])
    places = None if annotation is None else read_gene_places(annotation, "annotation")
    trivial = read_rivals(places, *([] if rivals is None else [rivals]))
    chromosomes = None
    if annotation is not None:
        chromosomes = read_chromosomes(annotation)
        chromosomes = chromosomes[chromosomes != ""]
        if not table.frame["gene"].isin(chromosomes.index).any():
            raise InputError(
                f"{Path(annotation).name} places none of the genes of {table.name}; give an annotation with the same ids"
            )
    record = RunRecord("evaluate labels", settings, files, seed)
    with limit_threads(threads):
        result = evaluate_labels(
            read, table, settings, chromosomes=chromosomes, rivals=trivial, seed=seed, run_id=record.run_id
        )
    write_folder(
        folder,
        record,
        result.scores,
        tables={
            "summary": result.summary,
            "differences": result.differences,
            "predictions": result.predictions,
        },
        facts=result.facts,
        warnings=result.warnings,
    )
    return result
