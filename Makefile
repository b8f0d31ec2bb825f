# Everything one does in the checkout. `make` alone lists it.

# The Python that .venv is made with.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# Compiles the locks: the only tool needed that the locks do not bring themselves.
UV ?= uv
# Other Pythons that `make test` tries too: PYTHONS="3.11 3.13". Each must be there.
PYTHONS ?=
# Workers for the self-checks: four for two cores, for many wait. The conformance run itself is one process.
JOBS ?= 4

# Those that are given and empty: a variable that is not set, so that something else would be judged than was meant.
EMPTY := $(strip $(foreach name,BASE_URL TARGET,$(if $(filter-out undefined,$(origin $(name))),$(if $(value $(name)),,$(name)))))
# The text that was given and nothing else: make would expand a $ in it, and the recipes hand it on in the environment, where no quote
# or space can end the argument early. ARGS, on the other hand, is shell words: ARGS='-k "two words" -x'.
# What was not given is not exported: a make that is started from here would take it for one that is empty.
ifneq ($(origin BASE_URL),undefined)
override BASE_URL := $(value BASE_URL)
export BASE_URL
endif
ifneq ($(origin TARGET),undefined)
override TARGET := $(value TARGET)
export TARGET
endif
ifneq ($(origin FILE),undefined)
override FILE := $(value FILE)
export FILE
endif

# A module is compiled once, whatever the environment says: the self-checks start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help conformance test check lint types imports generated selfcheck unit embedded generate \
	report drift bench search emulator tools coverage bundle format lock dist venv dev clean pythons mutate
# One step after the other, whatever -j says: their output is read by people, and the machines that run this have two cores.
.NOTPARALLEL:
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-14s %s\n' "$$name" "$$text"; done

# --- the main job

conformance: $(VENV)/.run ## run the suite: on the embedded emulator, or BASE_URL=… TARGET=… ARGS="…"
	@$(if $(EMPTY),echo "make: $(firstword $(EMPTY)) is empty: is a variable not set?" >&2; exit 4)
	@$(RUN) -m suites.cli $${BASE_URL:+--base-url "$$BASE_URL"} $${TARGET:+--target "$$TARGET"} $(ARGS)

emulator: $(VENV)/.run ## start the emulator: ARGS="--port 8080 --fault NAME"
	@$(RUN) -m fixtures.emulator $(ARGS)

report: $(VENV)/.run ## make the Allure HTML report of the last run
	@$(RUN) -m reports.allure.page $(ARGS)

drift: $(VENV)/.run ## compare the contract with a published OpenAPI document: FILE=…
	@$(RUN) -m suites.cli --drift "$$FILE"

bench: $(VENV)/.run ## measure what a run costs
	@$(RUN) -m suites.tools.bench $(ARGS)

# --- the project's own tests

test: lint types imports generated selfcheck embedded pythons ## all of the project's own tests, the exact proof in them

check: lint types imports unit ## the quick part of them, for while one works

