"""CaTran's network: gene embeddings, attention between genes, expression of a gene from the genes it attends to.

For a cell c and a target t the published layers are

    v_cs = L2 BN1 L1 [e_s, x_cs]            (expression joins the embedding; no activation)
    y_ct = sum_s a_ts v_cs                  (attention)
    p_ct = w2 L4 SiLU(BN3 L3 BN2 y_ct)      (prediction)

Everything before SiLU is affine in the one number ``m_ct = sum_s a_ts x_cs``, so the tensors [cell, gene, channel] of
the layers are never formed: batch statistics follow from the moments of x, of the attended embedding and of m, and
``SiLU(alpha_t + beta m_ct)`` is the first and only one. Outputs and gradients equal those of the layers one by one.
"""

import torch
from torch import nn

_EPSILON = 1e-5


class Catran(nn.Module):
    """CaTran over a fixed list of genes.

    Parameters
    ----------
    genes
        Number of genes.
    dimension
        Length of a gene's embedding and of all hidden layers.
    separate
        Separate query and key layers, which make the attention directed; one shared layer otherwise (as published).
    mask_self
        Take a gene's attention to itself out.
    spread
        Standard deviation of the initial weights.
    """

    def __init__(
        self,
        genes: int,
        dimension: int = 40,
        *,
        separate: bool = True,
        mask_self: bool = True,
        spread: float = 1e-3,
    ) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(genes, dimension))
        self.query = nn.Linear(dimension, dimension)
        self.key = nn.Linear(dimension, dimension) if separate else self.query
        self.join = nn.Linear(dimension + 1, dimension)  # L1
        self.join_norm = nn.ParameterList([torch.ones(dimension), torch.zeros(dimension)])  # BN1
        self.value = nn.Linear(dimension, dimension)  # L2
        self.block_norm = nn.ParameterList([torch.ones(dimension), torch.zeros(dimension)])  # BN2
        self.block = nn.Linear(dimension, dimension)  # L3
        self.activation_norm = nn.ParameterList([torch.ones(dimension), torch.zeros(dimension)])  # BN3
        self.hidden = nn.Linear(dimension, dimension)  # L4
        self.output = nn.Linear(dimension, 1)
        self.mask_self = mask_self
        for name, parameter in self.named_parameters():
            if "norm" not in name:
                nn.init.normal_(parameter, 0.0, spread)

    def attention_logits(self, genes: torch.Tensor | None = None) -> torch.Tensor:
        """Dot products [target, source]; minus infinity on the diagonal where self-attention is masked."""
        embedding = self.embedding if genes is None else self.embedding[genes]
        logits = self.query(embedding) @ self.key(embedding).T
        if self.mask_self:
            logits = logits.masked_fill(
                torch.eye(len(embedding), dtype=torch.bool, device=logits.device), -torch.inf
            )
        return logits

    def attention(self, genes: torch.Tensor | None = None) -> torch.Tensor:
        """Share of each source in each target [target, source]; rows sum to one."""
        return torch.softmax(self.attention_logits(genes), dim=1)

    def forward(
        self, expression: torch.Tensor, genes: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict expression.

        Parameters
        ----------
        expression
            float32 [cell, gene], of which a part may be hidden by shuffling.
        genes
            Gene numbers of the columns; all genes in order when absent.

        Returns
        -------
        Tensor
            Predicted expression [cell, gene].
        Tensor
            Attention [target, source].
        """
        embedding = self.embedding if genes is None else self.embedding[genes]  # (G, D)
        attention = self.attention(genes)  # (T, S)
        joined = embedding @ self.join.weight[:, :-1].T + self.join.bias  # (G, D): L1 without x
        slope = self.join.weight[:, -1]  # (D,): L1 of x
        scale, shift = _normaliser(joined, slope, expression, self.join_norm)
        joined = (joined * scale + shift) @ self.value.weight.T + self.value.bias
        slope = self.value.weight @ (slope * scale)
        attended = attention @ joined  # (T, D)
        signal = expression @ attention.T  # (B, T): m
        scale, shift = _normaliser(attended, slope, signal, self.block_norm)
        attended = (attended * scale + shift) @ self.block.weight.T + self.block.bias
        slope = self.block.weight @ (slope * scale)
        scale, shift = _normaliser(attended, slope, signal, self.activation_norm)
        alpha, beta = attended * scale + shift, slope * scale
        activated = nn.functional.silu(torch.addcmul(alpha, signal[:, :, None], beta))  # (B, T, D)
        weight = self.output.weight @ self.hidden.weight  # two layers without activation are one
        bias = self.output.weight @ self.hidden.bias + self.output.bias
        return (activated @ weight[0]) + bias, attention


def _normaliser(
    constant: torch.Tensor, slope: torch.Tensor, signal: torch.Tensor, parameters: nn.ParameterList
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift of a batch norm over cells and genes of ``constant_g + slope * signal_cg``.

    Parameters
    ----------
    constant
        [gene, channel].
    slope
        [channel].
    signal
        [cell, gene].
    parameters
        Weight and bias of the norm [channel].
    """
    per_gene = signal.mean(dim=0)  # (G,)
    mean_signal = per_gene.mean()
    centred = constant - constant.mean(dim=0)
    between = (centred * (per_gene - mean_signal)[:, None]).mean(dim=0)
    # the variance is that of the gene's constant, of the signal, and twice what they share
    variance = centred.square().mean(dim=0) + slope.square() * signal.var(correction=0) + 2 * slope * between
    scale = parameters[0] / torch.sqrt(variance.clamp_min(0) + _EPSILON)
    return scale, parameters[1] - (constant.mean(dim=0) + slope * mean_signal) * scale
