# `make help` lists the targets. Each does its own set-up. Works with GNU make 3.81 and newer.

PY := .venv/bin/python
STAMP := .venv/.stamp
# A cluster given for tests replaces the control plane, but kubectl is still needed.
BINARIES := PYTHONPATH=tools $(PY) -m netgw_dev.binaries

.DEFAULT_GOAL := help
# Whatever the environment says: tests start hundreds of processes, and each would compile netgw anew.
unexport PYTHONDONTWRITEBYTECODE
# Processes that tests run in, each with an API server of its own: more than cores, for scenarios wait half of their time.
JOBS ?= 3
# Lines are counted where tests run the code themselves: an operator that is a process of its own would take twice as long,
# and one that is killed tells nothing; proofs by the thousand would take five times as long, and cover nothing more.
UNCOUNTED := tests/docs tests/e2e tests/histories tests/reliability tests/tools
# The chart, and what it installs: slow, and with programs of their own that are built for them (helm, Prometheus).
INSTALL := tests/chart tests/observability tests/e2e/gitops tests/e2e/installed tests/e2e/observability tests/e2e/release
SEEDS ?= 10000
FIRST_SEED ?= 1
# Of the proofs, one folder of tests/reliability; empty: all, first those of which one file takes longest.
PART ?=
LONGEST := tests/reliability/long_life tests/reliability/small_world
PROOFS := $(LONGEST) $(filter-out $(LONGEST),$(wildcard tests/reliability/[a-z]*))
# Of one seed, only these steps: what the shortest history that fails says.
STEPS ?=

.PHONY: help setup demo test test-install test-image test-kind simulate soak check check-release generate control-plane clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## set up .venv, with the command netgw in .venv/bin

demo: $(STAMP) ## watch manifests become a working VPN in a simulated cloud (KEEP=1 leaves it running)
	@PYTHONPATH=tools $(PY) -m netgw_dev.demo

# In the order of names: else the files with few tests, which take longest, come last and one after the other.
test: $(STAMP) ## run every test of the operator on a real API server and show the coverage
	@$(BINARIES) $(if $(NETGW_TEST_KUBECONFIG),kubectl,control-plane)
	@rm -f .coverage .coverage.*
	$(PY) -m coverage run -m pytest -q --durations=10 -n $(JOBS) --dist loadfile $(addprefix --ignore=,$(UNCOUNTED) $(INSTALL))
	@$(PY) -m coverage combine --quiet
	$(PY) -m coverage report --fail-under=90
	$(PY) -m pytest -q --durations=10 -n $(JOBS) --dist loadfile --no-loadscope-reorder $(addprefix --ignore=,$(INSTALL)) $(UNCOUNTED)

test-install: $(STAMP) ## install the chart on a real API server, run what it renders, and watch it with Prometheus
	@$(BINARIES) $(if $(NETGW_TEST_KUBECONFIG),kubectl,control-plane) charts observability
	$(PY) -m pytest -q --durations=10 -n $(JOBS) --dist loadfile --no-loadscope-reorder $(INSTALL)

test-image: $(STAMP) ## build the image on a Debian base and run it (as root, with buildah and debootstrap)
	@PYTHONPATH=tools $(PY) -m netgw_dev.image
	NETGW_TEST_IMAGE=1 $(PY) -m pytest -q tests/image

test-kind: $(STAMP) ## run the scenarios on a kind cluster of their own, and play docs/start.md (kind, docker, helm)
	@PYTHONPATH=tools $(PY) -m netgw_dev.kind $(PY) -m pytest -q --durations=10 tests/e2e
	NETGW_TEST_KIND=1 $(PY) -m pytest -q tests/docs/test_start.py

simulate: $(STAMP) ## play histories of faults in virtual time (SEEDS=10000 FIRST_SEED=1)
	@PYTHONPATH=operator:tests $(PY) -m support.simulation --seeds $(SEEDS) --first-seed $(FIRST_SEED) --jobs $(JOBS) \
	  $(if $(STEPS),--steps $(STEPS))

soak: $(STAMP) ## run every reliability proof in full, for hours, and write docs/reliability.md (PART=long_life plays that alone)
	@$(BINARIES) $(if $(NETGW_TEST_KUBECONFIG),kubectl,control-plane)
	rm -f build/figures.json
	NETGW_EFFORT=soak NETGW_FIGURES=build/figures.json $(PY) -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder $(if $(PART),tests/reliability/$(PART),$(PROOFS))
	PYTHONPATH=tools $(PY) -m netgw_dev.reliability build/figures.json

check: $(STAMP) ## lint, types, import contracts, and whether generated files are fresh
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PY) -m netgw.cli crds --check crds
	$(PY) -m netgw.cli crds --check helm/netgw/files/crds
	$(PY) -m netgw.cli fields --check docs
	PYTHONPATH=tools $(PY) -m netgw_dev.argocd --check
	$(PY) -m netgw.cli settings --check docs/settings.md
	PYTHONPATH=tools $(PY) -m netgw_dev.requirements --check
	PYTHONPATH=tools $(PY) -m netgw_dev.versions
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs --quiet build --strict

check-release: $(STAMP) ## whether a tag may be released (TAG=v1.2.3): one version everywhere, dated in the changelog
	@PYTHONPATH=tools $(PY) -m netgw_dev.versions $(TAG)

generate: $(STAMP) ## write what comes from the models and the chart: crds/, deploy/, tables in docs/, golden files
	$(PY) -m netgw.cli crds --write crds
	$(PY) -m netgw.cli crds --write helm/netgw/files/crds
	PYTHONPATH=tools $(PY) -m netgw_dev.manifests --write
	PYTHONPATH=tools $(PY) -m netgw_dev.chart_page --write
	NETGW_GOLDEN=write $(PY) -m pytest -q tests/chart/test_golden.py
	$(PY) -m netgw.cli fields --write docs
	PYTHONPATH=tools $(PY) -m netgw_dev.argocd --write
	$(PY) -m netgw.cli settings --write docs/settings.md
	PYTHONPATH=tools $(PY) -m netgw_dev.requirements

control-plane: $(STAMP) ## build etcd, kube-apiserver and the like when missing; the last line is their folder
	@$(BINARIES) control-plane

clean: ## remove what these targets made in this folder (the built control plane stays in ~/.cache/netgw)
	rm -rf .venv .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build
	rm -rf operator/*.egg-info
	find operator tests tools -name __pycache__ -prune -exec rm -rf {} +

# pip refuses an editable install under hashes, hence two steps.
$(STAMP): constraints.txt pyproject.toml
	@for python in python3 python3.13 python3.12 python3.11 none; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; \
	done; \
	if [ $$python = none ]; then \
	  echo "No Python 3.11 or newer: install one, with its venv module, so that python3 is it." >&2; exit 1; \
	fi; \
	echo "Setting up .venv with $$($$python --version)"; \
	$$python -m venv .venv
	@$(PY) -m pip --disable-pip-version-check install --require-hashes -r constraints.txt
	@$(PY) -m pip --disable-pip-version-check install --no-deps --no-build-isolation -e .
	@touch $@
