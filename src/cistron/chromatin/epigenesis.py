"""In-silico epigenesis: slide a peak of each mark along the window and read the predicted expression.

Batra, Spence and Song, section 3: "we artificially ablate all peaks from a particular histone modification's track [...] then
slide a peak of length 1 kb (corresponding to a p-value of 1e-20)". Here also: in one cell type alone, on the gene's real
marks, averaged over genes with intervals.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from cistron.chromatin.epigenesis_output import gene_places, write_epigenesis_folder
from cistron.chromatin.estimator import model_parts, read_marks
from cistron.chromatin.fitted_model import ChromatinModel
from cistron.chromatin.model_quality import model_quality
from cistron.chromatin.saving import load_chromatin_model
from cistron.chromatin.settings import EpigenesisSettings
from cistron.errors import InputError
from cistron.formats.epigenesis import EpigenesisMap
from cistron.formats.gene_tracks import GeneTracks, open_gene_tracks
from cistron.runtime import RunRecord, check_writable, limit_threads, random_generator, run_each
from cistron.statistics.bootstrap import block_draws, percentile_interval

ALL, OTHERS = "all", "others"


def epigenesis(
    model: ChromatinModel,
    store: GeneTracks,
    genes: np.ndarray,
    settings: EpigenesisSettings | None = None,
    *,
    seed: int = 0,
) -> EpigenesisMap:
    """Slide a peak of each mark and read the change of predicted expression.

    Parameters
    ----------
    model
        Network or ridge.
    store
        Marks of the background; of an empty background only names and sizes are taken.
    genes
        Rows of the genes to average over.
    settings
        What is slid where.
    seed
        Seed of the draw of genes and of the bootstrap.

    Returns
    -------
    EpigenesisMap
        Effects by gene, mark, place and cell type, and a table of their means with intervals.

    Raises
    ------
    InputError
        If the cell type is unknown, or the peak does not fit the window.
    """
    settings = settings or EpigenesisSettings()
    size = store.tracks.bin_size
    width, stride = max(1, round(settings.width / size)), max(1, round(settings.stride / size))
    if width > store.bins:
        raise InputError(f"a peak of {settings.width:,} bp does not fit a window of {store.bins * size:,} bp")
    where = _numbers(store, settings.cell_type)
    chosen = _drawn(np.asarray(genes), 1 if settings.background == "empty" else settings.genes, seed)
    starts = np.arange(0, store.bins - width + 1, stride)
    height = _height(model, settings.height)
    each, reference = zip(
        *run_each(
            _of_gene,
            [{"gene": int(gene)} for gene in chosen],
            {
                "model": model,
                "store": store,
                "where": where,
                "starts": starts,
                "width": width,
                "height": height,
                "background": settings.background,
            },
            description="epigenesis",
            unit="genes",
        )
    )
    effects = np.stack(each)  # [gene, member, mark, place, cell type]
    marks = [mark for mark, far in zip(model.marks, model.distal) if not far]
    table = _table(effects, marks, store, starts, width, where, settings, seed)
    return EpigenesisMap(
        effect=effects.mean(axis=1).astype(np.float32),
        reference=np.stack(reference).astype(np.float32),
        table=table,
        genes=[store.genes[gene] for gene in chosen] if settings.background != "empty" else ["(none)"],
        marks=marks,
        cell_types=store.cell_types,
        starts=((starts - store.bins // 2) * size).tolist(),
        width=width * size,
        facts={
            "background": settings.background,
            "peak_in": settings.cell_type or ALL,
            "height": settings.height,
            "scale": model.facts["scale"],
            "dataset": str(store.tracks.header["name"]),
            "method": model.method,
            "members": int(effects.shape[1]),
            **({"gene_body_bins": store.gene_body_bins} if store.gene_body_bins else {}),
            "seed": seed,
        },
    )


def _numbers(store: GeneTracks, name: str | None) -> np.ndarray:
    if name is None:
        return np.arange(len(store.cell_types))
    if name not in store.cell_types:
        raise InputError(
            f"there is no cell type {name!r} in {store.path.name}; it has {', '.join(store.cell_types)}"
        )
    return np.array([store.cell_types.index(name)])


def _drawn(genes: np.ndarray, number: int, seed: int) -> np.ndarray:
    if not len(genes):
        raise InputError("epigenesis needs at least one gene")
    if len(genes) <= number:
        return genes
    return np.sort(random_generator(seed, "epigenesis genes").permutation(genes)[:number])


def _height(model: ChromatinModel, height: float) -> float:
    """Height of the peak on the scale of the values."""
    return float(np.log1p(height)) if model.logarithmic else height


def _of_gene(
    model: ChromatinModel, store: GeneTracks, gene: int, background: str, **peak: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Effects and reference of one gene, as of :func:`_slide`."""
    values, measured = read_marks(model, store, np.array([gene]))
    values, measured = values[0], measured.copy()
    if background == "empty":
        values, measured = np.zeros_like(values), np.ones_like(measured)
    return _slide(model, values, measured, background=background, **peak)


