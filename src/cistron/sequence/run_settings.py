"""The name that :mod:`cistron.sequence.settings` had before 0.2; kept until 0.3."""

from cistron.sequence.settings import GeneEmbeddingSettings, InferenceSettings, ProteinEmbeddingSettings

__all__ = ["GeneEmbeddingSettings", "InferenceSettings", "ProteinEmbeddingSettings"]
