"""What a user calls: a store of marks and expression in; a model, predictions, an embedding out."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.chromatin.fitting import Task
from cistron.chromatin.methods import METHODS
from cistron.chromatin.model import ChromatinModel
from cistron.chromatin.parts import HeldOut, Parts, choose_parts
from cistron.chromatin.settings import NetworkSettings
from cistron.chromatin.signal import MEMORY_BYTES, permutation_of
from cistron.errors import InputError
from cistron.formats.gene_tracks import GeneTracks
from cistron.formats.prediction import prediction
from cistron.methods import Estimator, Method

_PARTS = ("train", "validation", "test")


class ExpressionPredictor(Estimator):
    """Predict the expression of genes from the histone marks around their start sites.

    Parameters
    ----------
    settings
        Whole settings of the method, or some settings by dotted name, which win over the preset: ``{"members": 3}``.
    method
        Name of the method, of :data:`cistron.chromatin.methods.METHODS`.
    preset
        Named settings that ``settings`` by name are put over.
    seed
        Seed of everything random.

    Examples
    --------
    >>> predictor = ExpressionPredictor(method="ridge")
    >>> model = predictor.fit(open_gene_tracks("marks.zarr"))  # doctest: +SKIP
    >>> result = predict_expression(model, open_gene_tracks("marks.zarr"))  # doctest: +SKIP
    """

    def __init__(
        self, settings: Any = None, *, method: str = "network", preset: str = "default", seed: int = 0
    ) -> None:
        self.settings = settings
        self.method = method
        self.preset = preset
        self.seed = seed
        self.settings_in_force()  # raises on what does not fit

    @property
    def record(self) -> Method:
        """The record of the method."""
        return METHODS.find(self.method)

    def settings_in_force(self) -> Any:
        """Settings after preset and given names."""
        return METHODS.resolve(self.method, self.settings, self.preset)

    def fit(
        self,
        store: GeneTracks,
        *,
        parts: Parts | None = None,
        held_out: HeldOut = "genes",
        permuted: bool = False,
        directory: str | Path | None = None,
        memory: int = MEMORY_BYTES,
    ) -> ChromatinModel:
        """Fit on the training part.

        Parameters
        ----------
        store
            Marks and expression.
        parts
            Split; of :func:`choose_parts` when absent.
        held_out
            What is held out, where ``parts`` is absent.
        permuted
            Give each gene the marks of another: the negative control.
        directory
            Folder that a killed run is taken up from.
        memory
            Bytes of marks that may be held; more is streamed from disk.

        Returns
        -------
        ChromatinModel
            The fitted model.
        """
        store.require_expression()
        parts = parts or choose_parts(store, held_out)
        method, settings = self.record, self.settings_in_force()
        if isinstance(settings, NetworkSettings) and (method.name == "per-cell") != (
            settings.merge == "none"
        ):
            raise InputError(f"method {method.name} does not go with merge {settings.merge!r}")
        identity = {
            "store": store.tracks.header["name"],
            "genes": store.genes,
            "tracks": store.origin.to_dict("list"),
            "parameters": store.parameters,
            "permuted": permuted,
            "training": sorted(parts.genes.train),
            "cell_types": sorted(parts.cell_types.train),
        }
        permutation = permutation_of(store, self.seed) if permuted else None
        task = Task(
            store,
            parts,
            self.seed,
            None if directory is None else Path(directory),
            memory,
            permutation,
            identity,
        )
        fitted, found = method(task, settings)
        header = store.tracks.header
        facts = {
            "method": method.name,
            "marks": store.marks,
            "bins": store.bins,
            "bin_size": store.tracks.bin_size,
            "transform": store.parameters.get("transform", ""),
            "scale": store.scale,
            "dataset": header["name"],
            "genome_build": header["genome_build"],
            "licence": header["licence"],
            "seed": self.seed,
            "control": "permuted input" if permuted else "",
            "genes": {part: sorted(getattr(parts.genes, part)) for part in _PARTS},
            "cell_types": {part: sorted(getattr(parts.cell_types, part)) for part in _PARTS},
            **found,
        }
        return ChromatinModel(method.name, settings, facts, **fitted)


def model_parts(model: ChromatinModel, names: list[str], axis: str) -> list[str]:
    """Part of each gene or cell type (``axis``) in the fit of a model; ``unused`` where it took no part."""
    part_of = {name: part for part in _PARTS for name in model.facts[axis][part]}
    return [part_of.get(name, "unused") for name in names]


def read_marks(
    model: ChromatinModel, store: GeneTracks, rows: np.ndarray, permutation: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Marks of some genes in the order of the model: float32 [gene, cell type, mark, bin] and bool [cell type, mark]."""
    order = model.mark_order(store)
    source = rows if permutation is None else permutation[rows]
    unique, back = np.unique(source, return_inverse=True)
    values = store.tracks.values.take(unique)[back][:, :, np.maximum(order, 0)]
    measured = store.tracks.measured[:, np.maximum(order, 0)] & (order >= 0)
    return np.where(measured[None, :, :, None], values, np.float32(0)), measured


