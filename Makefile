PYTHON ?= python3
BIN := .venv/bin
# mypy finds the namespace where its packages lie in one folder.
PACKAGES := baselines benchmarks datasets evaluation neural notebooks serving studies support
# Python compiles what it imports: to compile all packages takes longer than the rest of the install.
INSTALL := --quiet --no-compile
# A worker a core (tests/conftest.py).
PYTEST := python -m pytest -p no:benchmark --numprocesses auto --dist worksteal
# What may come out otherwise on one core: several processes or threads at once (commands, services, engines, several
# processes of a training, downloads), and what looks at the machine's cores itself. Everything else computes
# in one process at a time, which has one thread on any machine (tests/conftest.py), on Spark two (local[2]).
BY_CORES := baselines/test_als.py baselines/test_ease.py baselines/test_ials.py \
    benchmarks/serving \
    datasets/aliec/test_raw_files.py datasets/aliec/test_reader_cache.py \
    datasets/prepared/test_in_files.py datasets/sources/test_archives.py \
    datasets/sources/test_download.py datasets/sources/test_listing.py \
    evaluation/engines/test_choice.py evaluation/engines/test_histories.py evaluation/engines/test_local.py \
    evaluation/engines/test_packing.py evaluation/ranking/test_forecast.py evaluation/ranking/test_topk.py \
    evaluation/runs/test_isolation.py evaluation/runs/test_timings.py evaluation/runs/test_torchrun.py \
    evaluation/runs/test_usage.py evaluation/test_command_line.py evaluation/tuning/test_search.py \
    neural/distributed neural/towers/test_attention.py neural/towers/test_sums.py \
    neural/training/test_exact.py neural/training/test_optimizer.py \
    neural/training/test_row_sums.py neural/training/test_scores.py neural/training/test_shared_checkpoint.py \
    neural/training/test_threads.py notebooks run_all \
    serving/bundles/test_journal.py serving/bundles/test_shared_journal.py serving/bundles/test_versions.py \
    serving/http serving/searchers/test_own.py serving/test_changes.py serving/test_compare.py \
    serving/test_docker.py serving/test_load.py serving/test_security.py \
    serving/test_winners.py studies/test_processes.py \
    support/storage support/system support/test_compute.py support/test_devices.py support/test_output.py \
    support/test_progress.py support/test_python.py support/test_ranks.py test_nproc.py
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --constraint requirements-torch.txt --no-emit-package torch pyproject.toml
# On an older Python pip stops here, with this name as its sentence.
TOO_OLD := python-3.11-or-newer-is-needed @ file:///python-3.11-or-newer-is-needed.zip ; python_version < '3.11' --hash=sha256:$(shell printf '0%.0s' $$(seq 64))
# The blocks (a pin and its hashes) of the second file that the first does not have.
BEYOND := awk '/^[a-z]/ { keep = !(FNR < NR && $$0 in had); had[$$0] } FNR < NR && keep'

.PHONY: leaderboard test quick test-all test-slow test-one-core lint types docs lowest bench torture lock

leaderboard: .venv/installed
	$(BIN)/python run_all.py

# Lint and types take one core, and so leave the others to the tests.
test: .venv/installed-test
	$(MAKE) --no-print-directory --jobs 2 lint quick

quick: .venv/installed-test
	$(BIN)/$(PYTEST) -m "not slow"

test-all: test test-slow

test-slow: .venv/installed-test
	$(BIN)/$(PYTEST) -m slow

# After a test on several cores: the quick tests that may come out otherwise on one.
test-one-core: .venv/installed-test
	taskset -c 0 $(BIN)/$(PYTEST) -m "not slow" -k "not spark" $(BY_CORES:%=tests/%)

lint: .venv/installed-test types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell

