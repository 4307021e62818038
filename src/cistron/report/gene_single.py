"""The page of one gene, which needs no script."""

from pathlib import Path
from typing import Any

from cistron.report.build import finish_page
from cistron.report.drawing import Drawing
from cistron.report.gene_drawings import marks_drawing, tracks_drawing
from cistron.report.gene_facts import TITLES, gene_facts
from cistron.report.page import Chapter, Section, build_page, render
from cistron.runtime.files import check_writable
from cistron.study.genes import read_gene_book


def build_gene_page(folder: str | Path, gene: str, output: str | Path) -> Path:
    """Write the page of one gene; it needs no script.

    Parameters
    ----------
    folder
        Folder of a finished study.
    gene
        Symbol, alias or id.
    output
        HTML file.

    Raises
    ------
    InputError
        If the study has no such gene.
    """
    book = read_gene_book(folder)
    row = book.find(gene)
    output = check_writable(Path(output))
    page = gene_facts(book, row)
    run: dict[str, Any] = {"warnings": []}
    drawings = gene_drawings(page)
    every = tuple(one for some in drawings.values() for one in some)
    body = render("gene_static.html", drawings=drawings, titles=TITLES, **page)
    sections = [Section("gene", page["title"], body, every)]
    chapters = [Chapter(page["title"], "gene_", run, tuple(sections))]
    text = build_page(f"{page['title']}: {book.plan.name}", chapters, study=True)
    return finish_page(text, chapters, output, figures=False)


def gene_drawings(page: dict[str, Any]) -> dict[str, list[Drawing]]:
    """Figures of the page, by the key of their files."""
    told, title = page["evidence"], page["title"]
    return {
        "tracks": [tracks_drawing(told["tracks"], title, "gene_tracks")] if told["tracks"] else [],
        "epigenesis": [
            marks_drawing(found, title, f"gene_marks_{number}")
            for number, found in enumerate(told["epigenesis"], 1)
        ],
    }
