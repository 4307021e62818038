"""Trivial columns of genes, and what an embedding knows beyond them."""

from cistron.evaluation.rivals.columns import (
    RIVAL_NAME,
    Rivals,
    place_columns,
    read_rivals,
    rivals_of,
)
from cistron.evaluation.rivals.gain import Gain, gain_beyond, gain_beyond_in_numbers, least_share
from cistron.evaluation.rivals.rows import trivial_embeddings

__all__ = [
    "RIVAL_NAME",
    "Gain",
    "Rivals",
    "gain_beyond",
    "gain_beyond_in_numbers",
    "least_share",
    "place_columns",
    "read_rivals",
    "rivals_of",
    "trivial_embeddings",
]
