"""``cistron store``: check that zarr stores are whole."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cistron.errors import CistronError, InputError
from cistron.runtime import show

app = App(name="store", help="Check that zarr stores are whole.")


@app.command
def check(*stores: Path, verify: Annotated[bool, Parameter(negative=())] = False) -> None:
    """Check that all files of zarr stores are there: tracks, marks around genes, epigenesis maps, designed epigenomes.

    Every command that reads a store compares names and sizes of its files first, as this does.

    Parameters
    ----------
    stores
        Folders (.zarr).
    verify
        Read everything, too, and compare it with its checksums.
    """
    from cistron.formats.store import check_store

    if not stores:
        raise InputError("no store was given; name at least one folder")
    broken = []
    for path in stores:
        try:
            files, size = check_store(path, verify=verify)
        except CistronError as error:
            if len(stores) == 1:
                raise
            show(f"{path}: NOT WHOLE\n  problem: {error}")
            broken.append(path.name)
            continue
        show(f"{path}: whole, {files:,} files of {size:,} bytes{', all read' if verify else ''}")
    if broken:
        raise InputError(f"{len(broken)} of {len(stores)} stores are not whole: {', '.join(broken)}")
