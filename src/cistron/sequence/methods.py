"""The list of models of this wing. A new one is a file and an entry here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SequenceModel:
    """One way from sequence to tracks or vectors.

    Parameters
    ----------
    name
        Name in the header of what it writes.
    reference
        Publication.
    meaning
        What its output means.
    module
        Where it is.
    """

    name: str
    reference: str
    meaning: str
    module: str


MODELS = (
    SequenceModel(
        name="enformer",
        reference="Avsec et al., Nature Methods 2021, doi:10.1038/s41592-021-01252-x",
        meaning=(
            "Signal of an assay in a bin of 128 bp, in the units of its training track; a gene's vector is the trunk's "
            "output at its most active start site."
        ),
        module="cistron.sequence.enformer:Enformer",
    ),
    SequenceModel(
        name="esm2",
        reference="Lin et al., Science 2023, doi:10.1126/science.ade2574",
        meaning="A gene's vector is the mean over the residues of its protein of the last layer of a protein language model.",
        module="cistron.sequence.esm2:Esm2",
    ),
)
