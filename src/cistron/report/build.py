"""From result folders to a report: read, make the sections of each task, write figures and page."""

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from cistron.errors import InputError
from cistron.report.page import Chapter, Section, build_page
from cistron.report.result import Result, read_result
from cistron.report.run_record import run_section
from cistron.runtime import track
from cistron.runtime.files import atomic_path, check_writable

# task: (title of its chapter, function from a result to its sections); a new task is one line here
TASKS: dict[str, tuple[str, str]] = {
    "gwas": ("GWAS gene scores", "cistron.report.gwas:gwas_sections"),
    "expression": ("Expression", "cistron.report.expression:expression_sections"),
    "epigenesis": ("What histone marks do", "cistron.report.epigenesis:epigenesis_sections"),
    "track_quality": (
        "Histone marks around start sites",
        "cistron.report.track_quality:track_quality_sections",
    ),
    "edges": ("Gene networks", "cistron.report.edges:edge_sections"),
    "labels": ("Labels of genes", "cistron.report.labels:label_sections"),
    "pairs": ("Pairs of genes", "cistron.report.pairs:pair_sections"),
    "variant_effects": ("Effects of variants", "cistron.report.variant_effects:variant_sections"),
    "saturation": ("Saturation mutagenesis", "cistron.report.saturation:saturation_sections"),
    "enhancer_contributions": (
        "Contributions of elements",
        "cistron.report.enhancer_contributions:contribution_sections",
    ),
    "variants": ("Variants in reporter assays", "cistron.report.mpra:mpra_sections"),
    "eqtl": ("Variants that change expression (eQTL)", "cistron.report.eqtl:eqtl_sections"),
    "sldp": ("Signed scores and GWAS", "cistron.report.sldp:sldp_sections"),
    "enhancers": ("Enhancers of genes", "cistron.report.enhancers:enhancer_sections"),
    "genesets": ("Gene sets", "cistron.report.genesets:gene_set_sections"),
    "tracks": ("Tracks from DNA", "cistron.report.tracks:track_sections"),
    "base_edits": ("Base changes for designed marks", "cistron.report.base_edits:base_edit_sections"),
    "folds": ("Folds of genomes", "cistron.report.folds:fold_sections"),
}

_FILES = re.compile(r' <span class="files">.*?</span>')


def sections_of(result: Result, prefix: str) -> list[Section]:
    """Make the sections of a result by its task; ``prefix`` starts the names of figures and identifiers.

    Raises
    ------
    InputError
        If no report is known for the task.
    """
    if result.task not in TASKS:
        raise InputError(f"{result.folder}: no report for task {result.task!r}; known: {', '.join(TASKS)}")
    module, function = TASKS[result.task][1].split(":")
    make: Callable[[Result, str], list[Section]] = getattr(import_module(module), function)
    return make(result, prefix)


def build_report(
    folders: Sequence[str | Path], output: str | Path, *, title: str | None = None, figures: bool = True
) -> Path:
    """Write one self-contained HTML report of result folders, and its figures beside it.

    Parameters
    ----------
    folders
        Output folders of ``cistron evaluate``; each becomes a chapter.
    output
        HTML file. Figures go to ``figures/`` in the same folder, as png and pdf.
    title
        Title of the page.
    figures
        Save the figures as files too.

    Returns
    -------
    Path
        ``output``.

    Raises
    ------
    InputError
        If a folder cannot be reported or the output cannot be written; nothing is written then.
    """
    if not folders:
        raise InputError("no result folder was given; name at least one output folder of 'cistron evaluate'")
    output = Path(output)
    if output.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"a report is an .html file. Given: {output.name}; change --output")
    resolved = [Path(folder).resolve() for folder in folders]
    if len(set(resolved)) < len(resolved):
        raise InputError("a result folder was given twice; name each once")
    check_writable(output)
    results = [read_result(folder) for folder in folders]
    chapters = []
    for number, result in enumerate(track(results, "report", unit="chapters"), 1):
        prefix = f"{result.task}_" if len(results) == 1 else f"{result.task}_{number}_"
        sections = (*sections_of(result, prefix), run_section(result))
        chapters.append(
            Chapter(f"{TASKS[result.task][0]}: {_datasets(result)}", prefix, result.run, sections)
        )
    page = build_page(title or (chapters[0].title if len(chapters) == 1 else "Scores"), chapters)
    return finish_page(page, chapters, output, figures=figures)


def finish_page(page: str, chapters: Sequence[Chapter], output: Path, *, figures: bool) -> Path:
    """Write a page and, where they are wanted, its figures beside it; without them it names no files.

    Parameters
    ----------
    page
        The HTML.
    chapters
        Chapters whose figures are saved.
    output
        HTML file.
    figures
        Save the figures to ``figures/`` in the same folder.
    """
    if figures:
        drawings = [one for chapter in chapters for section in chapter.sections for one in section.drawings]
        for drawing in track(drawings, "figures of the report", unit="figures"):
            drawing.save(output.parent / "figures")
    else:
        page = _FILES.sub("", page)
    with atomic_path(output) as partial:
        partial.write_text(page, encoding="utf-8")
    return output


def _datasets(result: Result) -> str:
    return ", ".join(dict.fromkeys(result.scores["dataset"]))
