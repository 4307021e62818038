"""Settings of the documentation. It is built with warnings as errors (``make docs``)."""

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
