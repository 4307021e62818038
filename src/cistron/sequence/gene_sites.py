"""Old name of :mod:`cistron.sequence.inputs_gene_sites`, until 0.3."""

from cistron.sequence.inputs_gene_sites import *  # noqa: F403
