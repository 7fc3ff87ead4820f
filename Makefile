# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
GRID ?= model_scale
# Where PyTorch's CPU wheels live outside; a machine that has them locally (pip's find-links) need not reach it.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# Installing over a flaky or closed network: do not wait minutes for an index that does not answer.
PIP := PIP_EXTRA_INDEX_URL="$$PIP_EXTRA_INDEX_URL $(TORCH_INDEX)" $(BIN)/python -m pip --quiet --disable-pip-version-check --retries 1
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-unit test-vllm check bench lock clean

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## *' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP)  ## a virtual environment in .venv with everything a machine without a GPU needs
$(STAMP): pyproject.toml constraints/cpu.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' || \
	  { echo "needs Python 3.11 or 3.12 with venv (Debian: apt-get install python3.11-venv); or: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo "installing (about two minutes, 2 GB) ..."
	$(PIP) install --constraint constraints/cpu.txt --editable '.[cpu,dev]'
	@touch $@

demo: setup      ## the main job: train a ladder of tiny models with verl, measure pass@k, print table and report
	$(BIN)/python -m sweeper +grid=$(GRID) -m

test: check      ## every test, slow lanes included
	$(BIN)/python -m pytest

test-unit: setup ## the tests that take seconds
	$(BIN)/python -m pytest -m 'not verl and not vllm and not demo'

test-vllm: setup ## the second rollout engine on CPU, in an environment of its own (minutes)
	tests/vllm/run $(PYTHON)

check: setup     ## lint, types, layers
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup     ## benchmarks, each beside a named peer
	$(BIN)/python -m tests.bench

lock: setup      ## refresh constraints/ from what is installed now
	$(BIN)/python -m pip freeze --exclude-editable > constraints/cpu.txt

clean:           ## remove the environment; results stay
	rm -rf $(VENV)
