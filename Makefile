# Every target sets up by itself what it needs (.ci/setup; a moment when nothing changed) and passes ARGS on:
#   make demo ARGS="--for 120s"        make test ARGS="tests/rules -x"        make bench ARGS="--quick"
# Paths are relative and unquoted names have no spaces, so that the clone may lie in a folder that has one.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test explore chaos console soak bench lint lock audit sbom wheelhouse deb

# Nothing of the caller's Python gets in.
export PYTHONNOUSERSITE := 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

ARGS ?=
PY := .venv/bin/python

help:  ## this list
	@sed -n -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile

setup:  ## a .venv with everything, and the system packages that tests need
	@.ci/setup system
	@echo "== ready: .venv/bin/corrections-monitor"

demo:  ## the whole thing with a simulated Panjin; ARGS="--for 60s --port 8080"
	@.ci/setup
	@exec .venv/bin/corrections-monitor demo $(ARGS)

test:  ## all tests
	@.ci/setup system
	@echo "== running the tests"
	@exec $(PY) -m pytest $(ARGS)

explore:  ## the property tests with new examples each time, until one fails; ROUNDS=50
	@.ci/setup system
	@for round in $$(seq $(or $(ROUNDS),20)); do echo "== round $$round"; \
		HYPOTHESIS_PROFILE=explore $(PY) -m pytest -q -x \
		$$(grep -rl "^from hypothesis" tests) $(ARGS) || exit 1; done

chaos:  ## kills and faults, the whole of it; KILLS=50 FREEZES=10 FROZEN_S=60 SEED=7
	@.ci/setup system
	@# A fuzzer for the decoders; where it cannot be had that test is skipped.
	@[ -d build/fuzz/atheris ] || $(PY) -m pip install -q --target build/fuzz "atheris>=3,<4" || true
	@exec env CHAOS=whole KILLS="$(KILLS)" FREEZES="$(FREEZES)" FROZEN_S="$(FROZEN_S)" SEED="$(SEED)" \
		$(PY) -m pytest -s -m chaos $(ARGS)

console:  ## the console whole: every walk, every view under axe in each language, width and theme; build/console/*.png
	@.ci/setup system
	@env CONSOLE=whole $(PY) -m pytest tests/console $(ARGS)
	@echo "== pictures in build/console"

soak:  ## hours at 2,000 fixes a second: memory, open files and lag stay flat; FOR=2h
	@.ci/setup system
	@exec env FOR="$(or $(FOR),2h)" SEED="$(SEED)" $(PY) -m pytest -s tests/chaos/test_soak.py $(ARGS)

bench:  ## every figure that the README quotes
	@.ci/setup system
	@echo "== measuring; nothing else should run on this machine meanwhile"
	@exec $(PY) -m benchmarks $(ARGS)

lint:  ## ruff, formatting, mypy strict, who may import whom
	@.ci/setup
	@echo "== ruff"
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@echo "== mypy (a while the first time)"
	@$(PY) -m mypy
	@echo "== who may import whom"
	@.venv/bin/lint-imports --no-cache

lock:  ## write requirements/ anew from pyproject.toml
	@.ci/setup
	@$(PY) -m pip install -q "uv>=0.5,<1"
	@export UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	compile() { $(PY) -m uv pip compile -q --no-config --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate pyproject.toml "$$@"; }; \
	compile -o requirements/runtime.txt && \
	compile --extra dev --constraint requirements/runtime.txt -o requirements/dev.txt

audit:  ## known faults in what is locked, by PyPI's advisories (needs the network)
	@.ci/setup
	@[ -d build/audit/pip_audit ] || $(PY) -m pip install -q --target build/audit "pip-audit>=2.10,<3"
	@exec env PYTHONPATH=build/audit $(PY) -m pip_audit --strict --require-hashes --disable-pip -r requirements/runtime.txt $(ARGS)

sbom:  ## what a release holds, as CycloneDX: build/sbom.cdx.json
	@.ci/setup
	@mkdir -p build
	@$(PY) -m venv build/sbom && build/sbom/bin/pip install -q "cyclonedx-bom>=7,<8"
	@build/sbom/bin/cyclonedx-py requirements requirements/runtime.txt --of JSON -o build/sbom.cdx.json
	@echo "== build/sbom.cdx.json"

wheelhouse:  ## everything to install without network: build/corrections-monitor-VERSION.tar
	@.ci/setup
	@exec packaging/wheelhouse

deb:  ## the same as a package for Debian 12: build/*.deb; REVISION=1
	@.ci/setup
	@packaging/wheelhouse
	@exec env REVISION="$(REVISION)" packaging/deb
