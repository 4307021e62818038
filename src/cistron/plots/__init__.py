"""Plots: a tidy table in, matplotlib Axes out."""

from cistron.plots.box_plot import box_plot
from cistron.plots.heat_map import heat_map, similar_order
from cistron.plots.interval_plot import interval_plot
from cistron.plots.scatter import common_limits, full_against_null
from cistron.plots.style import PALETTE, diverging_colours, figure_style, short_labels, signed

__all__ = [
    "PALETTE",
    "box_plot",
    "common_limits",
    "diverging_colours",
    "figure_style",
    "full_against_null",
    "heat_map",
    "interval_plot",
    "short_labels",
    "signed",
    "similar_order",
]
