# Two commands matter: `make run` starts xenwatch on a demo host, `make test` sets up and runs every check.
VENV ?= .venv
BIN := $(VENV)/bin
# What builds the site and looks at the dependencies, apart from what xenwatch itself and its tests need.
TOOLS := .venv-tools/bin
export VENV
# One process per core for the tests; override with JOBS=0 to see them one by one.
JOBS ?= auto

.PHONY: help setup run test lint types layers unit rules test-pythons bench fleet test-slow faults soak fuzz xenhost xenhost-quick setup-xenhost setup-test setup-tools lock dashboards alerts docs docs-site audit sbom lnav zabbix images deb rpm tree deb-test coverage clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

setup:
	@packaging/setup.sh run

setup-test:
	@packaging/setup.sh test

setup-tools:
	@packaging/setup.sh tools

run: setup  ## start the agent on an embedded demo host and a pretend pool of XCP-ng; needs no Xen
	@exec $(BIN)/xenwatch agent --demo-pool

test: setup-test lint types layers rules alerts unit  ## set up and run everything: tests, types, lint, layers, rule tests

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

layers:
	$(BIN)/lint-imports --no-cache

rules:
	$(BIN)/xenwatch rules lint
	$(BIN)/xenwatch rules test
	$(BIN)/xenwatch rules lint checks
	$(BIN)/xenwatch rules test checks

unit:
	$(BIN)/pytest -q -n $(JOBS) -m 'not slow' --ignore=tests/xenhost

dashboards:  ## write the dashboards' JSON and the alerts' runbook links
	$(BIN)/python dashboards/build.py
	$(BIN)/python alerts/build.py

alerts:  # its own tests run with the others; this names what is out of date at once
	$(BIN)/python alerts/build.py --check
	$(BIN)/python dashboards/build.py --check

coverage: setup-test  ## how much of what a source tree can print is known: make coverage XEN=PATH
	$(BIN)/python packaging/coverage/measure.py $(XEN) --write

test-pythons: setup-test  ## the unit tests on every Python from 3.11 on that is found here
	packaging/test-pythons.sh

bench: setup-test  ## the benchmarks, each beside a peer in the same run
	$(BIN)/python tests/benchmarks/run.py

fleet: setup-test  ## fifty hosts and their hubs on a real etcd, then the sizes: HOSTS=500 agents for SECONDS=60
	$(BIN)/pytest -q tests/unit/fleet
	$(BIN)/python tests/benchmarks/bench_fleet.py $(or $(HOSTS),500) $(or $(SECONDS),60)

test-slow: setup-test  ## the follower's torture test and other minutes-long tests
	$(BIN)/pytest -q -m slow --timeout=3000

faults: setup-test  ## every fault that docs/reliability.md says was tried (many minutes)
	$(BIN)/pytest -q --timeout=3000 $$(grep -oE 'tests/[a-z0-9_/]+\.py(::[a-z0-9_]+)?' docs/reliability.md | sort -u)

soak: setup-test  ## the agent under load for MINUTES=60: what it loses, how memory and descriptors grow
	$(BIN)/python tests/torture/soak.py --minutes $(or $(MINUTES),60) --lines $(or $(LINES),5000) --logs $(or $(LOGS),200) --guests $(or $(GUESTS),100)

fuzz: setup-test  ## the tests of properties with EXAMPLES=5000 each (hours), then atheris for SECONDS=600 on each part
	FUZZ_EXAMPLES=$(or $(EXAMPLES),5000) $(BIN)/pytest -q --timeout=36000 --hypothesis-profile=fuzz $$(grep -rl 'from hypothesis import' tests --include='test_*.py')
	$(BIN)/python tests/torture/fuzz.py --seconds $(or $(SECONDS),600)

setup-xenhost:
	@packaging/setup.sh xenhost

xenhost: setup-xenhost  ## build and boot a real Xen host under QEMU and run its whole tier (three hours for each Xen)
	$(BIN)/pytest -v -m xenhost --timeout=3600 tests/xenhost; code=$$?; $(BIN)/python tests/xenhost/report.py; exit $$code

xenhost-quick: setup-xenhost  ## boot that host and run the smoke part
	$(BIN)/pytest -v -m xenhost --timeout=3600 tests/xenhost -k quick

docs:  ## write what is made from the code: failures, commands, metrics, man pages
	$(BIN)/python packaging/docs/build.py

docs-site: setup-tools  ## build the site of the documentation into dist/site; every link is checked
	NO_MKDOCS_2_WARNING=1 $(TOOLS)/mkdocs build -q --strict -f packaging/site/mkdocs.yml

lnav:  ## write the formats of Xen's logs for lnav
	$(BIN)/python packaging/lnav/build.py

zabbix:  ## write the template for Zabbix
	$(BIN)/python packaging/zabbix/build.py

images:  ## draw the pictures in docs/images from the demo's story (a minute; needs Chromium)
	$(BIN)/python packaging/docs/images.py

deb: setup  ## build the Debian packages for bookworm and trixie into dist/
	$(BIN)/python packaging/deb/build.py

rpm: setup  ## build the rpm for the Python of PYTHON (default: that of .venv) into dist/; needs rpmbuild
	$(BIN)/python packaging/rpm/build.py $(if $(PYTHON),--python $(patsubst python%,%,$(PYTHON)))

tree: setup  ## build the tree for an old dom0: make tree INTERPRETER=FOLDER (docs/install.md)
	$(BIN)/python packaging/tree/standalone.py --interpreter $(INTERPRETER)

deb-test: deb  ## install, start, upgrade and purge them in clean roots, booted ones too; needs root, mmdebstrap, systemd-container
	$(BIN)/pytest -q -s --timeout=1800 -m slow tests/package

audit: setup-tools  ## known flaws of the dependencies (needs a network) and risky calls in the code
	$(BIN)/python packaging/audit/risky_calls.py $(TOOLS)/bandit
	$(BIN)/python packaging/audit/known_flaws.py $(TOOLS)/pip-audit

sbom: setup-tools  ## the bill of materials of what is locked, as CycloneDX, into dist/
	$(BIN)/python packaging/audit/sbom.py $(TOOLS)/cyclonedx-py

lock:  ## resolve the dependencies into requirements.lock
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --group dev --python-version 3.11 \
	  --no-annotate --upgrade -o requirements.lock
	$(BIN)/uv pip compile -q --group tools --universal --generate-hashes --python-version 3.11 \
	  --no-annotate --upgrade -o packaging/tools.lock
	{ sed -n 1p packaging/boards.lock; echo sushy-tools | $(BIN)/uv pip compile -q - --universal --generate-hashes \
	  --python-version 3.11 --no-annotate --no-header --upgrade; } > packaging/boards.lock.new
	mv packaging/boards.lock.new packaging/boards.lock

clean:  ## remove everything that was made here
	rm -rf $(VENV) .venv-tools .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
