"""Artefacts that an earlier cistron wrote: how they were made, and the one place that reads them.

``WRITE`` was run once, by the code before the redesign. The artefacts are never written again: what matters is that they
were written by that code. ``READ`` may follow where a function has moved to; what it gives may not change.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from condense import annotated, array, frame, header, plain

OMICS = "{inputs}/world/tissues.h5ad"
CELLS = "{inputs}/cells/cells.h5ad"
TRAIN = f"cells train {CELLS} --embedding {{inputs}}/cells/embedding.h5ad --threads 1"
DNA = "--genome {inputs}/genome/genome.fa --weights {out}/sequence_model --build planted --threads 1 --device cpu"
# in this order; {out} is the folder of the artefacts
WRITE = (
    f"omics embed {OMICS} --dimensions 5 --licence CC0-1.0 --threads 1 --output {{out}}/pca.h5ad",
    f"omics embed {OMICS} {{inputs}}/world/cell_lines.h5ad --method vdtf --dimensions 4 --vdtf.width 16"
    " --vdtf.fit.epochs 3 --threads 1 --output {out}/vdtf.h5ad",
    f"omics tune {OMICS} --trials 2 --epochs 2 --largest 6 --threads 1 --output {{out}}/tuned",
    f"{TRAIN} --output {{out}}/cells_bilinear",
    f"{TRAIN} --method ridge --split {{out}}/cells_bilinear/split.json --output {{out}}/ridge",
    f"cells predict {{out}}/cells_bilinear {CELLS} --threads 1 --output {{out}}/prediction.h5ad",
    f"cells predict {{out}}/ridge {CELLS} --threads 1 --output {{out}}/prediction_ridge.h5ad",
    "networks infer {inputs}/network/cells.h5ad --training-cells --edges 80 --threads 1 --output {out}/edges.tsv",
    f"sequence predict {DNA} --regions {{inputs}}/genome/regions.bed --tracks 0-3 --output {{out}}/tracks.zarr",
    f"sequence embed {DNA} --annotation {{inputs}}/genome/genes.gtf --output {{out}}/dna.h5ad",
    "chromatin build --binned {inputs}/marks/short.npz --annotation {inputs}/marks/genes.tsv --transform logged"
    " --window 8000 --expression {inputs}/marks/expression.tsv --genome-build planted --output {out}/marks.zarr",
    "chromatin train {out}/marks.zarr --network.members 2 --network.channels 6 --network.kernel 3"
    " --network.dilations 1 --network.coarse 10 --network.fit.epochs 12 --network.fit.warmup-steps 0"
    " --network.fit.learning-rate 0.01 --threads 1 --output {out}/chromatin_network",
    "chromatin train {out}/marks.zarr --method ridge --preset window --threads 1 --output {out}/chromatin_ridge",
    "chromatin epigenesis {out}/chromatin_network {out}/marks.zarr --background real --genes 4 --threads 1"
    " --no-report --output {out}/epigenesis",
    "chromatin design {out}/chromatin_network {out}/marks.zarr --gene PLANTED00014 --fold 1.1 --quantile 1"
    " --steps 40 --region -4000 4000 --allow-shortfall --threads 1 --output {out}/design.zarr",
    "evaluate gwas {out}/pca.h5ad --traits {inputs}/world/traits/trait_1.genes.out --covariance {inputs}/world/trait_1.genes.raw"
    " --genes {inputs}/world/genes.tsv --draws 20 --workers 1 --threads 1 --no-report --output {out}/scores_gwas",
    "evaluate genesets {inputs}/world/true_functions.h5ad {out}/pca.h5ad --sets {inputs}/sets.gmt"
    " --genes {inputs}/world/genes.tsv --minimum 5 --folds 3 --draws 20 --threads 1 --no-report"
    " --output {out}/scores_genesets",
    "evaluate expression {out}/prediction.h5ad {out}/prediction_ridge.h5ad --draws 20 --permutations 2"
    " --halvings 2 --threads 1 --no-report --output {out}/scores_expression",
    "evaluate edges {out}/edges.tsv --cells {inputs}/network/cells.h5ad --truth {inputs}/network/truth.tsv"
    " --omission-draws 20 --resamples 20 --null-repeats 1 --no-report --output {out}/scores_edges",
)
NOT_KEPT = ("ridge", "tuned/study.journal", "vdtf.fit", "scores_gwas/shards")


def write_small_models(folder: Path, inputs: Path) -> None:
    """Write the models whose size the command line cannot set: Enformer, ESM-2 and the transformer of the cells."""
    import importlib.util

    import anndata
    from safetensors.torch import save_file

    from cistron.cells import CellExpression, SplitSettings, read_cells, read_features, split_both
    from cistron.cells.settings import TransformerSettings
    from cistron.runtime import limit_threads
    from cistron.sequence import EnformerSettings, save_weights
    from cistron.sequence.random_model import random_model
    from cistron.sequence.weight_layouts import enformer_pytorch_entries
    from cistron.training import FitSettings

    settings = EnformerSettings(
        channels=24, depth=1, heads=4, key_size=4, length=2048, crop=2, tracks={"human": 6, "mouse": 2}
    )
    model, tracks = random_model(settings, 0)
    save_weights(model, folder / "sequence_model", tracks=tracks, origin={"weights": "random", "seed": 0})
    state = model.state_dict()
    theirs = {}
    for entry in enformer_pytorch_entries(settings):
        theirs[entry.theirs] = entry.to_theirs(state[entry.ours]).contiguous().clone()
    save_file(theirs, folder / "enformer_pytorch.safetensors")
    path = Path(__file__).parents[1] / "sequence" / "esm2_weights.py"
    specification = importlib.util.spec_from_file_location("esm2_weights", path)
    assert specification is not None
    assert specification.loader is not None
    weights = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(weights)
    weights.write_model(folder / "esm2")
    cells = read_cells(inputs / "cells" / "cells.h5ad")
    genes = anndata.read_h5ad(inputs / "cells" / "cells.h5ad").var
    split = split_both(cells, SplitSettings(), genes=genes, seed=0)
    features = read_features([inputs / "cells" / "embedding.h5ad"], cells.genes, split.genes)
    small = TransformerSettings(
        attention="perceiver", dimension=16, depth=1, heads=2, latents=8, context=24, targets=20,
        steps_per_epoch=5, fit=FitSettings(epochs=2, learning_rate=3e-3),
    )  # fmt: skip
    with limit_threads(1):
        fitted = CellExpression(small, method="transformer", seed=0).fit(
            cells, features, split, cell_type="cell_type"
        )
    fitted.save(folder / "cells_transformer")


def write_artefacts(folder: Path, inputs: Path) -> None:
    """Write all artefacts into an empty folder."""
    from running import call

    write_small_models(folder, inputs)
    for line in WRITE:
        code, _, errors = call(line, {"inputs": inputs, "out": folder})
        if code:
            raise SystemExit(f"{line}: {errors}")
    for name in NOT_KEPT:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in folder.rglob("*run.json"):
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "platform": "Linux"}, indent=2) + "\n")


def _cells_model(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.cells import CellExpression, read_cells

    model = CellExpression.load(path)
    blocks = list(model.predict(read_cells(inputs / "cells" / "cells.h5ad")))
    found = {
        "genes": array(model.genes),
        "training": array(model.training),
        "predicted": array(np.vstack([block[1] for block in blocks])),
        "observed": array(np.vstack([block[2] for block in blocks])),
    }
    if model.method != "transformer":
        found["embedding"] = annotated(model.embed())
    return found


def _chromatin_model(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.chromatin import load_chromatin_model, predict_expression
    from cistron.formats.gene_tracks import open_gene_tracks

    store = open_gene_tracks(path.parent / "marks.zarr")
    return annotated(predict_expression(load_chromatin_model(path), store))


def _sequence_model(path: Path, inputs: Path) -> dict[str, Any]:
    import torch

    from cistron.sequence import load_weights

    options = {} if path.is_dir() else {"length": 2048, "crop": 2}
    codes = np.random.default_rng(0).integers(0, 4, (1, 2048))
    one_hot = torch.from_numpy(np.eye(4, dtype=np.float32)[codes])
    with torch.inference_mode():
        tracks = load_weights(path, **options)(one_hot)
    return {organism: array(values.numpy()) for organism, values in tracks.items()}


def _embedding(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.formats import check_gene_embedding, read_gene_embedding

    embedding = read_gene_embedding(path)
    return {"problems": check_gene_embedding(embedding), **annotated(embedding)}


def _prediction(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.formats import check_prediction, read_prediction

    prediction = read_prediction(path)
    return {"problems": list(check_prediction(prediction)), **annotated(prediction)}


def _marks(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.formats.gene_tracks import open_gene_tracks

    store = open_gene_tracks(path)
    return {
        "genes": array(store.genes),
        "cell_types": list(store.cell_types),
        "marks": list(store.marks),
        "measured": array(store.tracks.measured),
        "values": array(store.tracks.values[:]),
        "expression": array(store.expression),
        "scale": store.scale,
        "sequences": frame(store.tracks.sequences),
        "header": header(store.tracks.header),
    }


def _tracks(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.formats.tracks import check_tracks, open_tracks

    store = open_tracks(path)
    return {
        "problems": check_tracks(path),
        "sequences": frame(store.sequences),
        "tracks": array(store.tracks),
        "values": array(store.values[:]),
        "header": header(store.header),
    }


def _design(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.formats.designed_epigenome import read_designed_epigenome

    found = read_designed_epigenome(path)
    return {
        "designed": array(found.tracks.values[:]),
        "sequences": frame(found.tracks.sequences),
        "header": header(found.tracks.header),
        "original": array(found.original),
        "outcome": frame(found.outcome),
        "edits": frame(found.edits),
    }


def _epigenesis(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.formats.epigenesis import read_epigenesis

    return _fields(read_epigenesis(path / "map.zarr"))


def _fields(found: Any) -> dict[str, Any]:
    """What a value object of a format holds."""
    return header({name: value for name, value in vars(found).items() if not name.startswith("_")})


def _edges(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.formats.edges import read_edges

    return _fields(read_edges(path))


def _split(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.cells.splits import read_split

    split = read_split(path)
    return {
        axis: {
            **{name: array(sorted(getattr(part, name))) for name in ("train", "validation", "test")},
            "how": part.how,
        }
        for axis, part in (("genes", split.genes), ("cells", split.cells))
    }


def _scores(path: Path, inputs: Path) -> dict[str, Any]:
    from cistron.formats import check_scores, read_scores

    scores = read_scores(path / "scores.parquet")
    return {"problems": list(check_scores(scores)), **frame(scores)}


READ: dict[str, Callable[[Path, Path], dict[str, Any]]] = {
    "cells_bilinear": _cells_model,
    "cells_transformer": _cells_model,
    "chromatin_network": _chromatin_model,
    "chromatin_ridge": _chromatin_model,
    "sequence_model": _sequence_model,
    "enformer_pytorch.safetensors": _sequence_model,
    "pca.h5ad": _embedding,
    "vdtf.h5ad": _embedding,
    "dna.h5ad": _embedding,
    "prediction.h5ad": _prediction,
    "prediction_ridge.h5ad": _prediction,
    "marks.zarr": _marks,
    "tracks.zarr": _tracks,
    "design.zarr": _design,
    "epigenesis": _epigenesis,
    "edges.tsv": _edges,
    "cells_bilinear/split.json": _split,
    "scores_gwas": _scores,
    "scores_genesets": _scores,
    "scores_expression": _scores,
    "scores_edges": _scores,
}


def read_artefact(name: str, inputs: Path, folder: Path) -> dict[str, Any]:
    """Read a stored artefact by the public readers and condense what they give."""
    return {key: plain(value) for key, value in READ[name](folder / name, inputs).items()}
