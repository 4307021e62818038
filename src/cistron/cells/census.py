"""CELLxGENE's Census as a source of cells: a slice is fetched once and written as .h5ad."""

from pathlib import Path

import numpy as np

from cistron.errors import DownloadError, InputError, MissingDependencyError
from cistron.formats.anndata_files import write_anndata
from cistron.formats.tables import first_line
from cistron.runtime.files import atomic_path, check_writable


def fetch_census(
    destination: str | Path, *, filter_cells: str, organism: str = "Homo sapiens", version: str = "stable"
) -> tuple[int, int]:
    """Fetch raw counts of the cells that match a filter and write them as .h5ad.

    Parameters
    ----------
    destination
        .h5ad to write.
    filter_cells
        Filter in Census's language, for example ``tissue == 'blood' and is_primary_data == True``.
    organism
        As the Census names it.
    version
        Version of the Census; a date makes the result repeatable.

    Returns
    -------
    int
        Number of cells.
    int
        Number of genes.

    Raises
    ------
    MissingDependencyError
        If ``cellxgene-census`` is not installed.
    DownloadError
        If the Census cannot be reached or refuses the filter.
    """
    destination = check_writable(destination)
    if destination.suffix != ".h5ad":
        raise InputError(f"cells of the Census are written as .h5ad. Given: {destination.name}")
    try:
        import cellxgene_census
    except ImportError as error:
        raise MissingDependencyError(
            "CELLxGENE's Census needs a package: pip install cellxgene-census"
        ) from error
    try:
        with cellxgene_census.open_soma(census_version=version) as census:
            cells = cellxgene_census.get_anndata(
                census, organism, obs_value_filter=filter_cells, X_name="raw"
            )
    except Exception as error:  # the client raises whatever the network or the filter led to
        raise DownloadError(f"the Census ({version}) gave no cells: {first_line(error)}") from error
    if not cells.n_obs:
        raise InputError(f"no cell of the Census matches {filter_cells!r}")
    if "feature_id" in cells.var:
        cells.var_names = cells.var["feature_id"].astype(str)
    cells.obs_names = np.array([f"census{number}" for number in cells.obs["soma_joinid"]])
    with atomic_path(destination) as partial:
        write_anndata(cells, partial)
    return cells.shape
