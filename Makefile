# A fresh machine needs Python 3.11+ and make; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The data root of tests and benchmarks; tests that need it skip, saying so, where it is absent.
export ISTHMUS_DATA ?= $(wildcard $(abspath ../shared/data))
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo test test-all test-optimised check format docs golden bench fuzz dist clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## install what the main job needs, run it on bundled data, leave a report
	$(BIN)/isthmus demo --force -o out/demo

test: $(VENV)/.dev ## the everyday tests, 6 minutes on 2 cores
	$(BIN)/pytest -n auto --dist loadfile -m "not slow"

test-all: $(VENV)/.dev ## the slow tests too
	$(BIN)/pytest -n auto --dist loadfile

test-optimised: $(VENV)/.dev ## the round trips under python -O, which drops assertions: every check must hold
	$(BIN)/python -O -m pytest -n auto -W "ignore::pytest.PytestConfigWarning" -m "not slow" \
		tests/golden tests/conformance tests/tasks/test_table_archives.py tests/tasks/test_table_rounding.py \
		tests/tasks/test_audio_archives.py tests/tasks/test_grid_archives.py tests/tasks/test_video_archives.py

check: $(VENV)/.dev ## format, lint, types, layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## put the code into its format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: $(VENV)/.dev ## the API reference, in site/
	$(BIN)/python docs/build.py site

golden: $(VENV)/.dev ## write missing golden files; existing ones are never touched
	$(BIN)/python tests/golden/make.py

bench: $(VENV)/.dev ## one published figure: make bench NAME=hinton-2006, some with ARGS="…"
	@test -n "$(NAME)" || { echo "Give a name: make bench NAME=…, one of:"; ls benchmarks/*.py | sed 's|benchmarks/||; s|\.py||; s|_|-|g' | grep -v '^common'; exit 2; }
	$(BIN)/python benchmarks/$(subst -,_,$(NAME)).py $(ARGS)

fuzz: $(VENV)/.dev ## feed the reader damaged and hostile archives for SECONDS=60; atheris guides it if installed
	$(BIN)/python tests/fuzz/fuzz_reader.py --seconds $(or $(SECONDS),60)

dist: $(VENV)/.dev ## sdist and wheel, in dist/
	rm -rf dist
	$(BIN)/python -m build --outdir dist

clean: ## remove what was made here, but no data and no models elsewhere
	rm -rf $(VENV) build dist site out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Isthmus needs Python 3.11 or later; this is " + sys.version)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[train,report]'
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@
