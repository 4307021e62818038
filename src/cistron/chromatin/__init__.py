"""The chromatin wing: histone marks around the transcription start site and expression.

>>> from cistron.chromatin import ExpressionPredictor, build_gene_tracks, predict_expression
"""

from importlib import import_module
from typing import Any

from cistron.old_names import keep_old_modules

_WHERE = {
    "BuildSettings": "settings",
    "ChromatinModel": "fitted_model",
    "ExpressionPredictor": "estimator",
    "MarkRidgeSettings": "settings",
    "NetworkSettings": "settings",
    "RidgeSettings": "settings",  # MarkRidgeSettings, until 0.3
    "build_gene_tracks": "build",
    "choose_parts": "parts",  # choose_split, until 0.3
    "choose_split": "splits",
    "load_chromatin_model": "saving",
    "predict_expression": "estimator",
    "save_chromatin_model": "saving",
}
__all__ = sorted(_WHERE)

keep_old_modules(
    __name__,
    {
        "design_settings": ("settings",),
        "epigenesis_settings": ("settings",),
        "model": ("fitted_model", "saving"),
        "parts": ("splits",),
        "prune": ("design_pruning",),
    },
    {"Parts": "TwoAxisSplit", "choose_parts": "choose_split"},
)


def __getattr__(name: str) -> Any:
    # the network loads torch, so names load on first use
    if name not in _WHERE:
        raise AttributeError(f"module 'cistron.chromatin' has no attribute {name!r}")
    return getattr(import_module(f"cistron.chromatin.{_WHERE[name]}"), name)
