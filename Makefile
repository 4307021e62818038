# Two commands for everybody: `make demo` and `make test`. The rest is for those who work on cistron.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints/python-3.11.txt
STAMP := $(VENV)/.installed
export CISTRON_TEST_DATA ?= ../shared/data
# An external PYTHONWARNINGS or PYTHONPATH must not change what is tested.
unexport PYTHONPATH

.PHONY: demo test lint unit docs bench coverage package clean

# The last package is an oracle of the tests; it comes alone, because its metadata pins an old transformers.
$(STAMP): pyproject.toml $(CONSTRAINTS) benchmarks/peers/enformer-pytorch.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[test,docs]'
	$(BIN)/python -m pip install --quiet --no-deps -r benchmarks/peers/enformer-pytorch.txt
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/cistron demo --output demo

# The unit tests come last, so that their summary and slowest tests close the log.
test: $(STAMP) lint docs unit

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(STAMP)
	$(BIN)/python -m pytest

docs: $(STAMP)
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build/html

# Tests with coverage of src; takes about half as long again.
coverage: $(STAMP)
	$(BIN)/python -m coverage run --source=src/cistron -m pytest
	$(BIN)/python -m coverage report --skip-covered --sort=cover | tail -40

# The wheel, installed as a user would (the base, without PyTorch) into an empty environment.
package: $(STAMP)
	rm -rf dist $(VENV)-wheel
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip install --quiet --constraint $(CONSTRAINTS) dist/*.whl
	$(VENV)-wheel/bin/python -m pip check
	cd dist && $(abspath $(VENV)-wheel)/bin/cistron --version && $(abspath $(VENV)-wheel)/bin/cistron data list > /dev/null
	rm -rf $(VENV)-wheel

bench: $(STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf demo dist docs/_build docs/api .pytest_cache .mypy_cache .ruff_cache
