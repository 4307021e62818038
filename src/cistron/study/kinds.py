"""The kinds of task that a study can hold; a new one is one entry here and one function in a ``scoring`` module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from cistron.errors import InputError
from cistron.study.checks import nearest


@dataclass(frozen=True)
class TaskKind:
    """One kind of task.

    Attributes
    ----------
    name, title
        Name in ``study.toml`` and heading in the report.
    question
        What a reader learns from it, in a few words.
    score
        ``"module:function"`` from a :class:`cistron.study.requests.Request` to an outcome.
    settings
        ``"module:class"`` of its settings.
    inputs
        Name of each input to whether it is needed; those of :attr:`lists` take several files.
    lists
        Inputs that take several files.
    defaults
        Settings that a study takes where none are given, because many embeddings are scored.
    unit
        What is drawn again for intervals.
    evidence
        Evidence that the answers of the task are made of, unless the study says another.
    task
        Task of its scores, which chooses the chapter of the report.
    """

    name: str
    title: str
    question: str
    score: str
    settings: str
    inputs: Mapping[str, bool]
    unit: str
    lists: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    task: str = ""

    def function(self) -> Callable[..., Any]:
        """The function that scores."""
        module, _, name = self.score.partition(":")
        found: Callable[..., Any] = getattr(import_module(module), name)
        return found

    def settings_class(self) -> type:
        """The class of its settings."""
        module, _, name = self.settings.partition(":")
        found: type = getattr(import_module(module), name)
        return found


KINDS = {
    kind.name: kind
    for kind in (
        TaskKind(
            "gwas",
            "GWAS gene scores",
            "which genes carry heritability of a trait",
            "cistron.study.scoring_gwas:score_gwas",
            "cistron.evaluation.gwas:GwasSettings",
            {"traits": True, "covariance": False},
            "chromosomes",
            defaults={"controls": 2, "draws": 200},
            task="gwas",
        ),
        TaskKind(
            "genesets",
            "Gene sets",
            "which genes belong to a set, chromosomes left out",
            "cistron.study.scoring:score_gene_sets",
            "cistron.evaluation.genesets:GeneSetSettings",
            {"sets": True},
            "chromosomes",
            defaults={"controls": 20, "draws": 20},
            task="genesets",
        ),
        TaskKind(
            "gene_labels",
            "Labels of genes",
            "which genes carry a label, given parts or chromosomes left out",
            "cistron.study.scoring:score_labels",
            "cistron.evaluation.labels:LabelSettings",
            {"labels": True},
            "terms",
            task="labels",
        ),
        TaskKind(
            "pairs",
            "Pairs of genes",
            "which two genes interact, no gene of a scored pair being fitted on",
            "cistron.study.scoring:score_pairs",
            "cistron.evaluation.pairs:PairSettings",
            {"pairs": True},
            "genes",
            defaults={"random": 0},
            task="pairs",
        ),
        TaskKind(
            "edges",
            "Gene networks",
            "which gene regulates which, no gene of a scored edge being fitted on",
            "cistron.study.scoring:score_edges",
            "cistron.evaluation.pairs:PairSettings",
            {"truth": True, "networks": False},
            "genes",
            lists=("networks",),
            defaults={"random": 0, "directed": True, "combinations": ("bilinear",)},
            evidence=("perturbation",),
            task="pairs",
        ),
        TaskKind(
            "expression",
            "Expression of unseen genes",
            "how much a gene never seen is expressed in a cell",
            "cistron.study.scoring_expression:score_expression",
            "cistron.study.scoring_expression:ExpressionTaskSettings",
            {"cells": True},
            "genes",
            evidence=("expression",),
            task="expression",
        ),
    )
}


def find_kind(name: object, where: str) -> TaskKind:
    """The kind of a name.

    Raises
    ------
    InputError
        If there is none; the nearest is named.
    """
    if not isinstance(name, str) or name not in KINDS:
        raise InputError(
            f"{where}: kind must be one of {', '.join(KINDS)}. Given: {name!r}{nearest(str(name), KINDS)}"
        )
    return KINDS[name]
