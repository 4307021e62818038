"""Old name of :mod:`cistron.cells.inputs_gene_places`, until 0.3."""

from cistron.cells.inputs_gene_places import *  # noqa: F403
