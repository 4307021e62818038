"""The task ``tracks``: predicted against measured tracks on sequences that a model has not seen."""

from cistron.evaluation.tracks.baselines import KmerRidge, dinucleotide_shuffle, fit_kmer_ridge
from cistron.evaluation.tracks.scoring import Predictor, TrackData, score_tracks

__all__ = [
    "KmerRidge",
    "Predictor",
    "TrackData",
    "dinucleotide_shuffle",
    "fit_kmer_ridge",
    "score_tracks",
]
