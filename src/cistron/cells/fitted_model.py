"""A fitted model of any method, with its genes and its split; it is what is saved, loaded and used to predict."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import anndata
import numpy as np
from scipy import sparse

from cistron.cells.inputs import Cells
from cistron.cells.inputs_features import join_values
from cistron.cells.kernel_ridge import KernelRidge
from cistron.cells.linear import LinearModel
from cistron.cells.method_input import Predictor
from cistron.cells.methods import METHODS
from cistron.cells.normalisation import Normalisation, require_counts
from cistron.cells.splits import CellSplit
from cistron.errors import IdentifierError, InputError
from cistron.formats.gene_embedding import build_gene_embedding, embedding_genes
from cistron.genes.identity import match_genes
from cistron.genes.name_resolution import NameMap
from cistron.methods import Method


@dataclass(frozen=True)
class Facts:
    """How a fitted model was made: inputs, settings, seed; stored beside the weights.

    Attributes
    ----------
    method, seed
        Method and seed.
    embedding, evidence, control
        Of the gene features.
    blocks
        Columns of each embedding.
    one_hot
        Whether one-hot was among them.
    scale
        Scale of the cells that it was trained on.
    dataset
        Name of the training cells.
    unit
        ``cell`` or ``cell type``.
    cell_type
        Column of cell types, empty where there was none.
    identifier_namespace
        Of the genes.
    gene_map
        Names of the tables by which the genes of the training cells got their identifiers; empty where they had them.
    """

    method: str
    seed: int
    embedding: str
    evidence: str
    control: str
    blocks: tuple[int, ...]
    one_hot: bool
    scale: str
    dataset: str
    unit: str
    cell_type: str
    identifier_namespace: str
    gene_map: str = ""


@dataclass(frozen=True)
class CellModel:
    """A fitted model of the expression of genes in cells.

    Attributes
    ----------
    predictor
        What the method fitted.
    feature_regression
        Regression by which genes enter that are added later; ``None`` where the method has none.
    settings
        Settings of the method.
    facts
        How it was made.
    genes
        All genes that it predicts, training genes first.
    training
        Training genes.
    scaling
        What gene features are centred and divided by, float64 [column] each.
    split
        Split of both axes.
    details
        What the method recorded of its fit.
    new_genes
        Genes that were added after the fit.
    name_map
        Map by which the genes of the training cells got their identifiers, for cells that are named alike; ``None`` where there
        was none.
    """

    predictor: Predictor
    feature_regression: KernelRidge | None
    settings: Any
    facts: Facts
    genes: tuple[str, ...]
    training: tuple[str, ...]
    scaling: tuple[np.ndarray, np.ndarray]
    split: CellSplit
    details: dict[str, Any]
    new_genes: tuple[str, ...] = ()
    name_map: NameMap | None = None

    @property
    def record(self) -> Method:
        """The record of the method."""
        return METHODS.find(self.facts.method)

    @property
    def label(self) -> str:
        """Name that tables show: method, embedding, control."""
        uses_features = self.feature_regression is not None or self.record.name == "transformer"
        words = (
            self.record.name,
            uses_features and self.facts.embedding,
            self.facts.control and "(permuted)",
        )
        return " ".join(word for word in words if word)

    def with_new_genes(self, embeddings: Sequence[anndata.AnnData]) -> "CellModel":
        """Add genes that the model has no features of yet, from embeddings of the same columns as in training.

        Raises
        ------
        InputError
            If the method has no features, or the embeddings do not fit.
        """
        widths = tuple(embedding.n_vars for embedding in embeddings)
        if self.feature_regression is None:
            raise InputError(
                f"method {self.record.name} has no map from features to genes; use bilinear, ridge, or a transformer whose "
                "seen genes have vectors of their own"
            )
        if widths != self.facts.blocks:
            raise InputError(
                f"embeddings must have the {self.facts.blocks} columns of the training ones, in that order. Given: {widths}"
            )
        shared = set.intersection(*(set(embedding_genes(embedding)) for embedding in embeddings))
        new = tuple(sorted(shared - set(self.genes)))
        values = (join_values(embeddings, new) - self.scaling[0]) / self.scaling[1]
        predictor = self.predictor.with_genes(self.feature_regression.predict(values))
        return replace(self, predictor=predictor, genes=(*self.genes, *new), new_genes=new)

    def predict(
        self, cells: Cells, *, first: int = 0, last: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Predict all genes of the model in all cells, block by block.

        Parameters
        ----------
        cells
            Cells of the same scale, genes in any order. Training genes that they do not measure are left out of
            what a cell is read from; at least half must be there.
        first, last
            Rows of the file (half-open) whose cells are predicted; all when absent.

        Yields
        ------
        ndarray
            Row numbers of the cells, int [cell].
        ndarray
            Predicted, float32 [cell, gene of ``self.genes``]; NaN where undefined.
        ndarray
            Observed, float32 [cell, gene]; NaN where the cells do not measure a gene.
        """
        if cells.scale != self.facts.scale:
            raise InputError(
                f"{cells.name} has {cells.scale} values, but the model was trained on {self.facts.scale}; give the same scale"
            )
        report = match_genes(list(self.training), list(cells.genes), "the model's training genes", cells.name)
        if report.shared < 0.5 * len(self.training):
            raise IdentifierError(
                f"{cells.name} measures {report.shared:,} of the {len(self.training):,} training genes of the model, fewer than "
                "half; give cells of the same genes, or map them with --gene-map"
            )
        present = {gene: number for number, gene in enumerate(cells.genes)}
        place = np.array([present.get(gene, -1) for gene in self.genes])
        measured = place >= 0
        view = cells.only([gene for gene in self.genes if gene in present])
        training = len(self.training)
        spread = np.flatnonzero(measured)  # column of the view -> gene of the model
        normalisation = Normalisation(cells.scale, np.arange(training))
        names = cells.observations.index.to_numpy()
        for rows, raw in view.blocks(first=first, last=last):
            block = _widen(raw, spread, len(self.genes))
            library = normalisation.library(block)
            if cells.scale == "counts":
                require_counts(library, names[rows], cells.name)
            observed = normalisation.expression(block).toarray()
            observed[:, ~measured] = np.nan
            yield (
                rows,
                self.predictor.predict(block[:, :training], normalisation, measured[:training]),
                observed,
            )

    def vectors(self) -> np.ndarray:
        """What was learned of each gene, float [gene, dimension]: mean and loadings, or the vector of its token."""
        model = self.predictor
        if not isinstance(model, LinearModel):
            return model.arrays()["tokens"]
        varied = np.ptp(np.nan_to_num(model.mean)) > 0
        return np.column_stack([model.mean, model.loadings]) if varied else model.loadings

    def embed(self, name: str | None = None) -> anndata.AnnData:
        """Give what the model learned of each gene as a gene embedding.

        Raises
        ------
        InputError
            If the method learns nothing of genes.
        """
        values = self.vectors()
        known = np.isfinite(values).all(axis=1)
        if not self.record.traits.learns_genes or not known.any():
            learning = ", ".join(method.name for method in METHODS.values() if method.traits.learns_genes)
            raise InputError(f"method {self.record.name} learns no gene embedding; use one of {learning}")
        evidence = "+".join(dict.fromkeys(filter(None, [*self.facts.evidence.split("+"), "expression"])))
        return build_gene_embedding(
            values[known],
            [gene for gene, defined in zip(self.genes, known) if defined],
            name=name or f"{self.record.name} {self.facts.embedding}",
            method=f"cells {self.record.name}",
            evidence=evidence,
            identifier_namespace=self.facts.identifier_namespace,
            seed=self.facts.seed,
            parameters={"settings": asdict(self.settings), **asdict(self.facts)},
        )


def _widen(block: sparse.csr_matrix, columns: np.ndarray, width: int) -> sparse.csr_matrix:
    """Spread the columns of a block over a matrix of ``width`` columns, zeros elsewhere."""
    return sparse.csr_matrix(
        (block.data, columns[block.indices], block.indptr), shape=(block.shape[0], width)
    )
