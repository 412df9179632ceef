# Everything runs inside .venv, which `make setup` builds from pyproject.toml and constraints.txt.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test lint schemas bench bench-split bench-decode bench-models client-size fuzz chart chaos soak clean
.DELETE_ON_ERROR:

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) --version >/dev/null || { echo "Python 3.11 is needed: $(PYTHON) is not on PATH (set PYTHON=…)"; exit 2; }
	@echo "Setting up $(VENV): this takes a minute or more, once."
	@$(PYTHON) -m venv $(VENV)
	@# Python compiles what it imports; compiling all of torch at once takes longer than a demo.
	@$(BIN)/pip install --no-compile --quiet --disable-pip-version-check -c constraints.txt -e '.[models,hub,embedded,gpu,dev,eval]'
	@touch $@

demo: setup
	$(BIN)/streamer demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Three files at a time: much of the services' tests is waiting for them. They share the processors with
# real servers, so one that fails is run once more, and the summary names it.
test: lint
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --reruns 1 -r R

# The Helm chart and the images: lint, every variant against Kubernetes' schemas, what it promises.
chart: setup
	$(BIN)/pytest tests/deploy -q -W ignore

schemas: setup
	$(BIN)/python -m streamer_client.schemas docs/schemas

bench: setup
	$(BIN)/python -m benchmarks.path

bench-split: setup
	$(BIN)/python -m benchmarks.split

bench-decode: setup
	$(BIN)/python -m benchmarks.decode

bench-models: setup
	$(BIN)/python -m benchmarks.models

# The client alone in a fresh environment: its size, and how long it imports.
client-size: setup
	$(BIN)/python -m benchmarks.client_size

# Random hostile inputs for so many seconds: make fuzz SECONDS=600
SECONDS ?= 60
fuzz: setup
	$(BIN)/python -m benchmarks.fuzz --seconds $(SECONDS)

# Faults of every kind while jobs run, then the audit, in each delivery.
# Other choices: make chaos CHAOS="--delivery exactly-once --seed 7"
CHAOS ?=
chaos: setup
	$(BIN)/python -m benchmarks.chaos $(CHAOS)

# Jobs one after the other: what grows? make soak MINUTES=60
MINUTES ?= 60
soak: setup
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

clean:
	rm -rf $(VENV) build dist
