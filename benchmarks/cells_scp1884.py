"""SCP1884 (gut, 1,020 cells, 68 types of 15): unseen genes of chromosomes 1, 8, 9, 21 and unseen cells, by embedding.

Everything was chosen on the validation chromosomes 2, 10, 17 and validation cells; the table is of the test parts. Scores come
from the task that `cistron evaluate expression` runs.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.cells_data import CONSENSUS, FPKM, TEST, VALIDATION, gut, promoter_kmers, tissues
from cistron.cells import CellExpression, SplitSettings, read_features, split_both
from cistron.cells.inputs import Cells
from cistron.cells.predicting import write_predictions
from cistron.cells.settings import BilinearSettings
from cistron.cells.splits import CellSplit
from cistron.evaluation.expression.evaluate import ExpressionSettings
from cistron.evaluation.expression.run import run_expression
from cistron.runtime import random_generator, set_progress

METRICS = ("pearson_across_genes", "pearson_across_cells", "pooled_doubly_centred")
STRATA = (
    "unseen genes, unseen cells",
    "unseen genes, seen cells",
    "seen genes, unseen cells",
)
FEATURES_ALONE = BilinearSettings(own=False)
SEEN_GENES_SCORED = 2000  # drawn, to bound the time of scoring


def predictions(
    cells: Cells,
    split: CellSplit,
    rows: Sequence[tuple[str, str, Any, Sequence[Any], bool]],
    folder: Path,
    **fitting: Any,
) -> list[Path]:
    """Fit and write every row (label, method, settings, embeddings, permuted)."""
    seen = random_generator(0, "scored genes").permutation(sorted(split.genes.train))[:SEEN_GENES_SCORED]
    paths = []
    for label, method, settings, embeddings, permuted in rows:
        features = read_features(embeddings, cells.genes, split.genes, permute=permuted)
        started = time.perf_counter()
        model = CellExpression(settings, method=method).fit(cells, features, split, **fitting)
        fitted = time.perf_counter()
        paths.append(folder / f"{len(paths):02d}.h5ad")
        write_predictions(model, cells, paths[-1], name=label, keep={*seen, *split.genes.test})
        print(
            f"  {label:36} fitted in {fitted - started:5.1f} s, predicted in {time.perf_counter() - fitted:5.1f} s",
            flush=True,
        )
    return paths


def show(scores: pd.DataFrame, labels: Sequence[str], target: str, strata: Sequence[str] = STRATA) -> None:
    """One line a prediction: three correlations with intervals in each quadrant."""
    scores = scores[(scores["target"] == target) & scores["metric"].isin(METRICS)]
    for stratum in strata:
        part = scores[scores["stratum"] == stratum]
        if not len(part):
            continue
        print(f"\n{target}, {stratum}: across genes | across cells | doubly centred, pooled")
        for label in ["null", *labels]:
            row = part[part["embedding"] == label].set_index("metric")
            texts = []
            for metric in METRICS:
                found = metric in row.index and np.isfinite(row.loc[metric, "value"])
                value = row.loc[metric] if found else None
                texts.append(
                    "undefined"
                    if value is None
                    else f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
                )
            print(f"  {label:42} " + " | ".join(texts), flush=True)


def main() -> None:
    """Print cells in four quadrants, one by one and as means of types."""
    set_progress(False)
    hpa, kmers = tissues(CONSENSUS, "HPA", 120), promoter_kmers()
    cells, places = gut(hpa, tissues(FPKM, "HPA FPKM", 70), kmers)
    genes = SplitSettings(test_chromosomes=TEST, validation_chromosomes=VALIDATION)
    settings = ExpressionSettings(draws=200, permutations=2, halvings=2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        split = split_both(cells, genes, genes=places)
        table = [
            ("bilinear HPA*", "bilinear", None, [hpa], False),
            ("bilinear k-mers", "bilinear", None, [kmers], False),
            ("bilinear one-hot", "bilinear", None, ["one-hot"], False),
            ("bilinear HPA* + k-mers", "bilinear", None, [hpa, kmers], False),
            ("bilinear HPA*, permuted", "bilinear", None, [hpa], True),
            ("bilinear HPA*, features alone", "bilinear", FEATURES_ALONE, [hpa], False),
            ("bilinear k-mers, features alone", "bilinear", FEATURES_ALONE, [kmers], False),
            ("ridge HPA*", "ridge", None, [hpa], False),
            ("ridge k-mers", "ridge", None, [kmers], False),
            ("ridge one-hot", "ridge", None, ["one-hot"], False),
            ("nearest type", "nearest-type", None, ["one-hot"], False),
        ]
        paths = predictions(cells, split, table, folder, cell_type="Celltype")
        scores = run_expression(paths, folder / "cells", settings)
        for target in ("cells", "pseudobulks"):
            show(scores, [row[0] for row in table], target)
    print("\n* measured expression of the same genes in tissues, gut among them: imputation across assays")
