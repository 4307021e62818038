"""The name that :mod:`cistron.sequence.inputs_gene_sites` had before 0.2; kept until 0.3."""

from cistron.sequence.inputs_gene_sites import (
    GeneSites,
    annotation_build,
    gene_sites,
    read_gene_sites,
    site_bins,
)

__all__ = ["GeneSites", "annotation_build", "gene_sites", "read_gene_sites", "site_bins"]
