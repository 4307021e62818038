"""The gene-set task on real embeddings: biological processes of the Gene Ontology and essential genes.

Uses the embeddings that ``functional_embeddings`` has fitted. Real data (CISTRON_TEST_DATA): GO terms with
experimental evidence, propagated (Entrez ids, mapped to Ensembl), and the MacArthur laboratory's gene lists.
"""

import time

import pandas as pd

from benchmarks.functional_embeddings import path_of
from benchmarks.real_matrices import DATA, TRAITS
from cistron.evaluation.genesets import GeneSetSettings, evaluate_gene_sets, read_gene_sets
from cistron.formats import read_gene_embedding
from cistron.runtime import set_progress

NAMES = ("hpa_fpkm pca 32", "hpa_fpkm autoencoder 32", "hpa_fpkm vdtf 32", "many vdtf 128", "joined pca 128")
LISTS = (
    "macarthur_CEGv2_subset_universe",
    "macarthur_mgi_essential",
    "macarthur_kinases",
    "macarthur_gpcr_uniprot",
)


def main() -> None:
    """Print AUROC and AUPRC of each embedding, on the genes that all cover."""
    set_progress(False)
    embeddings = [read_gene_embedding(path_of(name)) for name in NAMES]
    table = pd.read_parquet(TRAITS)
    places = table.drop_duplicates("GENE").set_index("GENE")["CHR"].astype(str)
    folder, started = DATA / "omics/gene_sets", time.process_time()
    collections = [
        read_gene_sets(folder / "hsa_EXP_ALL_BP_propagated.gmt").mapped(
            "ensembl", DATA / "omics/uhlen_and_proteomes/geneInfoEns76.parquet"
        )
    ]
    symbols = DATA / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz"
    collections += [read_gene_sets(folder / f"{name}.tsv").mapped("ensembl", symbols) for name in LISTS]
    print("sets, embedding: AUROC [95%] control; AUPRC, permuted, control")
    for sets in collections:
        settings = GeneSetSettings(maximum=3000)
        scores = evaluate_gene_sets(embeddings, sets, places, settings, seed=1).scores
        scores = scores[(scores["stratum"] == "shared genes")]
        several = scores["target"].str.startswith("median of")
        scores = (scores[several] if several.any() else scores).set_index(["embedding", "metric"])
        for name in NAMES:
            roc, precision = scores.loc[(name, "auroc")], scores.loc[(name, "auprc")]
            print(
                f"{roc['target']:34s} {name:26s} {roc['value']:.3f} [{roc['low']:.3f}, {roc['high']:.3f}] {roc['control_value']:.3f}; "
                f"{precision['value']:.3f}, {precision['null_value']:.3f}, {precision['control_value']:.3f}"
            )
    print(f"{time.process_time() - started:.0f} CPU s")
