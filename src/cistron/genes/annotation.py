"""Former place of :func:`read_annotation` and :func:`read_transcription_start_sites`; see :mod:`cistron.genes.places`."""

from cistron.genes.places import read_annotation, read_transcription_start_sites

__all__ = ["read_annotation", "read_transcription_start_sites"]
