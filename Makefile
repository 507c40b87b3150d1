# Commands for developers; `make` alone lists them. Variables pass through: PORT=8001 make demo,
# ARGS=-x make test.

PYTHON ?= python3
VENV := .venv
# The tests start the program a hundred times: without bytecode each start compiles it again.
unexport PYTHONDONTWRITEBYTECODE
RUN := $(VENV)/bin/python -m
PIP_LOG := $(VENV)/pip.log
PIP := $(RUN) pip --quiet --quiet --disable-pip-version-check --no-input --log=$(PIP_LOG)

# Replaces pip's output, which without a network is long and does not name the cause, by one line.
define REPORT_PIP
{ if grep -qE 'connection broken by|Could not fetch URL' $(PIP_LOG); \
  then reason='no connection to the package index; a first start needs the internet, or a mirror in PIP_INDEX_URL'; \
  else reason=$$(sed -n 's/^[^ ]* *ERROR: //p' $(PIP_LOG) | head -n 1); fi; \
  echo "The packages cannot be installed: $${reason:-pip failed}. Details: $(PIP_LOG)" >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo serve test check check-real format snapshot bench chaos fuzz mutate lock

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/ready ## a whole day on example chats, then the service on port 8000 (PORT=8001 make demo)
	@$(RUN) app demo $(ARGS)

serve: $(VENV)/ready ## the service with the settings of .env
	@$(RUN) app serve $(ARGS)

test: $(VENV)/ready ## the whole suite; a part of it: ARGS=tests/api make test
	@$(RUN) pytest --numprocesses=4 --dist=worksteal $(ARGS)

check: $(VENV)/ready ## lint, types, import contracts; migrations, documents and lock files against the code
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(VENV)/bin/lint-imports --no-logo
	$(RUN) pytest tests/checks

check-real: $(VENV)/ready ## days on the Postgres, pgbouncer, nginx and Postfix of Debian packages; one trial: TRIALS=pgbouncer make check-real
	@$(RUN) tests.real

format: $(VENV)/ready ## fix lint findings and format the code
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

snapshot: $(VENV)/ready ## write the generated documents: OpenAPI, Postman collection, table of settings
	@$(RUN) tests.checks.openapi
	@$(RUN) tests.checks.postman
	@$(RUN) tests.checks.configuration

bench: $(VENV)/ready ## benchmarks; one of them: ARGS=sync make bench
	@$(RUN) tests.benchmarks $(ARGS)

chaos: $(VENV)/ready ## simulated days under faults; MINUTES=13 SEED=1 REPLICAS=3 WORLDS=4 make chaos
	@$(RUN) tests.chaos

fuzz: $(VENV)/ready ## requests generated from OpenAPI by schemathesis; longer: ARGS=--max-time=600 make fuzz
	@$(RUN) tests.fuzz --max-time=120 $(ARGS)

mutate: $(VENV)/ready ## change each constant of app/domain by one and show the test that fails; one file: ARGS=app/domain/score.py make mutate
	@$(RUN) tests.checks.mutate_domain $(ARGS)

COMPILE := $(RUN) uv pip compile pyproject.toml --quiet --universal --python-version=3.11 --generate-hashes \
           --custom-compile-command='make lock' --no-emit-package=avito-quality

lock: $(VENV)/ready ## lock files from pyproject.toml; newest versions: ARGS=--upgrade make lock
	$(COMPILE) --extra=dev --output-file=requirements.lock $(ARGS)
	$(COMPILE) --constraint=requirements.lock --output-file=requirements-image.lock $(ARGS)

# Two stamps: a changed lock file creates the environment again, a changed pyproject.toml only
# installs the checkout again.
$(VENV)/packages: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || \
	  { echo 'Python 3.11 to 3.14 is required; if it has another name: PYTHON=python3.11 make …' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo '$(PYTHON) has no venv module; on Debian and Ubuntu: sudo apt-get install python3-venv' >&2; exit 1; }
	@echo 'Creating $(VENV), this takes a minute or two…' >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes --requirement requirements.lock 2>/dev/null || $(REPORT_PIP)
	@touch $@

$(VENV)/ready: $(VENV)/packages pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable . 2>/dev/null || $(REPORT_PIP)
	@touch $@
