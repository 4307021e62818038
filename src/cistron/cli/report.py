"""``cistron report``: from result folders to one HTML page."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cistron.cli.running import Writes
from cistron.errors import InputError
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
        Output folders of 'cistron evaluate'; each becomes a chapter. The folder of a study gives the page of the study, with the others as
        further chapters.
    title
        Title of the page; that of a study is its name.
    figures
        Save the figures to figures/ beside the report.
    """
    from cistron.report import build_report
    from cistron.report.study import build_study_report
    from cistron.study.plan_file import PLAN

    studies = [folder for folder in folders if (folder / PLAN).is_file()]
    if len(studies) > 1:
        raise InputError(
            f"{len(studies)} folders are studies ({', '.join(map(str, studies))}); give one, and other result folders beside it"
        )
    if studies and title is not None:
        raise InputError(
            "the page of a study has the name of the study ([study] name = ...); leave --title out"
        )
    if studies:
        further = [folder for folder in folders if folder not in studies]
        show(build_study_report(studies[0], output, further=further, figures=figures))
        return
    show(build_report(folders, output, title=title, figures=figures))
