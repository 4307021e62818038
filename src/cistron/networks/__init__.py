"""The networks wing: which gene regulates which, from perturbed single cells."""
