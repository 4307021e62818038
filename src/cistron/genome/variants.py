"""Differences between one copy of a chromosome and the reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cistron.errors import InputError
from cistron.genome.sequence import Genome


@dataclass(frozen=True)
class Changes:
    """Changes of one haplotype on one chromosome, sorted and without overlaps.

    Parameters
    ----------
    start, end
        int64 [change], 0-based half-open span of the reference that is replaced; equal for an insertion.
    alternative
        Letters that stand there instead; empty for a deletion.
    reference
        Letters that the VCF says the reference has there.
    """

    start: np.ndarray
    end: np.ndarray
    alternative: list[bytes]
    reference: list[bytes]

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class SampleVariants:
    """The variants of one sample.

    Parameters
    ----------
    path
        VCF.
    sample
        Name of the sample.
    haplotypes
        For the first and the second haplotype, changes of each chromosome, named as the genome names it.
    counts
        What was read and what was left out, by reason.
    """

    path: Path
    sample: str
    haplotypes: tuple[Mapping[str, Changes], Mapping[str, Changes]]
    counts: Mapping[str, int]

    def summary(self) -> str:
        """Say in a line what was read and left out."""
        told = [f"{self.counts['carried']:,} variants of sample {self.sample}"]
        told += [f"{number:,} {what}" for what, number in self.counts.items() if number and what != "carried"]
        return f"{self.path.name}: {'; '.join(told)}"


def trimmed(position: int, reference: bytes, alternative: bytes) -> tuple[int, bytes, bytes]:
    """Cut from a variant the letters that both alleles share, first behind, then in front.

    ``AT -> A`` at 10 is a deletion of ``T`` at 11, ``A -> AT`` an insertion of ``T`` before 11.

    Parameters
    ----------
    position
        Position of the first reference letter, 0-based.
    reference, alternative
        Letters of both alleles.
    """
    while len(reference) > 1 and len(alternative) > 1 and reference[-1] == alternative[-1]:
        reference, alternative = reference[:-1], alternative[:-1]
    shared = 0
    while shared < min(len(reference), len(alternative)) and reference[shared] == alternative[shared]:
        shared += 1
    return position + shared, reference[shared:], alternative[shared:]


def check_reference(variants: SampleVariants, genome: Genome, most: int = 2000) -> None:
    """Compare the letters of up to ``most`` changes, spread evenly, with the genome.

    Parameters
    ----------
    variants
        Changes of a person, by haplotype and chromosome.
    genome
        The reference.
    most
        Largest number of changes to compare.

    Raises
    ------
    InputError
        If they differ.
    """
    places = [
        (chromosome, changes, number)
        for haplotype in variants.haplotypes
        for chromosome, changes in haplotype.items()
        for number in range(len(changes))
        if changes.reference[number]
    ]
    chosen = places[:: max(1, len(places) // most)]
    wrong = []
    for chromosome, changes, number in chosen:
        start = int(changes.start[number])
        there = genome.codes(chromosome, start, start + len(changes.reference[number]))
        if differs(there, changes.reference[number]):
            wrong.append((chromosome, start, changes.reference[number], there))
    if wrong:
        raise reference_error(variants.path.name, genome, *wrong[0], f"{len(wrong):,} of {len(chosen):,}")


def differs(codes: np.ndarray, letters: bytes) -> bool:
    """Tell whether codes of the genome and letters of a VCF differ, where neither is N."""
    theirs = np.array([b"ACGTN".index(letter) for letter in letters], np.uint8)
    return bool(((codes != theirs) & (codes < 4) & (theirs < 4)).any())


def reference_error(
    name: str,
    genome: Genome,
    chromosome: str,
    start: int,
    reference: bytes,
    codes: np.ndarray,
    share: str = "",
) -> InputError:
    """Make the error for letters that are not those of the genome.

    Parameters
    ----------
    name
        Name of the VCF.
    genome
        The reference.
    chromosome
        Chromosome of the variant.
    start
        Its position, 0-based.
    reference
        Reference letters that the VCF gives.
    codes
        Codes that the genome has there, uint8 [letter].
    share
        How many of how many variants differ; empty when one was looked at.
    """
    there = "".join("ACGTN"[code] for code in codes[:20])
    counted = f"{share} variants looked at differ" if share else "one differs"
    return InputError(
        f"{name}: REF at {chromosome}:{start + 1:,} is {reference[:20].decode()}, but {genome.path.name} has {there} there "
        f"({counted}); it was called on another genome build than {genome.build or 'this'}, or REF and ALT are exchanged"
    )
