"""Who genes are and where: nomenclature, annotation, orthologs."""

from cistron.datasets.records import CC0, CC_BY, MIT, DataSet, Licence, RemoteFile

EBI = Licence("no restriction (EMBL-EBI terms of use)", "https://www.ebi.ac.uk/about/terms-of-use", True)
NCBI = Licence("public domain (NCBI)", "https://www.ncbi.nlm.nih.gov/home/about/policies/", True)
_GENCODE = "https://ftp.ebi.ac.uk/pub/databases/gencode"
_GENCODE_CITATION = "Frankish et al., Nucleic Acids Research 2023, doi:10.1093/nar/gkac1071"
_ROLLING = "The publisher replaces the file in place; the hash of your first fetch is kept and compared."

DATA_SETS = (
    DataSet(
        name="hgnc_complete_set",
        title="All approved human gene symbols with previous and alias symbols, Ensembl and Entrez ids",
        licence=CC0,
        citation="Seal et al., Nucleic Acids Research 2023, doi:10.1093/nar/gkac888",
        homepage="https://www.genenames.org/download/archive/",
        used_by=("genes map",),
        files=(
            RemoteFile(
                "hgnc_complete_set.txt",
                "https://storage.googleapis.com/public-download-files/hgnc/tsv/tsv/hgnc_complete_set.txt",
                about=17_000_000,
            ),
        ),
        note=_ROLLING,
    ),
    DataSet(
        name="ncbi_gene_info",
        title="NCBI Gene: human Entrez ids, symbols, synonyms, cross references",
        licence=NCBI,
        citation="Brown et al., Nucleic Acids Research 2015, doi:10.1093/nar/gku1055",
        homepage="https://www.ncbi.nlm.nih.gov/gene",
        used_by=("genes map",),
        files=(
            RemoteFile(
                "Homo_sapiens.gene_info.gz",
                "https://ftp.ncbi.nlm.nih.gov/gene/DATA/GENE_INFO/Mammalia/Homo_sapiens.gene_info.gz",
            ),
        ),
        note=_ROLLING,
    ),
    DataSet(
        name="gencode_v44",
        title="GENCODE human gene annotation, release 44",
        licence=EBI,
        citation=_GENCODE_CITATION,
        homepage="https://www.gencodegenes.org/human/release_44.html",
        used_by=("genes map", "sequence", "chromatin"),
        files=(
            RemoteFile(
                "gencode.v44.annotation.gtf.gz",
                f"{_GENCODE}/Gencode_human/release_44/gencode.v44.annotation.gtf.gz",
                about=50_000_000,
            ),
        ),
        genome_build="GRCh38",
    ),
    DataSet(
        name="gencode_v19",
        title="GENCODE human gene annotation, release 19, the last one made on GRCh37",
        licence=EBI,
        citation=_GENCODE_CITATION,
        homepage="https://www.gencodegenes.org/human/release_19.html",
        used_by=("evaluate gwas", "chromatin"),
        files=(
            RemoteFile(
                "gencode.v19.annotation.gtf.gz",
                f"{_GENCODE}/Gencode_human/release_19/gencode.v19.annotation.gtf.gz",
                about=40_000_000,
            ),
        ),
        genome_build="GRCh37",
        url_status="unconfirmed",
    ),
    DataSet(
        name="gencode_mouse_m25",
        title="GENCODE mouse gene annotation, release M25, the last one on mm10",
        licence=EBI,
        citation=_GENCODE_CITATION,
        homepage="https://www.gencodegenes.org/mouse/release_M25.html",
        used_by=("sequence",),
        files=(
            RemoteFile(
                "gencode.vM25.annotation.gtf.gz",
                f"{_GENCODE}/Gencode_mouse/release_M25/gencode.vM25.annotation.gtf.gz",
                about=28_000_000,
            ),
        ),
        genome_build="GRCm38",
    ),
    DataSet(
        name="ensembl_orthologs",
        title="Ensembl Compara 110: human homologies, mouse one-to-one orthologs among them",
        licence=Licence(
            "no restriction (Ensembl)", "https://www.ensembl.org/info/about/legal/disclaimer.html", True
        ),
        citation="Harrison et al., Nucleic Acids Research 2024, doi:10.1093/nar/gkad1049",
        homepage="https://www.ensembl.org/info/genome/compara/",
        used_by=("genes map", "sequence"),
        files=(
            RemoteFile(
                "Compara.110.protein_default.homologies.tsv.gz",
                "https://ftp.ensembl.org/pub/release-110/tsv/ensembl-compara/homologies/homo_sapiens/"
                "Compara.110.protein_default.homologies.tsv.gz",
                about=110_000_000,
            ),
        ),
        genome_build="GRCh38",
        url_status="unconfirmed",
    ),
    DataSet(
        name="mgi_orthologs",
        title="Mouse Genome Informatics: human and mouse homology classes",
        licence=CC_BY,
        citation="Baldarelli et al., Genetics 2024, doi:10.1093/genetics/iyae031",
        homepage="https://www.informatics.jax.org/downloads/reports/",
        used_by=("genes map", "sequence"),
        files=(
            RemoteFile(
                "HOM_MouseHumanSequence.rpt",
                "https://www.informatics.jax.org/downloads/reports/HOM_MouseHumanSequence.rpt",
            ),
        ),
        note=_ROLLING,
    ),
    DataSet(
        name="cage_tss_windows",
        title="20-kb windows around CAGE-corrected TSSs of 18,413 protein-coding human genes",
        licence=MIT,
        citation="Agarwal and Shendure, Cell Reports 2020, doi:10.1016/j.celrep.2020.107663",
        homepage="https://github.com/vagarwal87/Xpresso",
        used_by=("chromatin", "sequence"),
        files=(
            RemoteFile(
                "hg38_promoters_cage_corrected.bed",
                "https://raw.githubusercontent.com/vagarwal87/Xpresso/"
                "ddc90237edc52f1117db10fec677fd34e2b60958/Fig4_S4/hg38_promoters_cage_corrected.bed",
                about=750_000,
            ),
        ),
        genome_build="GRCh38",
        note="Chromosome names have no 'chr'.",
    ),
)