def _slide(
    model: ChromatinModel,
    values: np.ndarray,
    measured: np.ndarray,
    where: np.ndarray,
    starts: np.ndarray,
    width: int,
    height: float,
    background: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Effects [member, mark, place, cell type] and reference [mark, cell type] for one gene."""
    effects, references = [], []
    for mark in np.flatnonzero(~model.distal).tolist():  # a track over distal elements has no places
        base, mask = values.copy(), measured.copy()
        mask[where, mark] = True  # what gets a peak is known there
        if background == "ablated":
            base[:, mark] = 0.0
        batch = np.repeat(base[None], len(starts) + 1, axis=0)
        for number, start in enumerate(starts):
            part = batch[number + 1, where, mark, start : start + width]
            batch[number + 1, where, mark, start : start + width] = np.maximum(part, height)
        predicted = model.predict_each(batch, mask)  # [member, 1 + place, cell type]
        references.append(predicted[:, 0].mean(axis=0))
        effects.append(predicted[:, 1:] - predicted[:, :1])
    return np.stack(effects, axis=1), np.stack(references)


def _table(
    effects: np.ndarray,
    marks: Sequence[str],
    store: GeneTracks,
    starts: np.ndarray,
    width: int,
    where: np.ndarray,
    settings: EpigenesisSettings,
    seed: int,
) -> pd.DataFrame:
    """Means with intervals: over genes by bootstrap, or over networks where all genes are alike (empty background)."""
    reads: dict[str, np.ndarray] = {ALL if len(where) > 1 else store.cell_types[where[0]]: where}
    if settings.cell_type is not None and len(store.cell_types) > 1:
        reads[OTHERS] = np.setdiff1d(np.arange(len(store.cell_types)), where)
    elif len(where) > 1:
        reads |= {name: np.array([number]) for number, name in enumerate(store.cell_types)}
    frames = []
    for name, numbers in reads.items():
        values = np.nanmean(effects[..., numbers], axis=-1)  # [gene, member, mark, place]
        mean, low, high, kind = _interval(values, settings.draws, seed)
        first = (np.tile(starts, len(marks)) - store.bins // 2) * store.tracks.bin_size
        frames.append(
            pd.DataFrame(
                {
                    "mark": np.repeat(list(marks), len(starts)),
                    "start": first,
                    "end": first + width * store.tracks.bin_size,
                    "peak_in": settings.cell_type or ALL,
                    "read_in": name,
                    "effect": mean.ravel(),
                    "low": low.ravel(),
                    "high": high.ravel(),
                    "interval": kind,
                    "n": len(values) if len(values) > 1 else values.shape[1],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _interval(values: np.ndarray, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Mean [mark, place] and its 95% interval of [gene, member, mark, place]."""
    mean = values.mean(axis=(0, 1))
    genes, members = values.shape[:2]
    if genes > 1:
        by_gene = values.mean(axis=1).reshape(genes, -1)
        samples = block_draws(genes, draws, seed) @ by_gene / genes
        low, high = percentile_interval(samples)
        return mean, low.reshape(mean.shape), high.reshape(mean.shape), "95% bootstrap over genes"
    if members > 1:
        from scipy import stats

        half = stats.t.ppf(0.975, members - 1) * values[0].std(axis=0, ddof=1) / np.sqrt(members)
        return mean, mean - half, mean + half, "95% t interval over networks"
    empty = np.full_like(mean, np.nan)
    return mean, empty, empty, ""


def epigenesis_files(
    model: str | Path,
    data: str | Path,
    output: str | Path,
    genes: Sequence[str] = (),
    settings: EpigenesisSettings | None = None,
    *,
    part: Literal["train", "validation", "test", "all"] = "test",
    seed: int = 0,
    threads: int | None = None,
) -> EpigenesisMap:
    """Slide a peak of each mark for a model and a store, and write the folder of the map.

    Parameters
    ----------
    model
        Folder of a model.
    data
        Store of :func:`cistron.chromatin.build.build_gene_tracks`.
    output
        Folder to write to, as of :func:`write_epigenesis_folder`.
    genes
        Genes to average over, by identifier or symbol; those of ``part`` when empty.
    settings
        What is slid where.
    part
        Part of the model's split that genes are drawn from.
    seed, threads
        How the work runs.

    Returns
    -------
    EpigenesisMap
        The map.

    Raises
    ------
    InputError
        If an input cannot be read, a gene is unknown, or the part has no gene.
    """
    model, output = Path(model), check_writable(output)
    fitted, store = load_chromatin_model(model), open_gene_tracks(data)
    settings = settings or EpigenesisSettings()
    run = RunRecord("chromatin epigenesis", settings, [model / "model.safetensors"], seed)
    with limit_threads(threads):
        found = epigenesis(fitted, store, _rows(fitted, store, genes, part), settings, seed=seed)
        quality = model_quality(fitted, store, seed=seed, draws=settings.draws)
    write_epigenesis_folder(found, output, run, model.name, quality=quality, places=gene_places(found, store))
    return found


def _rows(model: ChromatinModel, store: GeneTracks, genes: Sequence[str], part: str) -> np.ndarray:
    if genes:
        return store.gene_numbers(list(genes))
    if part == "all":
        return np.arange(len(store.genes))
    found = np.flatnonzero(np.array(model_parts(model, store.genes, "genes")) == part)
    if not len(found):
        raise InputError(
            f"{store.path.name} has no gene of the model's {part} part; name genes, or give --part all"
        )
    return found
