"""``cistron evaluate sldp``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output, Scheduler, Seed, Threads, Workers
from cistron.evaluation.sldp.settings import SldpSettings
from cistron.methods import Count
from cistron.runtime import show

_SHOWN = 10


def sldp(
    *scores: Path,
    summary: Annotated[tuple[Path, ...], Parameter(negative=(), consume_multiple=True)],
    ld: Path,
    output: Output,
    blocks: Path | None = None,
    people: Count | None = None,
    settings: Annotated[SldpSettings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = None,
) -> None:
    """Measure whether signed scores of variants agree with the signs of a GWAS, through linkage (signed LD profile regression).

    Writes scores.parquet (the functional correlation of each column of scores, with p-value, interval and control),
    annotations.parquet (with z and q-values), run.json and report.html.

    Parameters
    ----------
    scores
        Tables of 'cistron sequence variants', or anybody's with chromosome, position, ref, alt and columns of numbers; all columns are
        tested in one pass.
    summary
        GWAS summary statistics of one trait or several (LDSC's .sumstats, PLINK, GWAS Catalogue): effect allele, other allele, Z or
        effect and error, N, and places or identifiers.
    ld
        Reference genotypes: the prefix of PLINK files (needs bed-reader), or .npz with genotypes, chromosome, position and block.
    blocks
        BED of independent linkage blocks of the same build; stretches of --block-length when absent, or those of the .npz.
    people
        People of the GWAS, where the summary statistics do not tell.
    report
        Write figures and the HTML report.
    """
    from cistron.evaluation.sldp import run_sldp

    found = run_sldp(scores, summary, ld, output, settings, blocks=blocks, people=people, seed=seed)
    rows = found.annotations.dropna(subset=["correlation"]).sort_values("p_value", kind="stable")
    for row in rows.head(_SHOWN).itertuples():
        show(
            f"{row.trait}, {row.scores} {row.annotation}: correlation {row.correlation:+.3f} [{row.low:+.3f}, {row.high:+.3f}], "
            f"p {row.p_value:.2g}, q {row.q_value:.2g}; random signs {row.control:+.3f}"
        )
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")
