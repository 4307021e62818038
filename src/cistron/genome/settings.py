"""How signal tracks and a person's variants are read: settings, which load nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cistron.errors import InputError

Transform = Literal["log1p-mean", "mean-log1p", "logged", "none"]
Uncovered = Literal["zero", "skip"]
Unphased = Literal["as-written", "error"]


@dataclass(frozen=True)
class PersonSettings:
    """Whose DNA takes the place of the reference.

    Attributes
    ----------
    variants
        VCF (plain, gzip, bgzip) or BCF of a person: their own sequence in place of the reference.
    sample
        Sample of the VCF; may be absent where it has one.
    haplotype
        both: the mean of the two haplotypes; 1 or 2: one of them.
    unphased
        Heterozygous genotypes without a phase: take the alleles as written, or stop.
    """

    variants: Path
    sample: str | None = None
    haplotype: Literal["both", "1", "2"] = "both"
    unphased: Unphased = "as-written"

    def __post_init__(self) -> None:
        if self.haplotype not in ("both", "1", "2"):
            raise InputError(f"--haplotype must be both, 1 or 2. Given: {self.haplotype}")
