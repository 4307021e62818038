"""What the commands write and print, and what stored artefacts give, is what it was when the goldens were made."""

import json
import sys
from pathlib import Path

import pytest

from cistron.runtime import Progress

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # make.py runs outside pytest with the same modules
try:
    from artefacts import READ, read_artefact
    from cases import CASES, CLOSED
    from condense import differences
    from running import ARTEFACTS, COMMANDS, command_names, golden_file, run_case
finally:
    sys.path.remove(str(HERE))

MEANT = (
    'If the change is meant: python tests/goldens/make.py --command "{}", and a line in docs/decisions.md.'
)
READINGS = json.loads((HERE / "readings.json").read_text())
# A network's float32 matrix products differ in their last digits from one processor to another.
NETWORKS = ("cells_transformer", "chromatin_network", "sequence_model", "enformer_pytorch.safetensors")
# Commands whose runs on real data take more than ten seconds: each tells how many steps there are, so that the time left is told.
LONG_JOBS = {
    "cells compare", "cells predict", "cells train", "chromatin build", "chromatin design", "chromatin embed", "chromatin epigenesis",
    "chromatin export", "chromatin predict", "chromatin quality", "chromatin train", "demo", "evaluate edges", "evaluate enhancers",
    "evaluate expression", "evaluate genesets", "evaluate gwas", "evaluate labels", "evaluate pairs", "evaluate sldp", "evaluate variants",
    "networks infer", "networks quality", "networks regimes", "omics embed", "omics prepare", "omics tune", "report build", "sequence data",
    "sequence design", "sequence embed", "sequence embed-protein", "sequence enhancers", "sequence evaluate", "sequence folds",
    "sequence predict", "sequence saturate", "sequence train", "sequence variants", "sequence weights", "store check", "study add", "study run",
}  # fmt: skip
SHORT = {
    "chromatin train: ridge",
    "networks infer: mean-shift",
    "networks infer: direct",
}  # seconds on real data


def _tell(told: list[str], remedy: str) -> str:
    rest = f"\n... and {len(told) - 12} more" if len(told) > 12 else ""
    return "\n".join(told[:12]) + rest + f"\n{remedy}"


@pytest.mark.parametrize("case", CASES, ids=[f"{case.command}: {case.name}" for case in CASES])
def test_a_command_gives_its_golden(case, inputs, tmp_path, monkeypatch):
    golden = json.loads(golden_file(case.command).read_text())[case.name]
    counted, advance = [], Progress.advance

    def watched(self, steps=1, note=None):
        counted.append(self.total)
        return advance(self, steps, note)

    monkeypatch.setattr(Progress, "advance", watched)
    found = run_case(case, inputs, tmp_path)
    if case.command in LONG_JOBS and not case.error and f"{case.command}: {case.name}" not in SHORT:
        assert any(counted), f"{case.command} tells no time left: {counted}"
    told = differences(golden, found, case.tolerance)
    assert not told, _tell(told, MEANT.format(case.command))


@pytest.mark.parametrize("name", READ)
def test_a_stored_artefact_gives_what_it_gave(name, inputs):
    found = read_artefact(name, inputs, ARTEFACTS)
    told = differences(READINGS[name], found, 1e-3 if name in NETWORKS else CLOSED)
    assert not told, _tell(told, "Files that users have must stay readable; see tests/goldens/README.md.")


def test_every_command_has_a_golden():
    """A new command adds a case to cases.py and its golden with make.py."""
    commands = command_names()
    assert sorted({case.command for case in CASES}) == sorted(commands)
    assert {path.name for path in COMMANDS.iterdir()} == {golden_file(command).name for command in commands}
    names = {command: [case.name for case in CASES if case.command == command] for command in commands}
    stored = {command: list(json.loads(golden_file(command).read_text())) for command in commands}
    assert stored == names
    assert list(READINGS) == list(READ)


@pytest.mark.parametrize(
    ("golden", "found", "same"),
    [
        ({"sum": 1.0, "values": [1.0]}, {"sum": 1.00001, "values": [1.0]}, True),
        ({"sum": 1.0, "values": [1.0]}, {"sum": 1.001, "values": [1.0]}, False),
        ({"shape": [2]}, {"shape": [3]}, False),
        ({"first": ["a"]}, {"first": ["b"]}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"values": [1.0, None]}, {"values": [1.0, 2.0]}, False),
        ({"values": [1.0]}, {"values": [1.0, 2.0]}, False),
        ({"a": True}, {"a": 1}, False),
        # near zero in an array of size one, the size of the array counts
        ({"shape": [2], "absolute_sum": 2.0, "values": [1e-6]}, {"shape": [2], "absolute_sum": 2.0, "values": [2e-6]}, True),
        ({"printed": ["gain +0.12 of 3"]}, {"printed": ["gain +0.13 of 3"]}, True),
        ({"printed": ["gain +0.12 of 3"]}, {"printed": ["gain +0.12 of 4"]}, False),
        ({"printed": ["gain +0.12 of 3"]}, {"printed": ["loss +0.12 of 3"]}, False),
    ],
)  # fmt: skip
def test_a_difference_is_seen(golden, found, same):
    assert (differences(golden, found, 1e-4) == []) is same
