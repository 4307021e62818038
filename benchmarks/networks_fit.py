"""Fit the seven coefficients of the default method on planted networks of development seeds (1 to 6)."""

import itertools

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.networks_worlds import planted_cells
from cistron.networks.combined import gather_evidence, relative_strength
from cistron.networks.settings import DefaultSettings

SEEDS = range(1, 7)
DESIGNS = [
    *itertools.product(("hubs", "flat"), (1.0, 12.0), (30, 100)),
    *itertools.product(("hubs", "flat"), (1.0, 4.0), (60,)),
]


def main() -> None:
    """Print the coefficients for ``networks/combined.py``."""
    settings = DefaultSettings(resamples=0)
    designs, plain, truths = [], [], []
    for (shape, depth, cells_each), seed in itertools.product(DESIGNS, SEEDS):
        cells, true = planted_cells(seed, shape=shape, counts_per_gene=depth, cells_per_knockout=cells_each)
        evidence = gather_evidence(cells, settings)
        pairs = ~np.eye(len(true), dtype=bool)
        designs.append(evidence.terms()[:, pairs].T)
        plain.append(relative_strength(evidence.partial)[pairs][:, None])
        truths.append(true[pairs] != 0)
    truth = np.concatenate(truths)
    for name, parts in (("COEFFICIENTS", designs), ("UNPERTURBED", plain)):
        fitted = LogisticRegression(C=1e3, max_iter=1000).fit(np.concatenate(parts), truth)
        print(name, [round(float(value), 3) for value in (*fitted.intercept_, *fitted.coef_[0])])
