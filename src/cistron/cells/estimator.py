"""What a user calls: cells and gene features in, expression of any gene in any cell out."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import anndata
import numpy as np

from cistron.cells.features import GeneFeatures, join_values
from cistron.cells.gene_map import GeneMap
from cistron.cells.inputs import Cells, labels_of
from cistron.cells.linear import LinearModel
from cistron.cells.methods import METHODS
from cistron.cells.normalisation import Normalisation, require_counts
from cistron.cells.problem import Fitted, Predictor, Problem
from cistron.cells.splits import CellSplit
from cistron.cells.training_data import TrainingData, training_moments
from cistron.errors import IdentifierError, InputError
from cistron.formats.gene_embedding import build_gene_embedding, embedding_genes
from cistron.genes.identity import match_genes
from cistron.methods import Estimator, Method


@dataclass(frozen=True)
class Facts:
    """What a fitted model knows of its making; stored beside the weights.

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


class CellExpression(Estimator):
    """Predict expression of genes in cells, both possibly never seen.

    Parameters
    ----------
    settings
        Whole settings of the method (its record in ``methods.METHODS`` names the class), or some settings by dotted
        name, which win over the preset: ``{"fit.epochs": 3}``.
    method
        Name of the method.
    preset
        Named settings that ``settings`` by name are put over.
    seed
        Seed of everything random.

    Examples
    --------
    >>> from cistron.cells import CellExpression
    >>> model = CellExpression(method="bilinear")
    >>> model.fit(cells, features, split)  # doctest: +SKIP
    """

    def __init__(
        self, settings: Any = None, *, method: str = "bilinear", preset: str = "default", seed: int = 0
    ) -> None:
        self.settings = settings
        self.method = method
        self.preset = preset
        self.seed = seed
        self.settings_in_force()  # raises on what does not fit
        self.model: Predictor | None = None
        self.gene_map: GeneMap | None = None
        self.genes: tuple[str, ...] = ()
        self.training: tuple[str, ...] = ()
        self.new_genes: tuple[str, ...] = ()
        self.scaling: tuple[np.ndarray, np.ndarray] = (np.zeros(0), np.ones(0))

    @property
    def record(self) -> Method:
        """The record of the method."""
        return METHODS.find(self.method)

    def settings_in_force(self) -> Any:
        """Settings after preset and given names."""
        return METHODS.resolve(self.method, self.settings, self.preset)

    def fit(
        self,
        cells: Cells,
        features: GeneFeatures,
        split: CellSplit,
        *,
        cell_type: str | None = None,
        unit: str = "cell",
        directory: str | Path | None = None,
    ) -> "CellExpression":
        """Fit on training cells x training genes.

        Parameters
        ----------
        cells
            Cells.
        features
            Features of their genes.
        split
            Split of both axes.
        cell_type
            Column of cell types, for methods that compare with types.
        unit
            What a cell is: ``cell``, or ``cell type`` for pseudobulks.
        directory
            Folder in which a long fit can be taken up again.

        Raises
        ------
        InputError
            If the method needs cell types, or a cell has no counts.
        """
        if self.record.traits.needs_types and cell_type is None and unit == "cell":
            raise InputError(
                f"method {self.record.name} compares cells with cell types; give --cell-type COLUMN"
            )
        data = TrainingData.of(cells, features.genes, split, f"method {self.record.name}")
        features = _training_first(features, data.cells.genes)
        labels = np.full(len(data.rows), "all", dtype=object)
        if unit == "cell type":
            labels = data.names.astype(object)
        elif cell_type is not None:
            labels = labels_of(cells, cell_type)[data.rows]
        moments = training_moments(data, labels)
        problem = Problem(data, moments, features, self.seed, _validation(cells, data, split), directory)
        fitted: Fitted = self.record(problem, self.settings_in_force())
        self.model, self.gene_map = fitted.model, fitted.gene_map
        self.genes, self.training = features.genes, data.cells.genes
        self.scaling = (features.mean, features.scale)
        self.split = split
        self.facts = Facts(
            self.record.name,
            self.seed,
            features.names,
            features.evidence,
            features.control,
            features.blocks,
            features.one_hot,
            cells.scale,
            cells.name,
            unit,
            cell_type or "",
            cells.identifier_namespace,
        )
        self.details = fitted.facts
        return self

    def _fitted(self) -> Predictor:
        if self.model is None:
            raise InputError("no model was fitted yet; call fit(cells, features, split) or load one first")
        return self.model

    def with_new_genes(self, embeddings: Sequence[anndata.AnnData]) -> "CellExpression":
        """Add genes that the model has no features of yet, from embeddings of the same columns as in training.

        Raises
        ------
        InputError
            If the method has no features, or the embeddings do not fit.
        """
        model = self._fitted()
        widths = tuple(embedding.n_vars for embedding in embeddings)
        if self.gene_map is None:
            raise InputError(
                f"method {self.record.name} has no map from features to genes; use bilinear, ridge, or a transformer whose "
                "seen genes have vectors of their own"
            )
        if widths != self.facts.blocks:
            raise InputError(
                f"embeddings must have the {self.facts.blocks} columns of the training ones, in that order. Given: {widths}"
            )
        known = set(self.genes)
        shared = set.intersection(*(set(embedding_genes(embedding)) for embedding in embeddings))
        new = sorted(shared - known)
        values = (join_values(embeddings, new) - self.scaling[0]) / self.scaling[1]
        other = CellExpression(self.settings, method=self.method, preset=self.preset, seed=self.seed)
        other.__dict__.update(self.__dict__)
        other.model = model.with_genes(self.gene_map.predict(values))
        other.genes, other.new_genes = (*self.genes, *new), tuple(new)
        return other

    def predict(self, cells: Cells) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Predict all genes of the model in all cells, block by block.

        Parameters
        ----------
        cells
            Cells of the same scale, genes in any order. Training genes that they do not measure are left out of
            what a cell is read from; at least half must be there.

        Yields
        ------
        ndarray
            Row numbers of the cells, int [cell].
        ndarray
            Predicted, float32 [cell, gene of ``self.genes``]; NaN where undefined.
        ndarray
            Observed, float32 [cell, gene]; NaN where the cells do not measure a gene.
        """
        model = self._fitted()
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
        for rows, raw in view.blocks():
            block = _widen(raw, spread, len(self.genes))
            library = normalisation.library(block)
            if cells.scale == "counts":
                require_counts(library, names[rows], cells.name)
            observed = normalisation.expression(block).toarray()
            observed[:, ~measured] = np.nan
            yield rows, model.predict(block[:, :training], normalisation, measured[:training]), observed

    def embed(self, name: str | None = None) -> anndata.AnnData:
        """Give what the model learned of each gene (mean and loadings, or token) as a gene embedding.

        Raises
        ------
        InputError
            If the method learns nothing of genes.
        """
        model = self._fitted()
        values = gene_vectors(model)
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
            seed=self.seed,
            parameters={"settings": asdict(self.settings_in_force()), **asdict(self.facts)},
        )


def gene_vectors(model: Predictor) -> np.ndarray:
    """What a model learned of each gene, float [gene, dimension]."""
    if isinstance(model, LinearModel):
        varied = np.ptp(np.nan_to_num(model.mean)) > 0
        return np.column_stack([model.mean, model.loadings]) if varied else model.loadings
    return model.arrays()["tokens"]


def _training_first(features: GeneFeatures, training: Sequence[str]) -> GeneFeatures:
    """Order genes with the training ones first."""
    first = set(training)
    order = [*training, *(gene for gene in features.genes if gene not in first)]
    place = dict(zip(features.genes, range(len(features.genes))))
    return replace(features, genes=tuple(order), values=features.values[[place[gene] for gene in order]])


def _widen(block: Any, columns: np.ndarray, width: int) -> Any:
    """Put the columns of a block in their places among ``width`` columns."""
    from scipy import sparse

    return sparse.csr_matrix(
        (block.data, columns[block.indices], block.indptr), shape=(block.shape[0], width)
    )


def _validation(cells: Cells, data: TrainingData, split: CellSplit) -> tuple[Cells, np.ndarray] | None:
    """Validation cells x training genes, for early stopping; ``None`` where there are none."""
    rows = np.flatnonzero(cells.observations.index.astype(str).isin(split.cells.validation))
    return (data.cells, rows) if len(rows) else None
