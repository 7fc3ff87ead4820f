# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?=
VENV ?= .venv
BIN := $(VENV)/bin
GRID ?= model_scale
ARGS ?=
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup setup-gpu demo demo-agent smoke plan sweep status report test test-nightly test-unit test-vllm check bench check-gpu-stack gpu-proof wheel wheel-check sbom audit lock lock-check docs pictures clean

help:            ## this list
	@awk -F ':.*## *' '/^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*##/ {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Start here
setup: $(STAMP)  ## a virtual environment in .venv with everything a machine without a GPU needs (PYTHON=... names one)
$(STAMP): pyproject.toml $(wildcard constraints/*.txt)
	@.ci/setup $(VENV) $(PYTHON)

setup-gpu:       ## the same for NVIDIA GPUs (driver 580 or newer): verl's vLLM stack on Python 3.12 (docs/gpu.md)
	@.ci/setup --gpu $(VENV) $(PYTHON)

demo: setup      ## the main job: train a ladder of tiny models with verl, measure pass@k, print table and report
	$(BIN)/python -m sweeper +grid=$(GRID) -m

demo-agent: setup ## two sizes with and without a calculator: agents trained by verl, to a table and a report
	$(BIN)/python -m sweeper +grid=agent_scale -m model=tiny-agent-40k,tiny-agent-130k seed=0

smoke: setup     ## the smallest real sweep: two runs of the smallest model, about two minutes
	$(BIN)/python -m sweeper +grid=smoke -m

##@ Sweeps (GRID=name, ARGS="overrides")
plan: setup      ## what a grid would run and cost, starting nothing (make plan GRID=kl ARGS="cluster=slurm model_family=qwen2.5")
	$(BIN)/python -m sweeper plan +grid=$(GRID) $(ARGS)

sweep: setup     ## run a grid here, or submit it (ARGS=cluster=slurm)
	$(BIN)/python -m sweeper +grid=$(GRID) -m $(ARGS)

status: setup    ## where every run of a grid stands
	$(BIN)/python -m sweeper status $(GRID)

report: setup    ## render results/reports/GRID.html again from the rows there are
	$(BIN)/python -m analysis report --results results --grid $(GRID) -o results/reports/$(GRID).html

##@ Tests
test: setup      ## lint, types and every test of the gate, in lanes side by side (docs/contributing.md)
	$(BIN)/python -m tests.lanes

test-nightly: setup ## all of that and what is too slow for it
	$(BIN)/python -m tests.lanes --nightly

test-unit: setup ## the tests that take seconds
	$(BIN)/python -m pytest -m 'not verl and not vllm and not slurm and not nightly'

test-vllm: setup ## the second rollout engine on CPU, in an environment of its own (minutes)
	tests/vllm/run $(BIN)/python

check-gpu-stack: setup ## the GPU stack without a GPU: its pins resolve, vLLM's wheel takes every argument that it is given (minutes, network)
	$(BIN)/python -m pytest -rA -m nightly tests/gpu_stack

check: setup     ## lint, types, layers
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup     ## benchmarks, each beside a named peer
	$(BIN)/python -m tests.bench

gpu-proof:       ## whether one GPU here does what is planned of it; writes docs/gpu-proof.md (VENV=the environment)
	@[ -x $(BIN)/python ] || { echo "no environment in $(VENV): make setup-gpu" >&2; exit 1; }
	$(BIN)/python -m sweeper prove --page docs/gpu-proof.md

##@ Keeping house
pictures: setup  ## the README's pictures again: the report of results/ (make demo), and a real sweep in a terminal (two minutes)
	$(BIN)/python .ci/pictures results $(GRID)

docs: setup      ## docs/ as a site in site/, with every link and docstring reference checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet --site-dir site

wheel:           ## build the wheel into dist/
	.ci/wheel

wheel-check:     ## build it, install it into an environment of its own, and use it from an empty folder
	.ci/wheel --check

sbom:            ## what a release is installed with, as CycloneDX, into dist/
	.ci/sbom

audit:           ## known vulnerabilities of the pinned versions (ARGS=https://... a mirror of OSV); 3: nobody could be asked
	.ci/audit $(ARGS)

lock:            ## resolve the pinned versions of every supported Python anew (constraints/)
	.ci/lock

lock-check:      ## whether the pinned versions are all that pyproject.toml asks for
	.ci/lock --check

clean:           ## remove the environment; results stay
	rm -rf $(VENV)
