"""What a user calls: cells in, edges out, by any method of the list."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import anndata
import numpy as np

from cistron.errors import InputError
from cistron.formats.edges import Edges
from cistron.formats.gene_embedding import build_gene_embedding
from cistron.formats.perturbed_cells import PerturbedCells, assemble_cells
from cistron.methods import Estimator, Method
from cistron.networks.methods import METHODS
from cistron.networks.network import Network


class NetworkInference(Estimator):
    """Infer a gene network from perturbed cells.

    Parameters
    ----------
    settings
        Whole settings of the method (its record in ``methods.METHODS`` names the class), or some settings by dotted
        name, which win over the preset: ``{"steps": 10}``.
    method
        Name of the method.
    preset
        Named settings that ``settings`` by name are put over.
    seed
        Seed of everything random.

    Examples
    --------
    >>> from cistron.networks import NetworkInference
    >>> inference = NetworkInference(method="mean-shift")
    >>> edges = inference.infer(cells, edges=100)  # doctest: +SKIP
    """

    def __init__(
        self, settings: Any = None, *, method: str = "default", preset: str = "default", seed: int = 0
    ) -> None:
        self.settings = settings
        self.method = method
        self.preset = preset
        self.seed = seed
        self.settings_in_force()  # raises on what does not fit
        self.network: Network | None = None
        self.cells_name = ""
        self.namespace = "other"

    @property
    def record(self) -> Method:
        """The record of the method."""
        return METHODS.find(self.method)

    def settings_in_force(self) -> Any:
        """Settings after preset and given names."""
        return METHODS.resolve(self.method, self.settings, self.preset)

    def fit(self, cells: PerturbedCells, regulators: Sequence[str] | None = None) -> "NetworkInference":
        """Score all pairs of genes; the scores are kept in ``network``.

        Only ``regulators`` may be sources, all genes when ``None``.
        """
        network = self.record(cells, self.settings_in_force(), self.seed)
        self.network = network if regulators is None else network.from_sources(regulators)
        self.cells_name, self.namespace = cells.name, cells.identifier_namespace
        return self

    def _fitted(self) -> Network:
        if self.network is None:
            raise InputError("no network was inferred yet; call fit(cells) or infer(cells) first")
        return self.network

    def edges(self, count: int | None = 1000, *, name: str | None = None, cells_used: str = "all") -> Edges:
        """Give the ``count`` strongest edges of the fitted network (all when ``None``)."""
        network = self._fitted()
        parameters = {
            "settings": asdict(self.settings_in_force()),
            "data": self.cells_name,
            "cells": cells_used,
            "weight": self.record.meaning,
            **network.details,
        }
        return network.edges(
            count,
            name=name or self.record.name,
            method=self.record.name,
            identifier_namespace=self.namespace,
            seed=self.seed,
            parameters=parameters,
        )

    def infer(self, cells: PerturbedCells, edges: int | None = 1000) -> Edges:
        """Fit and give the strongest edges."""
        return self.fit(cells).edges(edges)

    def embed(self, name: str | None = None) -> anndata.AnnData:
        """Give the gene embedding of a method that learns one (``catran``), in the shared format.

        Raises
        ------
        InputError
            If the method learns none.
        """
        network = self._fitted()
        if network.gene_embedding is None:
            raise InputError(f"method {self.record.name} learns no gene embedding; use {_learning()}")
        return build_gene_embedding(
            network.gene_embedding,
            list(network.genes),
            name=name or self.record.name,
            method=self.record.name,
            evidence="expression+perturbation" if self.cells_name else "expression",
            identifier_namespace=self.namespace,
            seed=self.seed,
            parameters=asdict(self.settings_in_force()),
        )


class CausalBenchModel(Estimator):
    """Any method of cistron behind CausalBench's interface.

    CausalBench's runner takes the path of a Python file and uses the class in it that derives from its own
    ``AbstractInferenceModel``; such a file is two lines (page ``docs/wings/networks.md``)::

        class Model(CausalBenchModel, AbstractInferenceModel):
            pass

    Parameters
    ----------
    method
        Name of the method.
    edges
        Edges to return; all that are scored when ``None``.
    perturbed_sources
        Return only edges whose source was perturbed, where any was: CausalBench's evaluator raises KeyError for others.
    """

    def __init__(
        self, method: str = "default", edges: int | None = 1000, perturbed_sources: bool = True
    ) -> None:
        self.method = method
        self.edges = edges
        self.perturbed_sources = perturbed_sources

    def __call__(
        self,
        expression_matrix: np.ndarray,
        interventions: Sequence[str],
        gene_names: Sequence[str],
        training_regime: Any = None,
        seed: int = 0,
    ) -> list[tuple[str, str]]:
        """Infer edges from log-normalised cells.

        Parameters
        ----------
        expression_matrix
            Float [cell, gene].
        interventions
            Perturbed gene of each cell, ``non-targeting`` or ``excluded``.
        gene_names
            Identifiers of the columns.
        training_regime
            Not used: what the cells allow is found out from them. Without perturbed cells the partial
            correlation stands in for methods that need them.
        seed
            Seed of the method.

        Returns
        -------
        list of (str, str)
            The strongest edges (source, target), strongest first.
        """
        method = self.method
        labels = list(interventions)
        observational = not set(labels) & set(gene_names)
        if observational:
            if METHODS.find(method).traits.interventions:
                method = "partial-correlation"
            cells = _observed(expression_matrix, gene_names)
        else:
            cells = assemble_cells(
                expression_matrix,
                list(gene_names),
                labels,
                control="non-targeting",
                excluded=("excluded",),
                name="CausalBench cells",
            )
        # pairs carry no stability
        settings = {"resamples": 0} if method == "default" else None
        pairs = NetworkInference(settings, method=method, seed=seed).infer(cells, None).pairs()
        if self.perturbed_sources and len(cells.perturbed):
            perturbed = {cells.genes[gene] for gene in cells.perturbed}
            pairs = [pair for pair in pairs if pair[0] in perturbed]
        return pairs[: self.edges]


def _observed(matrix: np.ndarray, genes: Sequence[str]) -> PerturbedCells:
    from scipy import sparse

    values = sparse.csr_matrix(matrix, dtype=np.float32)
    return PerturbedCells(
        values,
        tuple(genes),
        np.full(values.shape[0], -1),
        "log-normalised",
        "other",
        name="CausalBench cells",
    )


def _learning() -> str:
    return " or ".join(f"--method {method.name}" for method in METHODS.values() if method.traits.learns_genes)
