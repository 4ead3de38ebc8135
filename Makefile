# Thin doors: each target calls one tool. What the tools do is in noxfile.py, scripts/ and tox.ini.
.DEFAULT_GOAL := help
SHELL := /bin/bash

UV_VERSION ?= 0.13.8
PUBLIC_INDEX := https://pypi.org/simple
BOOT := .boot

# Interpreters that pyenv keeps, appended so that uv, tox and nox see them all: its shims refuse all but the chosen ones.
PYENV_BINS := $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1[1-4].*/bin)
empty :=
space := $(empty) $(empty)
export PATH := $(PATH):$(CURDIR)/$(BOOT)/bin$(if $(PYENV_BINS),:$(subst $(space),:,$(strip $(PYENV_BINS))))
export UV_PYTHON_DOWNLOADS ?= never
# The system's certificates, where it has any: a proxy that inspects TLS has put its own among them.
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),1,0)
# Whoever may not write into his home keeps here what is fetched.
ifneq ($(shell test -w "$${XDG_CACHE_HOME:-$$HOME}" && echo yes),yes)
export UV_CACHE_DIR ?= $(CURDIR)/$(BOOT)/cache/uv
export PIP_CACHE_DIR ?= $(CURDIR)/$(BOOT)/cache/pip
endif
# Bytecode is kept, whatever the environment says: a process that starts without it compiles Django anew, for seconds.
export PYTHONDONTWRITEBYTECODE :=

# The first Python that is new enough; empty when there is none.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && { command -v $$python; break; }; done)
UV := $(shell command -v uv 2>/dev/null || echo $(BOOT)/bin/uv)
PY := .venv/bin/python
# One more than there are processors: tests wait, too, for servers, deadlines and processes of their own.
PROCESSES := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
SYNC = $(UV) sync --quiet --frozen --inexact --no-default-groups $(if $(wildcard $(PY)),,--python $(PYTHON))
SOURCES := uv.lock pyproject.toml $(wildcard packages/*/pyproject.toml)

# Django's commands work on the demo's database, unless DATABASE_URL or an .env says otherwise.
DEMO_DATABASE := sqlite:///$(CURDIR)/.demo/holdfast.sqlite3
MANAGE := $(if $(wildcard .env),,DATABASE_URL="$${DATABASE_URL:-$(DEMO_DATABASE)}") $(PY) example_project/manage.py

$(BOOT)/bin/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or name it with 'make PYTHON=...'." >&2; exit 1; }
	@$(PYTHON) -m venv $(BOOT) || { rm -rf $(BOOT); \
		echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@$(BOOT)/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"

.venv/.runtime: $(SOURCES) | $(filter $(BOOT)/bin/uv,$(UV))
	@$(SYNC) --group demo && touch $@

.venv/.dev: $(SOURCES) | $(filter $(BOOT)/bin/uv,$(UV))
	@$(SYNC) --group dev --group matrix && touch $@ .venv/.runtime

##@ Start here
.PHONY: demo tour test lint format
demo: .venv/.runtime  ## Everything running in this terminal, with demo data; Ctrl-C ends it
	@$(PY) scripts/demo.py

tour: .venv/.runtime  ## One story through the running demo's API, told as it happens; ARGS="--url ..." for another one
	@test -s .demo/address || { echo "No demo runs here: start it with 'make demo' in another terminal." >&2; exit 1; }
	@$(PY) example_project/manage.py tour --url "$$(cat .demo/address)" --counters "$$(cat .demo/counters.address)" $(ARGS)

test: .venv/.dev  ## All tests, on SQLite and on PostgreSQL; ARGS="wallet -- -k hold" narrows
	@$(PY) scripts/test.py $(ARGS)

lint: .venv/.dev  ## Style, types, architecture, migrations, the lock
	@$(PY) -m nox --session lint types house migrations lock

format: .venv/.dev  ## Put the style right
	@$(PY) -m nox --session format

##@ Go further
.PHONY: matrix e2e docs bench packages schema lock
matrix: .venv/.dev  ## Each package alone, on each Python and Django; LABEL=full for all of them
	@$(PY) -m tox run-parallel --parallel $(PROCESSES) --parallel-no-spinner -m $(or $(LABEL),fast)

e2e: .venv/.dev  ## The pages in a real browser
	@$(PY) -m nox --session e2e

docs: .venv/.dev  ## The documentation, into docs/_build
	@$(PY) -m nox --session docs

bench: .venv/.dev  ## Side by side with the peers; ARGS="wallet"
	@$(PY) -m nox --session bench -- $(ARGS)

packages: .venv/.dev  ## The packages' wheels, into dist/
	@$(PY) -m nox --session build

schema: .venv/.dev  ## The OpenAPI document, validated, into docs/reference/openapi.yaml
	@$(PY) -m nox --session schema

lock: | $(filter $(BOOT)/bin/uv,$(UV))  ## Resolve the lock again, against the public index only
	@env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
		$(UV) lock --no-config --default-index $(PUBLIC_INDEX)

##@ Django, on the demo's database or on DATABASE_URL
.PHONY: djshell migrate makemigrations createsuperuser populate
djshell: .venv/.runtime  ## Django's shell
	@$(MANAGE) shell

migrate: .venv/.runtime  ## Apply the migrations
	@mkdir -p .demo && $(MANAGE) migrate

makemigrations: .venv/.runtime  ## Write migrations for changed models
	@$(MANAGE) makemigrations

createsuperuser: .venv/.runtime  ## Make somebody who may enter the admin
	@$(MANAGE) createsuperuser

populate: .venv/.runtime  ## Load the demo data; again does nothing
	@$(MANAGE) populate

##@ As in production, in Docker
.PHONY: build up down logs shell
build:  ## Build the image
	docker compose build

up:  ## Start it all and wait until it is healthy
	docker compose up --build --detach --wait

down:  ## Stop it; the data stays
	docker compose down

logs:  ## Follow the logs
	docker compose logs --follow --tail 100

shell:  ## A shell where the web process lives
	docker compose exec web bash

.PHONY: help
help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
