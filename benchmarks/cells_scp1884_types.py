"""SCP1884 as 68 pseudobulks of 15 cells, all seen; genes of chromosomes 1, 8, 9, 21 unseen.

Everything was chosen on the validation chromosomes 2, 10, 17; the table is of the test genes.
"""

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.cells_data import CONSENSUS, FPKM, TEST, VALIDATION, gut, promoter_kmers, tissues
from benchmarks.cells_scp1884 import predictions, show
from cistron.cells import CellSplit, SplitSettings, split_both
from cistron.cells.inputs import Cells, pseudobulk
from cistron.evaluation.expression.evaluate import ExpressionSettings
from cistron.evaluation.expression.run import run_expression
from cistron.runtime import random_generator, set_progress


def halves(cells: Cells, split: CellSplit, column: str) -> str:
    """Ceiling of pseudobulks on test genes: the root of their reliability, from halves of the cells of each type."""
    random = random_generator(0, "halves")
    genes = [gene for gene in cells.genes if gene in split.genes.train]
    tested = [number for number, gene in enumerate(cells.genes) if gene in split.genes.test]
    trained = [number for number, gene in enumerate(cells.genes) if gene in split.genes.train]
    assert genes
    found = []
    for _ in range(10):
        first = np.zeros(cells.shape[0], dtype=bool)
        for rows in cells.observations.groupby(column, observed=True).indices.values():
            first[random.permutation(rows)[: len(rows) // 2]] = True
        sides = []
        for rows in (np.flatnonzero(first), np.flatnonzero(~first)):
            block = next(pseudobulk(cells.keep_cells(rows), column).blocks())[1].toarray()
            sides.append(np.log1p(1e4 * block[:, tested] / block[:, trained].sum(axis=1, keepdims=True)))
        within = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(*sides)])
        centred = [side - side.mean(axis=0) - side.mean(axis=1, keepdims=True) for side in sides]
        doubly = np.corrcoef(centred[0].ravel(), centred[1].ravel())[0, 1]
        found.append([np.sqrt(2 * r / (1 + r)) for r in (within, doubly)])
    within, doubly = np.mean(found, axis=0)
    return f"ceiling from split halves: across genes {within:.3f}, doubly centred {doubly:.3f}"


def main() -> None:
    """Print the ceiling and one line an embedding and method."""
    set_progress(False)
    hpa, fpkm, kmers = tissues(CONSENSUS, "HPA", 120), tissues(FPKM, "HPA FPKM", 70), promoter_kmers()
    cells, places = gut(hpa, fpkm, kmers)
    bulk = pseudobulk(cells, "Celltype")
    splitting = SplitSettings(cells="none", test_chromosomes=TEST, validation_chromosomes=VALIDATION)
    split = split_both(bulk, splitting, genes=places)
    print(f"{len(cells.genes):,} genes ({len(split.genes.test):,} test); 68 pseudobulks, all seen")
    print(halves(cells, split, "Celltype"))
    table = [
        ("ridge HPA*", "ridge", None, [hpa], False),
        ("bilinear HPA*", "bilinear", None, [hpa], False),
        ("bilinear HPA* + HPA FPKM*", "bilinear", None, [hpa, fpkm], False),
        ("bilinear HPA* + k-mers", "bilinear", None, [hpa, kmers], False),
        ("ridge k-mers", "ridge", None, [kmers], False),
        ("bilinear k-mers", "bilinear", None, [kmers], False),
        ("bilinear HPA*, permuted", "bilinear", None, [hpa], True),
        ("bilinear k-mers, permuted", "bilinear", None, [kmers], True),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = predictions(bulk, split, table, folder, unit="cell type")
        settings = ExpressionSettings(draws=500, permutations=2, halvings=0)
        scores = run_expression(paths, folder / "scores", settings)
        show(scores, [row[0] for row in table], "cell types", ("unseen genes, seen cell types",))
    print("\n* measured expression of the same genes in tissues, gut among them: imputation across assays")
