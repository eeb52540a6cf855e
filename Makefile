# SPDX-License-Identifier: Apache-2.0
# `make run` serves the sample school, `make test` runs the tests; both do all the set-up.

PYTHON ?= python3
VENV   ?= .venv
CONFIG ?= policies
STATE  ?= .state
WHEELS ?= wheels
FUZZ   ?= 1
BENCH  ?=
# Tests wait often: four at a time keep two cores busy.
JOBS   ?= 4
AT     ?=
DEBS   ?=

bin    := $(VENV)/bin
compiled := $(shell find filterd -name '*.pyx') filterd/fastpath/_rate_limit.py
native := $(compiled) $(shell find filterd -name '*.pxd' -o -name '*.pxi')
# After `make wheels`, pip installs from that folder without the Internet.
from   := $(if $(wildcard $(WHEELS)/*.whl),--no-index --find-links $(WHEELS))
pip    := PYTHONWARNINGS=ignore $(bin)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt $(from)

together := $(bin)/python -m tests.support.together
# Without the variable, libfaketime ends timed waits on the monotonic clock at once, so that
# Python threads take the interpreter from each other all the time.
# What lasts longest begins first.
longest  := $(patsubst %,tests/package/test_%.py,update lifecycle power_cuts machine release)
at       := $(if $(AT),FAKETIME_FORCE_MONOTONIC_FIX=0 faketime -m --exclude-monotonic '$(AT)')

slow   := warning: no native extension (no compiler?): lookups are slow; sudo apt install gcc python3-dev, make clean setup

.DEFAULT_GOAL := help
.PHONY: help setup run man test test-controls check audit format messages bench bench-parts bench-workers bench-floods bench-feed bench-board fuzz fuzz-native e2e soak wheels deb release test-arm64 test-packages clean

help: ## Show these targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.built filterd/locale/vi.mo ## Make the virtual environment, with the native modules

run: setup ## Serve the sample school on 127.0.0.1 and ::1, port 5300
	@test -e $(STATE)/index.filterd || $(bin)/filterd lists build --config $(CONFIG) --state $(STATE)
	@exec $(bin)/filterd serve --try --config $(CONFIG) --state $(STATE)

test: setup ## Run the tests, JOBS files at a time; AT='2028-02-29 00:30'
	@$(at) $(together) $(JOBS) -m 'not control and not long' tests

test-controls: setup ## Run the controls: a safeguard is off, the harm is seen
	@$(at) $(together) $(JOBS) -m control tests

check: setup ## Check format, lint, types and the import rules
	$(bin)/ruff format --check . && $(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports

audit: setup ## Name vulnerable dependencies; exit code 3: not all checked
	@$(bin)/python -m deploy.package.audit

format: setup ## Format the source and apply automatic fixes
	$(bin)/ruff check --fix-only . && $(bin)/ruff format .

messages: setup ## Update filterd/locale/vi.po from the source
	$(bin)/python -m tests.support.catalogue
	@$(MAKE) --no-print-directory setup

bench: setup ## Print a table: beside dnsdist, unbound, dnsmasq if there
	$(bin)/python -m tests.bench.table $(BENCH)
	$(bin)/python -m tests.bench.cpu_in_turns

bench-lists: setup ## Measure what lists block and whom they harm
	$(bin)/python -m tests.bench.list_coverage

bench-parts: setup ## Measure the parts: index, parser, TLS, restarts, web ...
	$(bin)/python -m tests.bench.index_figures
	$(bin)/python -m tests.bench.wire_cost
	$(bin)/python -m tests.bench.chain_cost
	$(bin)/python -m tests.bench.entropy
	$(bin)/python -m tests.bench.tls
	$(bin)/python -m tests.bench.tcp_abuse
	$(bin)/python -m tests.bench.restarts --kills 5
	$(bin)/python -m tests.bench.command_start
	$(bin)/python -m tests.bench.web_figures
	$(bin)/python -m tests.bench.reports
	$(bin)/python -m tests.bench.block_page

bench-workers: setup ## Measure the gain of a second worker; needs root
	$(bin)/python -m tests.bench.workers

bench-floods: setup ## Measure floods of forged questions; needs root
	$(bin)/python -m tests.bench.floods
	$(bin)/python -m tests.bench.bad_datagrams

bench-feed: setup ## Measure the feed, with 54,000 appliances; some minutes
	$(bin)/python -m tests.bench.feed_figures
	$(bin)/python -m tests.bench.feed_sync
	$(bin)/python -m tests.bench.feed_scale

bench-board: setup ## Measure start, memory and writes on a small board; as root
	$(bin)/python -m tests.bench.first_answer
	$(bin)/python -m tests.bench.memory
	$(bin)/python -m tests.bench.disk_writes
	$(if $(HOP_MINUTES),HOP_MINUTES=$(HOP_MINUTES) $(bin)/python -m tests.bench.hop)

fuzz: fuzz-native ## Fuzz natively, then 10 million messages; FUZZ=10 for more
	FILTERD_FUZZ_QUERIES=$(FUZZ)0000000 FILTERD_FUZZ_PACKETS=$(FUZZ)000000 \
	    FILTERD_FUZZ_MESSAGES=$(FUZZ)000000 FILTERD_FUZZ_NAMES=$(FUZZ)000000 \
	    FILTERD_FUZZ_DATAGRAMS=$(FUZZ)00000 FILTERD_FUZZ_WORLDS=$(FUZZ)0000 \
	    FILTERD_ORACLE_STEPS=$(FUZZ)00000 FILTERD_ORACLE_WEEK_STEPS=$(FUZZ)00000 \
	    FILTERD_LOG_DAMAGES=$(FUZZ)0000 FILTERD_LOG_KILLS=$(FUZZ)000 \
	    $(bin)/python -m pytest -q -s tests/fuzz tests/twins tests/unit/querylog/test_totals_file.py \
	        tests/unit/querylog/test_day_file.py tests/unit/querylog/test_day_writer.py \
	        tests/e2e/test_never_wrong.py tests/e2e/test_never_wrong_week.py

fuzz-native: setup ## Fuzz with sanitizers, 90 s each; FUZZ=10 for longer
	FILTERD_FUZZ_NATIVE_S=$$((90 * $(FUZZ))) $(bin)/python -m pytest -q -s tests/fuzz/test_native_fuzz.py

e2e: setup ## Run the long tests: feed, power cuts, boots, packages
	FILTERD_E2E_CHAOS_S=60 FILTERD_E2E_TYPES=1 \
	    FILTERD_E2E_QUERIES=100000 FILTERD_SPOOFED_TARGETS=20000 \
	    FILTERD_ORACLE_QUESTIONS=50000 \
	    FILTERD_FEED_KILLS=300 FILTERD_FEED_FLIPS=900 FILTERD_FEED_FAULTS=1000 \
	    FILTERD_FEED_CUTS=200 FILTERD_FEED_CANDIDATES=all FILTERD_LOG_CUTS=60 \
	    $(together) $(JOBS) -m 'long and not control' $(longest) tests

soak: setup ## Serve for half an hour; SOAK_MINUTES=240 for longer
	$(bin)/python -m tests.bench.soak

man: setup ## Write the manual pages, in both languages, into build/man
	@$(bin)/filterd man --out build/man

wheels: setup ## Fill wheels/, so that `make setup` needs no Internet
	$(bin)/python -m pip wheel --quiet --constraint constraints.txt --wheel-dir $(WHEELS) \
	    --no-build-isolation 'setuptools' 'cython' 'wheel' 'babel' '.[dev]'
	@rm -f $(WHEELS)/filterd-*.whl

deb: setup ## Make the package of this machine in dist/; DEBS=all: all
	@$(bin)/python -m deploy.package deb $(DEBS)

test-arm64: setup ## Run native unit tests for arm64, by qemu; half an hour
	FILTERD_ARM64_UNITS='wire lists fastpath upstream' $(bin)/python -m pytest -q -s tests/package/test_arm64.py

test-packages: setup ## Test packages at length, an hour of hops; two hours
	FILTERD_PACKAGE_KILLS=20 FILTERD_POWER_CUTS=10 FILTERD_UPDATE_SUITES='bookworm trixie' \
	    FILTERD_VIRTUAL=1 HOP_MINUTES=60 $(together) $(JOBS) -m long tests/package/test_hop.py $(longest) tests/package

release: setup ## Make dist/: packages, wheels, SBOM, apt; RELEASE_KEY=KEY
	@$(bin)/python -m deploy.package release $(DEBS) $(if $(RELEASE_KEY),--key $(RELEASE_KEY))

clean: ## Remove everything that these targets made
	rm -rf $(VENV) $(STATE) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find filterd -name '*.so' -delete -o -name '*.mo' -delete -o -name '*.c' -delete; find . -name __pycache__ -exec rm -rf {} +

$(VENV)/.tools: constraints.txt
	@$(PYTHON) -m venv $(VENV) || { echo "make: $(PYTHON) cannot make a virtual environment; on Debian: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV) ..."; $(pip) setuptools cython wheel babel && touch $@

# Without a compiler the build succeeds without native modules, and prints one warning.
# Cython runs in processes first, because it is not made for threads; setuptools runs gcc in threads.
# Compile to bytecode here, because the environment of the daemon may forbid it.
$(VENV)/.built: $(VENV)/.tools pyproject.toml $(native)
	@echo "Compiling $(words $(compiled)) native modules ..."
	@$(bin)/cythonize --quiet --parallel $(shell nproc) $(compiled)
	@printf '[build_ext]\nparallel = %s\n' $(shell nproc) >$(VENV)/build.cfg
	@DIST_EXTRA_CONFIG=$(VENV)/build.cfg $(pip) --no-build-isolation --editable '.[dev]'
	@$(bin)/python -m compileall -q filterd
	@$(bin)/python -m filterd.web.page_templates
	@$(bin)/python -c 'import filterd.lists.index, filterd.native as n; n.missing() and print("$(slow)")' && touch $@

filterd/locale/vi.mo: filterd/locale/vi.po $(VENV)/.built
	@$(bin)/python -m filterd.locale.compile_catalogues
