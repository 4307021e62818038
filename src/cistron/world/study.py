"""A planted world for the cross: embeddings that know all, half or nothing, and six tasks that ask for the same functions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from cistron.formats.anndata_files import write_anndata
from cistron.formats.gene_embedding import build_gene_embedding, write_gene_embedding
from cistron.formats.magma import write_genes_out
from cistron.methods import Count, Range, Share, check_settings
from cistron.runtime.files import atomic_path
from cistron.runtime.seeds import random_generator
from cistron.world.gene_files import write_gene_files
from cistron.world.genes import PlantedGenes, WorldSettings, plant_genes
from cistron.world.gwas import plant_gwas


@dataclass(frozen=True)
class StudyWorldSettings:
    """Size and shape of the world.

    Attributes
    ----------
    genes, chromosomes, functions
        As of :class:`cistron.world.genes.WorldSettings`.
    sets
        Gene sets, each of which follows a direction in the space of the functions.
    bias
        Share of the membership in sets that how well a gene is studied decides, and not its functions.
    pairs
        Positive pairs.
    edges
        Edges of the planted network.
    cells
        Single cells.
    """

    genes: Count = 600
    chromosomes: Annotated[int, Range(2)] = 8
    functions: Annotated[int, Range(2)] = 6
    sets: Annotated[int, Range(1)] = 24
    bias: Share = 0.0
    pairs: Count = 500
    edges: Count = 500
    cells: Count = 240

    def __post_init__(self) -> None:
        check_settings(self)


def write_study_world(
    folder: str | Path, settings: StudyWorldSettings | None = None, seed: int = 0
) -> dict[str, Path]:
    """Write genes, embeddings and the inputs of six tasks.

    Parameters
    ----------
    folder
        Folder to write to.
    settings
        Size and shape of the world.
    seed
        Seed of the world.

    Returns
    -------
    dict of str to Path
        ``genes`` (table with places), ``traits`` (folder), ``sets`` (.gmt), ``labels``, ``pairs``, ``network``, ``cells``, the files of
        :func:`cistron.world.gene_files.write_gene_files`, and the embeddings ``truth``, ``first_half``, ``second_half`` (each knows half of the functions), ``noise`` and ``studied`` (how well
        a gene is studied, and noise).
    """
    folder, settings = Path(folder), settings or StudyWorldSettings()
    world = plant_genes(WorldSettings(settings.genes, settings.chromosomes, settings.functions), seed)
    generator = random_generator(seed, "study world")
    genes = list(world.table["gene"])
    studied = generator.normal(size=len(genes))
    paths = {"genes": folder / "genes.tsv", "traits": folder / "traits"}
    with atomic_path(paths["genes"]) as partial:
        world.table.drop(columns=["level"]).to_csv(partial, sep="\t", index=False)
    gwas = plant_gwas(world)
    for trait in gwas.traits[:4]:
        write_genes_out(gwas.genes_out(trait), paths["traits"] / f"{trait}.genes.out")
    half, size = settings.functions // 2, len(genes)
    values = {
        "truth": world.functions,
        "first_half": np.hstack([world.functions[:, :half], generator.normal(size=(size, 2))]),
        "second_half": np.hstack([world.functions[:, half:], generator.normal(size=(size, 2))]),
        "noise": generator.normal(size=(size, settings.functions)),
        "studied": np.column_stack([studied, generator.normal(size=(size, 3))]),
    }
    evidence = {
        "truth": "expression",
        "first_half": "expression",
        "second_half": "dna",
        "noise": "dna",
        "studied": "literature",
    }
    for name, one in values.items():
        paths[name] = folder / f"{name}.h5ad"
        embedding = build_gene_embedding(
            one, genes, name=name, method="planted", evidence=evidence[name], licence="CC0-1.0", seed=seed
        )
        write_gene_embedding(embedding, paths[name])
    paths |= _write_tasks(folder, world, studied, settings, generator)
    paths["network"] = _write_network(folder / "network.tsv", world, settings, generator)
    paths["cells"] = _write_cells(folder / "cells.h5ad", world, settings, generator)
    return paths | write_gene_files(folder, world, seed=seed)


def write_function_tasks(
    folder: str | Path, world: PlantedGenes, settings: StudyWorldSettings, seed: int
) -> dict[str, Path]:
    """Write sets, labels and pairs that follow the functions of planted genes.

    Parameters
    ----------
    folder
        Folder to write to.
    world
        Planted genes.
    settings
        How many sets and pairs.
    seed
        Seed of the tasks.

    Returns
    -------
    dict of str to Path
        ``sets``, ``labels``, ``pairs``.
    """
    generator = random_generator(seed, "tasks of functions")
    return _write_tasks(Path(folder), world, generator.normal(size=len(world.functions)), settings, generator)


def _write_tasks(
    folder: Path,
    world: PlantedGenes,
    studied: np.ndarray,
    settings: StudyWorldSettings,
    generator: np.random.Generator,
) -> dict[str, Path]:
    genes = list(world.table["gene"])
    members = _members(world, studied, settings, generator)
    return {
        "sets": _write_sets(folder / "sets.gmt", members, genes),
        "labels": _write_labels(folder / "labels.tsv", members, genes, generator),
        "pairs": _write_pairs(folder / "pairs.tsv", world, settings, generator),
    }


def _members(
    world: PlantedGenes, studied: np.ndarray, settings: StudyWorldSettings, generator: np.random.Generator
) -> np.ndarray:
    """Members of each set, bool [gene, set]."""
    directions = generator.normal(size=(world.functions.shape[1], settings.sets))
    pull = world.functions @ (directions / np.linalg.norm(directions, axis=0))
    pull = np.sqrt(1 - settings.bias) * pull + np.sqrt(settings.bias) * 2 * studied[:, None]
    pull = pull + 0.3 * generator.normal(size=pull.shape)
    return np.asarray(pull > np.quantile(pull, 0.9, axis=0))


def _write_sets(path: Path, members: np.ndarray, genes: list[str]) -> Path:
    names = np.array(genes)
    lines = [
        "\t".join([f"set {number}", "planted", *names[members[:, number]]]) + "\n"
        for number in range(members.shape[1])
    ]
    with atomic_path(path) as partial:
        partial.write_text("".join(lines))
    return path


def _write_labels(path: Path, members: np.ndarray, genes: list[str], generator: np.random.Generator) -> Path:
    """Half of the sets with given parts: three folds and a hold-out."""
    parts = generator.choice(["fold1", "fold2", "fold3", "holdout"], size=len(genes))
    frames = [
        pd.DataFrame(
            {"term": f"term {number}", "gene": genes, "member": members[:, number].astype(int), "part": parts}
        )
        for number in range(max(1, members.shape[1] // 2))
    ]
    with atomic_path(path) as partial:
        pd.concat(frames).to_csv(partial, sep="\t", index=False)
    return path


def _write_pairs(
    path: Path, world: PlantedGenes, settings: StudyWorldSettings, generator: np.random.Generator
) -> Path:
    """Pairs whose functions agree are positive; negatives are random, so that hubs of the positives give them away."""
    count = len(world.functions)
    a, b = generator.integers(0, count, size=(2, 30 * settings.pairs))
    popular = generator.gamma(0.5, size=count)
    apart = a < b
    a, b = a[apart], b[apart]
    score = (world.functions[a] * world.functions[b]).sum(axis=1) + 0.5 * np.log(
        popular[a] * popular[b] + 1e-3
    )
    best = np.argsort(-score, kind="stable")[: settings.pairs]
    others = generator.choice(np.setdiff1d(np.arange(len(a)), best), size=2 * settings.pairs, replace=False)
    names = world.table["gene"].to_numpy()
    chosen = np.r_[best, others]
    frame = pd.DataFrame(
        {
            "gene_a": names[a[chosen]],
            "gene_b": names[b[chosen]],
            "label": np.r_[np.ones(len(best)), np.zeros(len(others))].astype(int),
        }
    ).drop_duplicates(["gene_a", "gene_b"])
    with atomic_path(path) as partial:
        frame.to_csv(partial, sep="\t", index=False)
    return path


def _write_network(
    path: Path, world: PlantedGenes, settings: StudyWorldSettings, generator: np.random.Generator
) -> Path:
    """Edges whose source fits the target by a bilinear form that is not symmetric."""
    form = generator.normal(size=(settings.functions, settings.functions))
    count = len(world.functions)
    sources = generator.choice(count, size=min(count, 80), replace=False)
    score = world.functions[sources] @ form @ world.functions.T
    score[np.arange(len(sources)), sources] = -np.inf
    order = np.argsort(-score, axis=None, kind="stable")[: settings.edges]
    source, target = np.unravel_index(order, score.shape)
    names = world.table["gene"].to_numpy()
    frame = pd.DataFrame(
        {"source": names[sources[source]], "target": names[target], "weight": score.ravel()[order]}
    )
    with atomic_path(path) as partial:
        frame.to_csv(partial, sep="\t", index=False)
    return path


def _write_cells(
    path: Path, world: PlantedGenes, settings: StudyWorldSettings, generator: np.random.Generator
) -> Path:
    types = generator.integers(0, 4, settings.cells)
    loadings = generator.normal(size=(4, settings.functions)) * 0.5
    rate = np.exp(0.3 * (world.table["level"].to_numpy() - 4) + loadings[types] @ world.functions.T)
    cells = anndata.AnnData(
        sparse.csr_matrix(generator.poisson(rate).astype(np.float32)),
        obs=pd.DataFrame(
            {
                "cell_type": [f"type {number}" for number in types],
                "donor": [f"donor {number % 3}" for number in range(len(types))],
            },
            index=[f"cell{number}" for number in range(len(types))],
        ),
        var=world.table.set_index("gene")[["symbol", "chromosome", "start", "end", "strand"]],
    )
    write_anndata(cells, path)
    return path
