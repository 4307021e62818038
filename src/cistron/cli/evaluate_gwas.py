"""``cistron evaluate gwas``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output, Scheduler, Seed, Threads, renamed
from cistron.errors import InputError
from cistron.evaluation.gwas import GwasSettings, run_gwas
from cistron.methods import Count
from cistron.runtime import show


@dataclass(frozen=True)
class _Settings(GwasSettings):
    __doc__ = GwasSettings.__doc__
    model: Annotated[str, renamed("--regressor", "--model")] = GwasSettings.model


def gwas(
    *embeddings: Path,
    traits: Path,
    output: Output,
    covariance: Path | None = None,
    annotation: Annotated[Path | None, renamed("--annotation", "--genes")] = None,
    settings: Annotated[_Settings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
    workers: Count | None = None,
    threads: Threads = None,
    scheduler: Scheduler = None,
) -> None:
    """Measure how much gene embeddings know about GWAS traits beyond covariates.

    Each chromosome is left out in turn; a model on covariates and embedding is compared with a model on
    covariates alone. Writes scores.parquet, predictions.parquet, neighbours.parquet, run.json, figures and
    report.html.

    Parameters
    ----------
    embeddings
        Gene embeddings (.h5ad, .parquet, .tsv, .csv, word2vec text).
    traits
        A MAGMA .genes.out file, a folder of them, a long table (TRAIT GENE CHR START STOP NSNPS NPARAM N ZSTAT
        P), or a wide gene x trait matrix of z-scores.
    covariance
        MAGMA .genes.raw file of the same run, or a folder of TRAIT.genes.raw files: gives whitening and the
        minor allele count.
    annotation
        Symbols (HGNC) or where genes lie: GTF, GFF3, BED or a table such as GENE CHR START STOP (docs/formats/gene_places.md).
    report
        Write figures and the HTML report.
    workers
        Local processes; a process a core for trees when absent.
    """
    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    scores = run_gwas(
        embeddings,
        traits,
        output,
        settings,
        covariance=covariance,
        genes=annotation,
        seed=seed,
        workers=workers,
        threads=threads,
        scheduler=scheduler,
    )
    _print_summary(scores)
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")


def _print_summary(scores) -> None:  # type: ignore[no-untyped-def]  # a DataFrame; pandas loads late
    rows = scores[(scores["metric"] == "delta_r2") & (scores["stratum"] == "all genes")]
    medians = rows[rows["target"].str.startswith("median of")]
    for row in (medians if len(medians) else rows).itertuples():
        show(
            f"{row.embedding}: {row.target}: delta R2 {row.value:+.4f} [{row.low:+.4f}, {row.high:+.4f}], "
            f"permuted control {row.control_value:+.4f}"
        )
