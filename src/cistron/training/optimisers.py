"""Adam for models in which a step touches few rows of large tables."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch


class RowAdam(torch.optim.Optimizer):
    """Adam (Kingma and Ba 2014) that updates only the rows that a step touched.

    A parameter whose gradient is sparse (``torch.nn.functional.embedding(..., sparse=True)``) keeps its
    moments for each row and moves only the rows in the gradient; any other parameter is updated as by Adam.
    With many genes and small batches this is what a step costs: a dense update of all embeddings would take
    longer than the model.

    Parameters
    ----------
    parameters
        Parameters, or groups of them.
    lr
        Step size.
    betas
        Decay of the two moments.
    eps
        Added to the root of the second moment.
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["first"] = torch.zeros_like(parameter)
            state["second"] = torch.zeros_like(parameter)
        state["step"] += 1
        steps = float(state["step"])
        beta1, beta2 = group["betas"]
        scale = group["lr"] * math.sqrt(1 - beta2**steps) / (1 - beta1**steps)
        if gradient.is_sparse:
            gradient = gradient.coalesce()
            rows, values = gradient.indices()[0], gradient.values()
            first = state["first"].index_select(0, rows).lerp_(values, 1 - beta1)
            second = state["second"].index_select(0, rows).lerp_(values.square(), 1 - beta2)
            state["first"].index_copy_(0, rows, first)
            state["second"].index_copy_(0, rows, second)
            parameter.index_add_(0, rows, first / second.sqrt().add_(group["eps"]), alpha=-scale)
            return
        state["first"].lerp_(gradient, 1 - beta1)
        state["second"].lerp_(gradient.square(), 1 - beta2)
        parameter.addcdiv_(state["first"], state["second"].sqrt().add_(group["eps"]), value=-scale)
