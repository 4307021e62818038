"""Which column of ``obs`` says what was perturbed, where nobody named one: the one whose labels are genes and controls."""

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

import pandas as pd

from cistron.errors import InputError
from cistron.formats.perturbation_labels import is_side_label, possible_names
from cistron.formats.perturbed_cells_controls import looks_like_control

USUAL = "perturbation"
_LEAST_GENES = 2


def find_perturbation_column(
    obs: pd.DataFrame, var: pd.DataFrame, controls: Sequence[str], guides: Collection[str], name: str
) -> tuple[str, str]:
    """Find the column of perturbations.

    Parameters
    ----------
    obs, var
        Tables of cells and of genes.
    controls
        Labels of control cells or patterns, as given; guessed by their names when empty.
    guides
        Names of guides whose genes are known.
    name
        Name of the file, for messages.

    Returns
    -------
    column
        ``perturbation`` where there is such a column, else the one column whose labels are control cells and, by more than half,
        genes of the file. Of a column of genes and one of their guides it is that of the genes.
    remark
        What was found; empty for ``perturbation``.

    Raises
    ------
    InputError
        If there is none, or several say different things.
    """
    if USUAL in obs:
        return USUAL, ""
    known = _gene_names(var) | set(guides)
    fitting = [str(column) for column in obs if _fits(obs[column], known, controls)]
    if not fitting and controls:  # who mistyped a control label is told so, with the labels of the column
        fitting = [str(column) for column in obs if _fits(obs[column], known, ())]
    if not fitting:
        raise InputError(
            f"{name}: obs has no column {USUAL!r}, and none whose labels are control cells and genes of the file; it has "
            f"{', '.join(map(str, obs.columns[:10])) or 'none'}; name it with --perturbation, or give --calls TABLE"
        )
    # A guide has one gene, a gene several guides: the genes are what all other columns are finer than.
    coarsest = [one for one in fitting if all(_finer(obs, other, one) for other in fitting)]
    if not coarsest:
        raise InputError(
            f"{name}: several columns of obs could say what was perturbed ({', '.join(fitting)}); name one with --perturbation"
        )
    index = set(map(str, var.index))
    chosen = max(
        coarsest, key=lambda column: len(index & set(obs[column].astype(str)))
    )  # the first of equals
    others = [column for column in fitting if column != chosen]
    beside = f", {', '.join(others)} being as fine or finer" if others else ""
    return chosen, f"column {chosen!r} of obs says what was perturbed{beside} (say --perturbation to choose)"


def _gene_names(var: pd.DataFrame) -> set[str]:
    names = set(map(str, var.index))
    for column in var:
        if not pd.api.types.is_numeric_dtype(var[column]):
            names |= set(var[column].dropna().astype(str))
    return names | {gene.partition(".")[0] for gene in names if gene.startswith("ENS")}


def _fits(labels: pd.Series, known: Collection[str], controls: Sequence[str]) -> bool:
    """Whether labels name control cells and, by more than half of the others, genes."""
    if pd.api.types.is_numeric_dtype(labels) or pd.api.types.is_bool_dtype(labels):
        return False
    distinct = [str(label) for label in labels.dropna().unique()]
    if controls:
        control = {one for one in distinct if any(fnmatchcase(one, pattern) for pattern in controls)}
    else:
        control = {one for one in distinct if looks_like_control(one) and one not in known}
    others = [one for one in distinct if one not in control and not is_side_label(one)]
    genes = sum(not possible_names(one).isdisjoint(known) for one in others)
    return bool(control) and genes >= _LEAST_GENES and 2 * genes > len(others)


def _finer(obs: pd.DataFrame, fine: str, coarse: str) -> bool:
    pairs = obs[[fine, coarse]].astype(str).drop_duplicates()
    return not pairs[fine].duplicated().any()
