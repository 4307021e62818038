"""Every ``>>>`` of the source and of the pages runs and prints what stands below it."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import cistron

ROOT = Path(__file__).parents[2]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Lines that need a download, or a model or measurements of hours; everything else runs.
NEEDS_MORE = {
    "cistron.chromatin.estimator.ExpressionPredictor",
    "cistron.datasets.fetch.fetch",
    "cistron.networks.estimator.NetworkInference",
    "cistron.sequence.estimator.DnaEmbedder",
    "cistron.sequence.estimator.ProteinEmbedder",
}


def examples() -> list[doctest.DocTest]:
    """One test a docstring or page that has examples."""
    finder, parser = doctest.DocTestFinder(exclude_empty=True), doctest.DocTestParser()
    found = []
    sources = {".".join(path.relative_to(ROOT / "src").with_suffix("").parts) for path in (ROOT / "src").rglob("*.py")
               if ">>> " in path.read_text()}  # fmt: skip
    for module in pkgutil.walk_packages(cistron.__path__, "cistron."):
        if {module.name, f"{module.name}.__init__"} & sources:
            found += [test for test in finder.find(importlib.import_module(module.name)) if test.examples]
    for page in [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        blocks = re.findall(r"^```(?:python|pycon)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        text = "\n".join(block for block in blocks if ">>> " in block)
        if text:
            name = str(page.relative_to(ROOT))
            found.append(parser.get_doctest(text, {}, name, name, 0))
    return found


EXAMPLES = examples()


def skipped(test: doctest.DocTest) -> bool:
    return any(example.options.get(doctest.SKIP) for example in test.examples)


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
def test_an_example_prints_what_it_says(test, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CISTRON_PROGRESS", "0")
    printed = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=printed.append, clear_globs=False)
    assert printed == []


def test_all_examples_are_found():
    written = sum(
        len(re.findall(r"^\s*>>> ", path.read_text(), re.MULTILINE)) for path in (ROOT / "src").rglob("*.py")
    )
    assert sum(len(test.examples) for test in EXAMPLES if test.name.startswith("cistron")) == written


def test_only_what_needs_more_is_skipped():
    assert {test.name for test in EXAMPLES if skipped(test)} == NEEDS_MORE
