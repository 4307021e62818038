"""The page of a gene: placeholder until the book of genes is written."""

from pathlib import Path

from cistron.report.page import Section


def gene_search_section(folder: Path) -> Section | None:
    """Nothing yet."""
    return None
