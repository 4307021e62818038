"""Training cells x training genes, their sums and principal factors. Methods fit on nothing else; held-out data raise an error."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from cistron.cells.inputs import Cells, membership
from cistron.cells.normalisation import Normalisation, require_counts
from cistron.cells.splits import CellSplit
from cistron.errors import InputError
from cistron.runtime.progress import Progress
from cistron.runtime.seeds import random_generator
from cistron.runtime.shards import run_each

FOLDS = 5  # parts of the training genes; each is predicted from the others


class TrainingData:
    """Training cells x training genes, in blocks.

    Parameters
    ----------
    cells
        Cells, restricted to the genes that are to be fitted on.
    rows
        Numbers of the cells to be fitted on, ascending.
    split
        Split of both axes.
    what
        What is fitted, for the message.

    Raises
    ------
    LeakageError
        If a gene or a cell is outside the training parts.
    InputError
        If nothing is left, or a cell has no counts.
    """

    def __init__(self, cells: Cells, rows: np.ndarray, split: CellSplit, what: str) -> None:
        names = cells.observations.index.astype(str).to_numpy()
        split.require_training(cells.genes, names[rows].tolist(), what)
        if not len(cells.genes) or not len(rows):
            raise InputError(
                f"{what}: there are {len(rows):,} training cells and {len(cells.genes):,} training genes"
            )
        self.cells, self.rows, self.split = cells, rows, split
        self.normalisation = Normalisation(cells.scale, np.arange(len(cells.genes)))
        self.names = names[rows]

    @classmethod
    def of(cls, cells: Cells, genes: Sequence[str], split: CellSplit, what: str) -> "TrainingData":
        """Select the training part of the genes and of the cells.

        Parameters
        ----------
        cells
            All cells.
        genes
            Genes of which the training ones are taken, in this order.
        split
            Split of both axes.
        what
            What is fitted, for messages.
        """
        names = cells.observations.index.astype(str)
        rows = np.flatnonzero(names.isin(split.cells.train))
        return cls(cells.only([gene for gene in genes if gene in split.genes.train]), rows, split, what)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of training cells and genes."""
        return len(self.rows), len(self.cells.genes)

    def shards(self) -> list[dict[str, int]]:
        """Parts of the cells whose sums are formed apart (:meth:`Cells.shards`)."""
        return self.cells.shards(self.rows)

    def blocks(self, **part: int) -> Iterator[tuple[np.ndarray, sparse.csr_matrix]]:
        """Give positions among the training cells and log-normalised values [cell, gene], of a part of the cells or all."""
        for numbers, block in self.cells.blocks(self.rows, **part):
            yield np.searchsorted(self.rows, numbers), self.normalisation.expression(block)


@dataclass(frozen=True)
class Moments:
    """Sums over the training cells that the methods need.

    Attributes
    ----------
    mean, variance
        Of log-normalised expression, float64 [gene].
    share
        Share of each gene in the counts of the training genes, float64 [gene]; equal shares without counts.
    type_mean
        Mean of each cell type, float64 [type, gene].
    types
        Names of the types.
    cells
        Number of training cells.
    """

    mean: np.ndarray
    variance: np.ndarray
    share: np.ndarray
    type_mean: np.ndarray
    types: tuple[str, ...]
    cells: int


def training_moments(data: TrainingData, labels: np.ndarray) -> Moments:
    """Go once through the training cells.

    Parameters
    ----------
    data
        Training cells and genes.
    labels
        Cell type of each training cell, text [cell].

    Raises
    ------
    InputError
        If a cell has no counts in the training genes.
    """
    names, code = np.unique(labels, return_inverse=True)
    genes = data.shape[1]
    sums, by_type = np.zeros((3, genes)), np.zeros((len(names), genes))
    shared = {"data": data, "code": code, "types": len(names)}
    for part, types in run_each(_sums, data.shards(), shared, description="means of genes", unit="shards"):
        sums += part
        by_type += types
    total, square, counts = sums
    cells = len(data.rows)
    mean = total / cells
    share = counts / counts.sum() if counts.any() else np.full(genes, 1 / genes)
    size = np.bincount(code, minlength=len(names))[:, None]
    return Moments(
        mean, np.maximum(square / cells - mean**2, 0.0), share, by_type / size, tuple(map(str, names)), cells
    )


