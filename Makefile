# Every command of the project. `make setup` comes first; a second one does nothing.

PYTHON ?= python3
DATA ?= ../shared/data/synthea-r4

BIN := .venv/bin
NPX := PATH="$(CURDIR)/.venv/bin:$$PATH" node_modules/.bin/
SOLIDITY := 'contracts/**/*.sol' 'tests/contracts/**/*.sol'
SCRIPTS := hardhat.config.js 'scripts/*.js' 'api/static/*.js'

export HARDHAT_DISABLE_TELEMETRY_PROMPT := true

.DEFAULT_GOAL := help
.PHONY: help setup run test test-contracts test-python example test-twin test-exhaustive test-invariants lint slither mutants format lock compile clean distclean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: ## Install everything into this folder (.venv, node_modules) and compile the contracts
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "setup: Python 3.11 or newer is needed, as in: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) scripts/setup.py

run: setup ## Start the service with the synthetic patients in DATA
	$(BIN)/passport up --sandbox --data $(DATA)

example: setup ## Run the worked example: from collection to a model, a withdrawal, and the answer
	$(BIN)/python -m scripts.example --data $(DATA)

test: setup ## Run all tests: the contracts' own, then Python's with the browser's
	@sh scripts/browser.sh
	@failed=0; \
	$(MAKE) --no-print-directory test-contracts || failed=1; \
	$(MAKE) --no-print-directory test-python || failed=1; \
	exit $$failed

test-contracts: ## Run the Solidity tests: unit, fuzz, invariants
	$(NPX)hardhat test solidity

test-python: ## Run the Python tests
	$(BIN)/python -m pytest

test-twin: ## Hold contract and twin together for long: 2,000 histories, more combinations (more than an hour)
	PASSPORT_TWIN_HISTORIES=$${PASSPORT_TWIN_HISTORIES:-2000} PASSPORT_TWIN_DEEP=1 $(BIN)/python -m pytest tests/twin

test-exhaustive: setup ## Hold contract and twin together on all 78 million combinations of facts (more than an hour; goes on where it stopped)
	$(BIN)/python -m scripts.check_table

test-invariants: setup ## Run the invariants of the contracts for long: 256 runs of 500 calls (a quarter of an hour)
	PASSPORT_INVARIANT_RUNS=256 PASSPORT_INVARIANT_DEPTH=500 $(NPX)hardhat test solidity --grep invariant_

lint: setup ## Check format, style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPX)prettier --check --no-error-on-unmatched-pattern $(SOLIDITY) $(SCRIPTS)
	$(NPX)solhint --disc --noPoster --max-warnings 0 'contracts/**/*.sol'

slither: setup ## Analyse the contracts; what docs/security.md does not explain is an error (some minutes)
	$(BIN)/python -m scripts.slither

mutants: setup ## Change the contracts in a hundred ways; a test must notice each (a quarter of an hour)
	$(BIN)/python -m scripts.mutants

format: setup ## Format all code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(NPX)prettier --write --no-error-on-unmatched-pattern $(SOLIDITY) $(SCRIPTS)

lock: ## Resolve the requirements anew: requirements.lock, package-lock.json
	@$(PYTHON) scripts/setup.py lock

compile: setup ## Compile the contracts
	@$(PYTHON) scripts/setup.py compile

clean: ## Remove what builds and tests made
	rm -rf .build dist .ruff_cache .import_linter_cache .hypothesis ledger/chain/artifacts/*.json
	find api cli ledger scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Remove what setup installed too
	rm -rf .venv .tools node_modules api/static/vendor
