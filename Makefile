PYTHON := .venv/bin/python
PROFILE ?= local
.DEFAULT_GOAL := help

help:            ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

setup: .venv/.ready  ## make .venv: pinned packages, Horovod, Delta's jars (under 8 minutes on 2 cores)

.venv/.ready: pyproject.toml constraints.txt deploy/setup.sh deploy/fetch_jars.py deploy/archive_classes.py
	bash deploy/setup.sh

demo: setup      ## simulate a book, run the whole pipeline on it, query the result
	bash deploy/demo.sh

test: setup      ## set up if needed, then run every test, in two processes
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests

coverage: setup  ## every test, and which branches of the package none of them takes; fails below 90 percent
	$(PYTHON) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term tests

test-long: setup ## the properties on 25 times as many examples, others in each run
	TEST_EXAMPLES=long $(PYTHON) -m pytest -n 2 --dist load -m examples tests

check: setup     ## ruff, mypy, the floors of the package, and the tests without Spark; a minute or two
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports --no-logo && TEST_EXAMPLES=quick $(PYTHON) -m pytest -q -n 2 --dist loadgroup -m "not spark and not train" tests

docs: setup      ## the pages of docs/ as a site in build/site; a broken link fails it
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict --quiet

bench: setup     ## run one benchmark: make bench BENCH=demo
	$(PYTHON) -m tests.benchmarks $(BENCH)

clean:           ## remove what the targets built, except .venv
	rm -rf build

.PHONY: help setup demo test coverage test-long check docs bench clean
