"""Histone marks and expression of epigenomes."""

from cistron.datasets.records import APACHE, DataSet, Licence, RemoteFile

_ROADMAP = "https://egg2.wustl.edu/roadmap/data"
_ROADMAP_LICENCE = Licence(
    "no restriction since the embargo ended", "https://egg2.wustl.edu/roadmap/web_portal/", True
)
_ROADMAP_CITATION = "Roadmap Epigenomics Consortium, Nature 2015, doi:10.1038/nature14248"
_DEEPDIFF = (
    "https://raw.githubusercontent.com/QData/DeepDiffChrome/2aef9c5520595b14da265578c2c04c3d65a4ad01/data"
)
_EPIGENOMES = ("E003", "E004", "E005", "E006", "E007", "E037", "E038", "E116", "E123")
_MARKS = ("H3K4me1", "H3K4me3", "H3K9me3", "H3K27me3", "H3K36me3")

DATA_SETS = (
    DataSet(
        name="roadmap_expression",
        title="Roadmap: RPKM of protein-coding genes in 57 epigenomes, epigenome names, gene positions",
        licence=_ROADMAP_LICENCE,
        citation=_ROADMAP_CITATION,
        homepage=f"{_ROADMAP}/byDataType/rna/expression/",
        used_by=("chromatin",),
        files=tuple(
            RemoteFile(name, f"{_ROADMAP}/byDataType/rna/expression/{name}")
            for name in ("57epigenomes.RPKM.pc.gz", "EG.name.txt", "Ensembl_v65.Gencode_v10.ENSG.gene_info")
        ),
        genome_build="GRCh37",
    ),
    DataSet(
        name="roadmap_histone_signal",
        title="Roadmap: five core marks in nine epigenomes as -log10 p bigWigs, and any other track by its file name",
        licence=_ROADMAP_LICENCE,
        citation=_ROADMAP_CITATION,
        homepage=f"{_ROADMAP}/byFileType/signal/consolidated/macs2signal/pval/",
        used_by=("chromatin",),
        files=tuple(
            RemoteFile(
                f"{epigenome}-{mark}.pval.signal.bigwig",
                f"{_ROADMAP}/byFileType/signal/consolidated/macs2signal/pval/{epigenome}-{mark}.pval.signal.bigwig",
                about=300_000_000,
            )
            for epigenome in _EPIGENOMES
            for mark in _MARKS
        ),
        pattern=f"{_ROADMAP}/byFileType/signal/consolidated/macs2signal/pval/{{file}}",
        genome_build="GRCh37",
        note="Fetch what you need with --only, for example --only 'E003-*'.",
    ),
    DataSet(
        name="encode_imputation_challenge",
        title="ENCODE Imputation Challenge: training, validation and blind test tracks, 51 cell types x 35 assays",
        licence=Licence(
            "free to use (ENCODE data policy)", "https://www.encodeproject.org/about/data-use-policy/", True
        ),
        citation="Schreiber et al., Genome Biology 2023, doi:10.1186/s13059-023-02915-y",
        homepage="https://www.synapse.org/encodeimpute",
        used_by=("chromatin",),
        genome_build="GRCh38",
        access="has no list of plain urls that could be confirmed: log in to https://www.synapse.org (syn17083203), or look "
        "at http://mitra.stanford.edu/kundaje/ic/, and put the bigWigs into a mirror folder",
    ),
    DataSet(
        name="deepdiff_sample",
        title="DeepDiff's example: read counts of five marks around 600 genes in two Roadmap epigenomes, and expression counts",
        licence=APACHE,
        citation="Sekhon, Singh and Qi, Bioinformatics 2018, doi:10.1093/bioinformatics/bty612",
        homepage="https://github.com/QData/DeepDiffChrome",
        used_by=("chromatin",),
        files=tuple(
            RemoteFile(f"{cell}.{part}.csv", f"{_DEEPDIFF}/{cell}.{part}.csv", about=about)
            for cell in ("Cell1", "Cell2")
            for part, about in (
                ("train", 1_200_000),
                ("valid", 1_200_000),
                ("test", 1_200_000),
                ("expr", 430_000),
            )
        ),
        genome_build="GRCh37",
        note="100-bp bins within 10 kb of the start site; rows are GENE_BIN and counts of H3K4me1, H3K4me3, H3K9me3, H3K27me3, H3K36me3. Names, folder and commit are those of a copy of the repository.",
    ),
)
