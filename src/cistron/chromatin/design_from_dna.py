"""What expression follows when DNA has moved the marks of a design: the last judge of base changes."""

from pathlib import Path

import numpy as np
import pandas as pd

from cistron.chromatin.fitted_model import ChromatinModel
from cistron.chromatin.saving import load_chromatin_model
from cistron.errors import InputError
from cistron.formats.designed_epigenome import DesignedEpigenome

LEVEL_COLUMNS = ("gene", "cell_type", "role", "start", "wanted", "designed", "edited")


def expression_after_edits(
    model: str | Path, design: DesignedEpigenome, tracks: pd.DataFrame
) -> pd.DataFrame:
    """Predict expression from the marks that edited DNA is predicted to have.

    The predicted change of each track is added to the gene's own marks, in the bins of the design; marks that no track stands for
    stay as they were.

    Parameters
    ----------
    model
        Folder of a model of ``cistron chromatin train``; one that did not make the design judges it.
    design
        The design.
    tracks
        ``gene``, ``cell_type``, ``mark``, ``start``, ``end`` (0-based, half-open), ``before``, ``after``, one row a track and bin.

    Returns
    -------
    DataFrame
        :data:`LEVEL_COLUMNS`, one row a gene and cell type; what is wanted is the change that the design wants, from where this
        model sees the gene.

    Raises
    ------
    InputError
        If the model was fitted on other windows or other marks.
    """
    fitted = load_chromatin_model(model)
    made = (int(design.tracks.values.shape[3]), design.tracks.bin_size)
    if made != (fitted.facts["bins"], fitted.facts["bin_size"]) or fitted.facts.get("gene_body_bins"):
        raise InputError(
            f"the design has {made[0]} bins of {made[1]} bp, {Path(model).name} was fitted on {fitted.facts['bins']} of "
            f"{fitted.facts['bin_size']} bp; give a model of the same windows"
        )
    marks = design.tracks.tracks["name"].tolist()
    order = [marks.index(mark) if mark in marks else -1 for mark in fitted.marks]
    if max(order) < 0:
        raise InputError(
            f"{Path(model).name} knows none of the marks of the design ({', '.join(marks)}); it knows {', '.join(fitted.marks)}"
        )
    original = np.nan_to_num(design.original)
    designed = np.stack([np.asarray(design.tracks.values[row]) for row in range(len(original))])
    edited = original + binned_change(design, tracks)
    start, of_design, of_dna = (
        _predicted(fitted, values, design.tracks.measured, order)
        for values in (original, np.nan_to_num(designed), edited.clip(min=0))
    )
    wish = design.outcome.assign(gene=design.outcome["gene"].astype(str))
    rows = []
    for row, gene in enumerate(design.tracks.sequences["name"].astype(str)):
        own = wish[wish["gene"] == gene].set_index("cell_type")
        for cell, name in enumerate(design.tracks.cell_types):
            asked = own.loc[name] if name in own.index else None
            change = 0.0 if asked is None else float(asked["wanted"] - asked["start"])
            role = "held" if asked is None else str(asked["role"])
            predicted = (start[row, cell], of_design[row, cell], of_dna[row, cell])
            rows.append((gene, name, role, predicted[0], predicted[0] + change, *predicted[1:]))
    return pd.DataFrame(rows, columns=list(LEVEL_COLUMNS))


def binned_change(design: DesignedEpigenome, tracks: pd.DataFrame) -> np.ndarray:
    """Predicted change of each mark in the bins of a design, float32 [gene, cell type, mark, bin].

    Parameters
    ----------
    design
        The design.
    tracks
        As of :func:`expression_after_edits`.
    """
    size, shape = design.tracks.bin_size, design.original.shape
    change = np.zeros(shape, np.float64)
    cells, marks = design.tracks.cell_types, design.tracks.tracks["name"].tolist()
    names = design.tracks.sequences["name"].astype(str).tolist()
    for (gene, cell, mark), part in tracks.groupby(["gene", "cell_type", "mark"], sort=False):
        row = names.index(str(gene))
        window = design.tracks.sequences.iloc[row]
        base = np.zeros(shape[3] * size)  # a value a base pair, along the genome
        for one in part.itertuples():
            left, right = int(one.start) - int(window["start"]), int(one.end) - int(window["start"])
            base[max(left, 0) : max(right, 0)] = one.after - one.before
        binned = base.reshape(shape[3], size).mean(axis=1)
        minus = str(window["strand"]) == "-"
        change[row, cells.index(str(cell)), marks.index(str(mark))] = binned[::-1] if minus else binned
    return change.astype(np.float32)


def _predicted(
    model: ChromatinModel, values: np.ndarray, measured: np.ndarray, order: list[int]
) -> np.ndarray:
    """Mean of the networks, float [gene, cell type]; marks that the design lacks are masked."""
    known = np.array(order) >= 0
    taken = np.where(known[:, None], values[:, :, order], 0).astype(np.float32)
    return model.predict_each(taken, measured[:, order] & known).mean(axis=0)
