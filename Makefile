# Two commands for everybody: `make demo` and `make test`. The rest is for those who work on cistron.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# The versions that belong to this Python: of the environment that is there, else of the one that will make it.
ASK := -c 'import sys; print("%d.%d" % sys.version_info[:2])'
VERSION := $(shell { $(BIN)/python $(ASK) || $(PYTHON) $(ASK) || python3 $(ASK); } 2> /dev/null)
CONSTRAINTS ?= $(or $(wildcard constraints/python-$(VERSION).txt),constraints/python-3.13.txt)
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-for-tests
export CISTRON_TEST_DATA ?= ../shared/data
# An external PYTHONWARNINGS or PYTHONPATH must not change what is tested.
unexport PYTHONPATH

.PHONY: demo test lint unit docs bench coverage package clean

# What the demonstration needs.
$(STAMP): pyproject.toml $(CONSTRAINTS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[torch]'
	touch $(STAMP)

# What the tests need beside. The last package is an oracle of theirs; it comes alone, because its metadata pins an old transformers.
$(TEST_STAMP): $(STAMP) benchmarks/peers/enformer-pytorch.txt
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[test,docs]'
	$(BIN)/python -m pip install --quiet --no-deps -r benchmarks/peers/enformer-pytorch.txt
	touch $(TEST_STAMP)

demo: $(STAMP)
	$(BIN)/cistron demo --output demo

# The unit tests come last, so that their summary and slowest tests close the log.
test: $(TEST_STAMP) lint docs unit

lint: $(TEST_STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(TEST_STAMP)
	$(BIN)/python -m pytest

docs: $(TEST_STAMP)
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build/html

# Tests with coverage of src; takes about half as long again.
coverage: $(TEST_STAMP)
	$(BIN)/python -m coverage run --source=src/cistron -m pytest
	$(BIN)/python -m coverage report --skip-covered --sort=cover | tail -40

# The wheel, installed as a user would (the base, without PyTorch) into an empty environment.
package: $(TEST_STAMP)
	rm -rf dist $(VENV)-wheel
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip install --quiet --constraint $(CONSTRAINTS) dist/*.whl
	$(VENV)-wheel/bin/python -m pip check
	cd dist && $(abspath $(VENV)-wheel)/bin/cistron --version && $(abspath $(VENV)-wheel)/bin/cistron --help > /dev/null && \
	  $(abspath $(VENV)-wheel)/bin/cistron data list > /dev/null
	rm -rf $(VENV)-wheel

bench: $(TEST_STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf demo dist docs/_build docs/api .pytest_cache .mypy_cache .ruff_cache
