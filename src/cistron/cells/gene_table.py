"""The name that :mod:`cistron.cells.inputs_gene_places` had before 0.2; kept until 0.3."""

from cistron.cells.inputs_gene_places import genes_of, read_gene_table

__all__ = ["genes_of", "read_gene_table"]
