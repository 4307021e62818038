"""Genomes: DNA, regions, signal tracks, a person's variants."""

from cistron.genome.personal import PersonalGenome, PersonSettings, open_genome
from cistron.genome.regions import centred_windows, check_regions, read_regions
from cistron.genome.sequence import Dna, Genome, build_name, encode, one_hot, reverse_complement
from cistron.genome.tracks import bin_many, bin_signal
from cistron.genome.variants import SampleVariants
from cistron.genome.vcf import read_sample

__all__ = [
    "Dna",
    "Genome",
    "PersonSettings",
    "PersonalGenome",
    "SampleVariants",
    "bin_many",
    "bin_signal",
    "build_name",
    "centred_windows",
    "check_regions",
    "encode",
    "one_hot",
    "open_genome",
    "read_regions",
    "read_sample",
    "reverse_complement",
]
