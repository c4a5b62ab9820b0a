# Python 3.11, 3.12 or 3.13, of which .venv is made when there is none.
PYTHON ?= python3
# More arguments of pytest: make test ARGS="-k literals"
ARGS ?=
# Docker Compose, of whichever generation.
COMPOSE ?= $(if $(shell docker compose version 2>/dev/null),docker compose,docker-compose)
# What the sandbox image is made from, and its name.
BASE_IMAGE ?= python:3.13-slim
SANDBOX_IMAGE ?= case2code-sandbox:latest

UV_VERSION := 0.13.9
UV := $(or $(shell uv --version >/dev/null 2>&1 && command -v uv),.uv/bin/uv)
LOCKED := requirements.txt requirements-dev.txt
COMPILE := --quiet --universal --python-version 3.11 --generate-hashes
COMPILE_GPU := --quiet --python-platform x86_64-manylinux_2_35 --python-version 3.12 --generate-hashes
BENCHMARKS := $(filter-out __% measuring case2code examined_mutants generated scale s3_server,$(notdir $(basename $(wildcard benchmarks/*.py))))
export PYTHONPATH := $(CURDIR)/plugins
export UV_CUSTOM_COMPILE_COMMAND := make lock
export UV_PYTHON_DOWNLOADS := never
ifdef PIP_INDEX_URL  # uv does not read pip's settings
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.PHONY: help setup demo ui ui-down up down logs composition test nightly lint bench screenshots sandbox-image vllm-engine stores lock clean
.DEFAULT_GOAL := help

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s  %s\n", $$1, $$2 }' Makefile

setup: .venv/.complete  ## Make the environment in .venv; the targets below do it when needed
	@echo "$$(.venv/bin/python --version) in .venv is ready"

demo: .venv/.complete  ## Build a dataset from Python's standard library on an embedded Airflow
	@.venv/bin/python -m c2c_airflow.demo

ui: .venv/.complete  ## Start the embedded Airflow with its web interface, on this machine alone
	@.venv/bin/python -m c2c_airflow.standalone up

ui-down: .venv/.complete  ## Stop what `make ui` started
	@.venv/bin/python -m c2c_airflow.standalone down

up:  ## Start the deployment of a team with Docker Compose (docs/deployment.md)
	@docker/make-env
	$(COMPOSE) build
	$(COMPOSE) up --detach
	@sed -n 's/^C2C_UI_URL=/Airflow starts at /p' .env

down:  ## Stop what `make up` started; its data stays
	$(COMPOSE) down

logs:  ## Follow the logs of the deployment; SERVICES="scheduler worker-sandbox" for some
	$(COMPOSE) logs --follow --tail 100 $(SERVICES)

test: .venv/.complete  ## Run the tests; a service that is absent skips its own, with the reason
	.venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

nightly: .venv/.complete  ## Run the tests that take minutes each, one at a time
	.venv/bin/python -m pytest -m nightly $(ARGS)

composition: .venv/.complete  ## Run the whole deployment from stand-ins of its images, as root (10 minutes)
	C2C_COMPOSITION=1 .venv/bin/python -m pytest tests/composition $(ARGS)

lint: .venv/.complete  ## Check style, types and the direction of imports
	.venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy && .venv/bin/lint-imports --no-logo

bench: .venv/.complete  ## Run every benchmark against its baselines
	@$(if $(BENCHMARKS),for name in $(BENCHMARKS); do .venv/bin/python -m benchmarks.$$name || exit; done,echo "no benchmarks yet")

screenshots: .venv/.complete  ## Take the pictures of the user interface in docs/images; needs Chromium
	.venv/bin/python -m docs.take_screenshots
	.venv/bin/python -m docs.take_evaluation_screenshots

sandbox-image:  ## Build the image that functions run in, from BASE_IMAGE
	docker build --quiet --build-arg BASE_IMAGE=$(BASE_IMAGE) --file docker/sandbox/Dockerfile --tag $(SANDBOX_IMAGE) .

vllm-engine:  ## Make a CPU build of vLLM, with TRL, in .vllm, for machines without a GPU (3 GB)
	docker/gpu/make-cpu-engine .vllm

stores:  ## Make the stores without conditional writes that tests run against, in .stores
	tests/stores/make-environment .stores

lock: $(UV)  ## Compile the requirements; UPGRADE=--upgrade takes newer versions
	$(UV) pip compile $(COMPILE) $(UPGRADE) pyproject.toml requirements.in --output-file requirements.txt
	$(UV) pip compile $(COMPILE) $(UPGRADE) requirements-dev.in --output-file requirements-dev.txt
	$(UV) pip compile $(COMPILE_GPU) $(UPGRADE) docker/gpu/requirements.in --output-file docker/gpu/requirements.txt
	$(UV) pip compile $(COMPILE) $(UPGRADE) --excludes docker/gpu/not-locked.txt docker/gpu/requirements-cpu.in \
		--output-file docker/gpu/requirements-cpu.txt
	$(UV) pip compile $(COMPILE) $(UPGRADE) tests/stores/requirements.in --output-file tests/stores/requirements.txt

clean:  ## Remove the environment, caches and all that runs left behind, but for ./out
	rm -rf .venv .uv .vllm .airflow .c2c .hypothesis .*_cache

# Bytecode is compiled here because many environments forbid writing it later, and importing
# Airflow without it takes several seconds in every process.
.venv/.complete: $(LOCKED) pyproject.toml | .venv/bin/python
	$(UV) pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode $(LOCKED)
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/bin/python: | $(UV)
	@$(require_python)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv

.uv/bin/uv:
	@$(require_python)
	$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv==$(UV_VERSION)

define require_python
$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
echo "$(PYTHON) is no Python 3.11, 3.12 or 3.13; name one: make setup PYTHON=python3.12" >&2; exit 1; }
endef
