"""The report's own two embeddings by XGBoost, 4 covariates, no projection, beside the report's figure 4.

Real data (CISTRON_TEST_DATA). The report had 6 covariates and a projection of z (both need ``genes.raw`` files that
are not public for these traits), so its null model is much better and its gains need not agree.
"""

import tempfile

import pandas as pd
from scipy import stats

from benchmarks.real_matrices import DATA, TRAITS
from cistron.evaluation.gwas import GwasSettings, evaluate_gwas, read_traits
from cistron.formats import read_gene_embedding
from cistron.runtime import set_progress

FOLDER = DATA / "gwas/seed_project_magma"
FILES = {"rna_PCs_d4": "rna_PCs_d4_0.95Variance.tsv", "TS_pb_PCs_d5": "TS_pb_PCs_d5_0.8Variance.tsv"}


def main() -> None:
    """Print the table."""
    set_progress(False)
    embeddings = [read_gene_embedding(FOLDER / file, name=name) for name, file in FILES.items()]
    reported = pd.read_csv(FOLDER / "reported_delta_r2_xgboost_fig4.tsv", sep="\t", index_col="trait")
    print(
        "| embedding | model | median delta R2 | reported | correlation over traits | median null R2 |\n|---|---|---|---|---|---|"
    )
    for model in ("xgboost", "ridge"):
        with tempfile.TemporaryDirectory() as folder:
            settings = GwasSettings(model=model, null="published", keep_mhc=True, controls=0)
            scores = evaluate_gwas(
                embeddings, read_traits(TRAITS), settings, directory=folder, workers=2
            ).scores
        rows = scores[(scores["stratum"] == "all genes") & scores["target"].isin(reported.index)]
        for name in FILES:
            mine = rows[(rows["metric"] == "delta_r2") & (rows["embedding"] == name)].set_index("target")[
                "value"
            ]
            null = rows[(rows["metric"] == "r2") & (rows["embedding"] == name)]["null_value"].median()
            theirs = reported[name].reindex(mine.index)
            print(
                f"| {name} | {model} | {mine.median():.4f} | {theirs.median():.4f} | "
                f"{stats.spearmanr(mine, theirs)[0]:.2f} | {null:.4f} |",
                flush=True,
            )
