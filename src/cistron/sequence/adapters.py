"""Low-rank adapters (Hu et al. 2021): the product of two thin matrices, added to each weight matrix of a transformer that stays as it is."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from cistron.errors import InputError
from cistron.runtime import seed_for
from cistron.sequence.enformer import Enformer

# The positional keys are kept between calls by their weights' address, so those weights are not replaced.
_ADAPTED = ("query", "key", "value", "output", "expand", "contract")


class LowRank(nn.Module):
    """W + up down, with up = 0 at first, so that nothing changes before the first step.

    Parameters
    ----------
    weight
        Matrix that is adapted, float32 [out, in].
    rank
        Columns of ``up`` and rows of ``down``.
    generator
        Random numbers of ``down``.
    """

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        rows, columns = weight.shape
        self.down = nn.Parameter(torch.empty(rank, columns).normal_(0, columns**-0.5, generator=generator))
        self.up = nn.Parameter(torch.zeros(rows, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The adapted matrix, float32 [out, in]."""
        adapted: Tensor = weight + self.up @ self.down
        return adapted


def add_adapters(model: Enformer, rank: int, seed: int) -> int:
    """Add adapters to the matrices of the transformer (queries, keys, values, outputs, perceptrons); the rest of the trunk learns no more.

    Parameters
    ----------
    model
        Model with an attention trunk; changed in place.
    rank
        Rank of each adapter.
    seed
        Seed.

    Returns
    -------
    int
        Weights of the adapters.

    Raises
    ------
    InputError
        If the model has no transformer.
    """
    generator = torch.Generator().manual_seed(seed_for(seed, "adapters"))
    found = [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in _ADAPTED
    ]
    if not found:
        raise InputError(
            f"--adapter-rank adapts the transformer, and the model has none (trunk: {model.settings.trunk}); use --new-heads or "
            "--freeze-trunk"
        )
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith("heads."))
    number = 0
    for module in found:
        adapter = LowRank(module.weight, rank, generator)
        number += sum(parameter.numel() for parameter in adapter.parameters())
        parametrize.register_parametrization(module, "weight", adapter)
    return number


def merge_adapters(model: Enformer) -> None:
    """Add the adapters to their matrices; a plain model is left. Changed in place."""
    for module in model.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
