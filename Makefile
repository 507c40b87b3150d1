# What a developer or a curious person runs; `make` alone lists it. Settings pass through: PORT=8001 make demo, ARGS=-x make test.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
PIP := $(RUN) pip --quiet --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo serve test check format snapshot bench chaos fuzz lock

help: ## эта подсказка
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/ready ## весь день на примерах, без ключей и настройки; потом служба на порту 8000 (PORT=8001 make demo)
	@$(RUN) app demo $(ARGS)

serve: $(VENV)/ready ## служба с настройками из .env
	@$(RUN) app serve $(ARGS)

test: $(VENV)/ready ## все тесты; выбрать: ARGS=tests/api make test
	@$(RUN) pytest --numprocesses=4 --dist=worksteal $(ARGS)

check: $(VENV)/ready ## стиль, типы, направление импортов; миграции, OpenAPI и lock-файлы против кода
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(VENV)/bin/lint-imports --no-logo
	$(RUN) pytest tests/checks

format: $(VENV)/ready ## привести код к стилю
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

snapshot: $(VENV)/ready ## записать OpenAPI в tests/api/openapi.json и коллекцию Postman в docs, когда они изменены намеренно
	@$(RUN) tests.checks.openapi
	@$(RUN) tests.checks.postman

bench: $(VENV)/ready ## замеры скорости; выбрать: ARGS=sync make bench
	@$(RUN) tests.benchmarks $(ARGS)

chaos: $(VENV)/ready ## дни службы под сбоями: kill, обрывы, чужие часы; MINUTES=13 SEED=1 REPLICAS=3 make chaos
	@$(RUN) tests.chaos

fuzz: $(VENV)/ready ## запросы, выдуманные по OpenAPI, всеми проверками schemathesis; дольше: ARGS=--max-time=600 make fuzz
	@$(RUN) tests.fuzz --max-time=120 $(ARGS)

COMPILE := $(RUN) uv pip compile pyproject.toml --quiet --universal --python-version=3.11 --generate-hashes \
           --custom-compile-command='make lock' --no-emit-package=avito-quality

lock: $(VENV)/ready ## lock-файлы по pyproject.toml; обновить и версии: ARGS=--upgrade make lock
	$(COMPILE) --extra=dev --output-file=requirements.lock $(ARGS)
	$(COMPILE) --constraint=requirements.lock --output-file=requirements-image.lock $(ARGS)

# Two stamps: a changed lock makes the environment anew, a changed pyproject.toml only installs the checkout again.
$(VENV)/packages: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || \
	  { echo 'Нужен Python от 3.11 до 3.14; если он зовётся иначе: PYTHON=python3.11 make …' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo 'У $(PYTHON) нет модуля venv; в Debian и Ubuntu: sudo apt-get install python3-venv' >&2; exit 1; }
	@echo 'Готовлю $(VENV), это минута-другая…' >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes --requirement requirements.lock
	@touch $@

$(VENV)/ready: $(VENV)/packages pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
