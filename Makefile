PYTHON ?= python3
BIN := .venv/bin
COMPILE := $(BIN)/pip-compile --quiet --strip-extras --no-header --no-annotate --no-emit-options --no-emit-index-url --no-emit-find-links

.PHONY: leaderboard test lint bench torture lock

leaderboard: .venv/installed
	$(BIN)/python run_all.py

test: .venv/installed-test lint
	$(BIN)/python -m pytest

lint: .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/installed: requirements.lock | .venv/bin/python
	$(BIN)/pip install --quiet --requirement requirements.lock
	touch $@

.venv/installed-test: requirements-test.lock .venv/installed
	$(BIN)/pip install --quiet --requirement requirements-test.lock
	touch $@

# Pins every version anew; torch keeps its pin, and its build ("+cpu") is the machine's own choice.
lock: .venv/installed-test
	$(BIN)/pip install --quiet pip-tools
	grep '^torch==' requirements.lock > .venv/torch.txt
	$(COMPILE) --constraint .venv/torch.txt pyproject.toml --output-file .venv/run.txt
	$(COMPILE) --constraint .venv/torch.txt --extra test pyproject.toml --output-file .venv/test.txt
	$(COMPILE) --constraint .venv/torch.txt --extra serve pyproject.toml --output-file .venv/serve.txt
	(echo "# Every version of the environment; made by 'make lock' from pyproject.toml."; grep '^[a-z]' .venv/run.txt | sed 's/+cpu//') > requirements.lock
	(echo "# What tests need beside requirements.lock; made by 'make lock'."; echo "-r requirements.lock"; grep '^[a-z]' .venv/test.txt | sed 's/+cpu//' | grep -vxFf requirements.lock) > requirements-test.lock
	(echo "# What serving needs beside requirements.lock; made by 'make lock'."; echo "-r requirements.lock"; grep '^[a-z]' .venv/serve.txt | sed 's/+cpu//' | grep -vxFf requirements.lock) > requirements-serve.lock

# Saves each run; a later one is compared by 'make bench COMPARE=0001'.
bench: .venv/installed-test
	$(BIN)/python -m pytest benchmarks --benchmark-autosave --benchmark-columns=median,iqr,rounds --benchmark-sort=name $(if $(COMPARE),--benchmark-compare=$(COMPARE))

# Kills, damage and full disks, put in on purpose: minutes.
torture: .venv/installed-test
	$(BIN)/python -m benchmarks.torture --seed 0
