"""Draw the figures of the gallery: ``python docs/gallery.py`` writes docs/images/gallery/NAME.svg and the page docs/guide/gallery.md."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")  # figures go to files

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots import box_plot, figure_style, full_against_null, heat_map, interval_plot
from cistron.plots.network_plot import network_plot

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
# name: (what it shows, the line that draws it into `ax`)
FIGURES = {
    "intervals": ("Scores with intervals beside their controls.", "interval_plot(means, ax)"),
    "traits": ("Gains of all traits, controls in grey below.", "box_plot(scores, ax)"),
    "traits_by_embedding": ("Gain of each trait from each embedding.", 'heat_map(scores, ax, label="ΔR²")'),
    "null_and_full": ("With the embedding over the null model.", "full_against_null(full, ax)"),
    "network": ("Edges with their signs.", "network_plot(edges, ax)"),
}


def draw(name: str, folder: Path) -> Path:
    """Draw one figure by its line."""
    matplotlib.rcParams["svg.hashsalt"] = "gallery"  # the same file each time
    drawing = {"means": means, "scores": scores, "full": full, "edges": edges, "interval_plot": interval_plot,
               "box_plot": box_plot, "heat_map": heat_map, "full_against_null": full_against_null,
               "network_plot": network_plot}  # fmt: skip
    path = folder / f"{name}.svg"
    with figure_style():
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
