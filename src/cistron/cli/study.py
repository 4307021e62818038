"""``cistron study``: every embedding on every task."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cistron.cli.options import Output, Scheduler, Workers
from cistron.cli.running import Writes
from cistron.runtime import show

app = App(name="study", help="Score every embedding on every task, in one table and one report.")
Kind = Literal["expression", "dna", "protein", "perturbation", "chromatin", "literature"]


@app.command
def init(*, output: Output) -> None:
    """Write a commented example of a study file, with a small planted world that it runs on.

    Writes FILE.toml and the folder FILE_world beside it.
    """
    from cistron.study.example import write_example

    world = write_example(output)
    show(f"wrote {output} and {world}; run it with 'cistron study run {output} --output study'")


@app.command
def run(
    plan: Path,
    *,
    output: Annotated[
        Path, Parameter(name=["--output", "-o"], help="Folder of the study."), Writes(maintained=True)
    ],
    new_common_genes: bool = False,
    report: bool = True,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Compute the missing cells of a study, then write its tables and report.html.

    Writes table.tsv, differences.tsv, complementarity.tsv, coverage.tsv, scores.parquet, a result folder a task under tasks/, run.json
    and report.html. A cell (embedding x task x genes) is computed once; a second run computes nothing.

    Parameters
    ----------
    plan
        Study file (.toml); 'cistron study init' writes an example.
    new_common_genes
        Take the genes that all embeddings share anew, which computes every row again.
    report
        Write figures and the HTML report.
    """
    from cistron.study import run_study

    result = run_study(plan, output, workers=workers, scheduler=scheduler, new_common_genes=new_common_genes)
    _tell(result, report)


@app.command
def add(
    study: Path,
    embedding: Path,
    *,
    name: str | None = None,
    evidence: tuple[Kind, ...] = (),
    report: bool = True,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Add one embedding to a study that was run; only its row is computed. Or a file for the pages of genes.

    What another command wrote of genes is told by its content, and nothing is computed for it: predicted tracks, scored variants,
    elements that contribute, an epigenesis map, a designed epigenome, an inferred network.

    Parameters
    ----------
    study
        Folder of the study.
    embedding
        Gene embedding (.h5ad, .parquet, .tsv, .csv, word2vec text), or what sequence predict, sequence variants, sequence enhancers,
        chromatin epigenesis, chromatin design or networks infer wrote.
    name
        Name of its row; that of the file when absent.
    evidence
        What it was made from, where its header does not say it.
    report
        Write figures and the HTML report.
    """
    from cistron.study import add_to_study

    result = add_to_study(
        study, embedding, name=name, evidence=evidence, workers=workers, scheduler=scheduler
    )
    _tell(result, report)


def _tell(result, report: bool) -> None:  # type: ignore[no-untyped-def]  # a StudyResult; pandas loads late
    table = result.table
    for task in dict.fromkeys(table["task"]):
        show(f"{task}:")
        rows = table[
            (table["task"] == task) & (table["part"] == "common genes") & (table["row"] != "together")
        ]
        for row in rows.sort_values("value", ascending=False).itertuples():
            if row.problem:
                show(f"  {row.embedding}: not scored ({row.problem})")
                continue
            marks = ", indistinguishable from the best" if row.best else ""
            if not row.beats_control:
                marks += ", no better than its control"
            elif row.beyond == row.beyond:
                marks += f", beyond trivial columns {row.beyond:+.3f} [{row.beyond_low:+.3f}, {row.beyond_high:+.3f}]"
            show(f"  {row.embedding}: {row.metric} {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]{marks}")
    show(f"{result.computed:,} cells computed, {result.reused:,} were there")
    if report:
        from cistron.report.study import build_study_report

        show(f"report: {build_study_report(result.folder, result.folder / 'report.html')}")
    show(f"table: {result.folder / 'table.tsv'}")
