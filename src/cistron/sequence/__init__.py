"""The sequence wing: what regulatory DNA says about a gene."""
