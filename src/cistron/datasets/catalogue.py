"""The catalogue: an explicit list of public data sets (page ``docs/guide/datasets.md``)."""

import difflib

from cistron.datasets.records import DataSet
from cistron.datasets.sources import (
    cells,
    chromatin,
    gene_sets,
    genes,
    genome,
    gwas,
    networks,
    omics,
    sequence,
)
from cistron.errors import InputError

CATALOGUE: tuple[DataSet, ...] = (
    *genes.DATA_SETS,
    *gene_sets.DATA_SETS,
    *omics.DATA_SETS,
    *gwas.DATA_SETS,
    *genome.DATA_SETS,
    *sequence.DATA_SETS,
    *chromatin.DATA_SETS,
    *cells.DATA_SETS,
    *networks.DATA_SETS,
)


def catalogue() -> dict[str, DataSet]:
    """Give all data sets by name, in the order of the list."""
    return {data_set.name: data_set for data_set in CATALOGUE}


def find_data_set(name: str) -> DataSet:
    """Give one data set.

    Parameters
    ----------
    name
        Its name.

    Raises
    ------
    InputError
        If there is none, with the nearest names.
    """
    known = catalogue()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    near += [other for other in known if name and name.lower() in other and other not in near]
    hint = f"did you mean {' or '.join(near[:3])}? " if near else ""
    raise InputError(f"unknown data set {name!r}; {hint}'cistron data list' shows all {len(known)}")


def size_text(size: int | None, *, exact: bool = True) -> str:
    """Give a size with a decimal unit: ``984 MB``, ``~1.6 GB`` when it is not exact, ``?`` when it is not known."""
    if size is None:
        return "?"
    number = float(size)
    unit = "B"
    for larger in ("kB", "MB", "GB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    text = f"{number:.0f}" if unit == "B" or number >= 10 else f"{number:.1f}"
    return f"{'' if exact else '~'}{text} {unit}"


def data_set_size(data_set: DataSet) -> str:
    """Give the size of a data set as text; ``~`` when a file's size is only approximate."""
    exact = all(file.size is not None for file in data_set.files)
    return size_text(data_set.bytes_expected, exact=exact)


def as_markdown() -> str:
    """Give the table of the documentation page, one row a data set; a test compares the page with it."""
    lines = [
        "| name | what | size | checked by | address | build | licence | used by | cite |",
        "|" + "---|" * 9,
    ]
    for data_set in CATALOGUE:
        checks = "/".join(dict.fromkeys(file.checked_by for file in data_set.files)) or "-"
        cells_ = (
            f"[`{data_set.name}`]({data_set.homepage})",
            data_set.title.replace("|", "/"),
            data_set_size(data_set) if data_set.files else ("by file" if data_set.pattern else "by hand"),
            checks,
            data_set.url_status if data_set.files or data_set.pattern else "-",
            data_set.genome_build or "-",
            f"[{data_set.licence.name}]({data_set.licence.url})"
            + (" (**no commercial use**)" if data_set.licence.commercial is False else ""),
            ", ".join(data_set.used_by),
            data_set.citation,
        )
        lines.append("| " + " | ".join(cells_) + " |")
    return "\n".join(lines)
