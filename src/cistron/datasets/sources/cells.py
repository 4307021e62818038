"""Proteins and their language model, for cells and gene embeddings from protein sequence."""

from cistron.datasets.records import CC_BY, MIT, DataSet, RemoteFile

DATA_SETS = (
    DataSet(
        name="uniprot_human_proteome",
        title="UniProt reference proteome of human, one protein sequence a gene",
        licence=CC_BY,
        citation="The UniProt Consortium, Nucleic Acids Research 2023, doi:10.1093/nar/gkac1052",
        homepage="https://www.uniprot.org/proteomes/UP000005640",
        used_by=("cells", "omics embed"),
        files=(
            RemoteFile(
                "UP000005640_9606.fasta.gz",
                "https://ftp.uniprot.org/pub/databases/uniprot/current_release/knowledgebase/"
                "reference_proteomes/Eukaryota/UP000005640/UP000005640_9606.fasta.gz",
                about=8_000_000,
            ),
        ),
        note="The publisher replaces the file with every release.",
    ),
    DataSet(
        name="esm2_650m",
        title="ESM-2 protein language model, 650 million parameters (safetensors)",
        licence=MIT,
        citation="Lin et al., Science 2023, doi:10.1126/science.ade2574",
        homepage="https://huggingface.co/facebook/esm2_t33_650M_UR50D",
        used_by=("cells", "omics embed"),
        files=tuple(
            RemoteFile(
                name, f"https://huggingface.co/facebook/esm2_t33_650M_UR50D/resolve/main/{name}", about=about
            )
            for name, about in (
                ("model.safetensors", 2_610_000_000),
                ("config.json", 1_000),
                ("vocab.txt", 100),
            )
        ),
    ),
)
