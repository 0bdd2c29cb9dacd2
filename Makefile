# One virtual environment, made on first use; every target works in a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PB := encoderfile/transports/_pb
# More real exports, each with its expected.json, if the folder ../shared/models exists.
export ENCODERFILE_TEST_MODELS ?= $(wildcard $(CURDIR)/../shared/models)

MODEL ?= $(firstword $(wildcard $(ENCODERFILE_TEST_MODELS)/minilm-embed) examples/embed/model)

.PHONY: demo test lint attack hosts cuda runtime-aarch64 bench proto launcher docs clean

demo: $(VENV)/installed
	$(BIN)/python examples/demo.py

# Tests wait for processes more than they compute; those of one file share what they build.
WORKERS ?= 2
test: $(VENV)/installed-dev $(VENV)/installed-launcher lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

lint: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Attacks on a built file by clients, by the host and by other users, and their cost; about fifteen minutes, as root.
attack: $(VENV)/installed-dev
	$(BIN)/python tests/attacks $(MODEL)

# A built file on other systems: Debian 11 to 13, musl, an empty root, under seccomp; as root, with debootstrap.
HOSTS := .hosts
hosts: $(VENV)/installed-dev
	tests/hosts/fetch.sh $(HOSTS)
	ENCODERFILE_TEST_HOSTS=$(CURDIR)/$(HOSTS) $(BIN)/python -m pytest tests/hosts tests/emulated

# Clients of other projects, pinned, against built files: docs/clients.md; 2 GB to download, then minutes.
CLIENTS := .clients
.PHONY: clients
clients: $(VENV)/installed-dev
	tests/clients/environments.sh $(CLIENTS) $(BIN)/python
	ENCODERFILE_TEST_CLIENTS=$(CURDIR)/$(CLIENTS) $(BIN)/python -m pytest tests/clients

# The pages in Debian's Chromium (apt-get install chromium), each model type, the rules of accessibility, and what the
# page offers to copy, run by curl, Python, Node.js and grpcurl (built with Go).
BROWSER := .browser
.PHONY: browser
browser: $(VENV)/installed-dev
	@test -x /usr/bin/chromium || { echo "Chromium is missing: apt-get install chromium" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --constraint build/constraints.txt --group browser
	npm install --prefix $(BROWSER) --no-save --silent axe-core@4.14.1
	GOBIN=$(CURDIR)/$(BROWSER)/bin go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3
	ENCODERFILE_TEST_BROWSER=$(CURDIR)/$(BROWSER) $(BIN)/python -m pytest tests/browser

# What deploy/ holds: the chart against the schemas of Kubernetes, the image built and run, the unit under a systemd of
# its own. Needs Go; as root with buildah, systemd-container and mmdebstrap, else those tests are skipped.
DEPLOY := .deploy
.PHONY: deploy manifests
deploy: $(VENV)/installed-dev
	tests/deploy/fetch.sh $(DEPLOY)
	ENCODERFILE_TEST_DEPLOY=$(CURDIR)/$(DEPLOY) $(BIN)/python -m pytest tests/deploy

# deploy/kubernetes, after a change of the chart.
manifests: $(VENV)/installed-dev
	tests/deploy/fetch.sh $(DEPLOY)
	$(BIN)/python deploy/make_manifests.py $(DEPLOY)/helm

# The libraries that `build --device cuda` puts into a file, 1.3 GB to download: all that they need but the driver is
# there. No GPU is needed.
cuda: $(VENV)/installed-dev $(VENV)/installed-launcher
	$(BIN)/python -m pip install --quiet --editable '.[cuda]'
	$(BIN)/python -m pytest tests/cuda

# The runtime for aarch64, frozen under emulation and imported for `build --platform linux-aarch64`; as root, with
# debootstrap and qemu-user-static.
runtime-aarch64: $(VENV)/installed
	mkdir -p dist
	$(BIN)/encoderfile runtime import "$$(build/aarch64.sh dist $(HOSTS)/arm64)"

# Ratios to onnxruntime alone, in one run, with tables and a plot in benchmarks/results; about ten minutes.
RESULTS := benchmarks/results
bench: $(VENV)/installed
	mkdir -p $(RESULTS)
	$(BIN)/encoderfile build $(MODEL) --device cpu -o $(RESULTS)/bench.encoderfile
	$(BIN)/python benchmarks/startup.py $(RESULTS)/bench.encoderfile | tee $(RESULTS)/startup.md
	$(BIN)/python benchmarks/throughput.py $(RESULTS)/bench.encoderfile $(MODEL) --plot $(RESULTS)/throughput.svg \
		| tee $(RESULTS)/throughput.md

# The code that protoc generates is committed, so that an installation needs no compiler; a test compares it.
proto: $(VENV)/installed-dev
	$(BIN)/python build/protos.py $(PB)

# Pages generated: what --help prints, the packages in the runtime, what the tests prove, the clients that are tried,
# the routes and their fields.
docs: $(VENV)/installed-dev
	$(BIN)/python docs/make_cli.py
	$(BIN)/python docs/make_inside.py
	$(BIN)/python docs/make_conformance.py
	$(BIN)/python docs/make_clients.py
	$(BIN)/python docs/make_api.py

# These pages as a site that needs no server and no network: open site/index.html. It has an environment of its own,
# 170 MB, so that nothing of it comes near the packages that a runtime is frozen from.
SITE := site
.PHONY: site
site: $(VENV)/installed-dev $(VENV)/installed-site
	NO_MKDOCS_2_WARNING=1 $(VENV)/site/bin/mkdocs --quiet build --strict --site-dir $(SITE)
	ENCODERFILE_TEST_SITE=$(CURDIR)/$(SITE) $(BIN)/python -m pytest -q tests/website

# The launcher is committed too, compiled; a test compiles it again and compares the bytes.
launcher: $(VENV)/installed-launcher
	$(BIN)/python build/launcher/build.py

# The wheel, the runtimes of both platforms, their SBOMs and checksums, of the last commit; docs/release.md.
.PHONY: release
release: $(VENV)/installed-dev
	$(BIN)/python build/release.py dist

$(VENV)/installed: pyproject.toml build/constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "installing encoderfile and its packages into $(VENV), some 400 MB to download, once" >&2
	$(BIN)/python -m pip --disable-pip-version-check install --quiet "pip>=25.1" >&2
	$(BIN)/python -m pip install --constraint build/constraints.txt --editable . >&2
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --constraint build/constraints.txt --group dev
	touch $@

$(VENV)/installed-site: pyproject.toml build/constraints.txt
	$(PYTHON) -m venv $(VENV)/site
	$(VENV)/site/bin/python -m pip --disable-pip-version-check install --quiet "pip>=25.1"
	$(VENV)/site/bin/python -m pip install --quiet --constraint build/constraints.txt --group site
	touch $@

# To compile the launcher: a compiler (440 MB) and the sources of libdeflate.
$(VENV)/installed-launcher: $(VENV)/installed-dev build/launcher/libdeflate.txt
	$(BIN)/python -m pip install --quiet --group launcher
	rm -rf $(VENV)/libdeflate
	$(BIN)/python -m pip download --quiet --no-deps --no-binary deflate --require-hashes --dest $(VENV)/libdeflate \
		--requirement build/launcher/libdeflate.txt
	touch $@

clean:
	rm -rf $(VENV) $(SITE) .mypy_cache .ruff_cache .pytest_cache *.encoderfile
