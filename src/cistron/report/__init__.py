"""Reports: scores in, figures and one self-contained HTML page out."""

from cistron.report.build import build_report

__all__ = ["build_report"]
