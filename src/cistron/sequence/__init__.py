"""DNA to tracks and gene embeddings (Enformer), proteins to gene embeddings (ESM-2)."""

import importlib
from typing import TYPE_CHECKING, Any

from cistron.old_names import keep_old_modules

if TYPE_CHECKING:
    from cistron.sequence.enformer import Enformer, parameter_count
    from cistron.sequence.estimator import DnaEmbedder, ProteinEmbedder
    from cistron.sequence.methods import MODELS
    from cistron.sequence.saving import load_weights, save_weights
    from cistron.sequence.settings import BIN, PRESETS, EnformerSettings

_WHERE = {
    "BIN": "settings",
    "PRESETS": "settings",
    "MODELS": "methods",
    "DnaEmbedder": "estimator",
    "Enformer": "enformer",
    "EnformerSettings": "settings",
    "ProteinEmbedder": "estimator",
    "load_weights": "saving",
    "parameter_count": "enformer",
    "save_weights": "saving",
}

__all__ = [
    "BIN",
    "MODELS",
    "PRESETS",
    "DnaEmbedder",
    "Enformer",
    "EnformerSettings",
    "ProteinEmbedder",
    "load_weights",
    "parameter_count",
    "save_weights",
]


def __getattr__(name: str) -> Any:
    # torch takes a second to import; commands that only read settings must not pay for it
    if name in _WHERE:
        return getattr(importlib.import_module(f"cistron.sequence.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'cistron.sequence' has no attribute {name!r}")


keep_old_modules(
    "cistron.sequence",
    {
        "gene_sites": ("inputs_gene_sites",),
        "names": ("weight_layouts",),
        "protein_fasta": ("inputs_proteins",),
        "run_settings": ("settings",),
        "track_table": ("inputs_tracks",),
        "weights": ("saving",),
    },
)
