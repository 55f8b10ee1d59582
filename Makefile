# Everything runs in .venv, which the first target that needs it creates.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := setup.py pyproject.toml $(wildcard src/w2v/*.pyx src/w2v/*.h src/w2v/*/*.pyx src/w2v/*/*.h)

.DEFAULT_GOAL := help
SECONDS ?= 60

.PHONY: help build demo test slow sanitize tsan fuzz exports lint bench quality site sdist release-check clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  *##' $(MAKEFILE_LIST) | sed 's/:[^#]*##/\t/'

build: .venv/.installed  ## compile the extension into .venv

.venv/.installed: $(SOURCES)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@

demo: build      ## train on the documentation of Python itself and query the result
	$(BIN)/w2v demo

test: build      ## the test-suite
	$(BIN)/python -m pytest

slow: build      ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

sanitize: build  ## the tests under sanitizers of addresses and of undefined behaviour, on a build of their own
	$(BIN)/python tests/sanitized.py address

tsan: build      ## the same for races between threads; those of Hogwild alone are meant
	$(BIN)/python tests/sanitized.py thread
	$(BIN)/python -m pytest -n 0 -m slow tests/test_sanitizers.py

fuzz: build      ## damaged files to every reader: make fuzz SECONDS=60
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	cd tests && ../$(BIN)/python -m fuzz --seconds $(SECONDS)

exports: build   ## exports against the tools themselves, which take minutes to install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[exports]'
	$(BIN)/python -m pytest -n 0 tests/vectors/test_exports.py

lint: build      ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: build     ## speed beside gensim: make bench CORPUS=text.txt [EVAL=folder]
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python benchmarks/words_per_second.py $(CORPUS)
	$(BIN)/python benchmarks/whole_jobs.py $(CORPUS) $(if $(EVAL),--eval $(EVAL))
	$(BIN)/python benchmarks/fma_ceiling.py $(CORPUS)
	$(BIN)/python benchmarks/load_vectors.py

quality: build   ## quality beside gensim: make quality CORPUS=text.txt EVAL=folder
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python benchmarks/quality.py $(CORPUS) --eval $(EVAL)

# What its extra names, without installing w2v once more.
NEEDS := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"])
site: build      ## the documentation as a site in build/site; every warning is an error
	$(BIN)/python -c '$(NEEDS)' | xargs $(BIN)/python -m pip install --quiet --disable-pip-version-check
	$(BIN)/python tools/site.py

sdist: build     ## source distribution and wheel in dist/
	$(BIN)/python -m pip install --quiet --disable-pip-version-check build
	$(BIN)/python -m build

# The wheel is built from the tarball alone: make release-check PYTHONS="python3.11 python3.14"
PYTHONS ?= $(PYTHON)
release-check:   ## what is released, built, looked into, installed without a compiler and tested as installed
	$(PYTHON) tools/release.py --python $(PYTHONS)

clean:           ## remove everything built
	rm -rf .venv build dist src/w2v.egg-info src/w2v/_*.c src/w2v/*/_*.c src/w2v/*.so src/w2v/*/*.so
