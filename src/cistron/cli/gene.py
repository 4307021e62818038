"""``cistron gene``: what a study knows of one gene."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cistron.cli.running import Writes
from cistron.runtime import show

app = App(name="gene", help="Show what a study knows of a gene.")


@app.command(name="show")
def show_gene(
    gene: str,
    *,
    study: Path,
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="HTML page to write."), Writes(maintained=True)
    ] = None,
) -> None:
    """Show one gene: who it is, its traits, nearest genes, sets, regulators, targets, expression, what its DNA predicts, what its marks do.

    Prints a few lines, and with --output writes a page. What the study has nothing for names the command that would fill it.

    Parameters
    ----------
    gene
        Symbol, alias or id.
    study
        Folder of a study that was run.
    """
    from cistron.report.gene_facts import gene_facts, gene_lines
    from cistron.report.gene_single import build_gene_page
    from cistron.study.genes import read_gene_book

    book = read_gene_book(study)
    for line in gene_lines(gene_facts(book, book.find(gene))):
        show(line)
    if output is not None:
        show(f"page: {build_gene_page(study, gene, output)}")
