"""Which table of the report a prediction belongs to, and which control belongs to which method."""

from collections.abc import Mapping, Sequence
from typing import Any

# table: what stands in it, in the order of the report
TABLES = {
    "sequence": "Sequence only: the predictor knew the DNA or protein of a gene, nothing measured on it",
    "imputation": "Cross-assay imputation: the predictor knew expression of the same gene in another assay or perturbation",
    "chromatin": "Chromatin: the predictor knew measured chromatin of the same gene",
    "other": "Other evidence (literature, or unknown): what it contains of expression cannot be told",
    "baseline": "No evidence about the gene: baselines that know its training cells at most",
}


def table_of(evidence: str) -> str:
    """Choose the table of :data:`TABLES` for a prediction by what it knew of the gene.

    Whatever knew expression is imputation, whatever else it knew; what is unknown may have.
    """
    kinds = set(filter(None, evidence.split("+")))
    if not kinds:
        return "baseline"
    if kinds & {"expression", "perturbation"}:
        return "imputation"
    if "unknown" in kinds:
        return "other"
    if "chromatin" in kinds:
        return "chromatin"
    return "sequence" if kinds <= {"dna", "protein"} else "other"


def match_controls(names: Sequence[str], headers: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Give the method of each control: the same method and embedding, then the most similar name.

    Parameters
    ----------
    names
        Names of the predictions.
    headers
        Their ``uns["cistron"]``.

    Returns
    -------
    dict
        Name of a control to name of its method; controls without one are left out.
    """
    matched = {}
    for name, header in zip(names, headers):
        if not header["control"]:
            continue
        candidates = [
            (other, theirs)
            for other, theirs in zip(names, headers)
            if not theirs["control"] and theirs["method"] == header["method"]
        ]
        same = [(other, theirs) for other, theirs in candidates if theirs["embedding"] == header["embedding"]]
        if not same and len(candidates) > 1:
            same = [(other, theirs) for other, theirs in candidates if name.startswith(other)]
        best = max(same or candidates[:1], key=lambda pair: _common_start(pair[0], name), default=None)
        if best is not None and (same or len(candidates) == 1):
            matched[name] = best[0]
    return matched


def _common_start(first: str, second: str) -> int:
    """Number of leading characters that two names share."""
    alike = [a == b for a, b in zip(first, second)]
    return alike.index(False) if False in alike else len(alike)
