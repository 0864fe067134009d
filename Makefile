# Every target does its own set-up in .venv: a machine with Python 3.11 or newer and git is enough.
SHELL := /bin/sh
.SHELLFLAGS := -ec
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
RUNNABLE := $(VENV)/stamp-run
DEVELOPABLE := $(VENV)/stamp-dev
TESTS ?=
TORTURE ?= 1000

.PHONY: help demo test lint bench docs torture clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

demo: $(RUNNABLE) ## review a sample change and show what waits for a decision
	@$(BIN)/elohim demo

test: $(DEVELOPABLE) ## run the tests and the examples (TESTS=path for some of them)
	@$(BIN)/python -m pytest -n logical --maxprocesses 8 --dist worksteal $(TESTS)

lint: $(DEVELOPABLE) ## style, formatting, types and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo

bench: $(DEVELOPABLE) ## measure speed, as ratios taken in one run
	@$(BIN)/python tests/benchmarks/run.py

docs: $(DEVELOPABLE) ## write the reference pages from the code and check the links
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/links.py

torture: $(DEVELOPABLE) ## kill real processes TORTURE times (1000) and look for lost or doubled effects
	@ELOHIM_TORTURE=$(TORTURE) $(BIN)/python -m pytest -m torture -s

clean: ## remove .venv and what tools left behind
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

$(BIN)/python:
	@python="$(PYTHON)"; bare=""; \
	for name in python3.13 python3.12 python3.11 python3; do \
	  if [ -z "$$python" ] && "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    if "$$name" -c 'import ensurepip, venv' 2>/dev/null; then python="$$name"; else bare="$$name"; fi; \
	  fi; \
	done; \
	if [ -z "$$python$$bare" ]; then \
	  echo "No Python 3.11 or newer was found. Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi; \
	if [ -z "$$python" ]; then \
	  version=$$("$$bare" -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
	  echo "$$bare cannot make virtual environments. On Debian and Ubuntu: apt-get install $$version-venv" >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$python" --version)" >&2; \
	"$$python" -m venv --clear $(VENV)

$(RUNNABLE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV): once, about a minute" >&2
	@$(PIP) -e '.[all]'
	@touch $@

$(DEVELOPABLE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the developer's tools into $(VENV): once, about a minute" >&2
	@$(PIP) -e '.[dev]'
	@touch $@ $(RUNNABLE)
