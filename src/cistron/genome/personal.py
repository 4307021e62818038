"""A person's own DNA in place of the reference: windows of one length, centred, from each of two haplotypes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cistron.genome.sequence import Ambiguous, Dna, Genome, encode
from cistron.genome.settings import PersonSettings
from cistron.genome.variants import Changes, SampleVariants, differs, reference_error
from cistron.genome.vcf import read_sample
from cistron.genome.vcf_regions import IndexedSample, has_index
from cistron.runtime import sha256_of


def apply_changes(codes: np.ndarray, start: int, changes: Changes) -> tuple[np.ndarray, np.ndarray]:
    """Put changes into a piece of the reference.

    Parameters
    ----------
    codes
        uint8 [length], codes of the reference from ``start``.
    start
        Position of the first.
    changes
        Changes that lie within the piece.

    Returns
    -------
    codes : ndarray
        uint8 [new length].
    positions : ndarray
        int64 [new length], position in the reference of each letter, never falling; an inserted letter has that of the
        letter before it.
    """
    letters, places, cursor = [], [], start
    for low, high, text in zip(changes.start.tolist(), changes.end.tolist(), changes.alternative):
        letters += [codes[cursor - start : low - start], encode(text)]
        fresh = low + np.arange(len(text))
        places += [np.arange(cursor, low), np.minimum(fresh, max(high, low) - 1)]
        cursor = high
    letters.append(codes[cursor - start :])
    places.append(np.arange(cursor, start + len(codes)))
    return np.concatenate(letters), np.concatenate(places)


class Haplotype:
    """One of a person's two copies of the genome.

    A window is named by its place in the reference. It has the same length there and here, and the letter in its
    middle (where a start site stands) is the same: what insertions push out on a side falls off, what deletions leave
    open is filled from beyond.

    Parameters
    ----------
    genome
        Reference.
    changes
        Gives the changes that touch a region (chromosome as the genome spells it, start, end), with others or not.
    name
        Name of the VCF, for messages.
    """

    def __init__(self, genome: Genome, changes: Callable[[str, int, int], Changes | None], name: str) -> None:
        self._genome, self._changes, self._name = genome, changes, name
        self._last: tuple[tuple[str, int, int], np.ndarray, np.ndarray] | None = None

    def _within(self, chromosome: str, start: int, end: int) -> tuple[int, int, Changes | None]:
        """Give the changes of a piece, and the piece itself, widened so that it cuts no change."""
        changes = self._changes(chromosome, start, end)
        if changes is None:
            return start, end, None
        # none overlaps another, so ends are sorted as starts are
        first = int(np.searchsorted(changes.end, start, side="right"))
        last = int(np.searchsorted(changes.start, end, side="left"))
        if first >= last:
            return start, end, None
        chosen = slice(first, last)
        found = Changes(
            changes.start[chosen], changes.end[chosen], changes.alternative[chosen], changes.reference[chosen]
        )
        return min(start, int(found.start[0])), max(end, int(found.end[-1])), found

    def _window(self, chromosome: str, start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Give codes and positions in the reference of a window."""
        key = (chromosome, start, end)
        if self._last is not None and self._last[0] == key:
            return self._last[1], self._last[2]
        name, size = self._genome.chromosome(chromosome), end - start
        middle, left = (start + end) // 2, (start + end) // 2 - start
        before = behind = 0
        while True:
            low, high, changes = self._within(name, start - before, end + behind)
            codes = self._genome.codes(name, low, high)
            positions = np.arange(low, high)
            if changes is not None:
                self._check(name, low, codes, changes)
                codes, positions = apply_changes(codes, low, changes)
            centre = int(np.searchsorted(positions, middle))
            short = left - centre, centre + size - left - len(codes)
            if short[0] <= 0 and short[1] <= 0:
                break
            before, behind = before + max(0, short[0]), behind + max(0, short[1])
        cut = slice(centre - left, centre - left + size)
        self._last = (key, codes[cut], positions[cut])
        return self._last[1], self._last[2]

    def _check(self, chromosome: str, low: int, codes: np.ndarray, changes: Changes) -> None:
        for start, reference in zip(changes.start.tolist(), changes.reference):
            there = codes[start - low : start - low + len(reference)]
            if reference and differs(there, reference):
                raise reference_error(self._name, self._genome, chromosome, start, reference, there)

    def codes(self, chromosome: str, start: int, end: int) -> np.ndarray:
        """Read codes uint8 [end - start] of the window whose middle is at ``(start + end) // 2`` in the reference.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``.
        start, end
            Window in the reference, 0-based, half-open.
        """
        return self._window(chromosome, start, end)[0]

    def offsets(self, chromosome: str, start: int, end: int, positions: Sequence[int]) -> np.ndarray:
        """Give where positions of the reference lie in a window, int64; outside of 0 to ``end - start`` if not in it.

        A position that is deleted is where the next letter that is left stands.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``.
        start, end
            Window in the reference, 0-based, half-open.
        positions
            Positions in the reference, 0-based.
        """
        wanted, there = np.asarray(positions, np.int64), self._window(chromosome, start, end)[1]
        found = np.searchsorted(there, wanted)
        return np.where(wanted < there[0], -1, found)

    def position(self, chromosome: str, start: int, end: int, offset: int) -> int:
        """Give the position in the reference of a letter of a window.

        Parameters
        ----------
        chromosome
            Name, with or without ``chr``.
        start, end
            Window in the reference, 0-based, half-open.
        offset
            Number of the letter in the window, from 0.
        """
        return int(self._window(chromosome, start, end)[1][offset])


