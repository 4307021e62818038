"""Settings of the documentation. It is built with warnings as errors (``make docs``)."""

import importlib
import inspect
import pkgutil
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

import cistron

project = "cistron"
author = "The cistron developers"
copyright = "2026, the cistron developers"
release = cistron.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
]
myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "cistron"
exclude_patterns = ["_build"]
autosummary_generate = False
numpydoc_show_class_members = False
intersphinx_mapping = {}  # nothing is fetched when the documentation is built


def _packages() -> list[str]:
    """Every package that makes names public, and the errors; the command line has its own help."""
    found = [
        module.name
        for module in pkgutil.walk_packages(cistron.__path__, "cistron.")
        if module.ispkg
        and module.name != "cistron.cli"
        and "__all__" in vars(importlib.import_module(module.name))
    ]
    return [*sorted(found), "cistron.errors"]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{type(value).__name__} of {len(value)}"  # type: ignore[arg-type]


def _write_reference() -> None:
    """One page a package with everything that it makes public; written before each build."""
    folder = Path(__file__).parent / "api"
    folder.mkdir(exist_ok=True)
    for name in _packages():
        module = importlib.import_module(name)
        lines = [f"# {name}", "", (module.__doc__ or "").split("\n\n")[0], "", "```{eval-rst}"]
        own = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == name]
        for member in getattr(module, "__all__", own):
            thing = getattr(module, member)
            if inspect.isclass(thing):
                lines += [f".. autoclass:: {name}.{member}", "   :members:", ""]
            elif callable(thing):
                lines += [f".. autofunction:: {name}.{member}", ""]
            else:
                lines += [f".. py:data:: {name}.{member}", f"   :value: {_shown(thing)}", ""]
        text = "\n".join([*lines, "```", ""])
        page = folder / f"{name.removeprefix('cistron.')}.md"
        if not page.exists() or page.read_text() != text:
            page.write_text(text)


_write_reference()


# Formulas as MathML, which browsers draw themselves: pages need no script and no network.
html_math_renderer = "mathml"


def _inline(translator: object, node: nodes.math) -> None:
    translator.body.append(convert(node.astext()))  # type: ignore[attr-defined]
    raise nodes.SkipNode


def _block(translator: object, node: nodes.math_block) -> None:
    translator.body.append(f"<div class='math'>{convert(node.astext(), display='block')}</div>")  # type: ignore[attr-defined]
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the renderer of formulas."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
