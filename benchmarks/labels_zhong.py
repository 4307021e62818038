"""The published gene-level protocol (Zhong et al. 2025): our figures against a plain script of scikit-learn, on the same rows.

Principal components of all joined public matrices (``real_matrices``, minimum share .15) on the 56 GO terms with the published
parts, genes that all 38 published embeddings have. Real data: CISTRON_TEST_DATA. CPU seconds of one process, one thread.
"""

import time

import anndata
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC

from benchmarks.real_matrices import DATA, FILES, real_matrix
from cistron.evaluation.labels import LabelSettings, LabelTable, evaluate_labels, read_labels
from cistron.genes.lists import read_gene_list
from cistron.omics import OmicsEmbedder, OmicsMatrix, PcaSettings, join_matrices
from cistron.runtime import limit_threads, set_progress

PUBLISHED = DATA / "benchmarks/gene_embedding_benchmarks"
GENE_MAPS = (
    DATA / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz",
    DATA / "gwas/magma_files_public/hgnc2entrez_orthogene.tsv",
)
COSTS = (0.1, 1, 10, 100, 1000)


def joined_components(sizes: tuple[int, ...]) -> list[anndata.AnnData]:
    """Principal components of all joined public matrices."""
    data = join_matrices([real_matrix(name) for name in FILES], minimum_share=0.15)
    matrix = OmicsMatrix.from_frame(
        pd.DataFrame(np.asarray(data.X), data.obs_names, data.var_names), "joined"
    )
    return [
        OmicsEmbedder(PcaSettings(dimensions=size), seed=1).embed(matrix, name=f"{size} PCs")
        for size in sizes
    ]


def go_terms() -> LabelTable:
    """The 56 terms on the intersection genes, in Ensembl ids."""
    table = read_labels(PUBLISHED / "gene_level_go.parquet")
    wanted = set(read_gene_list(PUBLISHED / "intersection_genes_entrez.txt"))
    return table.only(wanted).mapped("ensembl", GENE_MAPS)


def plain_script(embedding: anndata.AnnData, labels: LabelTable) -> pd.Series:
    """The protocol as one would write it with scikit-learn alone."""
    values = np.asarray(embedding.X, dtype=float)
    row = {gene: number for number, gene in enumerate(embedding.obs_names)}
    frame = labels.frame[labels.frame["gene"].isin(row.keys())]
    frame = frame.assign(row=frame["gene"].map(row), member=frame["value"].astype(int))
    found = {}
    for term, part in frame.groupby("term", sort=False):
        held, rest = part[part["part"] == "holdout"], part[part["part"] != "holdout"]
        means = []
        for cost in COSTS:
            areas = []
            for fold in sorted(rest["part"].unique()):
                train, test = rest[rest["part"] != fold], rest[rest["part"] == fold]
                if train["member"].nunique() < 2 or test["member"].nunique() < 2:
                    continue
                machine = SVC(C=cost, kernel="rbf", gamma="scale", class_weight="balanced")
                machine.fit(values[train["row"]], train["member"])
                areas.append(roc_auc_score(test["member"], machine.decision_function(values[test["row"]])))
            means.append(np.mean(areas))
        machine = SVC(C=COSTS[int(np.argmax(means))], kernel="rbf", gamma="scale", class_weight="balanced")
        machine.fit(values[rest["row"]], rest["member"])
        found[term] = roc_auc_score(held["member"], machine.decision_function(values[held["row"]]))
    return pd.Series(found)


def own_areas(embedding: anndata.AnnData, labels: LabelTable, settings: LabelSettings) -> pd.Series:
    """AUROC of each term; level and breadth of expression are left out, so that no trivial columns are scored beside it."""
    alone = embedding.copy()
    alone.obs = alone.obs[[]]
    scores = evaluate_labels([alone], labels, settings).scores
    own = scores[(scores["embedding"] == alone.uns["cistron"]["name"]) & (scores["metric"] == "auroc")]
    return own.set_index("target")["value"].astype(float)


def main() -> None:
    """Print mean AUROC and CPU seconds of both."""
    set_progress(False)
    labels = go_terms()
    settings = LabelSettings(protocol="zhong2025", controls=0, draws=20)
    print("embedding: mean AUROC of the plain script, of ours; largest difference of a term; CPU s; ratio")
    with limit_threads(1):
        for embedding in joined_components((64, 256)):
            started = time.process_time()
            plain = plain_script(embedding, labels)
            middle = time.process_time()
            found = own_areas(embedding, labels, settings)
            ended = time.process_time()
            ours = found.reindex(plain.index)
            print(
                f"{embedding.uns['cistron']['name']}: {plain.mean():.4f}, {ours.mean():.4f}; {(plain - ours).abs().max():.1e}; "
                f"{middle - started:.1f}, {ended - middle:.1f}; {(middle - started) / (ended - middle):.1f} x"
            )
