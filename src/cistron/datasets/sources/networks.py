"""Perturbed single cells, and what is known about who regulates or binds whom."""

from cistron.datasets.records import CC0, CC_BY, CC_BY_NC, CC_BY_SA, MIT, DataSet, Licence, RemoteFile

_SACHS = "https://raw.githubusercontent.com/cmu-phil/example-causal-datasets/a23adc349a23fc34d258193b45c60522ca6355b4"
_CRISPAT = "https://raw.githubusercontent.com/velten-group/crispat/a9372b9cf9b82b7409cc3be4d192056ae57a2673"
_STRING = "https://stringdb-downloads.org/download"
_REPLOGLE = "Replogle et al., Cell 2022, doi:10.1016/j.cell.2022.05.013"
_CAUSALBENCH = "Chevalley et al., Communications Biology 2025, doi:10.1038/s42003-025-07764-y"

DATA_SETS = (
    DataSet(
        name="causalbench_k562",
        title="Replogle 2022, K562 day 6, essential genes: 310,385 CRISPRi cells (CausalBench's first data set)",
        licence=CC_BY,
        citation=f"{_REPLOGLE}; {_CAUSALBENCH}",
        homepage="https://plus.figshare.com/articles/dataset/20029387",
        used_by=("networks", "evaluate edges"),
        files=(
            RemoteFile(
                "K562_essential_raw_singlecell_01.h5ad",
                "https://plus.figshare.com/ndownloader/files/35773219",
                about=10_700_000_000,
            ),
        ),
    ),
    DataSet(
        name="causalbench_rpe1",
        title="Replogle 2022, RPE1 day 7, essential genes: 247,914 CRISPRi cells (CausalBench's second data set)",
        licence=CC_BY,
        citation=f"{_REPLOGLE}; {_CAUSALBENCH}",
        homepage="https://plus.figshare.com/articles/dataset/20029387",
        used_by=("networks", "evaluate edges"),
        files=(
            RemoteFile(
                "rpe1_raw_singlecell_01.h5ad",
                "https://plus.figshare.com/ndownloader/files/35775606",
                about=8_700_000_000,
            ),
        ),
    ),
    DataSet(
        name="tapseq_k562",
        title="TAP-seq, K562: 21,977 CRISPRi cells x 72 genes and their guide counts",
        licence=MIT,
        citation="Schraivogel et al., Nature Methods 2020, doi:10.1038/s41592-020-0837-5",
        homepage="https://github.com/velten-group/crispat",
        used_by=("networks", "evaluate edges"),
        files=(
            RemoteFile(
                "gene_expression_counts.csv",
                f"{_CRISPAT}/example_data/Schraivogel/gene_expression_counts.csv",
                about=4_000_000,
            ),
            RemoteFile(
                "gRNA_counts.h5ad",
                f"{_CRISPAT}/example_data/Schraivogel/gRNA_counts.h5ad",
                2208192,
                "sha256:6452607435b54236dc974530fcb90f468782682cdeba4da677f560affb723003",
            ),
        ),
        note="The hash was taken from a copy of the file at the commit in the url.",
    ),
    DataSet(
        name="sachs_2005",
        title="Flow cytometry of 11 signalling proteins in 7,466 cells, with the consensus graph",
        licence=CC0,
        citation="Sachs et al., Science 2005, doi:10.1126/science.1105809",
        homepage="https://github.com/cmu-phil/example-causal-datasets",
        used_by=("networks", "evaluate edges"),
        files=(
            RemoteFile(
                "sachs.2005.continuous.txt",
                f"{_SACHS}/real/sachs/data/sachs.2005.continuous.txt",
                661897,
                "sha256:a488589b0f021b2a261ff2c696a908c6823051b0d98693e0fa0e78bb12097063",
            ),
            RemoteFile(
                "sachs.2005.ground.truth.graph.txt",
                f"{_SACHS}/real/sachs/ground.truth/sachs.2005.ground.truth.graph.txt",
                391,
                "sha256:2406ec0f9cd34bcbcd33fb74282386232330a630dba68c0f2d01a0d985a652b9",
            ),
        ),
        note="Hashes were taken from copies of the files at the commit in the url.",
    ),
    DataSet(
        name="corum",
        title="CORUM: human protein complexes",
        licence=CC_BY_NC,
        citation="Tsitsiridis et al., Nucleic Acids Research 2023, doi:10.1093/nar/gkac1015",
        homepage="https://mips.helmholtz-muenchen.de/corum/",
        used_by=("evaluate edges", "evaluate genesets"),
        files=(
            RemoteFile(
                "humanComplexes.txt.zip",
                "https://mips.helmholtz-muenchen.de/corum/download/releases/current/humanComplexes.txt.zip",
                about=700_000,
            ),
        ),
        note="Since CORUM 5 this url is reported to answer with a web page, which is refused; take the file from the "
        "homepage by hand and use a mirror folder.",
    ),
    DataSet(
        name="string_human",
        title="STRING 12: human protein-protein links, protein information and aliases",
        licence=CC_BY,
        citation="Szklarczyk et al., Nucleic Acids Research 2023, doi:10.1093/nar/gkac1000",
        homepage="https://string-db.org/cgi/access",
        used_by=("evaluate edges", "omics embed"),
        files=tuple(
            RemoteFile(
                f"9606.protein.{kind}.v12.0.txt.gz",
                f"{_STRING}/protein.{kind}.v12.0/9606.protein.{kind}.v12.0.txt.gz",
                about=about,
            )
            for kind, about in (("links", 79_300_000), ("info", 1_900_000), ("aliases", 18_900_000))
        ),
    ),
    DataSet(
        name="chip_atlas",
        title="ChIP-Atlas: target genes of a transcription factor within 5 kb of a TSS, one table a factor",
        licence=CC_BY_SA,
        citation="Zou et al., Nucleic Acids Research 2022, doi:10.1093/nar/gkac199",
        homepage="https://chip-atlas.org/target_genes",
        used_by=("evaluate edges",),
        pattern="https://chip-atlas.dbcls.jp/data/hg38/target/{file}",
        genome_build="GRCh38",
        note="Ask for a factor by file name, for example --only GATA1.5.tsv (5 kb; 1 and 10 exist too).",
    ),
    DataSet(
        name="trrust",
        title="TRRUST 2: 8,444 curated regulations of human genes with their sign",
        licence=CC_BY_SA,
        citation="Han et al., Nucleic Acids Research 2018, doi:10.1093/nar/gkx1013",
        homepage="https://www.grnpedia.org/trrust/",
        used_by=("evaluate edges",),
        files=(
            RemoteFile(
                "trrust_rawdata.human.tsv",
                "https://www.grnpedia.org/trrust/data/trrust_rawdata.human.tsv",
                about=297_659,
            ),
        ),
    ),
    DataSet(
        name="human_transcription_factors",
        title="1,639 human transcription factors (Lambert 2018), one symbol a line",
        licence=Licence("not stated", "https://humantfs.ccbr.utoronto.ca/download.php", None),
        citation="Lambert et al., Cell 2018, doi:10.1016/j.cell.2018.01.029",
        homepage="https://humantfs.ccbr.utoronto.ca/",
        used_by=("networks", "evaluate edges"),
        files=(
            RemoteFile(
                "TF_names_v_1.01.txt",
                "https://humantfs.ccbr.utoronto.ca/download/v_1.01/TF_names_v_1.01.txt",
                about=10_000,
            ),
        ),
    ),
)
