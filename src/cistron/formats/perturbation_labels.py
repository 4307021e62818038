"""What the label of a cell says: control, one perturbed gene, or something that is set aside."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cistron.errors import IdentifierError, InputError
from cistron.formats.perturbed_cells_controls import JOINED, looks_like_control
from cistron.genes.identity import guess_namespace, without_version

CONTROL = -1
SET_ASIDE = -2
_SIDE_LABELS = ("", "nan", "none", "excluded", "unassigned", "ambiguous", "negative", "multiplet")
# What may follow the gene in the name of a guide: GENE_sg1, GENE-2, GENE.g3, GENE#1, GENE(2), GENE_+_95907328.23-P1P2, GENE_P1P2_ENSG...,
# GENE_KO, the plasmid (GENE_pDS255), GENE_ACGT... (its sequence)
_GUIDE_TAIL = re.compile(
    r"^[-_.:# (]((sg|g|guide|grna|sgrna|i|crispr[ia]?|[+-]_)?[-_. ]?\d[\w.-]*\)?|p\d(p\d)?([-_]ens\w*\d+)?|p[a-z]{1,3}\d+|k[od]|[acgt]{15,30})$",
    re.IGNORECASE,
)
_AFTER_GENE = "-_.:# ("
_GUIDE_NUMBER = re.compile(r"(?<=[^a-z])(sg|g)\d+$")  # GENEg2, small letters straight after the gene
# What may stand before it: sgGENE, p_sgGENE, CRISPRi_GENE, HUMAN_GENE, HGLibA_00012_GENE, 9993_GENE. A capital G alone is no sign of a
# guide: GATM is a gene, and so is ATM.
_GUIDE_HEAD = re.compile(
    r"^((\d+|(?i:human|mouse|crispr[ia]?|[hm]glib[ab][-_]\d+))[-_])?(p[-_])?((sg|g)(?=[A-Z0-9])|(?i:sg|g)[-_.])?(?=.)"
)


def is_side_label(label: str) -> bool:
    """Tell whether a label says that nothing is known of a cell (``nan``, ``unassigned``, ``multiplet``...)."""
    return label.strip().lower() in _SIDE_LABELS


@dataclass
class LabelMeaning:
    """What labels were found to say.

    Attributes
    ----------
    perturbation
        Gene number, -1 control, -2 set aside; int [cell].
    set_aside
        Reason to number of cells.
    remarks
        What was read into labels.
    is_guide
        Whether labels name guides and not genes.
    pairs
        Numbers of the two genes of cells in which two were perturbed, at least one of which was perturbed alone in other cells; -1 for
        other cells, int [cell, 2]. ``None`` where there are none.
    """

    perturbation: np.ndarray
    set_aside: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    is_guide: bool = False
    pairs: np.ndarray | None = None


def possible_names(label: str) -> set[str]:
    """Give every text in a label that could be the name of a gene: the label, joined parts, and starts of guides."""
    names = {label, without_version(label)}
    for part in (label, *JOINED.split(label), *label.split("_")):
        for text in (part.strip(), _GUIDE_HEAD.sub("", part.strip())):
            starts = (text[:cut] for cut, letter in enumerate(text) if letter in _AFTER_GENE and cut)
            names |= {text, _GUIDE_NUMBER.sub("", text), *starts}
    return names


def gene_of_guide(label: str, number: Mapping[str, int]) -> int | None:
    """Find the gene of a guide by its name: the longest start before ``_ - . : # (`` or a space that is a measured gene.

    What follows must look like the rest of a guide's name (``_sg1``, ``-2``, ``_+_95907328.23-P1P2``, ``_KO``, its sequence); ``sg``, a number
    or the name of a library may stand before the gene, and ``g2`` or ``sg2`` straight after it.
    """
    for text in dict.fromkeys((label, _GUIDE_HEAD.sub("", label))):
        if text != label and text in number:
            return number[text]
        for cut in range(len(text) - 1, 0, -1):
            if text[cut] in _AFTER_GENE and text[:cut] in number and _GUIDE_TAIL.match(text[cut:]):
                return number[text[:cut]]
        gene = _GUIDE_NUMBER.sub("", text)
        if gene != text and gene in number:
            return number[gene]
    return None


class _Reader:
    """Reads labels one by one."""

    def __init__(
        self, number: Mapping[str, int], controls: Collection[str], table: Mapping[str, str]
    ) -> None:
        self.number, self.controls, self.table = number, controls, table
        self.guides: dict[str, int] = {}

    def one(self, part: str, joined: bool = True) -> int | None:
        """Give the gene of one name, -1 for a control, ``None`` where it is not known.

        In ``A+ctrl`` any usual name of a control is one; a label alone is only where it was chosen.
        """
        part = without_version(self.table.get(part, part))
        if part in self.controls:
            return CONTROL
        if part in self.number:
            return self.number[part]
        if joined and looks_like_control(part):
            return CONTROL
        gene = gene_of_guide(part, self.number)
        if gene is not None:
            self.guides[part] = gene
        return gene

    def parts(self, label: str) -> list[int | None]:
        """Give the genes of a label that may join several names."""
        if label in self.controls:
            return [CONTROL]
        label = without_version(self.table.get(label, label))
        if label in self.number:
            return [self.number[label]]
        joined = [part.strip() for part in JOINED.split(label) if part.strip()]
        several = [self.one(part) for part in joined]
        if len(joined) > 1 and None not in several:
            return several
        for cut in (match.start() for match in re.finditer("[-_:.]", label)):  # A_B: two known names
            pair = [self.one(label[:cut]), self.one(label[cut + 1 :])]
            if None not in pair:
                return pair
        whole = self.one(label, joined=False)
        return several if whole is None and len(joined) > 1 else [whole]


def number_perturbations(
    text: np.ndarray,
    genes: Sequence[str],
    controls: Collection[str],
    excluded: Sequence[str],
    minimum_cells: int,
    name: str,
    *,
    aliases: Mapping[str, int] | None = None,
    guide_table: Mapping[str, str] | None = None,
) -> LabelMeaning:
    """Turn the label of each cell into the number of its perturbed gene.

    Parameters
    ----------
    text
        Label of each cell.
    genes
        Measured genes, Ensembl ids without versions; versions of labels are cut.
    controls, excluded
        Labels of the control cells, labels that are not used.
    minimum_cells
        Fewest cells of a perturbation.
    name
        Name of the data, for messages.
    aliases
        Other names of genes and their numbers.
    guide_table
        Gene of each guide.

    Raises
    ------
    InputError
        If no perturbation is left; the message says why.
    """
    number = {**(aliases or {}), **{gene: position for position, gene in enumerate(genes)}}
    reader = _Reader(number, controls, guide_table or {})
    labels, codes, sizes = np.unique(text.astype(str), return_inverse=True, return_counts=True)
    result = LabelMeaning(codes, is_guide=bool(guide_table))
    meaning = np.full(len(labels), SET_ASIDE, dtype=np.int64)
    unmeasured: list[str] = []
    together: dict[int, tuple[int, ...]] = {}

    def put_aside(reason: str, cells: int) -> None:
        result.set_aside[reason] = result.set_aside.get(reason, 0) + int(cells)

    for position, (label, cells) in enumerate(zip(labels.tolist(), sizes.tolist())):
        if label in excluded or label.lower() in _SIDE_LABELS:
            put_aside("excluded or without a label", cells)
            continue
        found = reader.parts(label)
        targets = {part for part in found if part != CONTROL}
        target = next(iter(targets), None)
        if not targets:
            meaning[position] = CONTROL
        elif len(targets) == 2 and None not in targets:
            together[position] = tuple(sorted(one for one in targets if one is not None))
        elif len(targets) > 1 and targets != {None}:
            put_aside("several genes perturbed at once", cells)
        elif looks_like_control(label):
            put_aside("looks like a control but was not chosen as one", cells)
        elif target is None:
            unmeasured.append(label)
            put_aside("perturbed gene is not measured", cells)
        else:
            meaning[position] = target
    if reader.guides:
        shown, gene = next(iter(sorted(reader.guides.items())))
        result.is_guide = True
        result.remarks.append(
            f"{len(reader.guides):,} labels name guides; their gene is what is left without the guide's number, sequence or words "
            f"such as sg ({shown} -> {genes[gene]}); say --guide-table where that is wrong"
        )
    perturbation = meaning[codes]
    counted, counts = np.unique(perturbation[perturbation >= 0], return_counts=True)
    few = [genes[gene] for gene in counted[counts < minimum_cells]]
    if few:
        small = np.isin(perturbation, counted[counts < minimum_cells])
        put_aside(f"fewer than {minimum_cells} cells of the perturbation", small.sum())
        perturbation = np.where(small, SET_ASIDE, perturbation)
    result.perturbation = perturbation
    pairs = np.full((len(labels), 2), -1, dtype=np.int64)
    singly = set(perturbation[perturbation >= 0].tolist())
    for position, pair in together.items():
        if singly.isdisjoint(pair):
            put_aside("two genes perturbed at once, neither of them alone in other cells", sizes[position])
        else:
            pairs[position] = pair
    if (pairs >= 0).any():
        result.pairs = pairs[codes]
        result.remarks.append(
            f"{int((result.pairs[:, 0] >= 0).sum()):,} cells have two perturbed genes; the default method takes their effects as sums of "
            "those of the two, everything else sets these cells aside"
        )
    if not (perturbation >= 0).any():
        _explain_no_perturbation(name, genes, few, unmeasured, minimum_cells, len(together))
    return result


def _explain_no_perturbation(
    name: str,
    genes: Sequence[str],
    few: list[str],
    unmeasured: list[str],
    minimum_cells: int,
    pairs: int,
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
                f"targets look like {kinds[0]} ids, genes like {kinds[1]} ids; name a column of var that has the other "
                "names with --gene-column; where var has none, add one first: adata.var['symbol'] = ..., from a table such as "
                "'cistron data fetch hgnc_complete_set'"
            )
        else:
            remedy = (
                "check the column of labels and the species, or give --guide-table where labels are guides"
            )
        raise IdentifierError(
            f"{name}: none of {len(unmeasured):,} perturbed genes (for example {unmeasured[0]}) is among the "
            f"{len(genes):,} measured genes (for example {genes[0]}); {remedy}"
        )
    if pairs:
        raise InputError(
            f"{name}: {pairs:,} labels join two genes, and no gene was perturbed alone; effects of two genes cannot be told apart "
            "without cells in which one of them was"
        )
    raise InputError(f"{name}: there are control cells but no perturbed cells; check --perturbation")
