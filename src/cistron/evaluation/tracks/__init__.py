"""The task ``tracks``: predicted against measured tracks on sequences that a model has not seen."""

from cistron.evaluation.tracks.baselines import KmerRidge, dinucleotide_shuffle, fit_kmer_ridge
from cistron.evaluation.tracks.replicates import replicate_predictor, replicates_of
from cistron.evaluation.tracks.scoring import Predictor, TrackData, score_tracks
from cistron.evaluation.tracks.start_sites import (
    SiteValues,
    expression_tracks,
    place_start_sites,
    score_start_sites,
    site_table,
)

__all__ = [
    "KmerRidge",
    "Predictor",
    "SiteValues",
    "TrackData",
    "dinucleotide_shuffle",
    "expression_tracks",
    "fit_kmer_ridge",
    "place_start_sites",
    "replicate_predictor",
    "replicates_of",
    "score_start_sites",
    "score_tracks",
    "site_table",
]
