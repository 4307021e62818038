"""The transformer at its default size on SCP1884, beside the bilinear model on the same split; settings taken over unchanged."""

import tempfile
from pathlib import Path

from benchmarks.cells_data import CONSENSUS, FPKM, TEST, VALIDATION, gut, promoter_kmers, tissues
from benchmarks.cells_scp1884 import predictions, show
from cistron.cells import SplitSettings, split_both
from cistron.evaluation.expression.evaluate import ExpressionSettings
from cistron.evaluation.expression.run import run_expression
from cistron.runtime import set_progress


def main() -> None:
    """Print the rows of ``cells_scp1884`` for both models."""
    set_progress(False)
    hpa, fpkm, kmers = tissues(CONSENSUS, "HPA", 120), tissues(FPKM, "HPA FPKM", 70), promoter_kmers()
    cells, places = gut(hpa, fpkm, kmers)  # the genes of the other tables
    split = split_both(
        cells, SplitSettings(test_chromosomes=TEST, validation_chromosomes=VALIDATION), genes=places
    )
    table = [
        ("bilinear HPA*", "bilinear", None, [hpa], False),
        ("transformer HPA*", "transformer", None, [hpa], False),
        ("transformer HPA*, permuted", "transformer", None, [hpa], True),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = predictions(cells, split, table, folder, cell_type="Celltype")
        scores = run_expression(
            paths, folder / "cells", ExpressionSettings(draws=200, permutations=2, halvings=2)
        )
        for target in ("cells", "pseudobulks"):
            show(scores, [row[0] for row in table], target)
    print("\n* measured expression of the same genes in tissues, gut among them: imputation across assays")