def predict_expression(
    model: ChromatinModel, store: GeneTracks, *, name: str | None = None, block: int = 512
) -> anndata.AnnData:
    """Predict all genes and cell types of a store, in the shared format.

    Parameters
    ----------
    model
        Fitted model.
    store
        Marks; where it has expression, that stands beside.
    name
        Name of the prediction; that of the method when absent.
    block
        Genes read at once.

    Returns
    -------
    AnnData
        ``layers["predicted"]`` and ``["observed"]`` float32 [cell type, gene]; of an ensemble also ``layers["std"]``.

    Raises
    ------
    InputError
        If store and model do not go together.
    """
    genes = len(store.genes)
    predicted = np.full((len(store.cell_types), genes), np.nan, np.float32)
    spread = np.full_like(predicted, np.nan)
    if model.method == "gene-mean":
        means = np.array([model.gene_means.get(gene, np.nan) for gene in store.genes], np.float32)
        predicted[:] = means
        seen = {name for part in ("train",) for name in model.facts["cell_types"][part]}
        # the mean of the training cell types is no prediction of one of them
        predicted[[name in seen for name in store.cell_types]] = np.nan
    else:
        permutation = permutation_of(store, model.facts["seed"]) if model.facts["control"] else None
        for start in range(0, genes, block):
            rows = np.arange(start, min(start + block, genes))
            values, measured = read_marks(model, store, rows, permutation)
            each = model.predict_each(values, measured)
            predicted[:, rows] = each.mean(axis=0).T
            spread[:, rows] = each.std(axis=0).T
    # without expression only the table form can be written: nothing stands beside
    observed = store.expression if store.expression is not None else np.zeros((genes, len(predicted)))
    sequences = store.tracks.sequences
    settings = asdict(model.settings)
    result = prediction(
        predicted,
        np.asarray(observed, np.float32).T,
        pd.DataFrame(
            {
                "split": model_parts(model, store.cell_types, "cell_types"),
                "cell_type": store.cell_types,
            },
            index=store.cell_types,
        ),
        pd.DataFrame(
            {
                "split": model_parts(model, store.genes, "genes"),
                "chromosome": sequences["chromosome"].to_numpy(),
            },
            index=store.genes,
        ),
        name=name or (f"{model.method}, permuted" if model.facts["control"] else model.method),
        method=model.method,
        unit="cell type",
        scale=store.scale or model.facts["scale"],
        dataset=str(store.tracks.header["name"]),
        evidence="" if model.method == "gene-mean" else "chromatin",
        control=model.facts["control"],
        genome_build=str(store.tracks.header["genome_build"]),
        parameters={"settings": settings, "marks": model.marks},
        seed=model.facts["seed"],
    )
    if len(model.networks) > 1:
        result.layers["std"] = spread
    return result
