# Two commands are enough: `make run` and `make test`. Both create .venv and install by themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DATA   ?= var/demo
PYTEST_ARGS ?=

.PHONY: help install run test soak lint bench docs clean
.DEFAULT_GOAL := help

help:            ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.dev   ## create .venv with everything, for working on the code

run: $(VENV)/.run       ## run a whole trading day, then keep serving until Ctrl-C
	@$(BIN)/dongxi up --demo --data $(DATA) $(RUN_ARGS)

test: $(VENV)/.dev      ## run every test that protects behaviour
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not soak" $(PYTEST_ARGS)

soak: $(VENV)/.dev      ## run the long campaigns
	@$(BIN)/python -m pytest -m soak $(PYTEST_ARGS)

lint: $(VENV)/.dev      ## style, types, dependency directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev     ## run every benchmark, quickly
	@for name in $$($(BIN)/python -m bench --list); do $(BIN)/python -m bench.$$name --quick || exit 1; done

docs: $(VENV)/.dev      ## write the generated reference pages
	@$(BIN)/python -m docs.build

clean:           ## remove what the other targets made, but not the data under var/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Dongxi needs Python 3.11 or newer; '$(PYTHON)' is older. Try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Creating $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Dongxi and what it needs into $(VENV) (about a minute the first time) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(VENV)/.run | $(VENV)/bin/python
	@echo "Installing what the tests and the linters need …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
