"""Lists of genes: ontologies, pathways, curated lists, constraint."""

from cistron.datasets.records import CC0, CC_BY, MIT, DataSet, Licence, RemoteFile

_MACARTHUR = "https://raw.githubusercontent.com/macarthur-lab/gene_lists/fcc849637bd71e683bffc618e1a48081a8df08f8/lists"


def _list(name: str, size: int, sha256: str) -> RemoteFile:
    return RemoteFile(f"{name}.tsv", f"{_MACARTHUR}/{name}.tsv", size, f"sha256:{sha256}")


DATA_SETS = (
    DataSet(
        name="go_annotations",
        title="Gene Ontology: terms (go-basic.obo) and human annotations (GAF)",
        licence=CC_BY,
        citation="The Gene Ontology Consortium, Genetics 2023, doi:10.1093/genetics/iyad031",
        homepage="https://geneontology.org/docs/go-citation-policy/",
        used_by=("evaluate genesets",),
        files=(
            RemoteFile(
                "goa_human.gaf.gz",
                "https://current.geneontology.org/annotations/goa_human.gaf.gz",
                about=12_000_000,
            ),
            RemoteFile(
                "go-basic.obo", "https://current.geneontology.org/ontology/go-basic.obo", about=31_000_000
            ),
        ),
        note="The publisher replaces the files with every release; cite the date of your fetch.",
    ),
    DataSet(
        name="reactome_pathways",
        title="Reactome pathways as gene sets (GMT, symbols)",
        licence=CC0,
        citation="Milacic et al., Nucleic Acids Research 2024, doi:10.1093/nar/gkad1025",
        homepage="https://reactome.org/license",
        used_by=("evaluate genesets",),
        files=(
            RemoteFile(
                "ReactomePathways.gmt.zip",
                "https://reactome.org/download/current/ReactomePathways.gmt.zip",
                about=400_000,
            ),
        ),
        note="The publisher replaces the file every quarter.",
    ),
    DataSet(
        name="msigdb_hallmark",
        title="MSigDB 2023.2 hallmark gene sets and GO biological processes (GMT, symbols)",
        licence=CC_BY,
        citation="Liberzon et al., Cell Systems 2015, doi:10.1016/j.cels.2015.12.004",
        homepage="https://www.gsea-msigdb.org/gsea/msigdb_license_terms.jsp",
        used_by=("evaluate genesets",),
        files=tuple(
            RemoteFile(name, f"https://data.broadinstitute.org/gsea-msigdb/msigdb/release/2023.2.Hs/{name}")
            for name in ("h.all.v2023.2.Hs.symbols.gmt", "c5.go.bp.v2023.2.Hs.symbols.gmt")
        ),
        note="The KEGG and BioCarta sets of MSigDB have stricter licences and are left out on purpose.",
    ),
    DataSet(
        name="macarthur_gene_lists",
        title="Curated gene lists: essential, tolerant, haploinsufficient, kinases, receptors (HGNC symbols)",
        licence=Licence("not stated; cite each list", "https://github.com/macarthur-lab/gene_lists", None),
        citation="MacArthur laboratory, gene_lists, https://github.com/macarthur-lab/gene_lists; cite each list's source",
        homepage="https://github.com/macarthur-lab/gene_lists",
        used_by=("evaluate genesets",),
        files=(
            _list(
                "CEGv2_subset_universe",
                4122,
                "157332a7ed50a48d66c72bb78c6be70841e19144869cc2f1e7ebd8d0aae19f1d",
            ),
            _list(
                "NEGv1_subset_universe",
                5980,
                "991975add8d221b08359c3cf452903992a2b24318eeb231130514a89b67940cb",
            ),
            _list(
                "clingen_level3_genes_2018_09_13",
                1687,
                "f073a548968db0ebee0470f455709558afd6916ab93b944e4ce213be83170752",
            ),
            _list(
                "homozygous_lof_tolerant_twohit",
                2108,
                "c9d973e209a87a706cfef44c41800c16f0dbcca5d3f1366f16d4b68de30977ab",
            ),
            _list("mgi_essential", 14539, "a4b1c72c9950bf229aee358609fd0fc22984a3a6ae65edfbbe2f8a463664ce61"),
            _list("kinases", 1899, "a822e913d8829dc5db63bca3ee3a7189101d67bff4e1716a6387b1cd238251ca"),
            _list("gpcr_uniprot", 4803, "2ae44e64cb485e9879cac3e2e0754a3e8897afc2d551e9daba4e0f1ff02d097f"),
            _list(
                "olfactory_receptors",
                2407,
                "11efefd8d555a99a92fc5a5ba8bad255d5170dfe9e1608934b785655bf0ed055",
            ),
            _list("universe", 123515, "3eb6275c5418f62363c90194544ab2a57584aaa5df5d8cdf89331af6880f8a7f"),
        ),
        note="Hashes were taken from copies of the files at the commit in the url.",
    ),
    DataSet(
        name="olfactory_genes",
        title="418 olfactory genes used to remove technical bias from CRISPR screens (symbols)",
        licence=MIT,
        citation="Wainberg et al., Nature Genetics 2021, doi:10.1038/s41588-021-00840-z",
        homepage="https://github.com/kundajelab/coessentiality",
        used_by=("omics prepare",),
        files=(
            RemoteFile(
                "olfactory_genes.txt",
                "https://raw.githubusercontent.com/kundajelab/coessentiality/"
                "e094aed398760ec3bbca5c462a0748998ad7b997/olfactory_genes.txt",
                3189,
                "sha256:7706c35b75e02f4cdf088c51e20b314b288a9cda3d222a8d3110135f845ff265",
            ),
        ),
        note="The hash was taken from a copy of the file at the commit in the url.",
    ),
    DataSet(
        name="gnomad_constraint",
        title="gnomAD 2.1.1 loss-of-function constraint a gene (pLI, LOEUF)",
        licence=CC0,
        citation="Karczewski et al., Nature 2020, doi:10.1038/s41586-020-2308-7",
        homepage="https://gnomad.broadinstitute.org/downloads",
        used_by=("evaluate genesets",),
        files=(
            RemoteFile(
                "gnomad.v2.1.1.lof_metrics.by_gene.txt.bgz",
                "https://storage.googleapis.com/gcp-public-data--gnomad/release/2.1.1/constraint/"
                "gnomad.v2.1.1.lof_metrics.by_gene.txt.bgz",
                about=4_600_000,
            ),
        ),
        genome_build="GRCh37",
    ),
)
