"""A map of all genes: each gene of an embedding at a place of a plane, near the genes that are like it.

Two thousand genes, drawn by seed, are laid out by t-SNE (van der Maaten and Hinton 2008; scikit-learn's, which starts from principal components, so
that the whole is not left to chance). Every other gene is put between those of its nearest laid-out genes, weighted by similarity, as Kobak and
Berens (2019) put new points into a finished t-SNE. From there a short t-SNE of all genes, with few neighbours and without exaggeration, brings near
genes together: the whole is settled, so a tenth of the usual work is enough.
"""

from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.runtime import limit_threads, random_generator
from cistron.runtime.files import atomic_path

LANDMARKS = 2000
_NEAREST = 5  # laid-out genes that a further gene is put between
_STEPS = 500
_REFINING = {"perplexity": 7.0, "max_iter": 250, "early_exaggeration": 1.0, "angle": 0.9}
_AT_ONCE = 1024


def gene_layout(values: np.ndarray, seed: int = 0, landmarks: int = LANDMARKS) -> np.ndarray:
    """Lay genes out on a plane.

    Parameters
    ----------
    values
        Embedding, float [gene, dimension].
    seed
        Seed of the draw of landmarks.
    landmarks
        Genes that t-SNE lays out.

    Returns
    -------
    ndarray
        float32 [gene, 2] in [-1, 1]. The same values and seed give the same places.
    """
    unit = _unit(values)
    count = len(unit)
    if count < 4:
        line = np.linspace(-1, 1, count) if count > 1 else np.zeros(count)
        return np.column_stack([line, np.zeros(count)]).astype(np.float32)
    chosen = np.arange(count)
    if count > landmarks:
        chosen = np.sort(random_generator(seed, "landmarks of the map", count).permutation(count)[:landmarks])
    places = np.empty((count, 2), dtype=np.float32)
    laid = _embedded(unit[chosen])
    places[chosen] = laid
    others = np.setdiff1d(np.arange(count), chosen)
    nearest = min(_NEAREST, len(chosen))
    for low in range(0, len(others), _AT_ONCE):
        rows = others[low : low + _AT_ONCE]
        similarity = unit[rows] @ unit[chosen].T
        near = np.argpartition(-similarity, nearest - 1, axis=1)[:, :nearest]
        close = np.take_along_axis(similarity, near, axis=1)
        # the nearest counts most, by how much nearer it is than the farthest of them
        weight = np.exp(10.0 * (close - close.max(axis=1, keepdims=True)))
        weight /= weight.sum(axis=1, keepdims=True)
        places[rows] = (laid[near] * weight[:, :, None]).sum(axis=1)
    if len(others):
        places = _embedded(unit, init=places, **_REFINING)
    places = places - (places.max(axis=0) + places.min(axis=0)) / 2
    return np.asarray(places / max(float(np.abs(places).max()), 1e-9), dtype=np.float32)


def _unit(values: np.ndarray) -> np.ndarray:
    """Standardised dimensions, rows of length 1: distances are then those of the nearest genes (cosine)."""
    standard = np.asarray(values, dtype=np.float32)
    standard = standard - standard.mean(axis=0)
    deviation = standard.std(axis=0)
    standard = standard / np.where(deviation > 0, deviation, 1.0)
    length = np.linalg.norm(standard, axis=1, keepdims=True)
    return np.asarray(standard / np.where(length > 0, length, 1.0))


def _embedded(unit: np.ndarray, perplexity: float = 30.0, **settings: Any) -> np.ndarray:
    from sklearn.manifold import TSNE

    if unit.shape[1] == 1:
        return np.column_stack([unit[:, 0], np.zeros(len(unit))]).astype(np.float32)
    made = TSNE(
        perplexity=min(perplexity, (len(unit) - 1) / 3),
        random_state=0,
        n_jobs=1,
        **{"init": "pca", "max_iter": _STEPS, **settings},
    )
    # one thread: several add the forces in another order each time
    with limit_threads(1):
        return np.asarray(made.fit_transform(unit), dtype=np.float32)


def stored_layout(file: Path) -> pd.DataFrame:
    """The map of an embedding of a study, computed once for its content: ``gene, x, y``.

    Parameters
    ----------
    file
        Embedding of a row of the study, whose name tells its content.
    """
    kept = file.with_suffix(".layout.parquet")
    if not kept.exists():
        embedding = anndata.read_h5ad(file)
        places = gene_layout(np.asarray(embedding.X))
        frame = pd.DataFrame({"gene": embedding.obs_names, "x": places[:, 0], "y": places[:, 1]})
        with atomic_path(kept) as partial:
            frame.to_parquet(partial, index=False)
    return pd.read_parquet(kept)
