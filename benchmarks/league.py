"""Our embeddings among the 38 published ones (Zhong et al. 2025): GO terms, synthetic lethality, targets of transcription factors.

GO: the published protocol on the intersection genes, differences paired over the 56 terms. Pairs: degree-preserving negatives with
the rows that know no biology and random embeddings beside them (``league_pairs`` has the published negatives). Uses the
embeddings that ``study_real`` writes. Real data: CISTRON_TEST_DATA.
"""

import os
import time

import numpy as np
import pandas as pd

from benchmarks.labels_zhong import GENE_MAPS, PUBLISHED, go_terms, own_areas
from benchmarks.league_rows import best_rows, trivial_rows
from benchmarks.study_real import FOLDER, write_inputs
from cistron.evaluation.labels import LabelSettings
from cistron.evaluation.paired import compare, term_draws
from cistron.evaluation.pairs import PairSettings, evaluate_pairs, read_pairs
from cistron.formats import combine_gene_embeddings, read_gene_embedding
from cistron.genes.lists import read_gene_list
from cistron.runtime import limit_threads, set_progress

FILES = {
    "joined 64": "joined_64",
    "joined 256": "joined_256",
    "HPA FPKM": "hpa_fpkm",
    "HPA consensus": "hpa_consensus",
    "Tabula Sapiens": "tabula_sapiens",
    "ChIP-Atlas K562": "chipatlas",
    "promoter 3-mers": "promoter",
}
COMBINED = {
    "joined 256 + ChIP-Atlas": ("joined 256", "ChIP-Atlas K562"),
    "joined 256 + ChIP-Atlas + promoter": ("joined 256", "ChIP-Atlas K562", "promoter 3-mers"),
}


def embeddings() -> dict[str, object]:
    """Our rows, and rows of trivial columns."""
    write_inputs(FOLDER)
    found = {name: read_gene_embedding(FOLDER / f"{file}.h5ad", name=name) for name, file in FILES.items()}
    for name, parts in COMBINED.items():
        found[name] = combine_gene_embeddings([found[part] for part in parts], join="outer", name=name)
    return {**found, **best_rows(), **trivial_rows(set(go_terms().terms))}


def go_league(found: dict[str, object]) -> None:
    """Mean AUROC over the 56 terms, and the paired differences that decide who is ahead."""
    labels = go_terms()
    settings = LabelSettings(protocol="zhong2025", controls=0, draws=20, compare_on="covered")
    areas = {name: own_areas(one, labels, settings) for name, one in found.items()}
    ours = pd.DataFrame(areas).rename_axis(index="target").reset_index().melt("target", var_name="embedding")
    published = pd.read_csv(PUBLISHED / "published_single_gene_go_AUROC.tsv", sep="\t", index_col=0)
    long = published.rename_axis(index="embedding").reset_index().melt("embedding", var_name="target")
    both = pd.concat([ours[["embedding", "target", "value"]], long]).assign(
        metric="auroc", control_value=np.nan
    )
    both["value"] = both["value"].astype(float)
    summary, differences = compare(both, term_draws(both, 2000, 1))
    names = pd.read_csv(PUBLISHED / "embeddings.csv").set_index("Embeding")["Category"].to_dict()
    print("GO, mean AUROC of 56 terms [95% over terms], what it saw")
    for row in summary.itertuples():
        saw = names.get(row.embedding, "ours" if row.embedding in found else "")
        print(f"{row.embedding:38s} {row.value:.3f} [{row.low:.3f}, {row.high:.3f}] {saw}")
    mine = differences[differences["first"].isin(found) ^ differences["second"].isin(found)]
    for name in found:
        rows = mine[(mine["first"] == name) | (mine["second"] == name)]
        sign = np.where(rows["first"] == name, 1.0, -1.0)
        ahead = int(((rows["low"] > 0) & (sign > 0)).sum())
        behind = int(((rows["low"] > 0) & (sign < 0)).sum())
        print(
            f"{name}: ahead of {ahead}, behind {behind}, within chance of {len(rows) - ahead - behind} of 38 (paired over terms)"
        )
    own = differences[
        differences["first"].isin(published.index) & differences["second"].isin(published.index)
    ]
    print(f"published differences on GO beyond chance: {int((own['low'] > 0).sum())} of {len(own)}")
    for rival in ("SCGPT-HUMAN", "GENEFORMER", "GENE2VEC"):
        for name in published.index[published.index.str.upper().str.contains(rival)]:
            for row in mine[(mine["first"] == name) | (mine["second"] == name)].itertuples():
                print(f"  {row.first} - {row.second}: {row.value:+.3f} [{row.low:+.3f}, {row.high:+.3f}]")


def pair_league(found: dict[str, object]) -> None:
    """Degree-preserving negatives for our rows."""
    wanted = set(read_gene_list(PUBLISHED / "intersection_genes_entrez.txt"))
    for key, directed, repeats in (("sl", False, 5), ("tf", True, 2)):
        table = read_pairs(PUBLISHED / f"gene_pair_{key}.parquet", directed=directed).only(wanted)
        table = table.mapped("ensembl", GENE_MAPS)
        settings = PairSettings(
            combinations=("sum", "product", "bilinear") if directed else ("sum", "product"),
            directed=directed, repeats=repeats, random=3, controls=0, draws=500, most=1500,
        )  # fmt: skip
        some = [found[name] for name in ("joined 64", "ChIP-Atlas K562")]
        result = evaluate_pairs(some, table, settings, seed=1)
        facts = result.facts
        print(
            f"{key}: {facts['positives']} positives of {facts['positive_genes']} genes, degree-preserving negatives"
        )
        for row in result.scores[result.scores["metric"] == "auroc"].itertuples():
            print(f"  {row.embedding}, {row.model}: {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]")
        for band in facts["bands"]:
            print(
                f"  random embeddings of the size of {band['embedding']}, {band['model']}: {band['low']:.3f} to {band['high']:.3f}"
            )


def main() -> None:
    """Print the league."""
    set_progress(False)
    started = time.process_time()
    with limit_threads(1):
        found = embeddings()
        go_league(found)
        if not os.environ.get("CISTRON_LEAGUE_GO_ONLY"):
            pair_league(found)
    print(f"{time.process_time() - started:.0f} CPU s")
