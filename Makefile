.PHONY: setup demo ui test promises check soak bench lock
PYTHON ?= python3
BIN := .venv/bin

setup: .venv/.installed  ## install into .venv, from the lock

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: install it (Debian, Ubuntu: apt-get install python3-venv) and run make again" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup  ## a whole migration on this machine, in a fresh home under .demo
	@$(BIN)/python -m dispatch_to_pipedrive.demo run

ui: setup  ## Dagster's UI on the last demo
	@$(BIN)/python -m dispatch_to_pipedrive.demo ui

test: setup  ## all tests but the long proofs
	$(BIN)/pytest -m "not soak" -n 3 --dist loadscope --no-loadscope-reorder

promises: setup  ## all tests but the long proofs; docs/promises.md says what they prove
	$(BIN)/pytest -m "not soak" -n 3 --dist loadscope --no-loadscope-reorder --promises=docs/promises.md

check: setup  ## style, types, definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MIGRATION_HOME=$$(mktemp -d) $(BIN)/dagster definitions validate -w workspace.yaml

soak: setup  ## the long proofs
	$(BIN)/pytest -m soak

bench: setup  ## every figure with its goal; fails when one is missed
	$(BIN)/python -m dispatch_to_pipedrive_tests.bench

lock:  ## make requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-annotate --upgrade -o requirements.lock
