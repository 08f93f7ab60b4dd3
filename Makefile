# CJ Assessment: the commands of the project. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
# A LiteLLM proxy for one test. It wants other versions than the project does, so it lives apart.
LITELLM := $(VENV)/litellm
# checkov, which reads the template, wants other versions too.
CHECKOV := $(VENV)/checkov
# SAM finds the python3.13 that builds the layers, and its pip, on PATH.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Where the home folder may not be written, as in some containers, uv keeps its cache here.
ifneq ($(shell test -w "$${HOME:-/nonexistent}" && echo yes),yes)
export UV_CACHE_DIR ?= $(CURDIR)/$(VENV)/.cache/uv
endif

# Hundreds of processes start in the checks; without kept bytecode each compiles all it imports.
unexport PYTHONDONTWRITEBYTECODE

CJ_PORT ?= 4566
export CJ_PORT

PACKAGES := layers/scoring layers/service runner
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-zA-Z_<>-]+:.*## /{printf "  %-20s %s\n", $$1, $$2} /^#: /{sub(/^#: /, ""); split($$0, a, " ## "); printf "  %-20s %s\n", a[1], a[2]}' $(MAKEFILE_LIST)

# --- environment -------------------------------------------------------------------------------

.PHONY: setup
setup: $(STAMPS)/packages ## Prepare .venv (Python 3.13, pinned and hashed requirements)
	@:

$(STAMPS)/python: .python-version
	@found=; \
	for candidate in "$${PYTHON:-}" python3.13 "$$(pyenv prefix 3.13 2>/dev/null || true)/bin/python3.13" \
			$$(ls -d "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13.*/bin/python3.13 2>/dev/null || true) python3; do \
		if [ -n "$$candidate" ] && "$$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; \
		then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Python 3.13 was not found. Install it (for example: pyenv install 3.13), or name it: make setup PYTHON=/path/to/python3.13" >&2; exit 1; \
	fi; \
	echo "Creating $(VENV) with $$("$$found" -V)"; \
	"$$found" -m venv --clear $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/installer: requirements/bootstrap.txt $(STAMPS)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(STAMPS)/requirements: requirements/dev.txt $(STAMPS)/installer
	@echo "Installing requirements"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt requirements/bootstrap.txt
	@$(BIN)/python -m ensurepip >/dev/null # sam build runs pip; a sync leaves only what is listed
	@touch $@

$(STAMPS)/packages: $(PACKAGES:%=%/pyproject.toml) $(STAMPS)/requirements
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(PACKAGES:%=-e ./%)
	@touch $@

.PHONY: litellm
litellm: $(STAMPS)/litellm ## Install a LiteLLM proxy for its test, in an environment of its own
	@:

$(STAMPS)/litellm: requirements/litellm.txt $(STAMPS)/installer
	@echo "Installing LiteLLM"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LITELLM)
	@$(BIN)/uv pip sync --quiet --python $(LITELLM)/bin/python --require-hashes --only-binary :all: $<
	@# Its first start compiles all that it imports: here, and not while tests wait for it.
	@LITELLM_OFFLINE_MODE=true LITELLM_LOCAL_MODEL_COST_MAP=True \
		$(LITELLM)/bin/python -c "import litellm.proxy.proxy_server" >/dev/null 2>&1 || :
	@touch $@

.PHONY: requirements
requirements: $(STAMPS)/installer ## Compile the pinned requirements again (UPGRADE=1 for newest)
	@touch requirements/dev.txt layers/scoring/requirements.txt layers/service/requirements.txt
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.txt
	$(COMPILE) --only-binary :all: requirements/litellm.in -o requirements/litellm.txt
	$(COMPILE) requirements/checkov.in -o requirements/checkov.txt
	$(COMPILE) $(PACKAGES:%=%/pyproject.toml) --all-extras \
		--group pyproject.toml:test --group pyproject.toml:lint --group pyproject.toml:cloud \
		--group pyproject.toml:bench --group pyproject.toml:build --group pyproject.toml:docs \
		--no-emit-package cj-assessment --no-emit-package cj-scoring -o requirements/dev.txt
	$(COMPILE) layers/scoring/pyproject.toml --constraint requirements/dev.txt -o layers/scoring/requirements.txt
	$(COMPILE) layers/service/pyproject.toml --constraint requirements/dev.txt -o layers/service/requirements.txt

# --- pages -------------------------------------------------------------------------------------

.PHONY: browser
browser: ## Install Chromium for the tests of the pages, where this machine may
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium"; \
		{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 install -y \
			--no-install-recommends chromium; } >/dev/null \
			|| echo "CHROMIUM COULD NOT BE INSTALLED: the pages are not tested." >&2; \
	else \
		echo "CHROMIUM IS MISSING: the pages are not tested. Install the package chromium." >&2; \
	fi

.PHONY: web
web: ## Build the pages again from web/ (needs Node 20; packages are fetched by hash)
	@cd web && npm ci --silent --ignore-scripts --no-audit --no-fund && node build.mjs

# --- the laptop cloud --------------------------------------------------------------------------

.PHONY: demo
demo: setup ## Run one batch of real texts on the laptop cloud and print its grades
	@$(BIN)/python -m local.demo

.PHONY: local-up
local-up: setup ## Start the laptop cloud on CJ_PORT (4566)
	@$(BIN)/python -m local.stack.cloud up

