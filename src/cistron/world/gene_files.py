"""Planted files for the page of a gene, in the formats of the commands that write them: tracks, variants, elements, marks, designs, edges.

They are made of the planted functions and levels and by no model; their headers say ``planted``.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from cistron.formats.designed_epigenome import write_designed_epigenome
from cistron.formats.edges import Edges, write_edges
from cistron.formats.epigenesis import EpigenesisMap, write_epigenesis
from cistron.formats.store import seal_store
from cistron.formats.tracks import create_tracks
from cistron.formats.variant_scores import SITE_COLUMNS, VariantScoreWriter
from cistron.runtime import atomic_directory
from cistron.runtime.files import atomic_path
from cistron.runtime.seeds import random_generator
from cistron.world.genes import GENOME_BUILD, PlantedGenes

_BIN, _BINS = 128, 96
_ASSAYS = ("CAGE:liver", "CAGE:brain", "DNASE:liver", "DNASE:brain")
_MARKS = ("H3K4me3", "H3K27ac", "H3K27me3")
_CELLS = ("liver", "brain")
_STARTS = list(range(-10_000, 10_000, 1000))


def write_gene_files(
    folder: str | Path, world: PlantedGenes, *, genes: int = 40, designs: int = 4, seed: int = 0
) -> dict[str, Path]:
    """Write one file of each kind that the table ``[genes]`` of a study takes.

    Parameters
    ----------
    folder
        Folder to write to.
    world
        Planted genes.
    genes
        How many of them, the first of the table, the files tell of.
    designs
        How many of these have a design.
    seed
        Seed of what is drawn.

    Returns
    -------
    dict of str to Path
        ``tracks, enhancers, variants, epigenesis, designs, networks``.
    """
    folder = Path(folder)
    generator = random_generator(seed, "gene files")
    table = world.table.head(genes).reset_index(drop=True)
    table["position"] = np.where(table["strand"] == "-", table["end"] - 1, table["start"])
    level = table["level"].to_numpy()
    return {
        "tracks": _tracks(folder / "tracks.zarr", table, level, generator),
        "enhancers": _elements(folder / "contributions.tsv", table, generator),
        "variants": _variants(folder / "variants.parquet", table, generator),
        "epigenesis": _map(folder / "map.zarr", table, generator),
        "designs": _design(folder / "design.zarr", table.head(designs), level, generator),
        "networks": _network(folder / "edges.tsv", world, table),
    }


def _windows(table: pd.DataFrame) -> pd.DataFrame:
    start = table["position"] - _BIN * _BINS // 2
    return pd.DataFrame(
        {
            "name": table["symbol"],
            "chromosome": table["chromosome"],
            "start": start,
            "end": start + _BIN * _BINS,
            "strand": table["strand"],
        }
    )


def _tracks(path: Path, table: pd.DataFrame, level: np.ndarray, generator: np.random.Generator) -> Path:
    """A peak at the start site, as high as the gene is expressed, narrow in CAGE and wide in DNase."""
    away = np.abs(np.arange(_BINS) - _BINS // 2)
    with atomic_directory(path) as partial:
        store = create_tracks(
            partial,
            name="planted tracks",
            method="planted",
            sequences=_windows(table),
            tracks=pd.DataFrame({"name": [f"track{n}" for n in range(len(_ASSAYS))], "description": _ASSAYS}),
            bins=_BINS,
            bin_size=_BIN,
            genome_build=GENOME_BUILD,
        )
        for row in range(len(table)):
            peaks = [
                (1 + level[row]) * np.exp(-away / (1.0 if assay.startswith("CAGE") else 5.0))
                for assay in _ASSAYS
            ]
            store.values[row] = (
                np.array(peaks) * generator.uniform(0.5, 1.5, (len(_ASSAYS), 1))
                + generator.gamma(1.0, 0.1, (len(_ASSAYS), _BINS))
            )[None].astype(np.float32)
        seal_store(partial)
    return path


def _elements(path: Path, table: pd.DataFrame, generator: np.random.Generator) -> Path:
    rows = []
    for gene in table.itertuples():
        for number, away in enumerate(generator.integers(-60_000, 60_000, 5)):
            middle = max(1000, int(gene.position + away))
            rows.append(
                {
                    "name": f"{gene.symbol}_element{number}",
                    "chromosome": gene.chromosome,
                    "start": middle - 250,
                    "end": middle + 250,
                    "gene": gene.symbol,
                    "method": "gradient",
                    "score": float(generator.gamma(1.0, 0.2) * 20_000 / (abs(away) + 5000)),
                    "agnostic": 0.0,
                    "distance": abs(middle - int(gene.position)),
                    "start_site": int(gene.position),
                    "in_window": True,
                }
            )
    with atomic_path(path) as partial:
        pd.DataFrame(rows).to_csv(partial, sep="\t", index=False, float_format="%.5g")
    return path


def _variants(path: Path, table: pd.DataFrame, generator: np.random.Generator) -> Path:
    position = np.concatenate([table["position"] + away for away in (-1500, -40, 30, 4000)]) + 1
    count = len(position)
    names = [f"{prefix}{assay}" for prefix in ("sad:", "log_ratio:") for assay in _ASSAYS]
    columns: dict[str, object] = {
        "chromosome": np.tile(table["chromosome"].to_numpy(), 4).tolist(),
        "position": position.tolist(),
        "ref": ["A"] * count,
        "alt": generator.choice(["C", "G", "T"], count).tolist(),
        "id": [f"planted{number}" for number in range(count)],
    }
    near = np.repeat([0.1, 1.0, 1.0, 0.05], len(table))
    for name in names:
        columns[name] = (generator.normal(size=count) * near).astype(np.float32)
    header = {"organism": "human", "genome_build": GENOME_BUILD, "model": "planted", "length": _BIN * _BINS}
    with atomic_path(path) as partial, VariantScoreWriter(partial, [*SITE_COLUMNS, *names], header) as writer:
        writer.write(columns)
    return path


def _map(path: Path, table: pd.DataFrame, generator: np.random.Generator) -> Path:
    """H3K4me3 and H3K27ac raise expression at the start site, H3K27me3 lowers it."""
    middles = np.array(_STARTS) + 500
    shape = np.exp(-((middles / 2000.0) ** 2))
    signs = np.array([0.4, 0.6, -0.5])
    size = (len(table), len(_MARKS), len(_STARTS), len(_CELLS))
    effect = (
        signs[None, :, None, None] * shape[None, None, :, None] + generator.normal(size=size) * 0.03
    ).astype(np.float32)
    mean = effect.mean(axis=(0, 3))
    means = pd.DataFrame(
        {
            "mark": np.repeat(_MARKS, len(_STARTS)),
            "start": np.tile(_STARTS, len(_MARKS)),
            "end": np.tile(np.array(_STARTS) + 1000, len(_MARKS)),
            "peak_in": "all",
            "read_in": "all",
            "effect": mean.ravel(),
            "low": mean.ravel() - 0.02,
            "high": mean.ravel() + 0.02,
            "interval": "planted",
            "n": len(table),
        }
    )
    write_epigenesis(
        path,
        EpigenesisMap(
            effect,
            np.zeros((size[0], size[1], size[3]), np.float32),
            means,
            table["gene"].tolist(),
            list(_MARKS),
            list(_CELLS),
            _STARTS,
            1000,
            {"background": "real", "peak_in": "all", "scale": "log1p_tpm", "dataset": "planted", "method": "planted"},
        ),
    )  # fmt: skip
    return path


def _design(path: Path, table: pd.DataFrame, level: np.ndarray, generator: np.random.Generator) -> Path:
    """Designs that raise expression by one unit in liver by a wider H3K27ac at the start site."""
    before = generator.gamma(1.0, 0.3, (len(table), len(_CELLS), len(_MARKS), _BINS)).astype(np.float32)
    after = before.copy()
    edited = slice(_BINS // 2 - 4, _BINS // 2 + 4)
    after[:, 0, 1, edited] += 2.0
    outcome, edits = [], []
    for number, gene in enumerate(table["gene"]):
        for cell, role in zip(_CELLS, ("target", "held")):
            start, wanted = float(level[number]), float(level[number]) + (role == "target")
            outcome.append(
                {
                    "gene": gene,
                    "cell_type": cell,
                    "role": role,
                    "start": start,
                    "wanted": wanted,
                    "achieved": start + 0.95 * (wanted - start),
                    "judged": start + 0.8 * (wanted - start),
                    "share": 0.95,
                    "judged_share": 0.8,
                    "edit_size": 16.0,
                    "edited_blocks": 1,
                }
            )
        old = float(before[number, 0, 1, edited].mean())
        edits.append(
            {
                "gene": gene,
                "cell_type": "liver",
                "mark": "H3K27ac",
                "start": -512,
                "end": 512,
                "change": 2.0,
                "before": old,
                "after": old + 2.0,
            }
        )
    write_designed_epigenome(
        path,
        after,
        before,
        np.ones((len(_CELLS), len(_MARKS)), bool),
        sequences=_windows(table).assign(name=table["gene"]),
        cell_types=list(_CELLS),
        marks=list(_MARKS),
        bin_size=_BIN,
        outcome=pd.DataFrame(outcome),
        edits=pd.DataFrame(edits),
        name="planted designs",
        genome_build=GENOME_BUILD,
        parameters={},
    )
    return path


def _network(path: Path, world: PlantedGenes, table: pd.DataFrame) -> Path:
    """The first gene of each five regulates the genes whose functions are most and least like its own."""
    rows = []
    for source in range(0, len(table), 5):
        likeness = world.functions @ world.functions[source] / world.functions.shape[1]
        likeness[source] = 0.0
        for target in np.argsort(-np.abs(likeness), kind="stable")[:6]:
            weight = float(likeness[target])
            rows.append(
                {
                    "source": world.table["gene"].iloc[source],
                    "target": world.table["gene"].iloc[target],
                    "weight": abs(weight),
                    "sign": int(np.sign(weight)),
                    "probability": min(0.99, abs(weight)),
                }
            )
    frame = pd.DataFrame(rows).sort_values("weight", ascending=False, ignore_index=True)
    write_edges(Edges(frame, "planted network", "planted", "ensembl"), path)
    return path
