"""The gallery shows what its script draws, by the lines that it shows."""

import importlib.util
from pathlib import Path

import pytest

from cistron import plots

DOCS = Path(__file__).parents[2] / "docs"
spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
gallery = importlib.util.module_from_spec(spec)
spec.loader.exec_module(gallery)


def test_the_page_is_that_of_the_script():
    assert (DOCS / "guide/gallery.md").read_text(encoding="utf-8") == gallery.page()
    assert {path.stem for path in (DOCS / "images/gallery").glob("*.svg")} == set(gallery.FIGURES)


def test_every_public_plot_is_in_it():
    """What draws into Axes, by its signature; the others colour, order and name."""
    drawing = {name for name in plots.__all__ if "ax" in getattr(getattr(plots, name), "__annotations__", {})}
    assert len(drawing) > 12
    assert {line.partition("(")[0] for _, line in gallery.FIGURES.values()} == drawing


@pytest.mark.parametrize("name", gallery.FIGURES)
def test_each_line_draws_its_figure(name, tmp_path):
    drawn = gallery.draw(name, tmp_path).read_text()
    kept = (DOCS / "images/gallery" / f"{name}.svg").read_text()
    assert drawn.count("<path") == kept.count("<path") > 5