class PersonalGenome(Genome):
    """A reference with the variants of one person.

    Genotypes are read into memory, and nothing of them is written: of an indexed VCF (``.tbi`` or ``.csi`` beside it; needs pysam) those around
    each window when it is asked for, of any other file all.

    Parameters
    ----------
    path, build, ambiguous
        As of :class:`Genome`.
    person
        Whose variants.
    """

    def __init__(
        self,
        path: str | Path,
        build: str | None = None,
        ambiguous: Ambiguous = "error",
        *,
        person: PersonSettings,
    ) -> None:
        super().__init__(path, build, ambiguous)
        self.person = person
        path = Path(person.variants)
        self.variants: SampleVariants | IndexedSample
        if path.is_file() and has_index(path):
            self.variants = IndexedSample(path, self, person.sample, person.unphased)
        else:
            self.variants = read_sample(path, self, person.sample, person.unphased)
        chosen = (0, 1) if person.haplotype == "both" else (int(person.haplotype) - 1,)
        self._copies = tuple(
            Haplotype(self, partial(self._changes_of, which), self.variants.path.name) for which in chosen
        )

    def _changes_of(self, which: int, chromosome: str, start: int, end: int) -> Changes | None:
        if isinstance(self.variants, IndexedSample):
            found = self.variants.changes(chromosome, start, end)
            return None if found is None else found[which]
        return self.variants.haplotypes[which].get(chromosome)

    def __reduce__(self) -> Any:
        person = replace(self.person, variants=Path(self.person.variants).absolute())
        return open_genome, (self.path.absolute(), self.build or None, self.ambiguous, person)

    @property
    def copies(self) -> tuple[Dna, ...]:
        """The haplotypes that are used."""
        return self._copies

    def person_facts(self) -> dict[str, str]:
        """Say whose variants are in it: SHA-256 of the file, sample, haplotype; no genotype."""
        return {
            "variants": sha256_of(self.person.variants),
            "sample": self.variants.sample,
            "haplotype": self.person.haplotype,
            "unphased": self.person.unphased,
        }


def open_genome(
    path: str | Path,
    build: str | None = None,
    ambiguous: Ambiguous = "error",
    person: PersonSettings | None = None,
) -> Genome:
    """Open a reference, with the variants of a person where one is given.

    Parameters
    ----------
    path
        FASTA.
    build
        Name of the genome build; told by chromosome 1 when absent.
    ambiguous
        What to do with IUPAC letters for several bases: ``error`` or ``n``.
    person
        VCF and sample whose variants are put in; the reference itself when absent.
    """
    if person is None:
        return Genome(path, build, ambiguous)
    return PersonalGenome(path, build, ambiguous, person=person)
