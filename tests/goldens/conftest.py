"""The inputs of the goldens, made once."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    sys.path.insert(0, str(HERE))
    try:
        from inputs import write_inputs
    finally:
        sys.path.remove(str(HERE))
    return write_inputs(tmp_path_factory.mktemp("goldens") / "inputs")
