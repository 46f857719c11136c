# `make demo` and `make test` need python3 (3.11 to 3.13), git and make; everything else is set up in .venv.
PYTHON ?= python3
VENV := .venv
UV := $(or $(shell command -v uv 2>/dev/null),$(VENV)/bin/uv)
READY := $(VENV)/.dapflow-ready

# Tests wait a third of their time for the servers and commands that they start: one process more than there are cores.
WORKERS = $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

# What `make synth` shows: the environments of cdk.json that have an Airflow, and a branch.
EXAMPLES = $(shell $(VENV)/bin/python -c 'import json; \
	environments = json.load(open("cdk.json"))["context"]["environments"]; \
	print(*(name for name, settings in environments.items() if name == "branch" or "airflow" in settings))')

# Every command here starts Python again and again: let it keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all reliability mutants lint format extension bench synth clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(READY) ## Set up .venv from uv.lock (uv comes into .venv if there is none)

$(READY): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "dapflow needs Python 3.11, 3.12 or 3.13; $(PYTHON) is another. Try: make PYTHON=python3.12 setup"; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@command -v $(UV) >/dev/null 2>&1 || $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) sync --frozen --inexact --active --quiet
	@touch $@

demo: setup ## Land real data, ingest it, run the transforms in Airflow, show a data product
	@$(VENV)/bin/dapflow demo

test: setup ## Run the quick tests (under 5 minutes on 2 cores)
	@$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadgroup

test-all: setup ## Run every test, the slow ones too
	@$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadgroup -m ''

reliability: setup ## Let AWS fail while readers read, and record what came of it in docs/reliability.md (EACH=1 PARTS=)
	@$(VENV)/bin/python -m tests.reliability --each $(or $(EACH),1) $(PARTS)

mutants: setup ## Change the code in small ways and see that tests notice at least 80 %; takes hours (EACH=1 SEED=1)
	@$(VENV)/bin/python -m tests.mutants --each $(or $(EACH),1) --seed $(or $(SEED),1) $(FILES)

lint: setup ## ruff and mypy, as CI runs them
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy

format: setup ## Let ruff format the code
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

extension: setup ## Pack the extension of VS Code into dist/dapflow.vsix (npm fetches what it is made of)
	@rm -rf dist/extension && mkdir -p dist && cp -r dapflow/editor/vscode dist/extension && cp LICENSE dist/extension/
	@cd dist/extension && export PATH="$(CURDIR)/$(VENV)/bin:$$PATH" \
		&& npm ci --no-audit --no-fund --loglevel=error >/dev/null \
		&& npx vsce package --no-dependencies --allow-missing-repository --out ../dapflow.vsix >/dev/null
	@rm -rf dist/extension && echo "dist/dapflow.vsix"

bench: setup ## Measure, and record the figures in docs/benchmarks.md
	@$(VENV)/bin/python -m tests.bench

synth: setup ## Write the templates of the example environments to cdk.out/, without credentials
	@$(MAKE) -s --no-print-directory -j2 $(EXAMPLES:%=cdk.out/%/manifest.json)
	@ls cdk.out/*/*.template.json

# Folders too: a file that is gone changes its folder alone.
cdk.out/%/manifest.json: app.py cdk.json uv.lock $(shell find stacks dapflow dags transforms -not -path '*__pycache__*')
	@rm -rf $(@D)
	@CDK_OUTDIR=$(@D) $(VENV)/bin/python app.py -c $(if $(filter branch,$*),branch=example/branch,environment=$*)

clean: ## Stop the embedded platform; remove its state and the set-up
	@if test -x $(VENV)/bin/dapflow; then $(VENV)/bin/dapflow local down --wipe; fi
	@rm -rf $(VENV) .dapflow cdk.out .pytest_cache .mypy_cache .ruff_cache