lint: $(VENV)/.dev
	$(RUN) -m ruff check --quiet
	$(RUN) -m ruff format --check --quiet
	$(VENV)/bin/complexipy --plain
	$(VENV)/bin/shellcheck .ci/run .ci/tools ci/*.sh

types: $(VENV)/.dev
	$(RUN) -m mypy --strict --num-workers 2

imports: $(VENV)/.dev
	$(VENV)/bin/lint-imports --no-logo

# What is made from something else must be what would be made now.
generated: $(VENV)/.dev
	$(RUN) -m contracts.bundle --check
	$(RUN) -m suites.tools.coverage --check
	$(RUN) -m suites.tools.generate --check

# No warning passes here; a conformance run forgives those of a library that is newer than the lock. A test that hangs ends. Tests of one
# xdist_group share a worker, and so what is made for them once.
PYTEST_SELF = $(RUN) -m pytest suites/selfcheck -q -W error -p timeout --timeout 300 -n $(JOBS) --dist loadgroup

selfcheck: $(VENV)/.dev
	$(PYTEST_SELF) -m "not tools" $(ARGS)

unit: $(VENV)/.dev
	$(RUN) -m pytest suites/selfcheck/unit -q -W error -p timeout --timeout 60 -n $(JOBS) -m "not slow and not node" $(ARGS)

# Clients and servers that are made from the contract, compiled and used, linters, a mock: minutes, and downloads of their own.
tools: $(VENV)/.dev ## what other people's programs make of the contract (needs Node.js, Java and Go)
	$(PYTEST_SELF) -m tools $(ARGS)

search: $(VENV)/.dev ## look for an answer that breaks a run: ARGS="5000", ARGS="5000 --seed 7", ARGS="200 --full"
	$(RUN) -m suites.selfcheck.system.search $(ARGS)

# The suite on the embedded emulator, which must be conformant without a gap.
embedded: $(VENV)/.dev
	$(RUN) -m suites.cli --fail-on-gaps

# The suite, and the self-checks that depend on it, on each of PYTHONS.
pythons:
	@$(if $(PYTHONS),ci/pythons.sh $(PYTHONS))

# Minutes for each module: no part of `make test`. ARGS="contracts/attribution/cover.py --sample 0" for all mutants of one.
mutate: $(VENV)/.dev ## how many small changes of the code the tests notice: ARGS="MODULE… --write"
	$(RUN) -m suites.tools.mutate --jobs $(JOBS) $(ARGS)

# --- what is generated

bundle: $(VENV)/.dev ## put the contract into one file, after a change of openapi.yaml or a schema
	$(RUN) -m contracts.bundle

generate: $(VENV)/.dev ## generate the stored examples anew, after a change of the contract or of a strategy
	$(RUN) -m suites.tools.generate

coverage: $(VENV)/.run ## regenerate the coverage table, after a change of a requirement, a test or a fault
	$(RUN) -m suites.tools.coverage

format: $(VENV)/.dev ## put the code into the form that `make lint` asks for
	$(RUN) -m ruff check --fix --quiet || true
	$(RUN) -m ruff format --quiet

# For every Python and platform at once. The dev lock is held to the versions of the other, so that both can go into one environment.
# The locks name no index: whoever installs has one of their own.
lock: ## pin the dependencies anew (needs uv; UPGRADE=1 takes the newest)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pipx install uv" >&2; exit 1; }
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(if $(UPGRADE),--upgrade) \
		pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(if $(UPGRADE),--upgrade) \
		--extra dev --constraint requirements.lock pyproject.toml -o requirements-dev.lock
	printf 'hatchling\n' | $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(if $(UPGRADE),--upgrade) \
		--constraint requirements-dev.lock - -o ci/build.lock
	printf 'pip\n' | $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(if $(UPGRADE),--upgrade) \
		- -o ci/pip.lock
	$(UV) pip compile --quiet --python-version 3.11 --resolution lowest-direct --no-header --no-annotate pyproject.toml -o requirements-lowest.txt

dist: $(VENV)/.dev ## build the wheel and the sdist into dist/
	rm -rf dist
	$(RUN) -m build
	$(RUN) -m twine check --strict dist/*

# --- the environment

venv: $(VENV)/.run
dev: $(VENV)/.dev ## .venv with the developers' tools

# pip and venv are all that is needed. An environment that works is brought up to date in place; one that was left half-built, or whose
# Python is gone, is made again. Most of what is installed is never imported, and need not be compiled.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed and '$(PYTHON)' is not: make PYTHON=python3.11 …" >&2; exit 1; }
	@$(RUN) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) || \
		{ echo "'$(PYTHON) -m venv' does not work; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@ci/pip.sh $(RUN)
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r $<
	@$(RUN) -c 'import pathlib, sys, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "delivery_conformance_checkout.pth").write_text(sys.argv[1])' \
		"$(CURDIR)/ci/venv"
	@touch $@
endef

$(VENV)/.run: requirements.lock ci/venv/delivery_conformance_checkout.py
	$(install)

# It has all that .run has.
$(VENV)/.dev: requirements-dev.lock requirements.lock ci/venv/delivery_conformance_checkout.py
	$(install)
	@touch $(VENV)/.run

clean: ## remove what runs leave behind; .venv, contracts/lint/.venv and contracts/lint/node_modules stay
	rm -rf dist build .pythons reports/out delivery-conformance-report .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .complexipy_cache
	find . \( -name .venv -o -name node_modules -o -name .git \) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
