"""Where things are: DNA, regions, tracks."""

from cistron.genome.regions import centred_windows, check_regions, read_regions
from cistron.genome.sequence import Genome, build_name, encode, one_hot, reverse_complement
from cistron.genome.tracks import bin_many, bin_signal

__all__ = [
    "Genome",
    "bin_many",
    "bin_signal",
    "build_name",
    "centred_windows",
    "check_regions",
    "encode",
    "one_hot",
    "read_regions",
    "reverse_complement",
]
