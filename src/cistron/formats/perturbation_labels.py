"""What the label of a cell says: control, one perturbed gene, or something that is set aside."""

import re
from collections.abc import Sequence

import numpy as np

from cistron.errors import IdentifierError, InputError
from cistron.genes.identity import guess_namespace, without_version

CONTROL = -1
SET_ASIDE = -2
_JOINED = re.compile(r"[+,;|]|__")
_SIDE_LABELS = ("", "nan", "none", "excluded", "unassigned", "ambiguous", "negative", "multiplet")


def number_perturbations(
    text: np.ndarray,
    genes: Sequence[str],
    control: str,
    excluded: Sequence[str],
    minimum_cells: int,
    name: str,
) -> tuple[np.ndarray, dict[str, int]]:
    """Turn the label of each cell into the number of its perturbed gene.

    Parameters
    ----------
    text
        Label of each cell.
    genes
        Measured genes, Ensembl ids without versions; versions of labels are cut.
    control, excluded
        Label of the control cells, labels that are not used.
    minimum_cells
        Fewest cells of a perturbation.
    name
        Name of the data, for messages.

    Returns
    -------
    ndarray
        Gene number, -1 control, -2 set aside; int [cell].
    dict of str to int
        Reason to number of cells set aside.

    Raises
    ------
    InputError
        If no perturbation is left; the message says why.
    """
    number = {gene: position for position, gene in enumerate(genes)}
    labels, codes, sizes = np.unique(text.astype(str), return_inverse=True, return_counts=True)
    aside: dict[str, int] = {}
    meaning = np.full(len(labels), SET_ASIDE, dtype=np.int64)
    few: list[str] = []
    unmeasured: list[str] = []

    def put_aside(reason: str, cells: int) -> None:
        aside[reason] = aside.get(reason, 0) + int(cells)

    for position, (label, cells) in enumerate(zip(labels.tolist(), sizes.tolist())):
        if label == control:
            meaning[position] = CONTROL
            continue
        if label in excluded or label.lower() in _SIDE_LABELS:
            put_aside("excluded or without a label", cells)
            continue
        label = without_version(label)
        if label not in number:
            parts = [part.strip() for part in _JOINED.split(label) if part.strip()]
            targets = [without_version(part) for part in parts if part not in (control, "ctrl", "control")]
            if len(targets) > 1 and any(part in number for part in targets):
                put_aside("several genes perturbed at once", cells)
                continue
            if len(targets) == 1 and len(parts) > 1 and targets[0] in number:
                label = targets[0]
            else:
                unmeasured.append(label)
                put_aside("perturbed gene is not measured", cells)
                continue
        meaning[position] = number[label]
    perturbation = meaning[codes]
    found, counts = np.unique(perturbation[perturbation >= 0], return_counts=True)
    few = [genes[gene] for gene in found[counts < minimum_cells]]
    if few:
        small = np.isin(perturbation, found[counts < minimum_cells])
        put_aside(f"fewer than {minimum_cells} cells of the perturbation", small.sum())
        perturbation = np.where(small, SET_ASIDE, perturbation)
    if not (perturbation >= 0).any():
        _explain_no_perturbation(name, genes, few, unmeasured, minimum_cells)
    return perturbation, aside


def _explain_no_perturbation(
    name: str, genes: Sequence[str], few: list[str], unmeasured: list[str], minimum_cells: int
) -> None:
    if few:
        raise InputError(
            f"{name}: every perturbation has fewer than {minimum_cells} cells ({len(few):,} perturbations, for example "
            f"{few[0]}); a shift cannot be told from noise with one cell a perturbation"
        )
    if unmeasured:
        kinds = guess_namespace(unmeasured), guess_namespace(genes)
        if kinds[0] != kinds[1] and "other" not in kinds:
            remedy = (
                f"targets look like {kinds[0]} ids, genes like {kinds[1]} ids; labels must name "
                "genes as the columns do: rename one of the two"
            )
        else:
            remedy = "check the column of labels and the species"
        raise IdentifierError(
            f"{name}: none of {len(unmeasured):,} perturbed genes (for example {unmeasured[0]}) is among the "
            f"{len(genes):,} measured genes (for example {genes[0]}); {remedy}"
        )
    raise InputError(f"{name}: there are control cells but no perturbed cells; check --perturbation")
