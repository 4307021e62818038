"""The real matrices of the benchmarks (CISTRON_TEST_DATA/omics), as genes (Ensembl) x samples."""

import os
from pathlib import Path

import pandas as pd

from cistron.genes.gene_map import read_gene_map
from cistron.omics import OmicsMatrix

DATA = Path(os.environ.get("CISTRON_TEST_DATA", "../shared/data"))
TRAITS = DATA / "gwas/seed_project_magma/magma_genes_out_30traits.parquet"
FILES = {
    "hpa_fpkm": "hpa_fpkm/hpa_rnatable_fpkm_20344x76.parquet",
    "hpa_consensus": "hpa_consensus/hpa_consensus_tissue_plus_celllines_nx.parquet",
    "hpa_blood": "hpa_consensus/hpa_blood_cells_nx.parquet",
    "uhlen": "uhlen_and_proteomes/uhlen.cufflinks.fpkm.pooled.parquet",
    "body_map": "uhlen_and_proteomes/ibm.htseq.fpkm.parquet",
    "castle": "uhlen_and_proteomes/castle.htseq.fpkm.parquet",
    "brawand": "uhlen_and_proteomes/brawand.htseq.fpkm.pooled.parquet",
    "proteome_kuster": "uhlen_and_proteomes/kuster.ppkm.parquet",
    "proteome_pandey": "uhlen_and_proteomes/pandey.ppkm.parquet",
    "tabula_sapiens": "tabula_sapiens_basis/tsp_v1_basis_cpm_17199x62.parquet",
}


def real_matrix(name: str) -> OmicsMatrix:
    """Read one matrix; symbols are mapped to Ensembl ids and genes that do not code for protein are left out."""
    frame = pd.read_parquet(DATA / "omics" / FILES[name])
    information = pd.read_parquet(DATA / "omics/uhlen_and_proteomes/geneInfoEns76.parquet")
    if name == "tabula_sapiens":
        table = read_gene_map(DATA / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz")
        known = table.lookup("symbol", "ensembl")
        # R writes a dot where a symbol has a hyphen.
        spelled = [
            symbol if symbol in known else symbol.replace(".", "-") for symbol in frame.index.astype(str)
        ]
        mapped, _ = table.map(spelled, "symbol", "ensembl")
        frame = frame[[gene is not None for gene in mapped]].set_axis([gene for gene in mapped if gene])
    elif not name.startswith("hpa"):
        coding = information.loc[information["p_coding_biotype"].astype(bool), "ensembl_gene_id"]
        frame = frame[frame.index.isin(coding)]
    return OmicsMatrix.from_frame(frame, name)
