"""Tables between gene namespaces that may be named instead of given as files, once they were fetched."""

from collections.abc import Sequence
from pathlib import Path

from cistron.datasets.catalogue import find_data_set
from cistron.datasets.fetch import cached_paths

# The first knows previous symbols and aliases; annotations know what names meant in their year, those of clones among them.
GENE_TABLES = ("hgnc_complete_set", "gencode_v44", "gencode_v19", "gencode_mouse_m25")


def gene_tables(given: Sequence[str | Path]) -> tuple[Path, ...]:
    """Give the paths of gene tables; names of :data:`GENE_TABLES` stand for fetched files, nothing is downloaded.

    Raises
    ------
    InputError
        If a named table was not fetched yet.
    """
    return tuple(
        cached_paths(find_data_set(str(one)))[0] if str(one) in GENE_TABLES else Path(one) for one in given
    )
