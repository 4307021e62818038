"""Run a fitted model on whatever device there is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import torch


def best_device() -> "torch.device":
    """Give the device that work runs on without being told: CUDA, else Apple's MPS, else the CPU."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def in_batches(
    model: "torch.nn.Module",
    *inputs: Any,
    function: Callable[..., "torch.Tensor"] | None = None,
    batch_size: int = 1024,
    device: "torch.device | None" = None,
) -> "np.ndarray":
    """Apply a model to arrays in batches, in evaluation mode and without gradients.

    The model comes back on the device and in the mode it had.

    Parameters
    ----------
    model
        Module to run.
    *inputs
        Arrays of equal first dimension [item, ...].
    function
        What to call with the batches (a method of the model); the model itself when absent.
    batch_size
        Items at once; it does not change the answer.
    device
        Where to run; :func:`best_device` when absent.

    Returns
    -------
    ndarray
        Outputs [item, ...], on the CPU.
    """
    import numpy as np
    import torch

    device = device or best_device()
    first = next(model.parameters(), None)
    home, was_training = (first.device if first is not None else device), model.training
    call = model if function is None else function
    outputs = []
    try:
        model.to(device).eval()
        with torch.no_grad():
            for start in range(0, len(inputs[0]), batch_size):
                batch = [torch.as_tensor(array[start : start + batch_size]).to(device) for array in inputs]
                outputs.append(call(*batch).cpu().numpy())
    finally:
        model.to(home).train(was_training)
    return np.concatenate(outputs)
