"""Which published differences on pairs of genes survive: the band of random embeddings and intervals that take hubs along.

The published protocol (given folds and negatives) on the genes that all 38 published embeddings have. Predictions of the published
embeddings are not among the published files; so the width of a paired difference under resampling of genes is measured on
embeddings that are at hand, on the same pairs. Then edges of TRRUST with degree-preserving negatives. Real data: CISTRON_TEST_DATA.
"""

import itertools
import time

import numpy as np
import pandas as pd

from benchmarks.labels_zhong import GENE_MAPS, PUBLISHED
from benchmarks.league_rows import BEST, best_rows
from benchmarks.study_real import FOLDER, write_inputs
from cistron.evaluation.pairs import PairSettings, PairTable, evaluate_pairs, read_pairs
from cistron.evaluation.pairs.folds import PairFold, given_folds
from cistron.evaluation.pairs.negatives import occurrence_scores
from cistron.evaluation.pairs.scoring import gene_draws, support_vectors
from cistron.evaluation.weighted_area import area, weighted_area
from cistron.formats import read_gene_embedding
from cistron.genes.lists import read_gene_list
from cistron.runtime import limit_threads, set_progress

RANDOM, DRAWS, MOST = 6, 200, {"sl": 2000, "tf": 1200}
OURS = {"joined 64": "joined_64", "HPA consensus": "hpa_consensus", "Tabula Sapiens": "tabula_sapiens"}
COMBINATIONS = {"sum": "sum", "product": "product", "concatenation": "concat"}


def published_pairs(key: str) -> PairTable:
    """A published list on the intersection genes, in Ensembl ids."""
    wanted = set(read_gene_list(PUBLISHED / "intersection_genes_entrez.txt"))
    table = read_pairs(PUBLISHED / f"gene_pair_{key}.parquet", directed=key == "tf").only(wanted)
    return table.mapped("ensembl", GENE_MAPS)


def areas(folds: list[PairFold], predictions: list[np.ndarray], times: np.ndarray) -> np.ndarray:
    """Plain mean over folds, as published, of the AUROC (first) and of each resampling of genes, float64 [1 + draw]."""
    found = []
    for fold, one in zip(folds, predictions):
        weights = times[:, fold.test[0]].astype(float) * times[:, fold.test[1]]
        found.append(np.r_[area(one, fold.test[2]), weighted_area(one, fold.test[2], weights)])
    return np.nanmean(found, axis=0)


