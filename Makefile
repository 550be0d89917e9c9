# make demo · make test · make test-all · make docs · make bench: each sets up what it needs in .venv.
# make oldest · make newest: the tests with the lowest and the newest versions that pyproject.toml allows.
# make steady: ten runs of the tests, each with other draws and in another order.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python

.PHONY: demo test test-all oldest newest steady browser server java audit docs bench messages clean

$(VENV)/.run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[report,serve]'
	@touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.run

$(VENV)/.all: $(VENV)/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev,spark,docs]'
	@touch $@

demo: $(VENV)/.run
	$(BIN)/drgcore demo --out build/demo

# The pages are tested in Chromium with Chinese letters (driven by a program that wants libatomic), the ledger on a PostgreSQL that the tests start;
# where these are missing, their tests say that they skip.
define debian
	@if { $(1); } >/dev/null 2>&1; then :; \
	elif command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
	  echo "installing Debian's $(2) to test $(3)"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -qq -y --no-install-recommends $(2) >/dev/null \
	  || echo "could not install $(2): tests of $(3) will be skipped"; \
	else echo "no $(2): tests of $(3) will be skipped"; fi
endef

browser:
	$(call debian,command -v chromium && find /lib/ /usr/lib/ -name libatomic.so.1 | grep .,chromium fonts-noto-cjk libatomic1,the pages)

server:
	$(call debian,command -v postgres || ls /usr/lib/postgresql/*/bin/initdb,postgresql,the ledger on PostgreSQL)

test: $(VENV)/.dev browser server
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile -m "not spark and not long"

# Spark runs in Java; without it those tests fail, because they were asked for.
java:
	@if command -v java >/dev/null 2>&1; then :; \
	else echo "installing Debian's OpenJDK for the tests of Spark"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -qq -y --no-install-recommends default-jre-headless >/dev/null; fi

test-all: test $(VENV)/.all java
	$(BIN)/pytest -m "spark or long"
	$(MAKE) docs

# uv finds the lowest versions of what pyproject.toml names; pip knows only the newest.
oldest newest: browser server
	$(PYTHON) -m venv --clear build/$@
	build/$@/bin/pip install --quiet --disable-pip-version-check uv
	build/$@/bin/uv pip install --quiet --python build/$@/bin/python -e '.[dev]' \
	  --resolution $(if $(filter oldest,$@),lowest-direct,highest) --upgrade
	NUMBA_CACHE_DIR=$(CURDIR)/build/$@/numba build/$@/bin/pytest -n 2 --dist loadfile -m "not spark and not long"

# Ten runs with other draws, in another order, beside two busy processes: takes hours.
steady: $(VENV)/.dev browser server
	$(RUN) benchmarks/steady.py --runs 10

# Ends with 0 only where a release may go out; without the vulnerability service it says so and fails.
audit: $(VENV)/.dev
	$(RUN) benchmarks/release.py

docs: $(VENV)/.all
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site

messages: $(VENV)/.dev
	$(RUN) data/build_messages.py

bench: $(VENV)/.dev
	$(RUN) benchmarks/grouping.py
	$(RUN) benchmarks/agreement.py
	$(RUN) benchmarks/settlement.py
	$(RUN) benchmarks/history.py
	$(RUN) benchmarks/scenarios.py
	$(RUN) benchmarks/reading.py
	$(RUN) benchmarks/joining.py
	$(RUN) benchmarks/checks.py
	$(RUN) benchmarks/code_search.py
	$(RUN) benchmarks/migration.py
	$(RUN) benchmarks/indicators.py
	$(RUN) benchmarks/estimate.py
	$(RUN) benchmarks/audit.py
	$(RUN) benchmarks/serving.py
	$(RUN) benchmarks/city_month.py
	$(RUN) benchmarks/report.py
	$(RUN) benchmarks/dashboard.py
	$(RUN) benchmarks/peers.py --cases 5000000 --runs 5
	$(RUN) benchmarks/same_everywhere.py
	$(RUN) benchmarks/fuzz.py --rounds 2000 --folder build/fuzz
	$(RUN) benchmarks/conservation.py 200
	$(RUN) benchmarks/very_long.py --rows 10000000

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
