"""What a user calls: cells in, edges out, by any method of the list."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anndata
import numpy as np

from cistron.errors import InputError
from cistron.formats.edges import Edges, write_edges
from cistron.formats.gene_embedding import build_gene_embedding, write_gene_embedding
from cistron.formats.perturbed_cells import PerturbedCells, ReadingSettings, assemble_cells
from cistron.methods import Estimator, Method
from cistron.networks.inputs import read_cells, read_regulators, regulator_remarks
from cistron.networks.methods import METHODS
from cistron.networks.network import Network
from cistron.runtime import RunRecord, check_writable, limit_threads, record_path, say


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

    @property
    def genes(self) -> tuple[str, ...]:
        """Genes of the fitted network."""
        return tuple(self._fitted().genes)

    def _fitted(self) -> Network:
        if self.network is None:
            raise InputError("no network was inferred yet; call fit(cells) or infer(cells) first")
        return self.network

    def edges(self, count: int | None = 1000, *, name: str | None = None, cells_used: str = "all") -> Edges:
        """Give the strongest edges of the fitted network.

        Parameters
        ----------
        count
            Number of edges; all that are scored when ``None``.
        name
            Name of the network; that of the method when absent.
        cells_used
            Which cells it was fitted on, recorded: ``all`` or ``training``.
        """
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

    def infer_file(
        self,
        cells: str | Path,
        output: str | Path,
        *,
        edges: int | None = 1000,
        name: str | None = None,
        embedding: str | Path | None = None,
        training_cells: bool = False,
        strong_only: bool = False,
        regulators: str | Path | None = None,
        reading: ReadingSettings | None = None,
        threads: int | None = None,
    ) -> Edges:
        """Infer a network from a file of cells and write its edges, with a record of the run beside them.

        Parameters
        ----------
        cells
            File of cells.
        output
            Table of edges, .tsv or .tsv.gz.
        edges
            Number of edges to write; all that are scored when ``None``.
        name
            Name of the network; that of the method when absent.
        embedding
            Also write the gene embedding of a method that learns one, .h5ad.
        training_cells, strong_only
            As of :func:`cistron.networks.inputs.read_cells`.
        regulators
            File of the genes that may be sources (:func:`cistron.networks.inputs.read_regulators`); all when absent.
        reading
            How the cells are read.
        threads
            Threads of numerical libraries.

        Returns
        -------
        Edges
            What was written.

        Raises
        ------
        InputError
            If the cells cannot be read, the method learns no embedding, or an output cannot be written.
        """
        cells, output, method = Path(cells), Path(output), self.record
        reading = reading or ReadingSettings()
        if embedding is not None and not method.traits.learns_genes:
            raise InputError(
                f"method {method.name} learns no gene embedding; use {_learning()} with --embedding"
            )
        if not output.name.endswith((".tsv", ".tsv.gz")):
            raise InputError(f"edges are written as .tsv or .tsv.gz. Given: --output {output.name}")
        if not cells.exists():
            raise InputError(f"cells {cells} do not exist")
        for path in (output, *([embedding] if embedding else [])):
            check_writable(path)
        chosen = {"method": method.name, "preset": self.preset, "settings": self.settings_in_force()}
        allowed = None if regulators is None else read_regulators(regulators)
        inputs = [cells, *reading.files, *([regulators] if regulators else [])]
        run = RunRecord("networks infer", chosen, inputs, self.seed)
        with limit_threads(threads):
            data, remarks = read_cells(
                cells,
                strong_only=strong_only,
                training_cells=training_cells,
                seed=self.seed,
                reading=reading,
            )
            for remark in [*remarks, *regulator_remarks(allowed, data.genes)]:
                say(f"{data.name}: {remark}")
                run.warn(remark)
            network = self.fit(data, allowed)._fitted()
            table = self.edges(edges, name=name, cells_used="training" if training_cells else "all")
        if "cell_states" in network.details:
            shares = network.details["cell_states"]
            remark = (
                f"control cells come in {len(shares)} states ({', '.join(f'{100 * share:.0f}%' for share in shares)}) that perturbations "
                "leave as they are; each cell is compared with control cells of its own (not with --default.no-cell-states)"
            )
            say(remark)
            run.warn(remark)
        if network.details.get("direct_effects") is False:
            reason = (
                "fewer than 20 genes were perturbed"
                if network.details["perturbations"] != "activity"
                else "most perturbed genes do not visibly move (taken as perturbations of activity)"
            )
            remark = f"{reason}, so direct and indirect effects are not told apart"
            say(remark)
            run.warn(remark)
        write_edges(table, output)
        if embedding is not None:
            write_gene_embedding(self.embed(name), embedding)
        run.record("edges", len(table))
        run.write(record_path(output))
        return table

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
