"""Matrices of genes by samples."""

from cistron.datasets.records import CC_BY, CC_BY_SA, DataSet, Licence, RemoteFile

_GTEX = "https://storage.googleapis.com/adult-gtex"
_DEPMAP_NOTE = "Rows are cell lines, columns are 'SYMBOL (ENTREZ)'. Figshare redirects to short-lived links."

DATA_SETS = (
    DataSet(
        name="depmap_18q3",
        title="DepMap Achilles 18Q3: CERES gene effect of CRISPR knock-outs, 485 cell lines",
        licence=CC_BY,
        citation="Meyers et al., Nature Genetics 2017, doi:10.1038/ng.3984; DepMap 18Q3 public, figshare",
        homepage="https://depmap.org/portal/data_page/",
        used_by=("omics prepare", "omics embed"),
        files=(
            RemoteFile(
                "gene_effect.csv", "https://ndownloader.figshare.com/files/12704099", about=160_000_000
            ),
            RemoteFile("sample_info.csv", "https://ndownloader.figshare.com/files/12704612", about=60_000),
        ),
        note=_DEPMAP_NOTE + " The release of the co-essentiality paper.",
    ),
    DataSet(
        name="depmap_23q4",
        title="DepMap 23Q4: Chronos gene effect, about 1,100 cell lines, their expression and metadata",
        licence=CC_BY,
        citation="DepMap, Broad Institute: DepMap 23Q4 Public, Figshare+ 2023; Dempster et al., Genome Biology 2021, "
        "doi:10.1186/s13059-021-02540-7",
        homepage="https://depmap.org/portal/data_page/",
        used_by=("omics prepare", "omics embed"),
        files=(
            RemoteFile(
                "CRISPRGeneEffect.csv", "https://figshare.com/ndownloader/files/43346616", about=390_000_000
            ),
            RemoteFile("Model.csv", "https://figshare.com/ndownloader/files/43746708", about=600_000),
            RemoteFile(
                "OmicsExpressionProteinCodingGenesTPMLogp1.csv",
                "https://plus.figshare.com/ndownloader/files/43347204",
                about=449_800_000,
            ),
        ),
        note=_DEPMAP_NOTE,
    ),
    DataSet(
        name="gtex_v8",
        title="GTEx v8: gene TPM of 17,382 samples, medians of 54 tissues, sample attributes",
        licence=Licence("GTEx open access, no licence stated", "https://gtexportal.org/home/license", None),
        citation="The GTEx Consortium, Science 2020, doi:10.1126/science.aaz1776",
        homepage="https://gtexportal.org/home/downloads/adult-gtex/bulk_tissue_expression",
        used_by=("omics prepare", "omics embed"),
        files=(
            RemoteFile(
                "GTEx_Analysis_2017-06-05_v8_RNASeQCv1.1.9_gene_tpm.gct.gz",
                f"{_GTEX}/bulk-gex/v8/rna-seq/GTEx_Analysis_2017-06-05_v8_RNASeQCv1.1.9_gene_tpm.gct.gz",
                about=1_600_000_000,
            ),
            RemoteFile(
                "GTEx_Analysis_2017-06-05_v8_RNASeQCv1.1.9_gene_median_tpm.gct.gz",
                f"{_GTEX}/bulk-gex/v8/rna-seq/GTEx_Analysis_2017-06-05_v8_RNASeQCv1.1.9_gene_median_tpm.gct.gz",
                about=6_900_000,
            ),
            RemoteFile(
                "GTEx_Analysis_v8_Annotations_SampleAttributesDS.txt",
                f"{_GTEX}/annotations/v8/metadata-files/GTEx_Analysis_v8_Annotations_SampleAttributesDS.txt",
                about=14_000_000,
            ),
        ),
        note="Ensembl ids with versions, GENCODE 26. --only '*median*' fetches 7 MB.",
    ),
    DataSet(
        name="hpa_rna_v23",
        title="Human Protein Atlas 23: RNA of consensus tissues, HPA tissues and transcript isoforms",
        licence=CC_BY_SA,
        citation="Uhlen et al., Science 2015, doi:10.1126/science.1260419",
        homepage="https://www.proteinatlas.org/about/licence",
        used_by=("omics prepare", "omics embed"),
        files=tuple(
            RemoteFile(name, f"https://v23.proteinatlas.org/download/{name}", about=about)
            for name, about in (
                ("rna_tissue_consensus.tsv.zip", 5_000_000),
                ("rna_tissue_hpa.tsv.zip", 4_500_000),
                ("transcript_rna_tissue.tsv.zip", 184_000_000),
            )
        ),
        pattern="https://v23.proteinatlas.org/download/{file}",
        note="Long tables: one row a gene and tissue. The licence is share-alike: embeddings made from it inherit it.",
    ),
    DataSet(
        name="tabula_sapiens",
        title="Tabula Sapiens 1.0: 483,152 cells of 24 organs (h5ad)",
        licence=CC_BY,
        citation="The Tabula Sapiens Consortium, Science 2022, doi:10.1126/science.abl4896",
        homepage="https://figshare.com/articles/dataset/Tabula_Sapiens_release_1_0/14267219",
        used_by=("omics prepare", "cells"),
        files=(
            RemoteFile(
                "TabulaSapiens.h5ad.zip",
                "https://figshare.com/ndownloader/files/40067134",
                about=13_000_000_000,
            ),
        ),
        note="Figshare keeps an older version of the same file under number 34702114.",
    ),
    DataSet(
        name="cellxgene_census",
        title="CELLxGENE Census: tens of millions of single cells, one schema",
        licence=CC_BY,
        citation="CZI Cell Science Program, Nucleic Acids Research 2025, doi:10.1093/nar/gkae1142",
        homepage="https://chanzuckerberg.github.io/cellxgene-census/",
        used_by=("cells", "omics prepare"),
        access="is queried, not downloaded: pip install cellxgene-census, then use the package cellxgene_census",
    ),
)
