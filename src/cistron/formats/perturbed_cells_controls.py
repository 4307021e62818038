"""Which labels mark control cells: those that are named, by pattern too, or those that look like controls."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cistron.errors import InputError

JOINED = re.compile(r"__|[+,;|&/]")  # what stands between the names of two perturbations
_WORDS = (
    r"non[-_ .]?targ(et(ing|s|ed)?)?",
    r"no[-_ .]?target(s|ing)?",
    r"ntc?",
    r"neg[-_ .]?(ctrl|control)",
    r"negative[-_ .]?(ctrl|control)",
    r"ctrl",
    r"control",
    r"safe([-_ .]?(targeting|target|harbou?r|cutter))?",
    r"\d?safe_safe_.*",  # of the libraries of Bassik's laboratory
    r"intergenic",
    r"scr(ambled?)?",
    r"aavs1",
    r"rosa26",
    r"lacz",
    r"unperturbed",
    r"mock",
    r"unt(reated|ransduced|ransfected)?",
    r"empty[-_ .]?vector",
    r"neg",
    r"wt(?!\d)",  # WT1 is a gene
    r"wild[-_ .]?type",
    r"dmso",
    r"vehicle",
    r"(e?gf|bf|rf)p",
    r"mcherry",
    r"luc(iferase)?",
    r"(no|one([-_ .]?(intergenic|non[-_ .]?gene))?)[-_ .]?site",  # of the libraries of the Broad Institute
)
_TAIL = r"([-_ .]*(sg|g|grna|sgrna|guide|ctrl|control|site|rna|int)?[-_ .]*\d*)*([-_][acgt]{6,30})?"
_LOOKS = re.compile(rf"^(p[-_])?(sg|g)?[-_ .]?({'|'.join(_WORDS)}){_TAIL}$", re.IGNORECASE)


@dataclass(frozen=True)
class Controls:
    """Labels of the control cells.

    Attributes
    ----------
    labels
        All labels that are control.
    remark
        What was guessed, for the user; empty where it was said.
    """

    labels: frozenset[str]
    remark: str = ""


def looks_like_control(label: str) -> bool:
    """Tell whether a label is written as control cells usually are (``NTC``, ``non-targeting_00017``, ``AAVS1``...).

    Several names of controls are one: ``ctrl+ctrl``, ``NegCtrl10_NegCtrl0``.
    """
    label = label.strip()
    if _LOOKS.match(label):
        return True
    parts = [part for part in JOINED.split(label) if part.strip()]
    if len(parts) > 1:
        return all(looks_like_control(part) for part in parts)
    halves = ((label[: match.start()], label[match.end() :]) for match in re.finditer("_", label))
    return any(_LOOKS.match(first) and _LOOKS.match(second) for first, second in halves)


def _listed(labels: Collection[str], most: int = 6) -> str:
    shown = sorted(labels)[:most]
    return ", ".join(shown) + (f" and {len(labels) - most:,} more" if len(labels) > most else "")


def find_controls(
    sizes: Mapping[str, int],
    given: Sequence[str],
    genes: Collection[str],
    name: str,
    guide_table: Mapping[str, str] | None = None,
) -> Controls:
    """Find the labels of the control cells.

    Parameters
    ----------
    sizes
        Each label and its number of cells.
    given
        Labels or patterns with ``*`` and ``?``; guessed when empty.
    genes
        Measured genes: a gene's name is never guessed to be a control.
    name
        Name of the data, for messages.
    guide_table
        Gene or control label of each guide: both a guide and what the table calls it may be named.

    Raises
    ------
    InputError
        If a given label or pattern meets none, or nothing looks like a control; the message lists the most
        frequent labels and those that look like controls.
    """
    table = guide_table or {}
    names = {*sizes, *(table[label] for label in sizes if label in table)}
    alike = {label for label in names if looks_like_control(label) and label not in genes}
    frequent = sorted(sizes, key=lambda label: (-sizes[label], label))[:6]
    hint = "the most frequent labels are " + ", ".join(f"{label} ({sizes[label]:,})" for label in frequent)
    if alike:
        hint += f"; these look like controls: {_listed(alike)}"
    if not given:
        if not alike:
            raise InputError(
                f"{name}: no label looks like control cells; {hint}: say --control LABEL or 'PATTERN*'"
            )
        cells = sum(size for label, size in sizes.items() if {label, table.get(label)} & alike)
        return Controls(
            frozenset(alike),
            f"{cells:,} cells taken as control by their labels: {_listed(alike)} (say --control to choose)",
        )
    found: set[str] = set()
    for pattern in given:
        met = {label for label in names if label == pattern or fnmatchcase(label, pattern)}
        if not met:
            raise InputError(
                f"{name}: control label {pattern!r} is absent; {hint}: say --control LABEL (several, or 'PATTERN*')"
            )
        found |= met
    return Controls(frozenset(found))
