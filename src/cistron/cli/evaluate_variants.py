"""``cistron evaluate variants``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output, Seed
from cistron.evaluation.variants.settings import MpraSettings
from cistron.runtime import show


def variants(
    *scores: Path,
    mpra: Path,
    output: Output,
    settings: Annotated[MpraSettings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
) -> None:
    """Measure how well scores of variants agree with a reporter assay (MPRA), beside what needs no model.

    Writes scores.parquet (Pearson's correlation of each element and their mean, with intervals, baselines and control),
    predictions.parquet, run.json and report.html.

    Parameters
    ----------
    scores
        Tables of 'cistron sequence variants', or anybody's with chromosome, position, ref, alt and columns of numbers. None scores the
        baselines alone.
    mpra
        Measured effects with element, chromosome, position (from 1), ref, alt, value, and where there are split (train or another word)
        and confidence: the CAGI5 and satMut tables as they are.
    report
        Write figures and the HTML report.
    """
    from cistron.evaluation.variants import run_mpra

    found = run_mpra(scores, mpra, output, settings, seed=seed)
    means = found[found["target"].str.startswith("mean of") & (found["stratum"] == "tested rows")]
    for row in means.itertuples():
        control = (
            "" if row.control_value != row.control_value else f", permuted effects {row.control_value:+.3f}"
        )
        show(
            f"{row.embedding} ({row.model}): Pearson {row.value:.3f} [{row.low:.3f}, {row.high:.3f}], {row.target}{control}"
        )
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")
