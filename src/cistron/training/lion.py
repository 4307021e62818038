"""Lion: the sign of an interpolated momentum as step (Chen et al. 2023, Symbolic Discovery of Optimization Algorithms)."""

from collections.abc import Callable, Iterable
from typing import Any

import torch


class Lion(torch.optim.Optimizer):
    """Evolved sign momentum.

    With gradient g, momentum m, weight w, each step is

        w <- w - lr (sign(b1 m + (1 - b1) g) + weight_decay w),      m <- b2 m + (1 - b2) g

    Every coordinate moves by ``lr``, however small its gradient: what lets networks that start at weights of 0.001 move
    at all. Learning rates are 3 to 10 times smaller than Adam's, weight decays larger by as much.

    Parameters
    ----------
    parameters
        What is optimised.
    lr
        Learning rate.
    betas
        ``b1`` of the step and ``b2`` of the momentum.
    weight_decay
        Decoupled weight decay.
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; ``closure`` computes the loss again where it is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            first, second = group["betas"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"]
                direction = torch.lerp(parameter.grad, momentum, first).sign_()
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(direction, alpha=-group["lr"])
                momentum.lerp_(parameter.grad, 1 - second)
        return loss
