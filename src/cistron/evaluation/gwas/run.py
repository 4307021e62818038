"""Run the GWAS task on files and write its result folder."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.gwas.covariates import read_covariates
from cistron.evaluation.gwas.coverage import prepare_embeddings
from cistron.evaluation.gwas.evaluate import GwasSettings, evaluate_gwas
from cistron.evaluation.gwas.linkage import gene_table_of, read_covariances
from cistron.evaluation.gwas.regressors import REGRESSORS
from cistron.evaluation.gwas.tasks import with_places
from cistron.evaluation.gwas.traits import TraitCollection, read_traits
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.formats.gene_embedding import read_gene_embedding
from cistron.formats.magma import GeneCorrelations
from cistron.genes.places import read_gene_places
from cistron.runtime.provenance import RunRecord
from cistron.runtime.shards import fingerprint
from cistron.runtime.threads import limit_threads


def run_gwas(
    embeddings: Sequence[str | Path],
    traits: str | Path,
    output: str | Path,
    settings: GwasSettings | None = None,
    *,
    covariance: str | Path | None = None,
    genes: str | Path | None = None,
    covariates: str | Path | None = None,
    seed: int = 0,
    workers: int | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
) -> pd.DataFrame:
    """Score embedding files on trait files and write scores, predictions, neighbours and ``run.json``.

    Parameters
    ----------
    embeddings
        Gene embeddings, in any form that :func:`read_gene_embedding` takes.
    traits
        What :func:`read_traits` takes.
    output
        Folder to write to.
    settings
        Settings of the task.
    covariance
        ``.genes.raw`` file of the same MAGMA run as the traits, or a folder with one a trait.
    genes
        Gene table: symbols for the report, and places for traits that carry none.
    covariates
        Table of further covariates of the null models: gene ids in the first column, a numeric column each.
    seed, workers, threads, scheduler
        How the work runs; trees take a process a core when ``workers`` is absent.

    Returns
    -------
    DataFrame
        The scores.

    Raises
    ------
    InputError
        If an input cannot be used.
    """
    settings = settings or GwasSettings()
    output, files = require_folder(output, (*embeddings, traits, covariance, genes, covariates))
    read = [read_gene_embedding(path) for path in embeddings]
    table, symbols = (None, {}) if genes is None else _read_gene_table(Path(genes))

    @cache
    def linkage() -> dict[str, GeneCorrelations] | None:
        return None if covariance is None else read_covariances(covariance)

    def places() -> pd.DataFrame | None:
        found = linkage() if table is None else None
        return table if found is None else gene_table_of(next(iter(found.values())))

    # A covariance takes a minute to read, so what can be wrong without it is found before.
    collection = read_traits(traits, places)
    prepare_embeddings(read, collection.genes, collection.name)
    if genes is not None and table is not None:
        collection = with_places(collection, table)
        _require_same_build(collection, table, Path(genes).name)
    extra = None
    if covariates is not None:
        extra, remark = read_covariates(covariates, collection.genes)
        collection = replace(
            collection, remarks=(*collection.remarks, remark) if remark else collection.remarks
        )
    record = RunRecord("evaluate gwas", settings, files, seed)
    work = {
        "settings": asdict(settings),
        "inputs": [entry["sha256"] for entry in record.inputs],
        "seed": seed,
    }
    trees = REGRESSORS.find(settings.model).traits_per_shard is not None
    with limit_threads(threads) as cores:
        result = evaluate_gwas(
            read,
            collection,
            settings,
            covariances=linkage(),
            extra=extra,
            symbols=symbols,
            seed=seed,
            directory=output / "shards" / fingerprint(work),
            workers=workers if workers is not None else (cores if trees else 1),
            threads=1,  # small matrices: several threads wait for each other more than they help
            scheduler=scheduler,
            run_id=record.run_id,
        )
    write_folder(
        output,
        record,
        result.scores,
        tables={"predictions": result.predictions, "neighbours": result.neighbours},
        facts=result.facts,
        warnings=result.warnings,
    )
    return result.scores


# MAGMA widens genes by up to 35 kb, and releases of one build move few genes by more than a little.
_SAME_PLACE = 60_000


def _require_same_build(collection: TraitCollection, table: pd.DataFrame, name: str) -> None:
    """Raise when a gene table places most genes elsewhere than the trait files do."""
    theirs = table.drop_duplicates("GENE").set_index("GENE")
    for design in collection.designs:
        mine = design.genes.set_index("GENE")
        shared = mine.index.intersection(theirs.index)
        if len(shared) < 30:
            continue
        moved = (mine.loc[shared, "START"] - theirs.loc[shared, "START"].astype(float)).abs() > _SAME_PLACE
        if moved.mean() > 0.5:
            raise InputError(
                f"{name} places {moved.mean():.0%} of {len(shared):,} genes more than {_SAME_PLACE // 1000} kb away from where the "
                f"traits do, for example {shared[int(moved.argmax())]}: it is of another genome build; use a table of the same build"
            )


def _read_gene_table(path: Path) -> tuple[pd.DataFrame | None, dict[str, str]]:
    """Places in MAGMA's columns (None where the table has none) and symbols by gene id."""
    found = read_gene_places(path, "gene table")
    genes = found.genes
    symbols = dict(zip(genes["gene"], genes["symbol"])) if "symbol" in genes else {}
    if not {"chromosome", "start"} <= set(genes):
        if not symbols:
            found.require("chromosome", "start")
        return None, symbols
    table = pd.DataFrame({"GENE": genes["gene"], "CHR": genes["chromosome"], "START": genes["start"] + 1})
    if "end" in genes:
        table["STOP"] = genes["end"]
    upper = {str(column).upper(): column for column in genes.columns}
    for column in ("NSNPS", "NPARAM", "MAC"):
        if column in upper:
            table[column] = genes[upper[column]]
    return table, symbols
