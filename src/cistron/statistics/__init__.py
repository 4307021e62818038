"""Statistics on arrays: closed-form ridge, whitening, correlations, bootstrap, permutation."""
