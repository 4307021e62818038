"""The list of models of this wing. A new one is a file and an entry here.

``make`` names the class or function of the model; the commands ``sequence embed`` and ``embed-protein`` run them.
"""

from cistron.methods import Method, MethodList
from cistron.sequence.settings import GeneEmbeddingSettings, ProteinEmbeddingSettings

METHODS = MethodList(
    "sequence",
    Method(
        name="enformer",
        summary="tracks and gene vectors from DNA ('sequence predict' and 'embed')",
        settings=GeneEmbeddingSettings,
        make="cistron.sequence.enformer:Enformer",
        meaning=(
            "Signal of an assay in a bin of 128 bp, in the units of its training track; a gene's vector is the trunk's "
            "output at its most active start site."
        ),
        reference="Avsec et al., Nature Methods 2021, doi:10.1038/s41592-021-01252-x",
    ),
    Method(
        name="esm2",
        summary="gene vectors from proteins ('sequence embed-protein')",
        settings=ProteinEmbeddingSettings,
        make="cistron.sequence.esm2:Esm2",
        meaning="A gene's vector is the mean over the residues of its protein of the last layer of a protein language model.",
        reference="Lin et al., Science 2023, doi:10.1126/science.ade2574",
    ),
)
MODELS = tuple(METHODS.values())  # the name of the list until 0.3
