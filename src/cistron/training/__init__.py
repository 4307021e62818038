"""Fit network weights, save and load them, tune."""
