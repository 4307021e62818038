"""Single cells to try the wing on; proteins and their language model."""

from cistron.datasets.records import APACHE, CC_BY, MIT, DataSet, RemoteFile

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
    DataSet(
        name="gut_scp1884_sample",
        title="Crohn's disease gut: 1,020 cells x 18,708 genes, raw counts, 68 cell types, 69 donors (sample of SCP1884)",
        licence=APACHE,
        citation="Kong et al., Immunity 2023, doi:10.1016/j.immuni.2023.01.002",
        homepage="https://github.com/BiomedSciAI/biomed-multi-omic",
        used_by=("cells",),
        files=(
            RemoteFile(
                "scp1884.h5ad",
                "https://raw.githubusercontent.com/BiomedSciAI/biomed-multi-omic/78d2ba11e39e6027fe27c950b096be33d992bcbe/"
                "bmfm_targets/tests/resources/finetune/SCP1884/h5ad/scp1884.h5ad",
                3_294_856,
                "sha256:b8f5194a4969e93ab2cf33580a554f87235f6e16a611efa9149ef5e0b4d69d19",
            ),
        ),
        note="The hash was taken from a copy of the file at the commit in the url. Cell types are in obs 'Celltype', genes are symbols.",
    ),
)
