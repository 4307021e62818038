"""Import enformer-pytorch without transformers, polars and pyfaidx.

Its model takes two base classes from transformers (for downloads and configuration files) and imports polars and pyfaidx
for a data set; none of them computes anything. Stand-ins are enough, and the package's own code runs unchanged.
"""

import importlib
import importlib.util
import sys
import types
from typing import Any

import torch
from torch import nn


class _Configuration:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class _Model(nn.Module):
    def __init__(self, config: _Configuration) -> None:
        super().__init__()
        self.config = config

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device


def load() -> types.ModuleType | None:
    """Give the package, or ``None`` where it (or einops) is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("enformer_pytorch", "einops")):
        return None
    transformers, polars, pyfaidx = map(types.ModuleType, ("transformers", "polars", "pyfaidx"))
    transformers.PretrainedConfig, transformers.PreTrainedModel = _Configuration, _Model  # type: ignore[attr-defined]
    pyfaidx.Fasta = None  # type: ignore[attr-defined]
    stand_ins = {"transformers": transformers, "polars": polars, "pyfaidx": pyfaidx}
    before = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update(stand_ins)
    try:
        return importlib.import_module("enformer_pytorch")
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
