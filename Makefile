# Wardline. `make run` simulates a hospital's day, `make test` runs every test.
# Needs Python 3.11 or newer with venv; the rest goes into .venv. `make help` lists it all.

PYTHON ?= python3
SEED ?= 7
SCENARIO ?= configs/outbreak-day.yaml
CONFIG ?= configs/serve-quick.yaml
SPEED ?= 10
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
RUNS := $(VENV)/.runs
DEVELOPS := $(VENV)/.develops
PEER := tests/real/peer
TESTS := $(BIN)/pytest -n 2 --dist
# A test starts many programs: each would compile all our sources anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run live serve test check lint format lock wheel clean

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: $(RUNS) ## simulate the flagship day (SCENARIO=, SEED=); report in reports/
	$(BIN)/wardline run $(SCENARIO) --seed $(SEED)

live: $(RUNS) ## dispatcher, console and simulator together, SPEED= times as fast as the wall's clock
	$(BIN)/wardline live $(SCENARIO) --seed $(SEED) --speed $(SPEED)

serve: $(RUNS) ## dispatch the vehicles of CONFIG=; needs an MQTT broker
	$(BIN)/wardline serve $(CONFIG)

test: $(DEVELOPS) ## every test; installs Mosquitto, Chromium and Node where it may
	@.ci/parts $(PEER)
	$(TESTS) worksteal -m "not real and not browser" $(PYTEST_ARGS)
	$(TESTS) loadgroup -m "real or browser" $(PYTEST_ARGS)

check: lint ## what `make lint` does, and the tests that are neither long nor need real parts
	$(TESTS) worksteal -m "not real and not browser and not long"

lint: $(DEVELOPS) ## format, lint, types, floors, dead code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/vulture

format: $(DEVELOPS) ## let ruff put things in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## take newer packages into both lock files; needs uv
	uv pip compile $(UV) pyproject.toml -o requirements.lock
	uv pip compile $(UV) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock
UV := --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate

wheel: $(DEVELOPS) ## dist/wardline-*.whl
	rm -rf build dist
	$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps -w dist .

clean: ## forget all that was made, reports too
	rm -rf $(VENV) build dist reports *.egg-info $(PEER)/node_modules
	rm -rf .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUNS): requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps -e .
	@echo "compiling the planner, once; takes about a minute"
	@$(BIN)/python -c 'from routing.solving.solver import warm_up; warm_up()'
	@touch $@

$(DEVELOPS): requirements-dev.lock $(RUNS)
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
