"""Plots: a tidy table in, matplotlib Axes out."""

from cistron.plots.box_plot import box_plot
from cistron.plots.calibration_plot import calibration_plot
from cistron.plots.contribution_plot import contribution_plot, locus_plot
from cistron.plots.fold_map import fold_map
from cistron.plots.heat_map import heat_map, similar_order
from cistron.plots.interval_plot import interval_plot
from cistron.plots.logo_plot import logo_plot
from cistron.plots.network_plot import network_plot
from cistron.plots.precision_recall_plot import precision_recall_plot
from cistron.plots.roc_plot import roc_plot
from cistron.plots.scatter import common_limits, full_against_null
from cistron.plots.study_map import study_map
from cistron.plots.style import PALETTE, diverging_colours, figure_style, short_labels, signed
from cistron.plots.variant_plot import variant_plot

__all__ = [
    "PALETTE",
    "box_plot",
    "calibration_plot",
    "common_limits",
    "contribution_plot",
    "diverging_colours",
    "figure_style",
    "fold_map",
    "full_against_null",
    "heat_map",
    "interval_plot",
    "locus_plot",
    "logo_plot",
    "network_plot",
    "precision_recall_plot",
    "roc_plot",
    "short_labels",
    "signed",
    "similar_order",
    "study_map",
    "variant_plot",
]
