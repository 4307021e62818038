"""Run the pair task on files and write its result folder."""

from collections.abc import Sequence
from pathlib import Path

from cistron.errors import InputError
from cistron.evaluation.labels.run import shared_namespace
from cistron.evaluation.pairs.evaluate import PairResult, evaluate_pairs
from cistron.evaluation.pairs.settings import PairSettings
from cistron.evaluation.pairs.tables import read_pairs
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.evaluation.rivals import read_rivals
from cistron.formats.gene_embedding import read_gene_embedding
from cistron.genes.lists import read_gene_list
from cistron.genes.places import read_gene_places
from cistron.runtime.provenance import RunRecord
from cistron.runtime.threads import limit_threads


def run_pairs(
    embeddings: Sequence[str | Path],
    pairs: str | Path,
    output: str | Path,
    settings: PairSettings | None = None,
    *,
    annotation: str | Path | None = None,
    rivals: Sequence[str | Path] = (),
    gene_map: Sequence[str | Path] = (),
    genes: str | Path | None = None,
    seed: int = 0,
    threads: int | None = 1,
) -> PairResult:
    """Score embedding files on pairs of genes and write the result folder.

    Parameters
    ----------
    embeddings
        Gene embeddings, in any form that :func:`read_gene_embedding` takes.
    pairs
        What :func:`read_pairs` takes.
    output
        Folder to write to.
    settings
        Settings of the task.
    annotation
        Where genes lie; gives trivial columns of genes.
    rivals
        Further trivial columns, tables that :func:`cistron.evaluation.rivals.read_rivals` takes.
    gene_map
        Tables between gene ids, joined where one alone does not hold both; for pairs that name genes differently.
    genes
        List of genes, in the ids of the pairs: pairs with others are left out.
    seed, threads
        How the work runs.

    Returns
    -------
    PairResult
        Scores and folds.

    Raises
    ------
    InputError
        If an input cannot be used.
    """
    settings = settings or PairSettings()
    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    folder, files = require_folder(output, (*embeddings, pairs, annotation, *rivals, *gene_map, genes))
    table = read_pairs(pairs, directed=settings.directed)
    if genes is not None:
        wanted = set(read_gene_list(Path(genes), "genes"))
        table = table.only(wanted)
        if not len(table):
            raise InputError(
                f"{Path(genes).name}: no pair of {table.name} has both genes among its {len(wanted):,}; give a list with the ids of the pairs"
            )
    read = [read_gene_embedding(path) for path in embeddings]
    table = table.mapped(shared_namespace(read), [Path(path) for path in gene_map])
    places = None if annotation is None else read_gene_places(annotation, "annotation")
    trivial = read_rivals(places, *rivals)
    record = RunRecord("evaluate pairs", settings, files, seed)
    with limit_threads(threads):
        result = evaluate_pairs(read, table, settings, rivals=trivial, seed=seed, run_id=record.run_id)
    write_folder(
        folder,
        record,
        result.scores,
        tables={"folds": result.folds},
        facts=result.facts,
        warnings=result.warnings,
    )
    return result
