"""Measurements against peers and of ourselves. ``make bench`` runs all; ``python -m benchmarks NAME`` runs one."""
