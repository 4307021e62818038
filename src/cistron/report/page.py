"""The page: sections in, one HTML text out that needs no other file and sends no request."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import cistron
from cistron.plots.style import NO_VALUE, signed
from cistron.report.drawing import Drawing


@dataclass(frozen=True)
class Section:
    """One part of a report.

    Attributes
    ----------
    anchor
        Identifier within the task, for links.
    title
        Heading.
    body
        HTML, made by :func:`render`; plain text is escaped.
    drawings
        Figures that ``body`` shows; they are also saved as png and pdf.
    warnings
        What the reader must see before the figures: shown in the box at the top of the page.
    """

    anchor: str
    title: str
    body: Markup | str
    drawings: tuple[Drawing, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """The sections of one result folder; ``prefix`` keeps its identifiers apart, ``run`` is its ``run.json``."""

    title: str
    prefix: str
    run: dict[str, Any]
    sections: tuple[Section, ...]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cistron.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["signed"] = signed
    environment.filters["fixed"] = fixed
    environment.filters["p_value"] = p_value
    environment.filters["count"] = count
    return environment


def render(template: str, **values: Any) -> Markup:
    """Fill a template of ``report/templates``; every value that is not markup is escaped."""
    return Markup(_environment().get_template(template).render(**values))


def _asset(name: str) -> str:
    return files("cistron.report").joinpath("assets", name).read_text(encoding="utf-8")


def build_page(title: str, chapters: Sequence[Chapter], *, study: bool = False) -> str:
    """Put chapters together to one page.

    Style and scripts are written into the page. Its content security policy forbids every request and every
    script but ours, which it names by hash, so that text which came through unescaped could not run either.

    Parameters
    ----------
    title
        Title of the page.
    chapters
        One a result folder.
    study
        The page of a study: it opens on its first chapter, and records of runs come last.

    Returns
    -------
    str
        HTML.
    """
    script = "\n".join(
        _asset(name)
        for name in (
            "page.js",
            "table.js",
            "figures.js",
            "genes.js",
            "gene_charts.js",
            "gene_facts.js",
            "gene_map.js",
            "gene_map_files.js",
        )
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    warnings = [
        (chapter, list(dict.fromkeys([*chapter.run.get("warnings", []), *(w for s in chapter.sections for w in s.warnings)])))
        for chapter in chapters
    ]  # fmt: skip
    return str(
        render(
            "page.html",
            title=title,
            chapters=chapters,
            study=study,
            warnings=_said_once(warnings)
            if study
            else [(chapter, texts) for chapter, texts in warnings if texts],
            style=Markup(_asset("page.css")),
            script=Markup(script),
            script_digest=digest,
            version=cistron.__version__,
        )
    )


def _said_once(warnings: Sequence[tuple[Chapter, list[str]]]) -> list[tuple[Chapter, list[str]]]:
    """Warnings without those that an earlier chapter says, with or without the name of a task before them."""
    said: set[str] = set()
    kept = []
    for chapter, texts in warnings:
        new = [text for text in texts if text not in said]
        said |= {part for text in texts for part in (text, text.partition(": ")[2])}
        if new:
            kept.append((chapter, new))
    return kept


def fixed(value: float | None, decimals: int = 4) -> str:
    """Write a number with fixed decimals and a true minus; a dash where there is none."""
    if value is None or value != value:
        return NO_VALUE
    return f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def count(value: float | None) -> str:
    """Write a whole number with separators; a dash where there is none."""
    return NO_VALUE if value is None or value != value else f"{int(value):,}"


def p_value(value: float | None) -> str:
    """Write a p-value with two digits, small ones as a power of ten."""
    if value is None or value != value:
        return NO_VALUE
    if value >= 0.001:
        return f"{value:.2g}" if value < 0.995 else "1"
    mantissa, exponent = f"{value:.1e}".split("e")
    power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}\N{MULTIPLICATION SIGN}10{power}" if value > 0 else "0"
