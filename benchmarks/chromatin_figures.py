"""Figures of the guide by the default network on planted marks, and whether epigenesis finds the planted rules.

``python -m benchmarks chromatin_figures`` writes docs/images/chromatin/epigenesis.png and design.png. The networks are those of ``chromatin_designs``
(reserved seed 1000), which fits them where they are not there yet.
"""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.chromatin_designs import NETWORKS, SEED, fitted
from benchmarks.chromatin_planted import planted, recovered
from cistron.chromatin.design import design_files
from cistron.chromatin.epigenesis import epigenesis
from cistron.chromatin.epigenesis_output import main_table
from cistron.chromatin.settings import DesignSettings, EpigenesisSettings
from cistron.formats.designed_epigenome import read_designed_epigenome
from cistron.report.design import tracks_drawing
from cistron.report.drawing import Drawing
from cistron.report.epigenesis import effect_map
from cistron.world.chromatin import RULES

GENES = 40
IMAGES = Path(__file__).parents[1] / "docs" / "images" / "chromatin"


def main() -> None:
    """Print which rules are found, and draw."""
    torch.set_num_threads(1)
    world, store = planted(SEED)
    folder = fitted(store)
    from cistron.chromatin import load_chromatin_model

    model = load_chromatin_model(folder)
    test = np.flatnonzero(np.isin(store.genes, model.facts["genes"]["test"]))
    asked = EpigenesisSettings(cell_type=store.cell_types[0], genes=GENES)
    maps = [
        epigenesis(model, store, test, dataclasses.replace(asked, background=background), seed=SEED)  # type: ignore[arg-type]
        for background in ("ablated", "empty")
    ]
    print(
        f"a peak in one cell type, {NETWORKS} networks, seed {SEED}: sign right with interval off 0 / strongest place within 1 kb (its start)"
    )
    for rule in RULES:
        cells = []
        for found in maps:
            right, close, start = recovered(found, rule)
            cells.append(f"{'yes' if right else 'NO':3}/{'yes' if close else 'NO':3} ({start:+6d})")
        kind = ", specific" if rule.specific else ""
        print(
            f"{rule.mark:9} {rule.start:+6d} to {rule.end:+6d} {rule.strength:+.1f}{kind:10}  "
            + "  ".join(cells)
        )
    print(f"(real marks of {GENES} genes with the slid mark taken away, then the empty background)")
    IMAGES.mkdir(parents=True, exist_ok=True)
    _save(effect_map(main_table(maps[0]), "epigenesis", str(maps[0].facts["scale"])), "epigenesis")
    low = test[np.argsort(world.expression[test, 1])[:1]]
    with tempfile.TemporaryDirectory() as place:
        settings = DesignSettings(fold=3.0, cell_types=(store.cell_types[1],))
        design_files(
            folder,
            store.path,
            Path(place) / "design.zarr",
            [store.genes[low[0]]],
            settings,
            allow_shortfall=True,
        )
        design = read_designed_epigenome(Path(place) / "design.zarr")
        _save(tracks_drawing(design, 0, store.genes[low[0]], settings.region), "design")


def _save(drawing: Drawing, name: str) -> None:
    drawing.figure.savefig(IMAGES / f"{name}.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
