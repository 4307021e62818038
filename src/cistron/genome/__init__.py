"""Genomes: DNA, regions, signal tracks, a person's variants."""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.genome.personal import PersonalGenome as PersonalGenome
    from cistron.genome.personal import open_genome as open_genome
    from cistron.genome.regions import centred_windows as centred_windows
    from cistron.genome.regions import check_regions as check_regions
    from cistron.genome.regions import read_regions as read_regions
    from cistron.genome.sequence import Dna as Dna
    from cistron.genome.sequence import Genome as Genome
    from cistron.genome.sequence import build_name as build_name
    from cistron.genome.sequence import encode as encode
    from cistron.genome.sequence import one_hot as one_hot
    from cistron.genome.sequence import reverse_complement as reverse_complement
    from cistron.genome.settings import PersonSettings as PersonSettings
    from cistron.genome.tracks import bin_many as bin_many
    from cistron.genome.tracks import bin_signal as bin_signal
    from cistron.genome.variants import SampleVariants as SampleVariants
    from cistron.genome.vcf import read_sample as read_sample

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "personal": (
            "PersonalGenome",
            "open_genome",
        ),
        "regions": (
            "centred_windows",
            "check_regions",
            "read_regions",
        ),
        "sequence": (
            "Dna",
            "Genome",
            "build_name",
            "encode",
            "one_hot",
            "reverse_complement",
        ),
        "settings": ("PersonSettings",),
        "tracks": (
            "bin_many",
            "bin_signal",
        ),
        "variants": ("SampleVariants",),
        "vcf": ("read_sample",),
    },
)