def survivors(key: str) -> None:
    """Print widths of chance, and how many published differences exceed them."""
    table = published_pairs(key)
    universe = sorted(table.genes)
    number = {gene: place for place, gene in enumerate(universe)}
    first, second = (np.array([number[gene] for gene in one]) for one in (table.first, table.second))
    folds = given_folds(
        (first, second, table.label), table.folds, table.inner, balanced=False, directed=key == "tf", most=MOST[key], seed=1,
    )  # fmt: skip
    times = gene_draws(len(universe), DRAWS, 1)
    print(f"{key}: test positives of the folds {[int(fold.test[2].sum()) for fold in folds]}, largest hub of each "
          f"{[int(np.bincount(np.r_[fold.test[0][fold.test[2]], fold.test[1][fold.test[2]]]).max()) for fold in folds]}")  # fmt: skip
    occurrence = areas(folds, [occurrence_scores(*fold.test[:2]) for fold in folds], times)
    print(f"  occurrence {_interval(occurrence)}")
    values = {}
    for name, file in OURS.items():
        embedding = read_gene_embedding(FOLDER / f"{file}.h5ad")
        place = pd.Index(embedding.obs_names).get_indexer(pd.Index(universe))
        found = np.asarray(embedding.X, dtype=float)[place]
        found[place < 0] = found[place >= 0].mean(axis=0)
        values[name] = found
    for draw in range(RANDOM):
        values[f"random {draw}"] = np.random.default_rng(draw).normal(size=(len(universe), 64))
    for combination, file in COMBINATIONS.items():
        samples = {}
        for name, one in values.items():
            predict = support_vectors(one, combination)
            samples[name] = areas(folds, [predict(fold) for fold in folds], times)
            if name in OURS:
                print(f"  {name}, {combination}: {_interval(samples[name])}")
        band = [samples[name][0] for name in samples if name.startswith("random")]
        by_chance = 1.96 * np.sqrt(2) * np.std(band, ddof=1)
        widths = [
            np.nanstd(samples[one][1:] - samples[two][1:]) for one, two in itertools.combinations(samples, 2)
        ]
        by_hubs = 1.96 * np.median(widths)
        scores = pd.read_csv(PUBLISHED / f"published_paired_gene_{key}_{file}_outerloop_AUC.tsv", sep="\t")
        mean = scores["outer_AUC_average"].to_numpy()
        gaps = np.abs(mean[:, None] - mean)[np.triu_indices(len(mean), 1)]
        print(
            f"  {combination}: random embeddings {np.mean(band):.3f} (sd {np.std(band, ddof=1):.3f}, {min(band):.3f} to {max(band):.3f}); two of them differ by "
            f"more than {by_chance:.3f} in 5%; genes drawn again move a paired difference by {by_hubs:.3f} (95%); published differences beyond the first "
            f"{int((gaps > by_chance).sum())}, the second {int((gaps > by_hubs).sum())}, both {int((gaps > max(by_chance, by_hubs)).sum())} of {len(gaps)}; "
            f"published rows above {np.mean(band) + max(by_chance, by_hubs):.3f}: {int((mean > np.mean(band) + max(by_chance, by_hubs)).sum())} of {len(mean)}",
            flush=True,
        )  # fmt: skip


def _interval(found: np.ndarray) -> str:
    low, high = np.nanpercentile(found[1:], [2.5, 97.5])
    return f"{found[0]:.3f} [{low:.3f}, {high:.3f}]"


def known_edges() -> None:
    """Edges of TRRUST, degree-preserving negatives: what is above the band and above occurrence."""
    frame = pd.read_csv(FOLDER / "trrust.tsv", sep="\t")
    table = PairTable(
        "TRRUST", frame["source"].to_numpy(dtype=object), frame["target"].to_numpy(dtype=object), np.ones(len(frame), dtype=bool),
        namespace="ensembl",
    )  # fmt: skip
    settings = PairSettings(
        combinations=("bilinear", "product"), directed=True, repeats=2, random=4, controls=1, draws=300, most=1500,
    )  # fmt: skip
    some = [read_gene_embedding(FOLDER / "joined_64.h5ad", name="joined 64"), best_rows()[BEST]]
    result = evaluate_pairs(some, table, settings, seed=1)
    print(
        f"TRRUST, degree-preserving negatives: {result.facts['positives']} edges of {result.facts['positive_genes']} genes"
    )
    for row in result.scores[result.scores["metric"] == "auroc"].itertuples():
        print(
            f"  {row.embedding}, {row.model}: {row.value:.3f} [{row.low:.3f}, {row.high:.3f}], permuted {row.control_value:.3f}"
        )
    for key, draws in result.draws.items():
        if key[0] != "occurrence" and ("occurrence", "label-free") in result.draws:
            gain = draws - result.draws[("occurrence", "label-free")]
            low, high = np.nanpercentile(gain, [2.5, 97.5])
            print(f"  {key[0]}, {key[1]}, above occurrence: [{low:+.3f}, {high:+.3f}]")
    for band in result.facts["bands"]:
        print(
            f"  random embeddings of that size ({band['embedding']}, {band['model']}): {band['low']:.3f} to {band['high']:.3f}"
        )


def main() -> None:
    """Print both."""
    set_progress(False)
    started = time.process_time()
    write_inputs(FOLDER)
    with limit_threads(1):
        known_edges()
        for key in ("sl", "tf"):
            survivors(key)
    print(f"{time.process_time() - started:.0f} CPU s")
