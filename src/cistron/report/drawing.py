"""A figure of a report: saved as png and pdf, shown in the page as SVG with a remark on every mark."""

import io
import re
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup
from matplotlib.figure import Figure

from cistron.plots.style import AXIS, GRID, TEXT, figure_style
from cistron.runtime.files import atomic_path

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
# Colours of text, axes and grid follow the page (dark mode); all others carry meaning and stay.
_THEME = {TEXT: "currentColor", AXIS: "var(--axis)", GRID: "var(--grid)"}


@dataclass(frozen=True)
class Drawing:
    """One figure.

    Attributes
    ----------
    name
        File name without suffix; unique within a report.
    figure
        What is drawn.
    description
        What it shows, in words, for readers who do not see it.
    remarks
        Remarks shown on pointing at a mark: for a gid of the figure, one text a mark in drawing order.
    smallest
        Share of its size to which a narrow page shrinks it; from there on it scrolls.
    """

    name: str
    figure: Figure
    description: str
    remarks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    smallest: float = 0.75

    def save(self, folder: Path) -> list[Path]:
        """Write ``NAME.png`` and ``NAME.pdf`` into a folder."""
        paths = [folder / f"{self.name}.png", folder / f"{self.name}.pdf"]
        for path in paths:
            with atomic_path(path) as partial:
                self._write(partial, metadata={"CreationDate": None} if path.suffix == ".pdf" else None)
        return paths

    def svg(self) -> Markup:
        """Give the figure as inline SVG: text stays text, marks carry ``data-tip``, nothing names an address."""
        buffer = io.BytesIO()
        self._write(buffer, format="svg", metadata={"Date": None}, facecolor="none")
        ElementTree.register_namespace("", _SVG)
        ElementTree.register_namespace("xlink", _XLINK)
        root = ElementTree.fromstring(buffer.getvalue())
        for metadata in root.findall(f"{{{_SVG}}}metadata"):
            root.remove(metadata)
        self._add_remarks(root)
        self._own_identifiers(root)
        width, height = (float(root.attrib.pop(side).removesuffix("pt")) for side in ("width", "height"))
        root.set("role", "img")
        root.set("aria-label", self.description)
        # 96 CSS pixels an inch
        pixels = width * 96 / 72
        size = f"width:{pixels:.0f}px;max-width:100%;min-width:{self.smallest * pixels:.0f}px"
        root.set("style", f"{size};aspect-ratio:{width:.1f}/{height:.1f}")
        text = ElementTree.tostring(root, encoding="unicode")
        for colour, themed in _THEME.items():
            text = text.replace(f": {colour}", f": {themed}")
        return Markup(text)

    def _write(self, target: Path | io.BytesIO, **options: object) -> None:
        import matplotlib

        with figure_style(), matplotlib.rc_context({"svg.hashsalt": self.name}), warnings.catch_warnings():
            # a trait name in a script that the font lacks is drawn by the browser's own font
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            self.figure.savefig(target, bbox_inches="tight", pad_inches=0.08, **options)  # type: ignore[arg-type]

    def _add_remarks(self, root: ElementTree.Element) -> None:
        for group in root.iter(f"{{{_SVG}}}g"):
            texts = self.remarks.get(group.get("id", ""))
            if texts is None:
                continue
            marks = [mark for mark in group.iter() if _is_mark(mark)]
            assert len(marks) == len(texts), (group.get("id"), len(marks), len(texts))
            for mark, text in zip(marks, texts):
                mark.set("data-tip", text)

    def _own_identifiers(self, root: ElementTree.Element) -> None:
        """Put the figure's name before every id, because several figures share one page."""
        for element in root.iter():
            if "id" in element.attrib:
                element.set("id", f"{self.name}-{element.get('id')}")
            link = element.get(f"{{{_XLINK}}}href")
            if link is not None:
                element.set(f"{{{_XLINK}}}href", f"#{self.name}-{link[1:]}")
            clip = element.get("clip-path")
            if clip is not None:
                element.set("clip-path", re.sub(r"url\(#", f"url(#{self.name}-", clip))


def _is_mark(element: ElementTree.Element) -> bool:
    """Tell drawn marks from their definitions: matplotlib draws a collection by ``use``, or by ``path`` in place."""
    if element.tag == f"{{{_SVG}}}use":
        return True
    return element.tag == f"{{{_SVG}}}path" and element.get("id") is None
