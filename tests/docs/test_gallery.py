"""The gallery shows what its script draws, by the lines that it shows."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
gallery = importlib.util.module_from_spec(spec)
spec.loader.exec_module(gallery)


def test_the_page_is_that_of_the_script():
    assert (DOCS / "guide/gallery.md").read_text(encoding="utf-8") == gallery.page()
    assert {path.stem for path in (DOCS / "images/gallery").glob("*.svg")} == set(gallery.FIGURES)


@pytest.mark.parametrize("name", gallery.FIGURES)
def test_each_line_draws_its_figure(name, tmp_path):
    drawn = gallery.draw(name, tmp_path).read_text()
    kept = (DOCS / "images/gallery" / f"{name}.svg").read_text()
    assert drawn.count("<path") == kept.count("<path") > 5
