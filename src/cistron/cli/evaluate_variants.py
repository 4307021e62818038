"""``cistron evaluate variants``."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from cistron.cli.options import Output, Scheduler, Seed, Threads, Workers
from cistron.cli.sequence_options import Build
from cistron.errors import InputError
from cistron.evaluation.variants.settings import MpraSettings
from cistron.evaluation.variants.settings_eqtl import EqtlSettings
from cistron.runtime import show

_EQTL = Group("Choosing and classifying eQTL")


def variants(
    *scores: Path,
    mpra: Annotated[tuple[Path, ...], Parameter(negative=(), consume_multiple=True)] = (),
    eqtl: Path | None = None,
    tissue_columns: Path | None = None,
    output: Output,
    build: Build = None,
    settings: Annotated[MpraSettings | None, Parameter(name="*")] = None,
    choice: Annotated[EqtlSettings | None, Parameter(name="*", group=_EQTL)] = None,
    report: bool = True,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = 1,
) -> None:
    """Measure how well scores of variants agree with a reporter assay (--mpra) or tell fine-mapped eQTL (--eqtl).

    Writes scores.parquet (with intervals, baselines that need no model, and controls), predictions.parquet, run.json and report.html; for
    eQTL also chosen.parquet and variants.vcf, the positives and negatives that were chosen.

    Parameters
    ----------
    scores
        Tables of 'cistron sequence variants', or anybody's with chromosome, position, ref, alt and columns of numbers. None scores the
        baselines alone; with --eqtl that run writes which variants to score.
    mpra
        Measured effects with element, chromosome, position (from 1), ref, alt, value, and where there are split (train or another word)
        and confidence or pValue: the CAGI5 and satMut tables as they are. Of several tables, what overlaps is one locus.
    eqtl
        Fine-mapped eQTL: output of SuSiE with variant (chr1_13550_G_A), gene, pip and z (or slope and slope_se), and where there are
        tissue, tss_distance and maf; or a column set with positive and negative.
    tissue_columns
        Table with columns tissue and column: the columns of the scores that belong to a tissue of the eQTL, for the direction.
    report
        Write figures and the HTML report.
    """
    from cistron.evaluation.variants import run_eqtl, run_mpra

    if bool(mpra) == (eqtl is not None):
        raise InputError(
            "evaluate variants: give --mpra (a reporter assay) or --eqtl (fine-mapped eQTL), one of them"
        )
    settings = settings or MpraSettings()
    if mpra:
        if tissue_columns is not None:
            raise InputError("--tissue-columns belongs to --eqtl; leave it out with --mpra")
        _show_mpra(run_mpra(scores, mpra, output, settings, build=build or "", seed=seed))
    else:
        assert eqtl is not None
        found = run_eqtl(
            scores,
            eqtl,
            output,
            choice,
            tissue_columns=tissue_columns,
            draws=settings.draws,
            seed=seed,
            threads=threads,
        )
        _show_eqtl(found)
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")


def _show_mpra(found: Any) -> None:
    means = found[found["target"].str.startswith("mean of") & (found["stratum"] == "tested rows")]
    for row in means.itertuples():
        control = (
            "" if row.control_value != row.control_value else f", permuted effects {row.control_value:+.3f}"
        )
        show(
            f"{row.embedding} ({row.model}): Pearson {row.value:.3f} [{row.low:.3f}, {row.high:.3f}], {row.target} of {row.dataset}{control}"
        )


def _show_eqtl(found: Any) -> None:
    means = found[
        found["target"].str.startswith("mean of") & (found["stratum"] == "all") & (found["metric"] == "auroc")
    ]
    for row in means.itertuples():
        control = (
            "" if row.control_value != row.control_value else f", permuted classes {row.control_value:.3f}"
        )
        show(
            f"{row.embedding} ({row.model}): AUROC {row.value:.3f} [{row.low:.3f}, {row.high:.3f}], {row.target}{control}"
        )
    signs = found[(found["metric"] == "direction_auroc") & (found["stratum"] == "all")]
    for row in signs.itertuples():
        show(
            f"{row.embedding} ({row.model}): direction, AUROC {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]"
        )
