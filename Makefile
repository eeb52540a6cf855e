# SPDX-License-Identifier: Apache-2.0
# `make run` serves the sample school, `make test` runs the tests; both do all the set-up.

PYTHON ?= python3
VENV   ?= .venv
CONFIG ?= policies
STATE  ?= .state
WHEELS ?= wheels
FUZZ   ?= 1
BENCH  ?=
# Tests wait often: four at a time left two cores idle for a quarter of the run.
JOBS   ?= 6
TESTS  ?= tests
AT     ?=
DEBS   ?=

bin    := $(VENV)/bin
# Each recipe begins with the set-up that it needs (deploy/checkout), which says at once what the
# machine lacks for the target, and costs a tenth of a second where all is in place.
set_up    = @command -v '$(PYTHON)' >/dev/null || { echo 'make: $(PYTHON) is missing: sudo apt install python3 python3-venv' >&2; exit 1; }; \
    exec '$(PYTHON)' deploy/checkout --venv '$(VENV)' --wheels '$(WHEELS)' --for $@
run_layer  = $(set_up) run
test_layer = $(set_up) test

together := $(bin)/python -m tests.support.together
# Without the variable, libfaketime ends timed waits on the monotonic clock at once, so that
# Python threads take the interpreter from each other all the time.
# What lasts longest begins first.
longest  := $(patsubst %,tests/package/test_%.py,update lifecycle power_cuts machine release)
at       := $(if $(AT),FAKETIME_FORCE_MONOTONIC_FIX=0 faketime -m --exclude-monotonic '$(AT)')

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests run man test test-controls mutants check audit format messages reference bench bench-lists bench-parts bench-workers bench-floods bench-feed bench-board fuzz fuzz-native e2e soak wheels deb release test-arm64 test-packages clean

help: ## Show these targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make the virtual environment, with the native modules
	$(run_layer)

setup-tests: ## Add to it what tests and developers need
	$(test_layer)

run: ## Serve the sample school on 127.0.0.1 and ::1, port 5300
	$(run_layer)
	@test -e $(STATE)/index.filterd || $(bin)/filterd lists build --config $(CONFIG) --state $(STATE)
	@exec $(bin)/filterd serve --try --config $(CONFIG) --state $(STATE)

test: ## Run TESTS, JOBS files at a time; AT='2028-02-29 00:30'
	$(test_layer)
	@$(at) $(together) $(JOBS) -m 'not control and not long and not apart' $(TESTS)

test-controls: ## Run the controls: a safeguard is off, the harm is seen
	$(test_layer)
	@$(at) $(together) $(JOBS) -m control tests

mutants: ## Plant mistakes: do tests notice? MUTANTS=policy, SEED=1
	$(test_layer)
	@$(bin)/python -m tests.mutants $(MUTANTS) $(if $(NUMBER),--number $(NUMBER)) $(if $(SEED),--seed $(SEED))