types: .venv/installed-test
	rm -rf build/types && mkdir -p build/types/retrieval_leaderboard
	ln -s $(CURDIR)/retrieval_leaderboard/*.py $(PACKAGES:%=$(CURDIR)/%) build/types/retrieval_leaderboard
	cd build/types && ../../$(BIN)/mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache

# The pages as a site, in build/site; a link or an anchor that leads nowhere is an error.
docs: .venv/installed-docs
	$(BIN)/python -m support.site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

.venv/bin/python:
	@$(PYTHON) support/python.py
	$(PYTHON) -m venv .venv

# PyTorch comes apart: a build of your own that is there already stays.
.venv/installed: requirements.lock requirements-torch.txt | .venv/bin/python
	$(BIN)/pip install $(INSTALL) --requirement requirements.lock
	$(BIN)/python -c 'import torch' 2> /dev/null || $(BIN)/pip install $(INSTALL) --requirement requirements-torch.txt
	touch $@

.venv/installed-test: requirements-test.lock .venv/installed
	$(BIN)/pip install $(INSTALL) --requirement requirements-test.lock
	touch $@

.venv/installed-docs: requirements-docs.lock .venv/installed
	$(BIN)/pip install $(INSTALL) --requirement requirements-docs.lock
	touch $@

# Pins every version anew, for all platforms and Pythons; torch keeps its pin in requirements-torch.txt.
lock: | .venv/bin/python
	$(BIN)/pip install --quiet uv
	$(COMPILE) --output-file .venv/run.txt
	$(COMPILE) --constraint .venv/run.txt --extra test --output-file .venv/test.txt
	$(COMPILE) --constraint .venv/run.txt --extra serve --output-file .venv/serve.txt
	$(COMPILE) --constraint .venv/run.txt --extra big --output-file .venv/big.txt
	$(COMPILE) --constraint .venv/run.txt --extra docs --output-file .venv/docs.txt
	$(COMPILE) --constraint .venv/run.txt --extra report --output-file .venv/report.txt
	$(COMPILE) --constraint .venv/run.txt --extra onnx --output-file .venv/onnx.txt
	$(COMPILE) --constraint .venv/run.txt --extra spark --output-file .venv/spark.txt
	(echo "# Every version of the environment but PyTorch's (requirements-torch.txt); made by 'make lock' from pyproject.toml."; echo "$(TOO_OLD)"; cat .venv/run.txt) > requirements.lock
	(echo "# What tests need beside requirements.lock; made by 'make lock'."; echo "-r requirements.lock"; $(BEYOND) .venv/run.txt .venv/test.txt) > requirements-test.lock
	(echo "# What serving needs beside requirements.lock; made by 'make lock'."; echo "-r requirements.lock"; $(BEYOND) .venv/run.txt .venv/serve.txt) > requirements-serve.lock
	(echo "# What logs larger than memory need beside requirements.lock; made by 'make lock'."; echo "-r requirements.lock"; $(BEYOND) .venv/run.txt .venv/big.txt) > requirements-big.lock
	(echo "# What the site of the pages needs beside requirements.lock; made by 'make lock'."; echo "-r requirements.lock"; $(BEYOND) .venv/run.txt .venv/docs.txt) > requirements-docs.lock
	(echo "# What pages and pictures of boards need beside requirements.lock; made by 'make lock'."; echo "-r requirements.lock"; $(BEYOND) .venv/run.txt .venv/report.txt) > requirements-report.lock
	(echo "# What exports of towers need beside requirements.lock; made by 'make lock'."; echo "-r requirements.lock"; $(BEYOND) .venv/run.txt .venv/onnx.txt) > requirements-onnx.lock
	(echo "# What Spark needs beside requirements.lock; made by 'make lock'."; echo "-r requirements.lock"; $(BEYOND) .venv/run.txt .venv/spark.txt) > requirements-spark.lock

# The quick tests with the lowest versions that pyproject.toml allows, in an environment of their own.
lowest: | .venv/bin/python
	$(BIN)/pip install --quiet uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/lowest
	$(BIN)/uv pip install --quiet --python .venv/lowest --resolution lowest-direct --requirements pyproject.toml --extra test
	.venv/lowest/bin/$(PYTEST) -m "not slow"

# Saves each run; a later one is compared by 'make bench COMPARE=0001'.
bench: .venv/installed-test
	$(BIN)/python -m pytest benchmarks --benchmark-autosave --benchmark-columns=median,iqr,rounds --benchmark-sort=name $(if $(COMPARE),--benchmark-compare=$(COMPARE))

# Kills, damage and full disks, put in on purpose: minutes.
torture: .venv/installed-test
	$(BIN)/python -m benchmarks.torture --seed 0
