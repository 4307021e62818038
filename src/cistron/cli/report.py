"""``cistron report``: from result folders to one HTML page."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cistron.cli.running import Writes
from cistron.runtime import show

app = App(name="report", help="Build reports from scores.")


@app.command
def build(
    *folders: Path,
    output: Annotated[
        Path, Parameter(name=["--output", "-o"], help="HTML file to write."), Writes(maintained=True)
    ] = Path("report.html"),
    title: str | None = None,
    figures: bool = True,
) -> None:
    """Build one self-contained HTML report of result folders, with its figures as png and pdf beside it.

    Parameters
    ----------
    folders
        Output folders of 'cistron evaluate'; each becomes a chapter.
    title
        Title of the page.
    figures
        Save the figures to figures/ beside the report.
    """
    from cistron.report import build_report

    show(build_report(folders, output, title=title, figures=figures))