check: ## Check format, lint, types, imports, evidence of lists
	$(test_layer)
	$(bin)/ruff format --check . && $(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/python -m filterd.publish.evidence blocklists

audit: ## Name vulnerable dependencies; exit code 3: not all checked
	$(test_layer)
	@$(bin)/python -m deploy.package.audit

format: ## Format the source and apply automatic fixes
	$(test_layer)
	$(bin)/ruff check --fix-only . && $(bin)/ruff format .

messages: ## Update filterd/locale/vi.po from the source
	$(test_layer)
	$(bin)/python -m tests.support.catalogue
	@$(MAKE) --no-print-directory setup

reference: ## Write deploy/COMMANDS.md and tests/fixtures/frozen from the program
	$(test_layer)
	$(bin)/python -m tests.support.command_reference
	$(bin)/python -m tests.support.frozen_faces

bench: ## Print a table: beside dnsdist, unbound, dnsmasq if there
	$(test_layer)
	$(bin)/python -m tests.bench.table $(BENCH)
	$(bin)/python -m tests.bench.cpu_in_turns

bench-lists: ## Measure what lists block and whom they harm
	$(test_layer)
	$(bin)/python -m tests.bench.list_coverage
	$(bin)/python -m tests.bench.followed_lists

bench-parts: ## Measure the parts: index, parser, TLS, restarts, web ...
	$(test_layer)
	$(bin)/python -m tests.bench.index_figures
	$(bin)/python -m tests.bench.wire_cost
	$(bin)/python -m tests.bench.chain_cost
	$(bin)/python -m tests.bench.entropy
	$(bin)/python -m tests.bench.tls
	$(bin)/python -m tests.bench.tls_serving
	$(bin)/python -m tests.bench.tcp_abuse
	$(bin)/python -m tests.bench.restarts --kills 5
	$(bin)/python -m tests.bench.command_start
	$(bin)/python -m tests.bench.web_figures
	$(bin)/python -m tests.bench.reports
	$(bin)/python -m tests.bench.block_page

bench-workers: ## Measure the gain of a second worker; needs root
	$(test_layer)
	$(bin)/python -m tests.bench.workers

bench-floods: ## Measure floods of forged questions; needs root
	$(test_layer)
	$(bin)/python -m tests.bench.floods
	$(bin)/python -m tests.bench.bad_datagrams

bench-feed: ## Measure the feed, with 54,000 appliances; some minutes
	$(test_layer)
	$(bin)/python -m tests.bench.feed_figures
	$(bin)/python -m tests.bench.feed_sync
	$(bin)/python -m tests.bench.feed_scale

bench-board: ## Measure start, memory and writes on a small board; as root
	$(test_layer)
	$(bin)/python -m tests.bench.first_answer
	$(bin)/python -m tests.bench.memory
	$(bin)/python -m tests.bench.list_change
	$(bin)/python -m tests.bench.disk_writes
	$(if $(HOP_MINUTES),HOP_MINUTES=$(HOP_MINUTES) $(bin)/python -m tests.bench.hop)

fuzz: fuzz-native ## Fuzz natively, then 10 million messages; FUZZ=10 for more
	FILTERD_FUZZ_QUERIES=$(FUZZ)0000000 FILTERD_FUZZ_PACKETS=$(FUZZ)000000 \
	    FILTERD_FUZZ_MESSAGES=$(FUZZ)000000 FILTERD_FUZZ_NAMES=$(FUZZ)000000 \
	    FILTERD_FUZZ_ARCHIVES=$(FUZZ)000 FILTERD_FUZZ_DATAGRAMS=$(FUZZ)00000 \
	    FILTERD_FUZZ_WORLDS=$(FUZZ)0000 \
	    FILTERD_ORACLE_STEPS=$(FUZZ)00000 FILTERD_ORACLE_WEEK_STEPS=$(FUZZ)00000 \
	    FILTERD_LOG_DAMAGES=$(FUZZ)0000 FILTERD_LOG_KILLS=$(FUZZ)000 \
	    $(bin)/python -m pytest -q -s -m 'not apart' tests/fuzz tests/twins tests/unit/querylog/test_totals_file.py \
	        tests/unit/querylog/test_day_file.py tests/unit/querylog/test_day_writer.py \
	        tests/e2e/test_never_wrong.py tests/e2e/test_never_wrong_week.py

fuzz-native: ## Fuzz with sanitizers, 90 s each; FUZZ=10 for longer
	$(test_layer)
	FILTERD_FUZZ_NATIVE_S=$$((90 * $(FUZZ))) $(bin)/python -m pytest -q -s tests/fuzz/test_native_fuzz.py

e2e: ## Run the long tests: feed, power cuts, boots, packages
	$(test_layer)
	FILTERD_E2E_CHAOS_S=60 FILTERD_E2E_TYPES=1 \
	    FILTERD_E2E_QUERIES=100000 FILTERD_SPOOFED_TARGETS=20000 \
	    FILTERD_ORACLE_QUESTIONS=50000 \
	    FILTERD_FEED_KILLS=300 FILTERD_FEED_FLIPS=900 FILTERD_FEED_FAULTS=1000 \
	    FILTERD_FEED_CUTS=200 FILTERD_FEED_CANDIDATES=all FILTERD_LOG_CUTS=60 \
	    $(together) $(JOBS) -m 'long and not control and not apart' $(longest) tests

soak: ## Serve for half an hour; SOAK_MINUTES=240 for longer
	$(test_layer)
	$(bin)/python -m tests.bench.soak

man: ## Write the manual pages, in both languages, into build/man
	$(run_layer)
	@$(bin)/filterd man --out build/man

wheels: ## Fill wheels/, so that set-up and tests need no Internet
	$(set_up) wheels

deb: ## Make the package of this machine in dist/; DEBS=all: all
	$(test_layer) $(DEBS)
	@$(bin)/python -m deploy.package deb $(DEBS)

test-arm64: ## Run native unit tests for arm64, by qemu; half an hour
	$(test_layer)
	FILTERD_ARM64_UNITS='wire lists fastpath upstream' $(bin)/python -m pytest -q -s tests/package/test_arm64.py

test-packages: ## Test packages at length, an hour of hops; two hours
	$(test_layer)
	FILTERD_PACKAGE_KILLS=20 FILTERD_POWER_CUTS=10 FILTERD_UPDATE_SUITES='bookworm trixie' \
	    HOP_MINUTES=60 $(together) $(JOBS) -m long tests/package/test_hop.py $(longest) tests/package

release: ## Make dist/: packages, wheels, SBOM, apt; RELEASE_KEY=KEY
	$(test_layer) $(DEBS)
	@$(bin)/python -m deploy.package release $(DEBS) $(if $(RELEASE_KEY),--key $(RELEASE_KEY))

clean: ## Remove everything that these targets made
	rm -rf $(VENV) $(VENV).new $(VENV).old $(STATE) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find filterd -name '*.so' -delete -o -name '*.so.new' -delete -o -name '*.mo.new' -delete -o -name '*.mo' -delete -o -name '*.c' -delete; find . -name __pycache__ -exec rm -rf {} +
