# Two commands do all the set-up: `make demo` and `make test`.

SHELL := /bin/bash -o pipefail
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= auto
INSTALL := $(BIN)/pip install --disable-pip-version-check --editable
SHORT := sed -un 's/^Collecting \([^ ]*\).*/      \1/p; /^ERROR/p'

.DEFAULT_GOAL := help
.PHONY: redocly help demo generate docs test contract contract-live mutation check format bench clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: .venv/demo ## Regenerate the client, start the sandbox, run the quick start against it
	@echo "==> Generating the client from openapi/"
	@$(BIN)/python -m generator generate
	@echo "==> Running examples/quickstart.py"
	@$(BIN)/python examples/demo.py

generate: .venv/demo ## Lint openapi/, then wipe and rewrite generated/
	@$(BIN)/python -m generator generate

docs: .venv/demo ## Write docs/ from the description
	@$(BIN)/python -m generator docs

test: .venv/dev ## Run all tests
	@$(BIN)/python -m pytest -n $(JOBS)

contract: .venv/dev ## Compare client, description and sandbox at length (COZEKIT_MAX_EXAMPLES=100)
	@COZEKIT_MAX_EXAMPLES=$${COZEKIT_MAX_EXAMPLES:-100} $(BIN)/python -m pytest -n $(JOBS) tests/contract tests/unit

contract-live: .venv/dev ## Look, reading only, whether the real Coze answers as described (COZE_API_TOKEN)
	@$(BIN)/python -m tests.live

mutation: .venv/dev ## Break description, client and sandbox in twenty ways, and see whether the contract notices
	@$(BIN)/python -m tests.mutation

check: .venv/dev ## Lint and types, and that generated/ is fresh and the walls stand
	$(BIN)/python -m generator check
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy generated/coze_api overlays/cozekit sandbox/coze_sandbox generator examples
	$(BIN)/lint-imports

format: .venv/dev ## Format hand-written code
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .

bench: .venv/benchmarks ## Compare with cozepy, httpx and the bare parser in one run
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m benchmarks

redocly: ## Have another tool lint the description, too (needs node)
	npx --yes @redocly/cli@2 lint --extends=spec generated/coze_api/coze.openapi.json

clean: ## Remove the environment and all caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@echo "==> Making an environment in .venv"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=…")'
	@$(PYTHON) -m venv .venv

.venv/demo: pyproject.toml | .venv/bin/python
	@echo "==> Installing what the demo needs"
	@$(INSTALL) ".[generator,sandbox]" | $(SHORT)
	@touch $@

.venv/dev: pyproject.toml | .venv/bin/python
	@echo "==> Installing what the tests need"
	@$(INSTALL) ".[dev]" | $(SHORT)
	@touch $@ .venv/demo

.venv/benchmarks: pyproject.toml | .venv/bin/python
	@echo "==> Installing what the benchmarks need"
	@$(INSTALL) ".[benchmarks]" | $(SHORT)
	@touch $@
