"""Variational deep tensor factorisation of one or many matrices (VDTF).

Brechtmann et al., NAR Genomics and Bioinformatics 2023 (lqad095): a_i ~ N(mu_i, sigma_i^2) for a gene, b_j for
a sample, x'_ij = f([a_i, b_j]) with a multilayer perceptron f. Page ``docs/wings/omics_vdtf.md``.
"""

from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from cistron.omics.settings import VdtfSettings

_LOG_VARIANCE = (-6.0, 4.0)  # outside, a gene's noise is either rounding or the gene is not explained at all


class Decoder(nn.Module):
    """x' = f([a, b]) + a' C b, with the first layer split: [a, b] W = a W_a + b W_b."""

    def __init__(self, settings: VdtfSettings) -> None:
        super().__init__()
        genes, samples = settings.gene_dimension, settings.dimensions_of_samples
        width = settings.width or genes + samples
        self.from_gene = nn.Linear(genes, width)
        self.from_sample = nn.Linear(samples, width, bias=False)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(settings.layers - 2))
        self.output = nn.Linear(width, 1)
        self.interaction = nn.Linear(genes, samples, bias=False) if settings.bilinear else None

    def _rest(self, first: torch.Tensor) -> torch.Tensor:
        signal = functional.leaky_relu_(first)
        for layer in self.hidden:
            signal = functional.leaky_relu_(layer(signal))
        return self.output(signal)[..., 0]

    def tile(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """All pairs: a float [g, gene_dimension], b float [s, sample_dimension] -> float [g, s]."""
        predicted = self._rest(self.from_gene(a)[:, None] + self.from_sample(b)[None])
        return predicted if self.interaction is None else predicted + self.interaction(a) @ b.T

    def pairs(
        self, a: torch.Tensor, b: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
    ) -> torch.Tensor:
        """Chosen pairs: a [g, ...] and b [s, ...], rows and columns int64 [n] -> float [n].

        Parameters
        ----------
        a, b
            Embeddings of genes and of samples, float [g, ...] and [s, ...].
        rows, columns
            Gene and sample of each pair, int64 [n].
        """
        predicted = self._rest(self.from_gene(a)[rows] + self.from_sample(b)[columns])
        if self.interaction is None:
            return predicted
        return predicted + (self.interaction(a)[rows] * b[columns]).sum(dim=1)


class _Reversed(torch.autograd.Function):
    """Identity whose gradient is multiplied by a negative weight (Ganin and Lempitsky 2015)."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, weight: float) -> torch.Tensor:
        ctx.weight = weight
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return -ctx.weight * gradient, None


class TensorFactorisation(nn.Module):
    """The model: gene embeddings shared by all assays, sample embeddings and a decoder for each.

    Parameters
    ----------
    genes
        Number of genes, over all assays.
    samples
        Number of samples of each assay.
    entries
        Entries fitted on of each gene in each assay, int64 [assay, gene]; they scale the KL term.
    settings
        Size and loss.
    """

    def __init__(self, genes: int, samples: list[int], entries: torch.Tensor, settings: VdtfSettings) -> None:
        super().__init__()
        self.settings = settings
        dimension, assays = settings.gene_dimension, len(samples)
        deviation = torch.full((genes, dimension), settings.start_deviation).log()
        self.gene_mean = nn.Parameter(torch.rand(genes, dimension) - 0.5)
        self.gene_log_deviation = nn.Parameter(deviation)
        self.sample = nn.ParameterList(
            0.1 * torch.randn(number, settings.dimensions_of_samples) for number in samples
        )
        self.decoder = nn.ModuleList(Decoder(settings) for _ in samples)
        self.log_variance = nn.Parameter(torch.zeros(assays))
        several = assays > 1
        self.assay_log_deviation = (
            nn.ParameterList(deviation.clone() for _ in samples)
            if several and settings.assay_deviation
            else None
        )
        self.variance = nn.ModuleList(
            _variance_network(settings) for _ in samples if settings.noise == "gene"
        )
        self.adversary = (
            nn.Sequential(nn.Linear(dimension, 64), nn.LeakyReLU(), nn.Linear(64, assays))
            if several and settings.adversary_weight > 0
            else None
        )
        self.entries: torch.Tensor
        self.register_buffer("entries", entries.to(torch.float32).clamp(min=1.0), persistent=False)

    def decoders(self) -> list[Decoder]:
        """Decoder of each assay."""
        return cast(list[Decoder], list(self.decoder))

    def loss(self, tile: dict[str, Any]) -> dict[str, torch.Tensor]:
        """Negative evidence lower bound per entry of a tile of :func:`cistron.omics.tiles.tiles_of_epoch`."""
        assay, genes = tile["assay"], tile["genes"]
        mean = _rows(self.gene_mean, genes)  # (g, d)
        log_deviation = _rows(self.gene_log_deviation, genes)
        variance = (2 * log_deviation).exp()
        total = variance
        if self.assay_log_deviation is not None:
            own = _rows(self.assay_log_deviation[assay], genes)
            total = variance + (2 * own).exp()
        a = mean + total.sqrt() * torch.randn_like(mean)
        b = self.sample[assay][tile["samples"]]  # (s, e)
        if "rows" in tile:
            error = self.decoders()[assay].pairs(a, b, tile["rows"], tile["columns"]) - tile["values"]
            count = torch.bincount(tile["rows"], minlength=len(genes)).to(mean.dtype)  # (g,)
            squares = torch.zeros_like(count).index_add(0, tile["rows"], error.square())
        else:
            error = (self.decoders()[assay].tile(a, b) - tile["values"]) * tile["weights"]  # (g, s)
            count, squares = tile["weights"].sum(dim=1), error.square().sum(dim=1)
        number = count.sum().clamp(min=1.0)
        fitted = self._misfit(assay, a, squares, count) / number
        values = {"loss": fitted, "mse": squares.sum() / number, "count": number}
        return self._add_penalties(values, assay, genes, a, mean, variance, total, count / number)

    def _misfit(
        self, assay: int, a: torch.Tensor, squares: torch.Tensor, count: torch.Tensor
    ) -> torch.Tensor:
        if self.settings.noise == "none":
            return squares.sum()
        if self.settings.noise == "assay":
            log_variance = self.log_variance[assay].expand(len(a))
        else:
            log_variance = self.variance[assay](a)[:, 0]
        log_variance = log_variance.clamp(*_LOG_VARIANCE)
        return 0.5 * (squares * (-log_variance).exp() + count * log_variance).sum()

    def _add_penalties(
        self,
        values: dict[str, torch.Tensor],
        assay: int,
        genes: torch.Tensor,
        a: torch.Tensor,
        mean: torch.Tensor,
        variance: torch.Tensor,
        total: torch.Tensor,
        share: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        weight = self.settings.kl_weight
        if weight > 0:
            # A tile shows part of a gene's entries, so it pays that part of the gene's divergence.
            divergence = kl_from_standard_normal(mean, variance) / self.entries.sum(dim=0)[genes]
            if self.assay_log_deviation is not None:
                # lqad095: the divergence of an assay's own embedding, plus the gene's shared out over assays.
                own = kl_from_standard_normal(mean, total) / self.entries[assay][genes]
                divergence = own + divergence
            values["kl"] = (divergence * share).sum()
            values["loss"] = values["loss"] + weight * values["kl"]
        if self.adversary is not None:
            logits = self.adversary(_Reversed.apply(a, self.settings.adversary_weight))
            target = torch.full((len(a),), assay, device=a.device)
            values["adversary"] = functional.cross_entropy(logits, target)
            values["loss"] = values["loss"] + values["adversary"]
        return values

    def predict(self, assay: int, genes: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        """Scaled values of chosen entries at the mean embeddings: genes, samples int64 [n] -> float [n].

        Parameters
        ----------
        assay
            Number of the matrix.
        genes, samples
            Gene and sample of each entry, int64 [n].
        """
        found, rows = torch.unique(genes, return_inverse=True)
        return self.decoders()[assay].pairs(self.gene_mean[found], self.sample[assay], rows, samples)

    def held_out_loss(self, batch: dict[str, Any]) -> dict[str, torch.Tensor]:
        """Mean squared error of held-out entries, with their variance about the gene means."""
        predicted = self.predict(batch["assay"], batch["genes"], batch["samples"])
        return {
            "loss": (predicted - batch["values"]).square().mean(),
            "variance": (batch["values"] - batch["means"]).square().mean(),
            "count": torch.tensor(float(len(predicted))),
        }


def _rows(table: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Rows of a table, with a gradient of these rows alone where the device knows sparse gradients."""
    return functional.embedding(rows, table, sparse=table.device.type != "mps")


def _variance_network(settings: VdtfSettings) -> nn.Module:
    output = nn.Linear(64, 1)
    nn.init.constant_(output.bias, -2.0)
    return nn.Sequential(nn.Linear(settings.gene_dimension, 64), nn.LeakyReLU(), output)


def kl_from_standard_normal(mean: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    """KL(N(mean, variance) || N(0, 1)) summed over dimensions: float [g, d] -> float [g]."""
    return 0.5 * (mean.square() + variance - 1.0 - variance.log()).sum(dim=1)
