"""``cistron data``: list and fetch public data sets."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cistron.cli.running import MayBeAbsent
from cistron.runtime import say, show

app = App(name="data", help="List and fetch public data sets.")

Only = Annotated[str | None, Parameter(help="Only files whose name matches; * and ? are allowed.")]


@app.command(name="list")
def list_(
    name: str | None = None,
    *,
    json_: Annotated[bool, Parameter(name="--json", negative=())] = False,
    markdown: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """List the catalogue, or all that is known about one data set.

    Parameters
    ----------
    name
        One data set; all when absent.
    json_
        Print JSON.
    markdown
        Print the table of the documentation page.
    """
    from cistron.datasets import catalogue, find_data_set
    from cistron.datasets.catalogue import as_markdown

    data_sets = list(catalogue().values()) if name is None else [find_data_set(name)]
    if json_:
        records = [dataclasses.asdict(data_set) for data_set in data_sets]
        show(json.dumps(records if name is None else records[0], indent=2))
    elif markdown:
        show(as_markdown())
    elif name is None:
        _print_table()
    else:
        _print_one(data_sets[0])


def _print_table() -> None:
    from cistron.datasets import catalogue
    from cistron.datasets.catalogue import data_set_size

    rows = [("NAME", "SIZE", "BUILD", "ADDRESS", "LICENCE", "WHAT")]
    for data_set in catalogue().values():
        size = data_set_size(data_set) if data_set.files else ("by file" if data_set.pattern else "by hand")
        licence = data_set.licence.name + (" (!)" if data_set.licence.commercial is False else "")
        address = data_set.url_status if data_set.files or data_set.pattern else "-"
        rows.append((data_set.name, size, data_set.genome_build or "-", address, licence, data_set.title))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        name, size, *rest = (cell.ljust(width) for cell, width in zip(row, widths))
        show("  ".join([name, size.strip().rjust(widths[1]), *rest, row[5]]))
    show("\n~ approximate, ? not known, (!) no commercial use. 'cistron data list NAME' tells more.")
    show(
        "Address: quoted from the publisher's page or code, unconfirmed (made by the publisher's naming scheme), or tried (fetched when the "
        "list was made)."
    )


def _print_one(data_set: object) -> None:
    from cistron.datasets import DataSet
    from cistron.datasets.catalogue import size_text

    assert isinstance(data_set, DataSet)
    commercial = {True: "allowed", False: "FORBIDDEN", None: "not stated"}[data_set.licence.commercial]
    facts = {
        "what": data_set.title,
        "licence": f"{data_set.licence.name}, {data_set.licence.url}",
        "commercial use": commercial,
        "cite": data_set.citation,
        "homepage": data_set.homepage,
        "build": data_set.genome_build,
        "used by": ", ".join(data_set.used_by),
        "note": data_set.note,
        "how to get it": data_set.access,
        "any file of": data_set.pattern,
        "urls": data_set.url_status,
    }
    show(data_set.name)
    for key, value in facts.items():
        if value:
            show(f"  {key}: {value}")
    for file in data_set.files:
        size = size_text(file.bytes_expected, exact=file.size is not None)
        show(f"  file: {file.name}  {size}, checked by {file.checked_by}, {file.url}")


@app.command
def fetch(
    *names: str,
    only: Only = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"]), MayBeAbsent()] = None,
    mirror: str | None = None,
    fall_back: Annotated[bool, Parameter(negative=())] = False,
    offline: Annotated[bool, Parameter(negative=())] = False,
    verify: Annotated[bool, Parameter(negative=())] = False,
    accept_change: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Fetch data sets into the cache and print the paths of their files.

    An interrupted fetch goes on where it stopped. Files are checked by the publisher's checksum or size where
    the catalogue has one; the SHA-256 of every first fetch is kept and compared later.

    Parameters
    ----------
    names
        Data sets of 'cistron data list'.
    output
        Folder to use instead of the cache (CISTRON_CACHE). It can serve as a mirror.
    mirror
        Folder or url to fetch from instead of the publishers (CISTRON_MIRROR).
    fall_back
        Ask the publisher when the mirror lacks a file.
    offline
        Use no network (CISTRON_OFFLINE=1).
    verify
        Hash files of the cache again.
    accept_change
        Accept files that differ from an earlier fetch.
    """
    from cistron.datasets import FetchSettings, fetch_data_set, find_data_set
    from cistron.datasets.fetch import licence_warning
    from cistron.errors import InputError

    if not names:
        raise InputError("no data set was named; 'cistron data list' shows all")
    settings = FetchSettings(
        output=output,
        mirror=mirror,
        fall_back=fall_back,
        offline=offline,
        verify=verify,
        accept_change=accept_change,
    )
    for data_set in [find_data_set(name) for name in names]:
        for path in fetch_data_set(data_set, only=only, settings=settings):
            show(path)
        if data_set.licence.commercial is False:
            say(f"cistron: note: {licence_warning(data_set)}", always=True)


@app.command
def path(name: str, *, only: Only = None, output: Annotated[Path | None, MayBeAbsent()] = None) -> None:
    """Print where the files of a data set lie in the cache; nothing is fetched.

    Parameters
    ----------
    name
        Data set of 'cistron data list'.
    output
        Folder used instead of the cache.
    """
    from cistron.datasets import cached_paths, find_data_set

    for found in cached_paths(find_data_set(name), only=only, output=output):
        show(found)
