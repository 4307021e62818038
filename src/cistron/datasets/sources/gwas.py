"""GWAS summary statistics and what turns them into gene scores."""

from cistron.datasets.records import CC_BY, DataSet, Licence, RemoteFile

_PAN_UKB = "https://pan-ukb-us-east-1.s3.amazonaws.com"
_PAN_UKB_CITATION = "Karczewski et al., Nature Genetics 2025, doi:10.1038/s41588-025-02335-7"
_MAGMA_CITATION = "de Leeuw et al., PLoS Computational Biology 2015, doi:10.1371/journal.pcbi.1004219"
_MAGMA_LICENCE = Licence("free to use, no licence stated", "https://cncr.nl/research/magma/", None)
_SURF = "https://vu.data.surf.nl/index.php/s"

# File name, bytes, MD5 as in the manifest of Pan-UKB; the trait is in the comment.
_PAN_UKB_TRAITS = (
    ("biomarkers-30600-both_sexes-irnt", 2022481897, "5a411e0c80afb3467e640385097272b6"),  # albumin
    ("biomarkers-30620-both_sexes-irnt", 2024082964, "2b2cfe22aaeacb6599a472f07d75a741"),  # ALT
    ("biomarkers-30630-both_sexes-irnt", 2021592884, "9a47b6b4ee8a0145bebe27f6a5c532e5"),  # apolipoprotein A
    ("biomarkers-30640-both_sexes-irnt", 2023988080, "d0b0fc4e29886d2c317b20999581bf81"),  # apolipoprotein B
    ("biomarkers-30660-both_sexes-irnt", 2019290123, "f96467cebbb26dc054bce17f5f9ae2ef"),  # direct bilirubin
    ("biomarkers-30690-both_sexes-irnt", 2023817669, "47d581e6bf95cb92be3d2602900161e9"),  # cholesterol
    ("biomarkers-30700-both_sexes-irnt", 2023145702, "23700c587b153ee0bdac77fb05cc2a8f"),  # creatinine
    ("biomarkers-30740-both_sexes-irnt", 2022187690, "29bf8ad2cf6a056eba762b3029803b3e"),  # glucose
    ("biomarkers-30760-both_sexes-irnt", 2021668728, "d0fd79329b4b355cd29e5b01fc25cb68"),  # HDL cholesterol
    ("biomarkers-30780-both_sexes-irnt", 2023816844, "b9bac35413668f562f77953b60766706"),  # LDL, direct
    ("biomarkers-30790-both_sexes-irnt", 2017626520, "091e8edfa678a60c01246256e0393790"),  # lipoprotein A
    ("biomarkers-30810-both_sexes-irnt", 2022299318, "ebc722eb12e9832b6d75863ea6825e1b"),  # phosphate
    ("biomarkers-30830-both_sexes-irnt", 2021749295, "7311a84378bc58f12ff206235cc129e2"),  # SHBG
    ("biomarkers-30840-both_sexes-irnt", 2024619209, "23576e0efdbd1290a68fafea58ae4b50"),  # total bilirubin
    ("biomarkers-30850-both_sexes-irnt", 2019777429, "a77edf642e550affdf3b1cb550f1f631"),  # testosterone
    ("biomarkers-30860-both_sexes-irnt", 2022170144, "ee0e3dc72282ad1ecafb06bef3d206a5"),  # total protein
    ("biomarkers-30870-both_sexes-irnt", 2024194969, "6fa1506e80486b69b817763a802826bd"),  # triglycerides
    ("biomarkers-30880-both_sexes-irnt", 2023076503, "d09ce69786f357b6a4913a278931dc92"),  # urate
    ("biomarkers-30890-both_sexes-irnt", 2021404273, "7b185bac50cd201c8808aa0351631baa"),  # vitamin D
    ("continuous-30050-both_sexes-irnt", 2025819893, "fcd03856efc185e98ee87ed1a0d41c2c"),  # MCH
    (
        "continuous-LDLC-both_sexes-medadj_irnt",
        2023862346,
        "bfba9507068661f22a8c9a028b76e082",
    ),  # LDL, adjusted
)

