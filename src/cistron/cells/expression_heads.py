"""Outputs of the transformer for a gene in a cell: classes of expression, or a distribution of counts, each with its loss and mean."""

import math

import torch
from torch import nn

_TERMS = 24  # counts that are summed one by one; beyond, a second-order expansion does


def parameters_of(head: str, bins: int) -> int:
    """Numbers that a head needs for each gene and cell."""
    return {"negative-binomial": 2, "zero-inflated": 3, "poisson": 1, "bins": bins}[head]


def _count_parameters(
    head: str, raw: torch.Tensor, base: torch.Tensor, library: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean, inverse dispersion (infinite for Poisson) and logit of an extra zero, each [cell, gene]."""
    mean = torch.exp((base + raw[..., 0]).clamp(-25, 1)) * library[:, None]
    shape = (
        nn.functional.softplus(raw[..., 1] + 1.5) + 1e-2
        if head != "poisson"
        else torch.full_like(mean, math.inf)
    )
    extra = raw[..., 2] - 4 if head == "zero-inflated" else torch.full_like(mean, -math.inf)
    return mean.clamp_min(1e-8), shape, extra


def count_loss(
    head: str, raw: torch.Tensor, base: torch.Tensor, library: torch.Tensor, counts: torch.Tensor
) -> torch.Tensor:
    """Negative logarithm of the likelihood, mean over cells and genes.

    Parameters
    ----------
    head
        ``negative-binomial``, ``zero-inflated`` or ``poisson``.
    raw
        Output of the network [cell, gene, parameter].
    base
        Logarithmic rate that predictions start from, [cell or 1, gene].
    library
        Counts of a cell over all training genes, [cell].
    counts
        [cell, gene].
    """
    mean, shape, extra = _count_parameters(head, raw, base, library)
    if head == "poisson":
        return (mean - counts * mean.log() + torch.lgamma(counts + 1)).mean()
    together = torch.log(shape + mean)
    log_likelihood = (
        torch.lgamma(counts + shape)
        - torch.lgamma(shape)
        - torch.lgamma(counts + 1)
        + shape * (shape.log() - together)
        + counts * (mean.log() - together)
    )
    if head == "zero-inflated":
        no_extra = nn.functional.logsigmoid(-extra) + log_likelihood
        zero = torch.logaddexp(nn.functional.logsigmoid(extra), no_extra)
        log_likelihood = torch.where(counts == 0, zero, no_extra)
    return -log_likelihood.mean()


def expected_expression(
    head: str, raw: torch.Tensor, base: torch.Tensor, library: torch.Tensor, per_cell: float
) -> torch.Tensor:
    """Expectation of log(1 + counts per ``per_cell``): probabilities of the first counts, then an expansion.

    Parameters
    ----------
    head, raw, base, library
        As of :func:`count_loss`.
    per_cell
        Counts that a cell is scaled to.

    Returns
    -------
    Tensor
        [cell, gene].
    """
    mean, shape, extra = _count_parameters(head, raw, base, library)
    scale = (per_cell / library)[:, None]
    variance = mean + mean.square() / shape
    unit = 1 + scale * mean
    expansion = unit.log() - scale.square() * variance / (2 * unit.square())
    if head == "poisson":
        probability = torch.exp(-mean)
        ratio, step = mean, torch.zeros_like(mean)
    else:
        probability = torch.exp(-shape * torch.log1p(mean / shape))
        ratio, step = mean / (mean + shape) * shape, mean / (mean + shape)
    left = 1 - probability
    total = torch.zeros_like(mean)
    rest = mean.clone()
    for count in range(_TERMS):
        probability = probability * (ratio + step * count) / (count + 1)
        total = total + probability * torch.log1p(scale * (count + 1))
        left = left - probability
        rest = rest - probability * (count + 1)
    # What lies beyond the terms is as if at its own mean.
    beyond = torch.log1p(scale * (rest / left.clamp_min(1e-6)).clamp_min(_TERMS + 1))
    summed = total + left.clamp_min(0) * beyond
    expected = torch.where(mean < 8, summed, expansion)
    return expected * torch.sigmoid(-extra) if head == "zero-inflated" else expected


class Bins(nn.Module):
    """Classes of expression: zero, then halving quantiles of what is above zero.

    Parameters
    ----------
    edges
        Lower edges of the classes above the first, float32 [bin - 1], ascending.
    values
        Mean expression in each class, float32 [bin].
    weights
        Weight of each class in the loss, float32 [bin].
    """

    def __init__(self, edges: torch.Tensor, values: torch.Tensor, weights: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("edges", edges)
        self.register_buffer("values", values)
        self.register_buffer("weights", weights)
        self.edges: torch.Tensor
        self.values: torch.Tensor
        self.weights: torch.Tensor

    def classes(self, expression: torch.Tensor) -> torch.Tensor:
        """Class of each value, int64."""
        return torch.bucketize(expression.contiguous(), self.edges, right=True)

    def loss(self, raw: torch.Tensor, expression: torch.Tensor) -> torch.Tensor:
        """Weighted cross-entropy of raw [cell, gene, bin] against expression [cell, gene]."""
        return nn.functional.cross_entropy(
            raw.flatten(0, 1), self.classes(expression).flatten(), weight=self.weights
        )

    def expected(self, raw: torch.Tensor) -> torch.Tensor:
        """Expectation over classes, corrected for the weights they had in training, [cell, gene]."""
        chance = torch.softmax(raw - self.weights.clamp_min(1e-12).log(), dim=-1)
        return chance @ self.values


def fit_bins(expression: torch.Tensor, bins: int, weighted: bool) -> Bins:
    """Find edges, means and weights from a sample of training values.

    Parameters
    ----------
    expression
        Values of training cells x training genes, any shape.
    bins
        Number of classes, zero among them.
    weighted
        Weigh classes by their inverse frequency (as published; an empty class weighs 0, not infinity).
    """
    values = expression.flatten()
    above = values[values > 0]
    if not len(above):
        above = torch.ones(1)
    quantiles = torch.tensor([1 - 0.5**number for number in range(1, bins - 1)])
    edges = torch.cat([above.min().reshape(1) / 2, torch.quantile(above[:1_000_000], quantiles)])
    edges = torch.unique(edges)
    number = torch.bucketize(values, edges, right=True)
    counts = torch.bincount(number, minlength=len(edges) + 1).float()
    means = torch.bincount(
        number, weights=values.double(), minlength=len(edges) + 1
    ).float() / counts.clamp_min(1)
    weights = (
        torch.where(counts > 0, counts.sum() / counts.clamp_min(1), 0.0)
        if weighted
        else torch.ones_like(counts)
    )
    return Bins(edges, means, weights / weights.max())
