"""What a user calls: a store of marks and expression in; a model, predictions, an embedding out."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.chromatin.fitted_model import ChromatinModel
from cistron.chromatin.fitting_data import FittingData
from cistron.chromatin.methods import METHODS
from cistron.chromatin.saving import load_chromatin_model, save_chromatin_model
from cistron.chromatin.settings import NetworkSettings
from cistron.chromatin.signal import MEMORY_BYTES, permutation_of
from cistron.chromatin.splits import HeldOut, TwoAxisSplit, choose_split
from cistron.errors import InputError
from cistron.formats.gene_tracks import LAYOUT, GeneTracks, open_gene_tracks
from cistron.formats.prediction import prediction, write_prediction
from cistron.methods import Estimator, Method
from cistron.runtime import RunRecord, atomic_path, check_writable, limit_threads, track
from cistron.runtime.processes import keeps

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
        split: TwoAxisSplit | None = None,
        held_out: HeldOut = "genes",
        permuted: bool = False,
        directory: str | Path | None = None,
        memory: int = MEMORY_BYTES,
        parts: TwoAxisSplit | None = None,
    ) -> ChromatinModel:
        """Fit on the training part.

        Parameters
        ----------
        store
            Marks and expression.
        split
            Genes and cell types to fit on, to stop by and to test on; of :func:`choose_split` when absent.
        held_out
            What is held out, where ``split`` is absent.
        permuted
            Give each gene the marks of another: the negative control.
        directory
            Folder that a killed run is taken up from.
        memory
            Bytes of marks that may be held; more is streamed from disk.
        parts
            Name of ``split`` until 0.3.

        Returns
        -------
        ChromatinModel
            The fitted model.
        """
        store.require_expression()
        split = split or parts or choose_split(store, held_out)
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
            "training": sorted(split.genes.train),
            "cell_types": sorted(split.cell_types.train),
        }
        permutation = permutation_of(store, self.seed) if permuted else None
        data = FittingData(
            store,
            split,
            self.seed,
            None if directory is None else Path(directory),
            memory,
            permutation,
            identity,
        )
        fitted, found = method(data, settings)
        header = store.tracks.header
        facts = {
            "method": method.name,
            "marks": store.marks,
            "bins": store.bins,
            "bin_size": store.tracks.bin_size,
            "transform": store.parameters.get("transform", ""),
            **{key: store.parameters[key] for key in LAYOUT if store.parameters.get(key)},
            "scale": store.scale,
            "dataset": header["name"],
            "genome_build": header["genome_build"],
            "licence": header["licence"],
            "seed": self.seed,
            "control": "permuted input" if permuted else "",
            "genes": {part: sorted(getattr(split.genes, part)) for part in _PARTS},
            "cell_types": {part: sorted(getattr(split.cell_types, part)) for part in _PARTS},
            **found,
        }
        return ChromatinModel(method.name, settings, facts, **fitted)

    def train_files(
        self,
        data: str | Path,
        output: str | Path,
        *,
        held_out: HeldOut = "genes",
        validation_cell_types: Sequence[str] = (),
        test_cell_types: Sequence[str] = (),
        permuted: bool = False,
        memory: int = MEMORY_BYTES,
        threads: int | None = None,
    ) -> ChromatinModel:
        """Fit on a store and write the model.

        While a network is fitted its checkpoints lie in ``OUTPUT.fit``; the same call goes on from there after an interrupt.

        Parameters
        ----------
        data
            Store of :func:`cistron.chromatin.build.build_gene_tracks`.
        output
            Folder of the model; ``run.json`` and the record of each network stand in it.
        held_out, validation_cell_types, test_cell_types
            As of :func:`cistron.chromatin.splits.choose_split`.
        permuted, memory
            As of :meth:`fit`.
        threads
            Threads of numerical libraries.

        Returns
        -------
        ChromatinModel
            The fitted model.

        Raises
        ------
        InputError
            If the store cannot be read or fitted on, or the output cannot be written.
        """
        data, output = Path(data), check_writable(output)
        store = open_gene_tracks(data)
        store.require_expression()
        split = choose_split(store, held_out, validation_cell_types, test_cell_types)
        chosen = {"method": self.method, "preset": self.preset, "settings": self.settings_in_force()}
        run = RunRecord("chromatin train", chosen, [data / "zarr.json"], self.seed)
        directory = output.with_name(output.name + ".fit")
        with limit_threads(threads):
            model = self.fit(store, split=split, permuted=permuted, directory=directory, memory=memory)
        save_chromatin_model(model, output)
        for name in ("validation_losses", "epochs", "seconds"):
            if name in model.facts:
                run.record(name, model.facts[name])
        run.write(output / "run.json")
        if keeps(directory):
            for log in directory.glob("*/log.csv"):
                shutil.copy(log, output / f"{log.parent.name}.log.csv")
            shutil.rmtree(directory)
        return model


def model_parts(model: ChromatinModel, names: list[str], axis: str) -> list[str]:
    """Say which part of the split each gene or cell type was in when a model was fitted.

    Parameters
    ----------
    model
        Fitted model.
    names
        Genes or cell types.
    axis
        ``genes`` or ``cell_types``.

    Returns
    -------
    list of str
        ``train``, ``validation``, ``test``, or ``unused`` where it took no part.
    """
    part_of = {name: part for part in _PARTS for name in model.facts[axis][part]}
    return [part_of.get(name, "unused") for name in names]


def read_marks(
    model: ChromatinModel, store: GeneTracks, rows: np.ndarray, permutation: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Read the marks of some genes, in the order of the model's marks.

    Parameters
    ----------
    model
        Fitted model.
    store
        Marks.
    rows
        Rows of the genes in the store.
    permutation
        For the negative control: gene i gets the marks of gene ``permutation[i]``.

    Returns
    -------
    ndarray
        Values, float32 [gene, cell type, mark, bin], 0 where a track was not measured.
    ndarray
        Which tracks were measured, bool [cell type, mark].

    Raises
    ------
    InputError
        If a measured track has a value that is not finite.
    """
    order = model.mark_order(store)
    source = rows if permutation is None else permutation[rows]
    unique, back = np.unique(source, return_inverse=True)
    values = store.tracks.values.take(unique)[back][:, :, np.maximum(order, 0)]
    measured = store.tracks.measured[:, np.maximum(order, 0)] & (order >= 0)
    known = np.where(measured[None, :, :, None], values, np.float32(0))
    bad = ~np.isfinite(known).all(axis=(1, 2, 3))
    if bad.any():  # what a store of an earlier version reads as where a part of it is lost
        raise InputError(
            f"{store.path.name}: gene {store.genes[source[bad][0]]} has no finite value in a track that is marked as measured; copy or "
            "build the store again"
        )
    return known, measured


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
        seen = model.facts["cell_types"]["train"]
        # the mean of the training cell types is no prediction of one of them
        predicted[[name in seen for name in store.cell_types]] = np.nan
    else:
        permutation = permutation_of(store, model.facts["seed"]) if model.facts["control"] else None
        for start in track(range(0, genes, block), "predicting", unit=f"blocks of {block} genes"):
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


