# Two commands do all the set-up: `make demo` and `make test`.

SHELL := /bin/bash -o pipefail
PYTHON ?= python3
# An environment of its own for another Python: make test PYTHON=python3.13 VENV=.venv313
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= auto
INSTALL := $(BIN)/pip install --disable-pip-version-check --editable
# Places without a word of .plain-words.txt.
PLAIN := openapi generator benchmarks overlays sandbox tests examples docs/guides docs/*.md changelog.d .github *.md Makefile
SHORT := sed -un 's/^Collecting \([^ ]*\).*/      \1/p; /^ERROR/p'

.DEFAULT_GOAL := help
.PHONY: help demo generate docs test test-fast contract contract-live mutation fuzz check format coverage bench portable dist \
	wheel drift changes changelog system clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV)/demo ## Regenerate the client, start the sandbox, run the quick start against it
	@echo "==> Generating the client from openapi/"
	@$(BIN)/python -m generator generate
	@echo "==> Running examples/quickstart.py"
	@$(BIN)/python examples/demo.py

generate: $(VENV)/demo ## Derive the sync half of the client, lint openapi/, wipe and rewrite generated/
	@$(BIN)/python -m generator sync
	@$(BIN)/python -m generator generate

docs: $(VENV)/demo ## Write docs/ and the table of the README from the description
	@$(BIN)/python -m generator docs
	@$(BIN)/python -m generator coverage --write README.md >/dev/null

test: $(VENV)/dev ## Run all tests
	@$(BIN)/python -m pytest -n $(JOBS)

test-fast: $(VENV)/dev ## Run the tests of some folders of tests/, each in less than a minute (ROOM="overlay/chat runtime")
	@$(BIN)/python -m pytest -n $(JOBS) -q $(addprefix tests/,$(or $(ROOM),runtime))

coverage: $(VENV)/dev ## Run all tests and report which lines and branches of hand-written code they reach
	@$(BIN)/python -m pytest -n $(JOBS) -q --cov --cov-report=term:skip-covered

contract: $(VENV)/dev ## Compare client, description and sandbox at length (COZEKIT_MAX_EXAMPLES=100)
	@COZEKIT_MAX_EXAMPLES=$${COZEKIT_MAX_EXAMPLES:-100} $(BIN)/python -m pytest -n $(JOBS) tests/contract tests/runtime

contract-live: $(VENV)/dev ## Look, reading only, whether the real Coze responds as described (COZE_API_TOKEN, HAR=live.har)
	@$(BIN)/python -m generator drift live --format $(or $(FORMAT),text) $(if $(HAR),--har $(HAR))

mutation: $(VENV)/dev ## Break description, client and sandbox in twenty ways, and see whether the contract notices
	@$(BIN)/python -m tests.mutation

fuzz: $(VENV)/dev ## Mutate responses, streams and connections, and report untyped errors (SEED=1, FUZZ="--answers 1000")
	@$(BIN)/python -m tests.fuzz --seed $(or $(SEED),1) $(FUZZ)

check: $(VENV)/dev ## Lint and types, and that generated/ is fresh and the walls stand
	$(BIN)/python -m generator check
	$(BIN)/python -m generator sync --check
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy generated/coze_api overlays/cozekit sandbox/coze_sandbox generator examples
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/codespell --config .plain-words.cfg $(PLAIN)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --quiet --no-progress --persona auditor .github

format: $(VENV)/dev ## Format hand-written code
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .

bench: $(VENV)/benchmarks ## Compare with cozepy, httpx and the bare parser in one run
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m benchmarks

portable: $(VENV)/dev ## Run other tools on the description and its portable form (TOOL=orval; needs node 22.18, java 17)
	@$(BIN)/python -m tests.portability $(if $(TOOL),--tool $(TOOL))

dist: $(VENV)/dev ## Build sdist and wheel in dist/
	@rm -rf dist && $(BIN)/python -m build --quiet && $(BIN)/twine check --strict dist/*

wheel: dist ## Install the wheel in a new environment and run the quick start with it
	@rm -rf $(VENV)/wheel && $(BIN)/python -m venv $(VENV)/wheel
	@$(VENV)/wheel/bin/pip install --quiet --disable-pip-version-check "$$(ls dist/*.whl)[sandbox]"
	@cd examples && $(abspath $(VENV))/wheel/bin/python demo.py

drift: $(VENV)/dev ## Report what a source has that the description lacks (SOURCE=cozepy, a *.har file, or a folder)
	@$(BIN)/python -m generator drift $(or $(SOURCE),cozepy) --format $(or $(FORMAT),text)

changes: $(VENV)/dev ## Write what changed in the description since a revision as a changelog fragment (SINCE=v1.0.0)
	@$(BIN)/python -m generator diff $(or $(SINCE),$(error set SINCE to a revision: make changes SINCE=v1.0.0)) \
	  --python --format markdown --fail-on never > changelog.d/description.api.md
	@echo "Wrote changelog.d/description.api.md"

changelog: $(VENV)/dev ## Show the release notes that the fragments in changelog.d/ make
	@$(BIN)/towncrier build --draft --version "$$($(BIN)/python -c 'import cozekit; print(cozekit.__version__)')"

# Tests of pages need the one, those of shared tokens the other; they skip visibly where these cannot be had.
system: ## Install chromium and redis-server where this is a Debian without them
	@{ command -v chromium && command -v redis-server; } >/dev/null || ! command -v apt-get >/dev/null || \
	  { sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); $$sudo apt-get update -q && \
	    $$sudo apt-get install -q -y --no-install-recommends chromium redis-server; } >/dev/null 2>&1 || \
	  echo "chromium and redis-server could not be installed"

clean: ## Remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@echo "==> Making an environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=…")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/demo: pyproject.toml | $(VENV)/bin/python
	@echo "==> Installing what the demo needs"
	@$(INSTALL) ".[generator,sandbox]" | $(SHORT)
	@touch $@

$(VENV)/dev: pyproject.toml | $(VENV)/bin/python
	@echo "==> Installing what the tests need"
	@$(INSTALL) ".[dev]" | $(SHORT)
	@touch $@ $(VENV)/demo

$(VENV)/benchmarks: pyproject.toml | $(VENV)/bin/python
	@echo "==> Installing what the benchmarks need"
	@$(INSTALL) ".[benchmarks]" | $(SHORT)
	@touch $@