def _sums(
    data: TrainingData, code: np.ndarray, types: int, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sums, sums of squares and counts [3, gene] of a part of the cells, and sums of each type [type, gene], float64."""
    sums, by_type = np.zeros((3, data.shape[1])), np.zeros((types, data.shape[1]))
    for numbers, raw in data.cells.blocks(data.rows, first=first, last=last):
        place = np.searchsorted(data.rows, numbers)
        if data.cells.scale == "counts":
            require_counts(data.normalisation.library(raw), data.names[place], data.cells.name)
            sums[2] += np.asarray(raw.sum(axis=0), dtype=np.float64).ravel()
        block = data.normalisation.expression(raw)
        sums[0] += np.asarray(block.sum(axis=0), dtype=np.float64).ravel()
        sums[1] += np.asarray(block.multiply(block).sum(axis=0), dtype=np.float64).ravel()
        by_type += (membership(code[place], types) @ block).toarray()
    return sums, by_type


def principal_factors(
    data: TrainingData, moments: Moments, factors: int, *, passes: int = 5, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Leading principal components of the centred cells by subspace iteration, one pass over the cells each.

    Only sparse products are formed (Halko, Martinsson and Tropp 2011, algorithm 4.4); centring is a rank-one
    correction.

    Parameters
    ----------
    data
        Training cells x training genes.
    moments
        Their sums.
    factors
        Number of components, at most the number of cells or genes less one.
    passes
        Passes over the cells.
    seed
        Seed of the random start.

    Returns
    -------
    ndarray
        Loadings float64 [gene, factor]; factors have variance 1 over training cells.
    ndarray
        Residual variance of each gene, float64 [gene].
    """
    cells, genes = data.shape
    factors = max(1, min(factors, cells - 1, genes - 1))
    width = min(factors + 8, genes)
    basis = np.linalg.qr(random_generator(seed, "principal factors").standard_normal((genes, width)))[0]
    inner = np.zeros((width, width))
    with Progress("principal components", passes * len(data.shards()), "shards") as progress:
        for _ in range(passes):
            basis = np.linalg.qr(basis)[0]
            shared = {"data": data, "basis": basis, "offset": moments.mean @ basis}
            image, inner, summed = np.zeros((genes, width)), np.zeros((width, width)), np.zeros(width)
            for part in run_each(_image, data.shards(), shared):
                image, inner, summed = image + part[0], inner + part[1], summed + part[2]
                progress.advance()
            image -= np.outer(moments.mean, summed)
            last, basis = basis, image
    values, vectors = np.linalg.eigh(inner)
    order = np.argsort(-values)[:factors]
    loadings = last @ vectors[:, order] * np.sqrt(np.maximum(values[order], 0.0) / cells)
    return loadings, np.maximum(moments.variance - (loadings**2).sum(axis=1), 0.0)


def _image(
    data: TrainingData, basis: np.ndarray, offset: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a part of the cells adds to the image of the basis, to its inner products and to the sum of the scores."""
    genes, width = basis.shape
    image, inner, summed = np.zeros((genes, width)), np.zeros((width, width)), np.zeros(width)
    for _, block in data.blocks(first=first, last=last):
        scores = block @ basis - offset  # (cells, width)
        image += block.T @ scores
        inner += scores.T @ scores
        summed += scores.sum(axis=0)
    return image, inner, summed


def gene_folds(genes: Sequence[str], seed: int) -> np.ndarray:
    """Fold of each training gene, int [gene]; it follows the names, not their order."""
    order = np.argsort(np.array(genes, dtype=str))
    fold = np.empty(len(genes), dtype=np.int64)
    fold[order] = random_generator(seed, "gene folds").permutation(len(genes)) % FOLDS
    return fold
