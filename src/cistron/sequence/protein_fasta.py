"""The name that :mod:`cistron.sequence.inputs_proteins` had before 0.2; kept until 0.3."""

from cistron.sequence.inputs_proteins import Protein, ProteinGenes, parse_header, read_proteins

__all__ = ["Protein", "ProteinGenes", "parse_header", "read_proteins"]