DATA_SETS = (
    DataSet(
        name="pan_ukb_manifest",
        title="Pan-UK Biobank: list of all phenotypes with counts, heritability, file names, sizes and MD5",
        licence=CC_BY,
        citation=_PAN_UKB_CITATION,
        homepage="https://pan.ukbb.broadinstitute.org/downloads",
        used_by=("evaluate gwas",),
        files=(
            RemoteFile(
                "phenotype_manifest.tsv.bgz", f"{_PAN_UKB}/sumstats_release/phenotype_manifest.tsv.bgz"
            ),
        ),
        genome_build="GRCh37",
    ),
    DataSet(
        name="pan_ukb_traits",
        title="Pan-UK Biobank: summary statistics of 21 blood traits, 2 GB each, and any other by its file name",
        licence=CC_BY,
        citation=_PAN_UKB_CITATION,
        homepage="https://pan.ukbb.broadinstitute.org/docs/per-phenotype-files",
        used_by=("evaluate gwas",),
        files=tuple(
            RemoteFile(
                f"{name}.tsv.bgz", f"{_PAN_UKB}/sumstats_flat_files/{name}.tsv.bgz", size, f"md5:{md5}"
            )
            for name, size, md5 in _PAN_UKB_TRAITS
        ),
        pattern=f"{_PAN_UKB}/sumstats_flat_files/{{file}}",
        genome_build="GRCh37",
        note="Fetch one with --only; all 21 take 42 GB. Other traits: file names and MD5 are in pan_ukb_manifest.",
    ),
    DataSet(
        name="magma",
        title="MAGMA 1.10 (Linux program) that computes gene z-scores and gene correlations",
        licence=_MAGMA_LICENCE,
        citation=_MAGMA_CITATION,
        homepage="https://cncr.nl/research/magma/",
        used_by=("evaluate gwas",),
        files=(RemoteFile("magma_v1.10.zip", f"{_SURF}/zkKbNeNOZAhFXZB/download", about=7_500_000),),
    ),
    DataSet(
        name="magma_gene_locations",
        title="MAGMA gene locations, NCBI build 37.3 (Entrez ids)",
        licence=_MAGMA_LICENCE,
        citation=_MAGMA_CITATION,
        homepage="https://cncr.nl/research/magma/",
        used_by=("evaluate gwas",),
        files=(RemoteFile("NCBI37.3.zip", f"{_SURF}/Pj2orwuF2JYyKxq/download", about=400_000),),
        genome_build="GRCh37",
    ),
    DataSet(
        name="magma_reference_eur",
        title="1000 Genomes phase 3, European reference of MAGMA (PLINK files) for linkage disequilibrium",
        licence=_MAGMA_LICENCE,
        citation=f"{_MAGMA_CITATION}; The 1000 Genomes Project Consortium, Nature 2015, doi:10.1038/nature15393",
        homepage="https://cncr.nl/research/magma/",
        used_by=("evaluate gwas",),
        files=(RemoteFile("g1000_eur.zip", f"{_SURF}/VZNByNwpD8qqINe/download", about=488_000_000),),
        genome_build="GRCh37",
    ),
    DataSet(
        name="pops_features",
        title="PoPS: 57,543 gene features (expression, pathways, interactions) by Ensembl id",
        licence=Licence("not stated", "https://www.finucanelab.org/data", None),
        citation="Weeks et al., Nature Genetics 2023, doi:10.1038/s41588-023-01443-6",
        homepage="https://github.com/FinucaneLab/pops",
        used_by=("omics embed", "evaluate gwas"),
        access="is shared in a Dropbox folder without a stable url: open https://www.finucanelab.org/data, take "
        "PoPS.features.txt.gz and put it into a mirror folder",
    ),
)
