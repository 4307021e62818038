"""Sequence models, what they were trained on, and measured effects of variants and enhancers."""

from cistron.datasets.records import APACHE, CC_BY, MIT, DataSet, Licence, RemoteFile

_ENFORMER = "Avsec et al., Nature Methods 2021, doi:10.1038/s41592-021-01252-x"
_BASENJI = "https://raw.githubusercontent.com/calico/basenji/74b867105a235a3e0eb663022cee2fbf430deaf0/manuscripts/cross2020"
_BORZOI = "https://raw.githubusercontent.com/calico/borzoi/5c9358222b5026abb733ed5fb84f3f6c77239b37/data"
_CRISPR = (
    "https://raw.githubusercontent.com/EngreitzLab/CRISPR_comparison/"
    "e34b78d489aa8535ae49384abd1fc64ced8ffe3c/resources/crispr_data"
)

DATA_SETS = (
    DataSet(
        name="enformer_weights",
        title="Enformer weights for PyTorch (EleutherAI's port, 251 million parameters)",
        licence=CC_BY,
        citation=_ENFORMER,
        homepage="https://huggingface.co/EleutherAI/enformer-official-rough",
        used_by=("sequence",),
        files=tuple(
            RemoteFile(
                name,
                f"https://huggingface.co/EleutherAI/enformer-official-rough/resolve/main/{name}",
                about=about,
            )
            for name, about in (("pytorch_model.bin", 1_000_000_000), ("config.json", 1_000))
        ),
        note="A pickle archive: it is loaded with weights_only=True and rewritten as safetensors.",
    ),
    DataSet(
        name="enformer_checkpoint_deepmind",
        title="Enformer weights of DeepMind (Sonnet checkpoint), the reference of every port",
        licence=APACHE,
        citation=_ENFORMER,
        homepage="https://github.com/google-deepmind/deepmind-research/tree/master/enformer",
        used_by=("sequence",),
        files=tuple(
            RemoteFile(
                name, f"https://storage.googleapis.com/dm-enformer/models/enformer/sonnet_weights/{name}"
            )
            for name in (
                "checkpoint",
                "enformer-fine-tuned-human-1.data-00000-of-00001",
                "enformer-fine-tuned-human-1.index",
            )
        ),
    ),
    DataSet(
        name="enformer_targets",
        title="Names and processing of Enformer's 5,313 human and 1,643 mouse tracks",
        licence=APACHE,
        citation="Kelley, PLoS Computational Biology 2020, doi:10.1371/journal.pcbi.1008050; " + _ENFORMER,
        homepage="https://github.com/calico/basenji/tree/master/manuscripts/cross2020",
        used_by=("sequence",),
        files=(
            RemoteFile("targets_human.txt", f"{_BASENJI}/targets_human.txt", about=800_919),
            RemoteFile("targets_mouse.txt", f"{_BASENJI}/targets_mouse.txt", about=250_458),
        ),
    ),
    DataSet(
        name="enformer_regions",
        title="The 38,171 human training, validation and test regions of Enformer (131,072 bp each)",
        licence=APACHE,
        citation=_ENFORMER,
        homepage="https://github.com/GSK-AI/seq2cells",
        used_by=("sequence", "cells"),
        files=(
            RemoteFile(
                "enformer_sequence.bed",
                "https://raw.githubusercontent.com/GSK-AI/seq2cells/"
                "f37af4ad6caaa79020f99069318efa9f53111291/tests/resources/sequence_data/enformer_sequence.bed",
                about=1_139_472,
            ),
        ),
        genome_build="GRCh38",
    ),
    DataSet(
        name="enformer_training_data",
        title="Enformer's training sequences and tracks, 320 GB of TFRecords",
        licence=Licence(
            "not stated", "https://console.cloud.google.com/storage/browser/basenji_barnyard/data", None
        ),
        citation=_ENFORMER,
        homepage="https://console.cloud.google.com/storage/browser/basenji_barnyard/data",
        used_by=("sequence",),
        genome_build="GRCh38",
        access="is in a requester-pays bucket: gsutil -u YOUR_PROJECT -m cp -r gs://basenji_barnyard/data FOLDER",
    ),
    DataSet(
        name="borzoi_folds",
        title="Borzoi: eight folds of human and mouse sequences that share homology, and its targets",
        licence=APACHE,
        citation="Linder et al., Nature Genetics 2025, doi:10.1038/s41588-024-02053-6",
        homepage="https://github.com/calico/borzoi",
        used_by=("sequence",),
        files=tuple(
            RemoteFile(name, f"{_BORZOI}/{name}", size, f"sha256:{sha256}")
            for name, size, sha256 in (
                (
                    "sequences_human.bed.gz",
                    578904,
                    "13724966c9378c2fd024c62e6bb72b94850e12d96d23a419f60040ae50b98ba3",
                ),
                (
                    "sequences_mouse.bed.gz",
                    514681,
                    "197647b00a3cd1de5a1073837c8576faadd32c5d4e5280211b73561f37f8cea4",
                ),
                (
                    "targets_human.txt.gz",
                    182824,
                    "8f67ef43b914e42d7a7dafb8d621190cafe84a167bc4c9eb1aa781ee694d6d32",
                ),
                (
                    "targets_mouse.txt.gz",
                    55440,
                    "135978632577499c1932b3dd8b44fa9f9554556ca827217278670a5be529283c",
                ),
            )
        ),
        note="Two builds: human is GRCh38, mouse is GRCm38. Hashes were taken from copies at the commit in the url.",
    ),
    DataSet(
        name="crispri_enhancer_benchmark",
        title="CRISPRi-tested enhancer-gene pairs: 10,356 in K562, 4,378 in five held-out cell types",
        licence=MIT,
        citation="Gschwind et al., bioRxiv 2023, doi:10.1101/2023.11.09.563812",
        homepage="https://github.com/EngreitzLab/CRISPR_comparison",
        used_by=("evaluate enhancers",),
        files=tuple(
            RemoteFile(name, f"{_CRISPR}/{name}", about=about)
            for name, about in (
                ("EPCrisprBenchmark_combined_data.training_K562.GRCh38.tsv.gz", 1_000_000),
                ("EPCrisprBenchmark_combined_data.heldout_5_cell_types.GRCh38.tsv.gz", 370_000),
            )
        ),
        genome_build="GRCh38",
    ),
    DataSet(
        name="saturation_mpra",
        title="Saturation mutagenesis of 21 promoters and enhancers, 44,658 variants a build",
        licence=Licence(
            "free with citation", "https://github.com/kircherlab/MPRA_SaturationMutagenesis", None
        ),
        citation="Kircher et al., Nature Communications 2019, doi:10.1038/s41467-019-11526-w",
        homepage="https://kircherlab.bihealth.org/satMutMPRA/",
        used_by=("evaluate variants",),
        files=(
            RemoteFile(
                "elements.tsv.gz",
                "https://raw.githubusercontent.com/kircherlab/MPRA_SaturationMutagenesis/"
                "c5cadb46a3ec9bbeb8f678e8dc2b2335191f121b/data/elements.tsv.gz",
                2677485,
                "sha256:fec2eed91fe27af3aae07ebce2eca65e9bad4bb6abba5d8c27f478887dd7b134",
            ),
        ),
        note="Both builds in one table: filter by its column Release. Positions are 1-based.",
    ),
    DataSet(
        name="cagi5_saturation",
        title="CAGI5 regulation saturation challenge: the public split of the saturation MPRA",
        licence=Licence(
            "CAGI data use agreement", "https://genomeinterpretation.org/data-use-agreement.html", None
        ),
        citation="Shigaki et al., Human Mutation 2019, doi:10.1002/humu.23797",
        homepage="https://genomeinterpretation.org/cagi5-regulation-saturation.html",
        used_by=("evaluate variants",),
        genome_build="GRCh37",
        access="needs a registration: take the tables from https://genomeinterpretation.org/cagi5-regulation-saturation.html; "
        "the measurements themselves are in the data set saturation_mpra",
    ),
)