def predict_files(
    model: str | Path,
    data: str | Path,
    output: str | Path,
    *,
    name: str | None = None,
    threads: int | None = None,
) -> anndata.AnnData:
    """Predict all genes and cell types of a store and write the prediction.

    Parameters
    ----------
    model
        Folder of a model.
    data
        Store of :func:`cistron.chromatin.build.build_gene_tracks`.
    output
        Prediction (.h5ad), or a table of genes x cell types (.tsv, .tsv.gz), the only form for data without expression.
    name
        Name of the prediction; that of the method when absent.
    threads
        Threads of numerical libraries.

    Returns
    -------
    AnnData
        The prediction.

    Raises
    ------
    InputError
        If store and model do not go together, or the output cannot be written.
    """
    output = check_writable(output)
    store, fitted = open_gene_tracks(data), load_chromatin_model(model)
    table = output.name.endswith((".tsv", ".tsv.gz"))
    if not table:
        if output.suffix != ".h5ad":
            raise InputError(f"predictions are written as .h5ad or .tsv. Given: {output.name}")
        store.require_expression()
    with limit_threads(threads):
        result = predict_expression(fitted, store, name=name)
    if table:
        values = np.asarray(result.layers["predicted"]).T
        frame = pd.DataFrame(values, index=store.genes, columns=store.cell_types)
        with atomic_path(output) as partial:
            frame.to_csv(partial, sep="\t", float_format="%.5g", index_label="gene")
    else:
        write_prediction(output, result)
    return result
