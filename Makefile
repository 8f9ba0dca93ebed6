# Everything here needs Python ≥ 3.11 and make, nothing else. `make help` lists the targets.
#
#   PYTHON=/path/to/python   which Python makes the virtual environment (else the first fit one)
#   VENV=.venv               where it is made
#   WORKERS=auto             processes of the suite: one for each processor; 0 is pytest's own
#   ARGS="--epochs 1"        further arguments of `grpo-cli train` or of pytest

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

VENV ?= .venv
WORKERS ?= auto
MODEL := .models/SmolLM2-135M-Instruct.Q4_1.gguf
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

SETUPS := $(wildcard plugins/*/setup.cfg)
PLUGINS := $(patsubst %/setup.cfg,%,$(SETUPS))
SOURCES := $(wildcard $(addsuffix /src,$(PLUGINS)))
# Plugins whose tests need more than the core's test requirements say so in an extra of that name.
TESTED := $(shell grep -l '^test =' $(SETUPS) /dev/null | xargs -r -n1 dirname | xargs -r -n1 basename)
empty :=
space := $(empty) $(empty)

.PHONY: help train test lint types format clean
help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | awk -F '\t' '{printf "make %-8s %s\n", $$1, $$2}'

train: $(VENV)/.installed $(MODEL) ## train with the default model; goes on with experiences/ if it holds any
	@if ls experiences/*_experiences.json >/dev/null 2>&1; then \
		echo "experiences/ holds experiences: going on with them (--use-existing-experiences)" >&2; \
		exec $(BIN)/grpo-cli train --use-existing-experiences $(ARGS); \
	else \
		exec $(BIN)/grpo-cli train $(ARGS); \
	fi

test: $(VENV)/.installed-test $(MODEL) ## run the whole suite of core and plugins
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=worksteal $(ARGS)

lint: $(VENV)/.installed-lint ## ruff and mypy --strict over core, plugins, kit and benchmarks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy --version
	MYPYPATH=$(subst $(space),:,$(SOURCES)) $(BIN)/python -m mypy --strict grpo_framework schemas $(SOURCES) $(wildcard benchmarks)

format: $(VENV)/.installed-lint ## let ruff format and mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove the virtual environment, builds and caches; experiences, runs and weights stay
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.egg-info' -type d -prune -exec rm -rf {} +

# The stamp is newer than every setup.cfg, or all is installed once more. What is installed is
# editable: changed code needs no new installation. One build backend serves them all: an environment
# of its own for each build would take most of the time.
$(VENV)/.installed: setup.cfg pyproject.toml $(SETUPS) | $(BIN)/python
	$(PIP) install --quiet 'setuptools>=70.1'
	$(PIP) install --quiet --no-build-isolation --editable . $(addprefix --editable ./,$(PLUGINS))
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) install --quiet 'grpo-framework[test]' $(patsubst %,'grpo-%[test]',$(TESTED))
	@touch $@

$(VENV)/.installed-lint: $(VENV)/.installed-test
	$(PIP) install --quiet 'grpo-framework[lint]'
	@touch $@

$(MODEL): | $(VENV)/.installed
	$(BIN)/python -m grpo_llamacpp.fetch .models

$(BIN)/python:
	@fit() { "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }; \
	if [ -n "$(PYTHON)" ]; then \
		fit "$(PYTHON)" || { echo "make: PYTHON=$(PYTHON) is no Python of version 3.11 or newer" >&2; exit 1; }; \
		python="$(PYTHON)"; \
	else \
		for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do \
			if fit $$candidate; then python=$$candidate; break; fi; \
		done; \
	fi; \
	if [ -z "$$python" ]; then \
		echo "make: no Python ≥ 3.11 found; install one, or say where it is: make PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "make: $$python comes without venv; install it (Debian, Ubuntu: apt install python3-venv)" >&2; \
		exit 1; }; \
	echo "making $(VENV) with $$("$$python" --version)" >&2; \
	"$$python" -m venv "$(VENV)"
