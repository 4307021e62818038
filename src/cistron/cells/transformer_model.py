"""The transformer together with what it knows of genes: features, means, folds; its loss, and its predictions."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import nn

from cistron.cells.expression_heads import Bins, count_loss, expected_expression
from cistron.cells.normalisation import PER_CELL, Normalisation
from cistron.cells.settings import TransformerSettings
from cistron.cells.transformer import ExpressionTransformer

# Facts of genes and classes that travel with the weights; training genes (T) come first among all genes (G).
GENE_FACTS = (
    "features",  # float32 [G, column], unit variance; no columns where seen genes have vectors of their own
    "mapped",  # vectors from features, float32 [G, channel], where seen genes have their own; else no columns
    "rate",  # log share of the counts of a seen gene, float32 [T]
    "rate_unseen",  # the same from features alone, float32 [G]
    "mean",  # mean expression, float32 [T]
    "deviation",  # its standard deviation, float32 [T]
    "share",  # share of the counts, float32 [T]
    "anchors",  # loadings from which the factors of a cell are read, float32 [T, factor]; no columns without them
    "noise",  # variance that factors leave, float32 [T]
    "information",  # what a gene tells of the factors, float32 [T]
    "fold",  # fold of a training gene, int64 [T]
)


class CellTransformer(nn.Module):
    """Network and gene facts as one module, so that they are saved and moved together.

    Parameters
    ----------
    facts
        Arrays of :data:`GENE_FACTS`.
    bins
        Classes of the ``bins`` head.
    settings
        Settings of the network.
    """

    def __init__(self, facts: dict[str, torch.Tensor], bins: Bins, settings: TransformerSettings) -> None:
        super().__init__()
        for name in GENE_FACTS:
            self.register_buffer(name, facts[name])
        self.features: torch.Tensor
        self.mapped: torch.Tensor
        self.rate: torch.Tensor
        self.rate_unseen: torch.Tensor
        self.mean: torch.Tensor
        self.deviation: torch.Tensor
        self.share: torch.Tensor
        self.anchors: torch.Tensor
        self.noise: torch.Tensor
        self.information: torch.Tensor
        self.fold: torch.Tensor
        self.bins, self.settings = bins, settings
        own = len(self.fold) if self.mapped.shape[1] else 0
        self.network = ExpressionTransformer(self.features.shape[1], own, self.anchors.shape[1], settings)

    @property
    def training_genes(self) -> int:
        """Number of training genes."""
        return len(self.fold)

    def vectors(self, numbers: torch.Tensor) -> torch.Tensor:
        """Vectors of genes by number, [..., channel]; NaN where nothing is known of a gene."""
        if self.network.project is not None:
            return self.network.project(self.features)[numbers]
        assert self.network.own is not None
        return torch.cat([self.network.own.weight, self.mapped[self.training_genes :]])[numbers]

    def context(
        self, expression: torch.Tensor, visible: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Choose the genes that cells are encoded from; see ``context_genes`` of :class:`cistron.cells.settings.TransformerSettings`.

        Parameters
        ----------
        expression
            Normalised by the visible genes, [cell, T].
        visible
            bool [T].

        Returns
        -------
        Tensor
            Numbers of the genes, int64 [cell, place].
        Tensor
            Their expression, [cell, place].
        Tensor or None
            Whether a place is filled, bool [cell, place]; ``None`` where all are.
        """
        size = self.settings.context
        if size and self.settings.context_genes == "prominent":
            score = (expression - self.mean) / (self.deviation + 0.1)
            score = score.masked_fill(~(visible & (expression > 0)), -torch.inf)
            found = torch.topk(score, min(size, expression.shape[1]), dim=1)
            present = torch.isfinite(found.values)
            present[:, 0] = True  # a cell without any expressed visible gene still has a token to attend to
            return found.indices, torch.gather(expression, 1, found.indices), present
        if size == 0:  # as published: all visible genes
            numbers = torch.nonzero(visible).flatten()
        else:
            score = self.information.masked_fill(~visible, -torch.inf)
            numbers = torch.topk(score, min(size, int(visible.sum()))).indices
        numbers = numbers.expand(len(expression), -1)
        return numbers, torch.gather(expression, 1, numbers), None

    def factors(self, expression: torch.Tensor, visible: torch.Tensor) -> torch.Tensor | None:
        """Factors of cells from their visible genes, [cell, factor], as of the bilinear model; ``None`` without them.

        Parameters
        ----------
        expression
            Normalised by the visible genes, [cell, T].
        visible
            bool [T].
        """
        if not self.anchors.shape[1]:
            return None
        precision = self.anchors * (visible / self.noise)[:, None]
        inner = precision.T @ self.anchors + torch.eye(precision.shape[1], device=precision.device)
        return torch.linalg.solve(inner, ((expression - self.mean) @ precision).T).T

    def encode(
        self, expression: torch.Tensor, visible: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """Memory of each cell, its filled places, and its factors; see :meth:`context`, :meth:`factors` and :meth:`ExpressionTransformer.encode`."""
        numbers, values, present = self.context(expression, visible)
        if present is not None and bool(present.all()):
            present = None
        if self.settings.head == "bins" and self.settings.context == 0:  # as published
            values = self.bins.classes(values).to(expression.dtype)
        deviation = ((values - self.mean[numbers]) / (self.deviation[numbers] + 0.1)).clamp(-5, 5)
        factors = self.factors(expression, visible)
        return *self.network.encode(self.vectors(numbers), values, deviation, present, factors), factors

    def decode(
        self,
        genes: torch.Tensor,
        memory: torch.Tensor,
        present: torch.Tensor | None,
        factors: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Outputs [cell, gene, parameter], and the logarithmic rate of each gene, to which they are added [gene].

        Parameters
        ----------
        genes
            Numbers of the genes to predict, int64 [gene].
        memory, present, factors
            Of :meth:`encode`.
        """
        base = torch.cat([self.rate, self.rate_unseen[self.training_genes :]])[genes]
        if not self.settings.gene_mean:
            base = torch.full_like(base, float(self.rate.mean()))
        return self.network.decode(self.vectors(genes), memory, present, factors), base

    def loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of hidden genes of a batch: ``expression``, ``counts``, ``library``, ``hidden``, ``visible``."""
        raw, base = self.decode(batch["hidden"], *self.encode(batch["shown"], batch["visible"]))
        if self.settings.head == "bins":
            return self.bins.loss(raw, batch["expression"])
        return count_loss(self.settings.head, raw, base[None, :], batch["library"], batch["counts"])

    def expected(self, raw: torch.Tensor, base: torch.Tensor, library: torch.Tensor) -> torch.Tensor:
        """Expected expression.

        Parameters
        ----------
        raw, base
            Of :meth:`decode`.
        library
            Counts of a cell over all training genes, [cell].

        Returns
        -------
        Tensor
            [cell, gene].
        """
        if self.settings.head == "bins":
            return self.bins.expected(raw)
        return expected_expression(self.settings.head, raw, base[None, :], library, PER_CELL)


class FittedTransformer:
    """A fitted transformer as a method of the cells wing (see :class:`cistron.cells.linear.LinearModel`)."""

    cells_at_once = 32
    genes_at_once = 1024

    def __init__(self, model: CellTransformer) -> None:
        self.model = model.eval()

    def predict(
        self, block: sparse.csr_matrix, normalisation: Normalisation, measured: np.ndarray
    ) -> np.ndarray:
        """Predict all genes of cells; a fold of the training genes is predicted from the others.

        Parameters
        ----------
        block, normalisation, measured
            As of :meth:`cistron.cells.method_input.Predictor.predict`.

        Returns
        -------
        ndarray
            float32 [cell, gene].
        """
        model, training = self.model, self.model.training_genes
        predicted = np.full((block.shape[0], len(model.features)), np.nan, dtype=np.float32)
        folds = [int(fold) for fold in torch.unique(model.fold)]
        with torch.no_grad():
            for start in range(0, block.shape[0], self.cells_at_once):
                rows = slice(start, min(start + self.cells_at_once, block.shape[0]))
                for hidden in [*folds, None]:
                    if hidden is None:
                        genes = np.arange(training, len(model.features))
                        if not len(genes):
                            continue
                    else:
                        genes = np.flatnonzero(model.fold.numpy() == hidden)
                    visible = measured if hidden is None else measured & (model.fold.numpy() != hidden)
                    predicted[rows, genes] = self._predict(block[rows], normalisation, visible, genes)
        return predicted

    def _predict(
        self, block: sparse.csr_matrix, normalisation: Normalisation, visible: np.ndarray, genes: np.ndarray
    ) -> np.ndarray:
        model = self.model
        library = visible_library(block, normalisation, visible, model.share.numpy())
        expression = torch.from_numpy(normalisation.expression(block, library).toarray())
        encoded = model.encode(expression, torch.from_numpy(visible))
        parts = []
        for start in range(0, len(genes), self.genes_at_once):
            numbers = torch.from_numpy(genes[start : start + self.genes_at_once])
            raw, base = model.decode(numbers, *encoded)
            parts.append(model.expected(raw, base, torch.from_numpy(library.astype(np.float32))))
        return torch.cat(parts, dim=1).numpy()

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights and gene facts by name, and the vector of each gene as ``tokens``."""
        arrays = {name: value.detach().cpu().numpy() for name, value in self.model.state_dict().items()}
        with torch.no_grad():
            arrays["tokens"] = self.model.vectors(torch.arange(len(self.model.features))).numpy()
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], settings: TransformerSettings) -> "FittedTransformer":
        """Build it from what :meth:`arrays` gave."""
        state = {
            name: torch.from_numpy(np.array(value)) for name, value in arrays.items() if name != "tokens"
        }
        if "information" not in state:  # saved before 0.2
            training = len(state["fold"])
            state |= {"anchors": torch.zeros(training, 0), "noise": torch.ones(training)}
            state["information"] = torch.zeros(training)
            settings = replace(settings, context_genes="prominent", low_rank=False)
        facts = {name: state[name] for name in GENE_FACTS}
        bins = Bins(state["bins.edges"], state["bins.values"], state["bins.weights"])
        model = CellTransformer(facts, bins, settings)
        model.load_state_dict(state)
        return cls(model)

    def with_genes(self, outputs: np.ndarray) -> "FittedTransformer":
        """Add genes whose logarithmic rate and vector [gene, 1 + channel] were mapped from features."""
        state = dict(self.model.state_dict())
        more = torch.from_numpy(outputs.astype(np.float32))
        state["rate_unseen"] = torch.cat([state["rate_unseen"], more[:, 0]])
        state["mapped"] = torch.cat([state["mapped"], more[:, 1:]])
        state["features"] = torch.zeros(len(state["mapped"]), 0)
        return self.from_arrays({name: value.numpy() for name, value in state.items()}, self.model.settings)


def visible_library(
    block: sparse.csr_matrix, normalisation: Normalisation, visible: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """Estimate the counts that a cell would have over all training genes from its visible ones.

    Parameters
    ----------
    block
        Values of the training genes, sparse [cell, gene].
    normalisation
        Of training genes.
    visible
        Whether a gene is visible, bool [gene].
    share
        Share of each gene in the counts, [gene].

    Returns
    -------
    ndarray
        float64 [cell], at least 1 count in the visible genes.
    """
    seen = normalisation.library(block, np.flatnonzero(visible))
    return np.maximum(seen, 1.0) / max(float(share[visible].sum()), 1e-9)
