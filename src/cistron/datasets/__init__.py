"""Public data sets: where they are, what they cost, how to cite them, and how to fetch them."""

from cistron.datasets.cache import cache_root
from cistron.datasets.catalogue import catalogue, find_data_set
from cistron.datasets.fetch import FetchSettings, cached_paths, fetch, fetch_data_set
from cistron.datasets.gene_tables import GENE_TABLES, gene_tables
from cistron.datasets.records import DataSet, Licence, RemoteFile
from cistron.datasets.transfer import TransferSettings

__all__ = [
    "GENE_TABLES",
    "DataSet",
    "FetchSettings",
    "Licence",
    "RemoteFile",
    "TransferSettings",
    "cache_root",
    "cached_paths",
    "catalogue",
    "fetch",
    "fetch_data_set",
    "find_data_set",
    "gene_tables",
]