.PHONY: local-down
local-down: setup ## Stop the laptop cloud
	@$(BIN)/python -m local.stack.cloud down

.PHONY: deploy-local
deploy-local: setup ## Build, and deploy template.yaml to the laptop cloud
	@$(BIN)/python -m local.stack.deploy deploy

.PHONY: build
build: setup ## Build the functions and layers into .aws-sam
	@$(BIN)/python -m local.stack.deploy build

.PHONY: stop
stop: ## Stop everything that was started here
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m local.stack.stop; else echo "nothing was started"; fi

.PHONY: events
events: setup ## Show the events that the stack on the laptop cloud published
	@$(BIN)/python -m local.stack.look events

#: logs-<function> ## Show what one function logged on the laptop cloud
logs-%: setup
	@$(BIN)/python -m local.stack.look logs $*

#: invoke-<function> ## Run one function in a container (EVENT=events/<function>/<case>.json)
invoke-%: setup
	@$(BIN)/python -m local.stack.invoke $* $(EVENT)

# --- checks ------------------------------------------------------------------------------------

PYTEST := $(BIN)/python -m pytest
# One more than cores: two of them begin with the laptop clouds (tests/conftest.py), which mostly wait.
WORKERS ?= 3
PYTHON_CODE := layers/scoring/scoring layers/service/assessment functions runner/runner local benchmarks

.PHONY: check
check: setup ## The inner loop: lint, types, imports, complexity, unit and contract tests
	@$(MAKE) -j 2 --output-sync=target ruff imports complexity type quick-tests

.PHONY: static
static: setup
	@$(MAKE) -j 2 --output-sync=target ruff imports complexity type

# Every worker of a fresh clone would compile the same modules and test files at the same time. What
# cannot be imported is for the tests themselves to say.
.PHONY: bytecode
bytecode: setup
	@$(PYTEST) --collect-only -q -p no:cacheprovider >/dev/null || :
	@$(BIN)/python -c "import cfnlint.api, matplotlib.pyplot, pandas, polars, schemathesis" || :

.PHONY: quick-tests
quick-tests: setup
	@$(PYTEST) -q -n 2 --dist worksteal --hypothesis-profile=quick --durations=10 \
		-m "not slow and not local_cloud" tests/unit tests/contracts tests/infrastructure $(PYTEST_ARGS)

# Beside the types, which take one core longest, the other builds the stack for the laptop clouds,
# compiles what tests import, and installs.
.PHONY: test
test: setup ## Everything: checks, all tests with branch coverage, laptop cloud
	@$(MAKE) -j 2 --output-sync=target type build ruff imports complexity bytecode litellm browser
	@$(PYTEST) -n $(WORKERS) --dist loadscope --durations=10 -m "not deaths and not conformance and not containers" \
		--cov --cov-report=term:skip-covered $(PYTEST_ARGS)

.PHONY: deaths
deaths: setup ## Kill two workers of every function on the laptop cloud: the result stays the same
	@$(PYTEST) -m deaths tests/local_cloud $(PYTEST_ARGS)

.PHONY: conformance
conformance: setup ## Ask the API thousands of things, right and wrong: every answer is as its document says
	@$(PYTEST) -m conformance -s tests/handlers tests/local_cloud $(PYTEST_ARGS)

.PHONY: containers
containers: setup ## Run events of the API through `sam local invoke`, on a store with what they name (Docker)
	@$(PYTEST) -m containers tests/handlers $(PYTEST_ARGS)

.PHONY: checkov
checkov: $(STAMPS)/checkov ## Look through the template for what is not safe (checkov and cfn-lint)
	@$(BIN)/cfn-lint template.yaml
	@$(CHECKOV)/bin/checkov --config-file .checkov.yaml

$(STAMPS)/checkov: requirements/checkov.txt $(STAMPS)/installer
	@echo "Installing checkov"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(CHECKOV)
	@$(BIN)/uv pip sync --quiet --python $(CHECKOV)/bin/python --require-hashes $<
	@touch $@

.PHONY: lint
lint: ruff imports complexity ## Ruff (rules and format), import rules, complexity, cfn-lint
	@$(BIN)/cfn-lint template.yaml

.PHONY: ruff
ruff: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: imports
imports: setup
	@$(BIN)/lint-imports --no-logo

.PHONY: complexity
complexity: setup
	@$(BIN)/xenon --max-absolute B --max-modules A $(PYTHON_CODE)

.PHONY: type
type: setup ## mypy --strict, tests included
	@$(BIN)/mypy

.PHONY: bench
bench: setup ## Run every benchmark; ends with the claims that do not hold (BENCH_ARGS=--quick)
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

# --- packages and documentation ----------------------------------------------------------------

.PHONY: dist
dist: setup ## Build the wheels of the packages into dist/
	@rm -rf dist
	@for package in $(PACKAGES); do \
		$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist ./$$package; \
	done
	@ls dist

.PHONY: dist-test
dist-test: dist ## Install the wheels in a fresh environment, and use them outside the repository
	@$(BIN)/python -m local.check_wheels dist

.PHONY: docs
docs: setup ## Build the documentation and API reference into site/; links are checked
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet --site-dir site

.PHONY: clean
clean: stop ## Remove builds, caches and the environment
	@rm -rf $(VENV) .aws-sam .local .mypy_cache .ruff_cache .pytest_cache .hypothesis out dist site
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
