"""Draw the figures of the gallery: ``python docs/gallery.py`` writes docs/images/gallery/NAME.svg and the page docs/guide/gallery.md."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")  # figures go to files

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cistron import plots

DOCS = Path(__file__).parent
scores = pd.DataFrame(
    [
        (
            embedding,
            f"trait {number + 1}",
            gain * (0.6 + 0.2 * number),
            0.03 + 0.01 * number,
            0.0004 * (number - 2),
        )
        for embedding, gain in (("tissues", 0.012), ("DNA", 0.006), ("both", 0.017))
        for number in range(5)
    ],
    columns=["embedding", "target", "value", "null_value", "control_value"],
)
means = scores.groupby("embedding", sort=False)[["value", "control_value"]].mean().reset_index()
means = means.assign(low=means["value"] - 0.004, high=means["value"] + 0.004)
full = scores[scores["embedding"] == "both"].assign(value=lambda table: table["value"] + table["null_value"])
edges = pd.DataFrame(
    [("GATA1", "KLF1", 3, 1), ("GATA1", "SPI1", 2, -1), ("SPI1", "GATA1", 2, -1), ("KLF1", "HBB", 4, 1), ("GATA1", "HBB", 2, 1)],
    columns=["source", "target", "weight", "sign"],
)  # fmt: skip
random = np.random.default_rng(0)
share = np.linspace(0.05, 0.95, 10)
calibration = pd.concat(
    pd.DataFrame({"network": name, "stated": share, "observed": share**power, "n": 40})
    for name, power in (("fitted", 1.05), ("raw", 2.5))
)
recall = np.linspace(0, 1, 40)
curves = pd.concat(
    pd.DataFrame(
        {
            "embedding": name,
            "recall": recall,
            "precision": 1 - loss * recall,
            "false_positives": recall,
            "true_positives": recall**loss,
        }
    )
    for name, loss in (("both", 0.3), ("tissues", 0.5))
)
elements = pd.DataFrame({"distance": random.integers(-60_000, 60_000, 25)})
elements["score"] = np.exp(-elements["distance"].abs() / 15_000) + 0.1 * random.random(25)
places = pd.DataFrame({"distance": random.integers(-60_000, 60_000, 60), "score": 0.15 * random.random(60)})
locus = pd.DataFrame(
    [
        (method, 1_000_000 + start, 1_000_600 + start, 1_050_000, score)
        for method, scores_of in (("model", (0.2, 0.9, 0.4)), ("distance", (0.3, 0.5, 1.0)))
        for start, score in zip((5_000, 28_000, 44_000), scores_of)
    ],
    columns=["method", "start", "end", "start_site", "score"],
)
stretches = pd.DataFrame(
    [
        (f"chr{chromosome}", start, start + 9_000_000, f"fold {(start // 10_000_000 + chromosome) % 3}")
        for chromosome in (1, 2, 3)
        for start in range(0, 80_000_000 - 15_000_000 * chromosome, 10_000_000)
    ],
    columns=["chromosome", "start", "end", "fold"],
)
letters = "ACGTGATAAGGCTAGC"
worth = np.where((np.arange(16) > 3) & (np.arange(16) < 10), 1.0, 0.15) * (0.7 + 0.3 * random.random(16))
cells = pd.DataFrame(
    [
        (embedding, task, 0.5 + gain / 30, gain, gain > 2, gain == best, gain / 40, gain > 4)
        for task, gains, best in (("GO terms", (9, 6, 1), 9), ("GWAS", (3, 5, 0), 5))
        for embedding, gain in zip(("tissues", "DNA", "noise"), gains)
    ],
    columns=["embedding", "task", "value", "gain", "beats_control", "best", "beyond", "knows"],
)
variants = pd.DataFrame(
    {"chromosome": ["1"] * 40 + ["2"] * 30, "position": [*range(0, 4000, 100), *range(0, 3000, 100)]}
)
variants["magnitude"] = random.exponential(0.1, 70)
variants = variants.assign(id=[f"rs{number}" for number in range(70)], ref="A", alt="G")
# name: (what it shows, the line that draws it into `ax`)
FIGURES = {
    "intervals": ("Scores with intervals beside their controls.", "interval_plot(means, ax)"),
    "traits": ("Gains of all traits, controls in grey below.", "box_plot(scores, ax)"),
    "traits_by_embedding": ("Gain of each trait from each embedding.", 'heat_map(scores, ax, label="ΔR²")'),
    "null_and_full": ("With the embedding over the null model.", "full_against_null(full, ax)"),
    "network": ("Edges with their signs.", "network_plot(edges, ax)"),
    "calibration": (
        "Stated probabilities of edges beside the share that is true.",
        "calibration_plot(calibration, ax)",
    ),
    "precision_recall": (
        "Precision over recall, chance as a dashed line.",
        "precision_recall_plot(curves, ax, chance=0.2)",
    ),
    "roc": ("True over false positives.", "roc_plot(curves, ax)"),
    "study": (
        "Every embedding on every task, in standard errors above the null.",
        'study_map(cells, ax, row_order=["tissues", "DNA", "noise"], column_order=["GO terms", "GWAS"])',
    ),
    "variants": (
        "Effects of variants along the genome, the strongest named.",
        "variant_plot(variants, ax, limit=0.3, named=3)",
    ),
    "logo": (
        "What each letter of a region is worth.",
        'logo_plot(letters, worth, ax, start=1_000_000, chromosome="chr1")',
    ),
    "contributions": (
        "Contributions of elements by distance, random places in grey.",
        "contribution_plot(elements, ax, places=places)",
    ),
    "locus": (
        "Elements of one gene along the genome.",
        'locus_plot(locus, ax, methods=("model", "distance"))',
    ),
    "folds": (
        "Folds along the chromosomes.",
        'fold_map(stretches, ax, folds=["fold 0", "fold 1", "fold 2"])',
    ),
}
TABLES = {
    "means": means, "scores": scores, "full": full, "edges": edges, "calibration": calibration, "curves": curves, "elements": elements,
    "places": places, "locus": locus, "stretches": stretches, "letters": letters, "worth": worth, "cells": cells, "variants": variants,
}  # fmt: skip


def draw(name: str, folder: Path) -> Path:
    """Draw one figure by its line."""
    matplotlib.rcParams["svg.hashsalt"] = "gallery"  # the same file each time
    drawing = TABLES | {plot: getattr(plots, plot) for plot in plots.__all__}
    path = folder / f"{name}.svg"
    with plots.figure_style():
        figure = Figure(figsize=(4.5, 2.8), layout="constrained")
        eval(FIGURES[name][1], drawing | {"ax": figure.subplots()})
        figure.savefig(path, metadata={"Date": None})
    return path


def page() -> str:
    """The page of the gallery."""
    parts = ["# Gallery", "", "Each plot takes a tidy table and matplotlib Axes and gives the Axes back. Figures and tables are made by "
             "`docs/gallery.py`; the numbers are made up.", ""]  # fmt: skip
    for name, (told, line) in FIGURES.items():
        parts += [
            f"**{told}**",
            "",
            "```python",
            line,
            "```",
            "",
            f"![{told}](../images/gallery/{name}.svg)",
            "",
        ]
    return "\n".join(parts)


if __name__ == "__main__":
    images = DOCS / "images/gallery"
    images.mkdir(parents=True, exist_ok=True)
    for one in FIGURES:
        print(draw(one, images))
    (DOCS / "guide/gallery.md").write_text(page(), encoding="utf-8")
