"""Names of genes that a spreadsheet has changed."""

import re
from collections.abc import Iterable, Sequence

_DATES = (
    re.compile(
        r"\d{1,2}[-./ ](Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|Mär|Mrz|Mai|Okt|Dez|janv|févr|mars|avr|sept|déc|ene|mar|set)\.?(\w*|[-./ ]\d{2,4})",
        re.IGNORECASE,
    ),
    re.compile(r"\d{1,2}月\d{1,2}日"),
    re.compile(r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)[-./ ]\d{1,4}", re.IGNORECASE),
    re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}( 00:00:00)?"),
    re.compile(r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}"),
)
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d{1,2}")
# Days since 1900 from 1982 to 2064, as which Excel stores a date; a list of such numbers only is of Entrez ids.
_SERIALS = range(30_000, 60_000)
# Rows below the genes: HTSeq's and STAR's counts of other reads, a spreadsheet's sums.
_SUMMARY = re.compile(
    r"__(no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)|N_(unmapped|multimapping|noFeature|ambiguous)"
    r"|(Grand )?Total|TOTAL|Sum|Mean|Average"
)
_ABSENT = ("NA", "nan", "NaN", "#N/A", "#NAME?", "#VALUE!", "#REF!", "#DIV/0!", "#NUM!", "#NULL!")


def spreadsheet_damage(genes: Iterable[str]) -> str:
    """Say which names of genes look changed by a spreadsheet; empty where none does.

    Looked for are dates (``1-Mar`` for MARCHF1, ``2001-03-01``), days since 1900 (``44256``) and numbers in scientific
    notation (``2.31E+13`` for 2310009E13Rik) among names that are no numbers, ``NA`` or ``nan``, which may be a
    missing name, and rows that sum up others (``__no_feature`` of HTSeq, ``N_unmapped`` of STAR, ``Total``).

    Parameters
    ----------
    genes
        Names of genes.

    Returns
    -------
    str
        One remark with the number of names and examples.
    """
    names = [str(gene) for gene in genes]
    changed = changed_names(names)
    absent = [name for name in names if name in _ABSENT]
    remarks = []
    if changed:
        examples = ", ".join(list(dict.fromkeys(changed))[:3])
        remarks.append(
            f"{len(changed):,} of {len(names):,} names of genes look changed by a spreadsheet into dates or numbers ({examples}); "
            "take the names from the original file"
        )
    if absent:
        remarks.append(f"{len(absent):,} genes are named {absent[0]!r}, which may be a missing name")
    summaries = [name for name in names if _SUMMARY.fullmatch(name)]
    if summaries:
        remarks.append(
            f"{len(summaries):,} rows are no genes but sums or reads without a gene ({', '.join(summaries[:3])}); remove them"
        )
    return "; ".join(remarks)


def changed_names(names: Sequence[str]) -> list[str]:
    """Names that look like dates or numbers which a spreadsheet made of names of genes, in their order.

    Parameters
    ----------
    names
        All names of genes of a file: where most are numbers, they are Entrez ids and no days since 1900.

    Examples
    --------
    >>> changed_names(["TP53", "1-Mar", "1-Mar"])
    ['1-Mar', '1-Mar']
    """
    numeric = sum(name.isdigit() for name in names) > 0.5 * len(names)
    return [name for name in names if _is_changed(name, numeric)]


def _is_changed(name: str, numeric: bool) -> bool:
    if any(pattern.fullmatch(name) for pattern in _DATES) or _SCIENTIFIC.fullmatch(name):
        return True
    return not numeric and name.isdigit() and int(name) in _SERIALS
