"""Lion: one step by hand, and that it finds a minimum."""

import torch

from cistron.training.lion import Lion


def test_two_steps_by_hand():
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimiser = Lion([weight], lr=0.1, betas=(0.9, 0.99), weight_decay=0.5)
    weight.grad = torch.tensor([3.0, -0.01])
    optimiser.step()
    # w (1 - 0.1 * 0.5) - 0.1 sign(g)
    torch.testing.assert_close(weight.data, torch.tensor([0.85, -1.8]))
    weight.grad = torch.tensor([-0.2, 0.0])  # 0.9 m + 0.1 g = 0.027 - 0.02 > 0: the momentum decides
    optimiser.step()
    torch.testing.assert_close(weight.data, torch.tensor([0.85 * 0.95 - 0.1, -1.8 * 0.95 + 0.1]))


def test_it_minimises_a_bowl():
    weight = torch.nn.Parameter(torch.tensor([0.5, -0.7]))
    optimiser = Lion([weight], lr=0.01)
    for _ in range(200):
        optimiser.zero_grad()
        (weight**2).sum().backward()
        optimiser.step()
    assert weight.abs().max() < 0.03
