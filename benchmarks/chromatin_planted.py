"""Planted marks on reserved seeds: methods, recovery of the rules by epigenesis, designs judged by the true rules."""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np

from cistron.chromatin import (
    BuildSettings,
    ChromatinModel,
    ExpressionPredictor,
    MarkRidgeSettings,
    NetworkSettings,
    build_gene_tracks,
    predict_expression,
)
from cistron.chromatin.design import Design, design_epigenome, edited_blocks
from cistron.chromatin.epigenesis import epigenesis
from cistron.chromatin.settings import DesignSettings, EpigenesisSettings
from cistron.formats.epigenesis import EpigenesisMap
from cistron.formats.gene_tracks import GeneTracks
from cistron.world.chromatin import (
    RULES,
    ChromatinWorld,
    ChromatinWorldSettings,
    Rule,
    chromatin_world,
    write_binned,
)

SEEDS = (1000, 1001)
GENES, DESIGNED = 1100, 6
KEPT = (
    Path(tempfile.gettempdir()) / "cistron_benchmarks" / "chromatin_planted"
)  # what an interrupted run goes on from


def planted(seed: int) -> tuple[ChromatinWorld, GeneTracks]:
    """A world and its store."""
    world = chromatin_world(ChromatinWorldSettings(genes=GENES), seed=seed)
    folder = Path(tempfile.mkdtemp())
    files = write_binned(world, folder / "world")
    store = build_gene_tracks(
        folder / "planted.zarr",
        binned=files["marks"],
        annotation=files["genes"],
        expression=files["expression"],
        settings=BuildSettings(transform="logged"),
    )
    return world, store


def correlations(result) -> tuple[float, float, float]:  # type: ignore[no-untyped-def]  # AnnData
    """Test genes: across genes (mean over cell types); across cell types within a gene (mean of genes); the latter pooled."""
    test = (result.var["split"] == "test").to_numpy()
    predicted, observed = (np.asarray(result.layers[name])[:, test] for name in ("predicted", "observed"))
    across = np.mean([np.corrcoef(p, o)[0, 1] for p, o in zip(predicted, observed)])
    within = np.nanmean([np.corrcoef(p, o)[0, 1] for p, o in zip(predicted.T, observed.T)])
    apart = [(part - part.mean(axis=0)).ravel() for part in (predicted, observed)]
    return float(across), float(within), float(np.corrcoef(*apart)[0, 1])


def recovered(found: EpigenesisMap, rule: Rule) -> tuple[bool, bool, int]:
    """Whether the sign in the rule's window is right with an interval off zero, and the strongest place lies within 1 kb.

    Where a mark has two rules, places within 1 kb of the other rule are left out.
    """
    table = found.table[
        (found.table["read_in"] == found.facts["peak_in"]) & (found.table["mark"] == rule.mark)
    ]
    for other in RULES:
        if other.mark == rule.mark and other is not rule:
            near = (table["end"] > other.start - 1000) & (table["start"] < other.end + 1000)
            table = table[~near]
    sign = np.sign(rule.strength)
    inside = table[(table["end"] > rule.start) & (table["start"] < rule.end)]
    best = inside.loc[(sign * inside["effect"]).idxmax()]
    right = bool(sign * best["effect"] > 0 and (sign * best["low"] > 0) and (sign * best["high"] > 0))
    top = table.loc[(sign * table["effect"]).idxmax()]
    close = bool(top["start"] >= rule.start - 1000 and top["end"] <= rule.end + 1000)
    return right, close, int(top["start"])


def true_share(world: ChromatinWorld, design: Design) -> np.ndarray:
    """Share of the wanted change that the planted rules give, [gene]."""
    change = world.true_expression(design.designed, design.genes) - world.true_expression(
        design.original, design.genes
    )
    return design.share(design.start + change)


