"""``cistron evaluate gwas``."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from cistron.cli.method_options import ShownWith
from cistron.cli.options import Output, Scheduler, Seed, Threads, renamed
from cistron.errors import InputError
from cistron.evaluation.gwas.regressor_settings import BoostedSettings, RidgeSettings, XgboostSettings
from cistron.evaluation.gwas.settings import GwasSettings
from cistron.methods import Count
from cistron.runtime import show

_BESIDE = {
    "delta_r2": "",
    "delta_r2_published": "over the published null model",
    "delta_r2_positional": "over the positional null model",
    "delta_r2_matched": "matched control",
}
_NOT_PRINTED = ("odd chromosomes", "even chromosomes", "shared genes")


def _settings_of(regressor: str) -> Parameter:
    shown: Any = ShownWith(regressor, "--regressor", "--model")
    return Parameter(show=shown, group=Group(f"Settings of {regressor}", sort_key=5))


@dataclass(frozen=True)
class _Settings(GwasSettings):
    __doc__ = GwasSettings.__doc__
    model: Annotated[
        str,
        renamed("--regressor", "--model"),
        Parameter(
            help="Regressor between embedding and z-score: ridge, linear, xgboost, boosted. Each has settings of its own: "
            "--regressor NAME --help shows them."
        ),
    ] = GwasSettings.model
    ridge: Annotated[RidgeSettings, _settings_of("ridge")] = field(default_factory=RidgeSettings)
    xgboost: Annotated[XgboostSettings, _settings_of("xgboost")] = field(default_factory=XgboostSettings)
    boosted: Annotated[BoostedSettings, _settings_of("boosted")] = field(default_factory=BoostedSettings)


def gwas(
    *embeddings: Path,
    traits: Path,
    output: Output,
    covariance: Path | None = None,
    annotation: Annotated[Path | None, renamed("--annotation", "--genes")] = None,
    covariates: Path | None = None,
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
    covariates
        Table of further covariates of the null models: gene ids in the first column, a numeric column each.
    report
        Write figures and the HTML report.
    workers
        Local processes for independent work; the result is that of one process. A process a core for trees when absent.
    """
    from cistron.evaluation.gwas import run_gwas

    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    scores = run_gwas(
        embeddings,
        traits,
        output,
        settings,
        covariance=covariance,
        genes=annotation,
        covariates=covariates,
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
    rows = scores[scores["target"].str.startswith("median of")]
    main = rows[(rows["metric"] == "delta_r2") & (rows["stratum"] == "all genes")]
    for row in main.itertuples():
        control = (
            f", permuted control {row.control_value:+.4f}" if row.control_value == row.control_value else ""
        )
        show(
            f"{row.embedding}: {row.target}: delta R2 {row.value:+.4f} [{row.low:+.4f}, {row.high:+.4f}]{control}"
        )
    # What stands beside the headline, over all traits: the other null model, places alone, the MHC, coverage.
    rest = rows[(rows["target"] == rows["target"].iloc[0]) & rows["metric"].isin(_BESIDE)].drop(
        main.index, errors="ignore"
    )
    for row in rest[~rest["stratum"].isin(_NOT_PRINTED)].itertuples():
        what = row.stratum if row.metric == "delta_r2" else _BESIDE[row.metric]
        show(f"  {row.embedding}, {what}: {row.value:+.4f} [{row.low:+.4f}, {row.high:+.4f}]")
