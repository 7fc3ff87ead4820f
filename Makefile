# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
GRID ?= model_scale
ARGS ?=
# Where PyTorch's CPU wheels live outside; a machine that has them locally (pip's find-links) need not reach it.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints/cpu.txt
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo plan sweep status report smoke test test-unit test-vllm check bench lock clean

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## *' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP)  ## a virtual environment in .venv with everything a machine without a GPU needs
$(STAMP): pyproject.toml constraints/cpu.txt
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install -y python3.11-venv; } || \
	  { echo "needs Python 3.11 with venv. Debian/Ubuntu: apt-get install python3.11-venv; or: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo "installing (about two minutes, 2 GB) ..."
	$(PIP) --retries 1 --extra-index-url $(TORCH_INDEX) torch 2>&1 | grep -v 'connection broken' || true
	$(PIP) --editable '.[cpu,dev]'
	@touch $@

demo: setup      ## the main job: train a ladder of tiny models with verl, measure pass@k, print table and report
	$(BIN)/python -m sweeper +grid=$(GRID) -m

plan: setup      ## what GRID= would run and cost, starting nothing (make plan GRID=kl ARGS="cluster=slurm model_family=qwen2.5")
	$(BIN)/python -m sweeper plan +grid=$(GRID) $(ARGS)

sweep: setup     ## run GRID= here, or submit it (ARGS=cluster=slurm)
	$(BIN)/python -m sweeper +grid=$(GRID) -m $(ARGS)

status: setup    ## where every run of GRID= stands
	$(BIN)/python -m sweeper status $(GRID)

report: setup    ## render results/reports/GRID.html again from the rows there are
	$(BIN)/python -m analysis report --results results --grid $(GRID) -o results/reports/$(GRID).html

smoke: setup     ## the smallest real sweep: two runs of the smallest model, about two minutes
	$(BIN)/python -m sweeper +grid=smoke -m

test: check      ## every test, slow lanes included
	$(BIN)/python -m pytest -m 'not vllm'

test-unit: setup ## the tests that take seconds
	$(BIN)/python -m pytest -m 'not verl and not vllm and not demo and not slurm'

test-vllm: setup ## the second rollout engine on CPU, in an environment of its own (minutes)
	tests/vllm/run $(PYTHON)

check: setup     ## lint, types, layers
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup     ## benchmarks, each beside a named peer
	$(BIN)/python -m tests.bench

lock: setup      ## write what is installed now into constraints/cpu.txt
	$(BIN)/python -m pip freeze --exclude-editable --quiet | grep -v '^rl-scaling-sweeper' > constraints/cpu.txt

clean:           ## remove the environment; results stay
	rm -rf $(VENV)