def main() -> None:
    """Print the three tables."""
    network = NetworkSettings()
    single = dataclasses.replace(network, members=1)
    methods = {
        "network (3)": ("network", network, False),
        "per-cell (3)": ("per-cell", NetworkSettings.per_cell(), False),
        "ridge, 20 bins": ("ridge", MarkRidgeSettings(bins=20), False),
        "ridge, promoter": ("ridge", MarkRidgeSettings(), False),
        "network, permuted": ("network", single, True),
    }
    scores: dict[str, list[tuple[float, float, float]]] = {name: [] for name in methods}
    maps: list[tuple[ChromatinModel, EpigenesisMap, EpigenesisMap]] = []
    designs: dict[str, list[tuple[float, ...]]] = {}
    for seed in SEEDS:
        world, store = planted(seed)
        model = None
        for name, (method, settings, permuted) in methods.items():
            fitted = ExpressionPredictor(settings, method=method, seed=seed).fit(
                store, permuted=permuted, directory=KEPT / f"{seed}" / name if method != "ridge" else None
            )
            model = model or fitted
            scores[name].append(correlations(predict_expression(fitted, store)))
        assert model is not None
        test = np.flatnonzero(np.isin(store.genes, model.facts["genes"]["test"]))
        asked = EpigenesisSettings(background="empty", cell_type=store.cell_types[0], genes=50)
        real = epigenesis(model, store, test, dataclasses.replace(asked, background="ablated"), seed=seed)
        maps.append((model, epigenesis(model, store, test, asked, seed=seed), real))
        _design(world, store, model, test[:DESIGNED], designs)
    print(
        f"{GENES} genes x 6 cell types x 6 marks, chromosomes 15-22 held out; mean of seeds {SEEDS} (range)"
    )
    print("method               across genes           across cell types, within gene   the same, pooled")
    for name, rows in scores.items():
        values = np.array(rows)
        text = [f"{v.mean():.3f} ({v.min():.3f} to {v.max():.3f})" for v in values.T]
        print(f"{name:20} {text[0]:22} {text[1]:32} {text[2]}")
    print(
        "\nepigenesis, a peak in one cell type: sign right with interval off 0 / strongest place within 1 kb (its start), by seed"
    )
    for rule in RULES:
        cells = []
        for _, *both in maps:
            for found in both:
                right, close, start = recovered(found, rule)
                cells.append(f"{'yes' if right else 'NO':3}/{'yes' if close else 'NO':3} ({start:+6d})")
        kind = ", specific" if rule.specific else ""
        print(
            f"{rule.mark:9} {rule.start:+6d} to {rule.end:+6d} {rule.strength:+.1f}{kind:10}  "
            + "  ".join(cells)
        )
    print("(for each seed: empty background, then the real marks of 50 genes with the slid mark taken away)")
    print(
        f"\ndesign of {DESIGNED} genes a seed: share of the wanted change by networks / judge / true rules (mean, worst), size, blocks"
    )
    for name, rows in designs.items():
        v = np.array(rows)
        print(
            f"{name:34} {v[:, 0].mean():.2f} / {np.nanmean(v[:, 1]) if np.isfinite(v[:, 1]).any() else np.nan:.2f} / {v[:, 2].mean():.2f} "
            f"(worst {v[:, 2].min():+.2f}; {np.mean(v[:, 2] >= 0.8):.0%} reach 0.8)   size {v[:, 3].mean():6.1f}   blocks {v[:, 4].mean():6.1f}   "
            f"drift of held {v[:, 5].mean():.2f}"
        )


def _design(
    world: ChromatinWorld,
    store: GeneTracks,
    model: ChromatinModel,
    genes: np.ndarray,
    into: dict[str, list[tuple[float, ...]]],
) -> None:
    """Raise all cell types 3-fold, and one alone, with constraints and by plain descent to the same share."""
    one = (store.cell_types[1],)
    for wish, changes in (
        ("all, 3-fold", {"fold": 3.0}),
        ("one, 3-fold, others held", {"fold": 3.0, "cell_types": one}),
    ):
        for kind, base in (("designed", DesignSettings()), ("plain descent", DesignSettings.paper())):
            asked = dataclasses.replace(base, **changes)
            if kind == "plain descent":
                asked = dataclasses.replace(asked, edit_cell_types=tuple(store.cell_types), steps=120)
            design = design_epigenome(model, store, genes, asked)
            held = ~design.target
            change = world.true_expression(design.designed, genes) - world.true_expression(
                design.original, genes
            )
            drift = np.abs(change[:, held]).mean(axis=1) if held.any() else np.zeros(len(genes))
            into.setdefault(f"{wish}: {kind}", []).extend(
                zip(
                    design.share(design.achieved),
                    design.share(design.judged),
                    true_share(world, design),
                    design.size,
                    edited_blocks(design),
                    drift,
                )
            )
