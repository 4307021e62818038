"""A method beside its controls on one split: permuted embedding, one-hot, nearest type, gene mean; a prediction file of each."""

from dataclasses import dataclass, is_dataclass
from functools import partial
from pathlib import Path

import anndata
import numpy as np

from cistron.cells.estimator import CellExpression, prepare
from cistron.cells.inputs import keep_rich_cells
from cistron.cells.inputs_features import read_features
from cistron.cells.predicting import write_predictions
from cistron.cells.settings import ONE_HOT, CompareRequest
from cistron.cells.splits import write_split
from cistron.errors import InputError
from cistron.runtime import say
from cistron.runtime.files import destination_of
from cistron.runtime.progress import track
from cistron.runtime.seeds import random_generator


@dataclass(frozen=True)
class Row:
    """A row of the comparison.

    Attributes
    ----------
    name
        Name in tables and pictures.
    method
        Method; ``""`` for the one that was asked for, with its settings.
    embedded
        Whether it gets the embeddings; else one-hot.
    permuted
        Whether each gene gets the embedding of another.
    """

    name: str
    method: str = ""
    embedded: bool = False
    permuted: bool = False


def rows_of(method: str, embedding: str, types: bool) -> list[Row]:
    """Rows of the comparison in their order.

    Parameters
    ----------
    method
        Method that is compared with its controls.
    embedding
        Names of the embeddings.
    types
        Whether cell types are known.
    """
    rows = [
        Row(f"{method} {embedding}", embedded=True),
        Row(f"{method}, permuted", embedded=True, permuted=True),
        Row(f"{method} one-hot"),
        Row("nearest type", "nearest-type"),
        Row("gene mean", "gene-mean"),
    ]
    return [row for row in rows if types or row.method != "nearest-type"]


def write_compared(request: CompareRequest, folder: str | Path) -> list[Path]:
    """Fit a method and its controls on one split, and predict held-out genes and cells: the job of ``cistron cells compare``.

    All rows get the genes that the embeddings cover. Of large data a part is predicted: so many cells of the training and of the test
    part, and so many genes of each, drawn by the seed; the fit sees all.

    Parameters
    ----------
    request
        What to do.
    folder
        Folder to write to: ``split.json`` and a prediction file of each row.

    Returns
    -------
    list of Path
        The prediction files.

    Raises
    ------
    InputError
        If files or options do not fit, or no embedding is given.
    """
    request.check()
    if set(request.embeddings) <= {ONE_HOT}:
        raise InputError("a comparison needs an embedding beside its controls; give --embedding FILE")
    prepared = prepare(request)
    files: list[anndata.AnnData | str] = [one for one in prepared.embeddings if not isinstance(one, str)]
    read = partial(read_features, minimum_coverage=request.minimum_coverage, seed=request.seed)
    covered = read(files, prepared.cells.genes, prepared.split.genes)
    cells, split = prepared.cells.only(covered.genes), prepared.split
    cells, remark = keep_rich_cells(
        cells, sorted(split.genes.train & set(cells.genes)), request.minimum_counts
    )
    for line in filter(None, (*cells.remarks, *covered.reports, remark)):
        say(line)
    random = random_generator(request.seed, "scored cells and genes")
    parts = np.array(split.cells.part_of(cells.observations.index.astype(str)))
    chosen = [
        _drawn(np.flatnonzero(parts == part), request.scored_cells, random) for part in ("train", "test")
    ]
    scored = cells.keep_cells(np.sort(np.concatenate(chosen)))
    of_gene = np.array(split.genes.part_of(cells.genes))
    genes = {
        cells.genes[number]
        for part in ("train", "test")
        for number in _drawn(np.flatnonzero(of_gene == part), request.scored_genes, random)
    }
    folder = Path(folder)
    destination_of(folder).mkdir(parents=True, exist_ok=True)  # where a link points to
    write_split(split, folder / "split.json")
    rows = rows_of(
        request.method, covered.names, prepared.cell_type is not None or request.unit == "cell type"
    )
    paths = []
    for number, row in enumerate(track(rows, "methods and controls", unit="rows")):
        sources = files if row.embedded else [ONE_HOT]
        features = read(sources, cells.genes, split.genes, permute=row.permuted)
        model = CellExpression(
            None if row.method else request.settings,
            method=row.method or request.method,
            preset="default" if row.method or is_dataclass(request.settings) else request.preset,
            seed=request.seed,
        )
        model.fit(cells, features, split, cell_type=prepared.cell_type, unit=request.unit)
        paths.append(folder / f"{number}.h5ad")
        write_predictions(model, scored, paths[-1], name=row.name, donor=request.donor, keep=genes)
    return paths


def _drawn(numbers: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """At most ``most`` of the numbers."""
    return numbers if len(numbers) <= most else random.choice(numbers, most, replace=False)
