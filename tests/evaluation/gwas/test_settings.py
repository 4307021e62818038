"""Settings of the GWAS task, which are apart from the libraries that fit."""

from cistron.evaluation.gwas import RidgeSettings
from cistron.statistics import DEFAULT_PENALTIES


def test_penalties_are_those_of_ridge_everywhere():
    assert RidgeSettings().penalties == tuple(DEFAULT_PENALTIES)
