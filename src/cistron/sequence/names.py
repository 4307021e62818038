"""The name that :mod:`cistron.sequence.weight_layouts` had before 0.2; kept until 0.3."""

from cistron.sequence.weight_layouts import (
    Entry,
    bare_path,
    deepmind_entries,
    enformer_pytorch_entries,
    is_weight,
)

__all__ = ["Entry", "bare_path", "deepmind_entries", "enformer_pytorch_entries", "is_weight"]
