# Everything runs in .venv, made from the lock files. `make demo` and `make test` need Python 3.11
# or newer, pip and a package index; nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test lint docs bench soak lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    run the main job on the bundled sample site, and print the films it made"
	@echo "make test    run all tests"
	@echo "make lint    ruff, mypy --strict, import-linter"
	@echo "make docs    write the generated parts of the documentation anew"
	@echo "make bench   time readers and crawls; prints tables"
	@echo "make soak    kill what writes at 200 random moments; see what is left (an hour)"
	@echo "make lock    resolve the dependencies anew and write the lock files"

demo: .venv/demo.ready
	@$(BIN)/afterscore demo

# Three at once on two cores: many tests wait for a process or a site. Each of the three takes its
# tests from one stretch, where neighbours share what was set up for them. They start Python some
# hundred times, so what it compiles is kept, whatever the environment says.
test: .venv/dev.ready
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist worksteal

lint: .venv/dev.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/dev.ready
	@$(BIN)/python docs/generate.py

bench: .venv/dev.ready
	@$(BIN)/python -m benchmarks

soak: .venv/dev.ready
	@$(BIN)/python -m benchmarks soak

.venv/demo.ready: requirements.lock pyproject.toml
	@sh .ci/setup.sh "$(PYTHON)" requirements.lock
	@touch $@

.venv/dev.ready: requirements-dev.lock pyproject.toml
	@sh .ci/setup.sh "$(PYTHON)" requirements-dev.lock
	@touch $@ .venv/demo.ready

# Neither file records where packages came from: any index, or a mirror of one, serves them.
PIP_COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-annotate --no-header
lock: .venv/dev.ready
	$(PIP_COMPILE) --extra dev --extra cluster --output-file requirements-dev.lock pyproject.toml
	echo hatchling > .venv/build.in
	$(PIP_COMPILE) --constraint requirements-dev.lock --output-file requirements.lock pyproject.toml .venv/build.in

clean:
	rm -rf .venv build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
