"""The name that :mod:`cistron.cells.baselines` had before 0.2; kept until 0.3."""

from cistron.cells.baselines import baseline_model, fit_gene_mean, fit_nearest_type, fit_size_factor

__all__ = ["baseline_model", "fit_gene_mean", "fit_nearest_type", "fit_size_factor"]
