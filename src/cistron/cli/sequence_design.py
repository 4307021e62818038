"""``cistron sequence design``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.options import Output, Seed, Threads
from cistron.cli.sequence_options import Ambiguous, Build, Device, Fasta, Weights
from cistron.runtime import show
from cistron.sequence.settings_edits import BaseEditSettings


def design(
    design: Path,
    *,
    genome: Fasta,
    weights: Weights,
    track_table: Path,
    output: Output,
    judge_weights: Path | None = None,
    expression_model: Path | None = None,
    protected: Path | None = None,
    organism: Literal["human", "mouse"] = "human",
    settings: Annotated[BaseEditSettings | None, Parameter(name="*")] = None,
    build: Build = None,
    ambiguous: Ambiguous = "error",
    report: bool = True,
    device: Device = "auto",
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Propose the fewest base changes after which a sequence model predicts the marks of a designed epigenome.

    Writes edits.bed, edits.vcf, edits.tsv, outcome.tsv (share of the wanted change, by the model and by each judge), the predicted tracks
    (tracks.parquet), run.json and report.html.

    Parameters
    ----------
    design
        Designed epigenome of 'cistron chromatin design'.
    track_table
        Which track of the model is which mark: a table with the columns cell_type, mark, track (number, identifier or part of the description).
    judge_weights
        Model folder with the same tracks that takes no part in the search, and says what it predicts for the edited DNA.
    expression_model
        Model folder of 'cistron chromatin train' that says what expression follows from the marks of the edited DNA; a judge where it did
        not make the design.
    protected
        BED of bases that may not change.
    organism
        Whose tracks.
    report
        Write figures and the HTML report.
    """
    from functools import partial

    from cistron.genome import open_genome
    from cistron.runtime import limit_threads
    from cistron.sequence.design_edits import design_edits

    expression = None
    if expression_model is not None:
        from cistron.chromatin.design_from_dna import expression_after_edits

        expression = partial(expression_after_edits, expression_model)
    with open_genome(genome, build, ambiguous) as opened, limit_threads(threads):
        outcome = design_edits(
            design,
            weights,
            opened,
            track_table,
            output,
            settings=settings,
            judge=judge_weights,
            protected=protected,
            expression=expression,
            organism=organism,
            device=device,
            seed=seed,
        )
    for row in outcome.itertuples():
        judged = f", {row.judge_share:.0%} by the judge" if row.judge_share == row.judge_share else ""
        follows = (
            f"; {row.expression_share:.0%} of that of expression"
            if row.expression_share == row.expression_share
            else ""
        )
        show(
            f"  {row.gene}: {row.share:.0%} of the wanted change of the marks with {row.edits} base changes{judged}{follows}"
        )
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"wrote {output}")
