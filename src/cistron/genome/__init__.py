"""Where things are: sequence, tracks, variants, homology."""
