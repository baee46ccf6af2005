# Targets: run, test, heavy, check, bench, lock, clean, venv. Everything lives in .venv and .repairchain, and needs only make and Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Workers of the test run: one more than the two cores it is made for, since the connected tests also wait.
WORKERS ?= 3

.PHONY: run test heavy check bench lock clean venv
.DEFAULT_GOAL := run

run: venv
	$(BIN)/repairchain demo

# By file, for what a module sets up is set up once then; the order, the longest first, is that of tests/conftest.py.
# Whatever the environment says, what pytest makes of the test files is kept: making it takes each worker nine seconds.
# DuckDB plans a tenth faster with the allocator told as the services have it (services/supervisor.py), and again by six in a hundred
# where it may take large pages, which services do not, for the memory.
# Numpy starts no threads, as in the services (cli/main.py).
# Servers, of which most live for less than a second, look for garbage less and wake no second thread for so little to do: a quarter less work.
# A worker that died ends the run: with another in its place it may wait for ever for tests that are done (xdist 3.8).
# Most tests wait for the disk at some time: where two gigabytes of memory are free for files, they have those instead.
SHM := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 2000000 { print "TMPDIR=/dev/shm" }')
PYTEST = $(SHM) PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 GOMAXPROCS=1 GOGC=800 GLIBC_TUNABLES=glibc.malloc.tcache_count=60000:glibc.malloc.hugetlb=1 $(BIN)/python -m pytest -n $(WORKERS) --max-worker-restart 0 --dist loadfile --no-loadscope-reorder

test: venv
	$(PYTEST)

# The long campaigns, of which the suite has a small slice each; and of what the suite does to a sample, all. All of it is bounded:
# up to twenty minutes on two cores.
heavy: venv
	$(PYTEST) -m heavy -o faulthandler_timeout=1200
	$(PYTEST) --thorough tests/events tests/projections tests/services/backtest tests/services/epcis tests/services/importing \
		tests/services/publishing tests/services/test_accounts.py tests/services/test_intake.py tests/services/test_sharing.py \
		tests/services/desk/test_mail.py tests/services/notifying/test_every_letter.py tests/services/notifying/test_mime.py \
		tests/services/notifying/test_texting.py tests/cli/test_sentences.py

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: venv
	$(BIN)/python -m bench

venv: $(STAMP)

# Rebuilt only when a lock or the project file changes. What builds comes first, then the lock, hash by hash, whose one source package
# is built with that and not with what an isolated build would fetch unseen; then the project itself, which brings nothing more.
$(STAMP): requirements-dev.txt requirements-build.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "repairchain needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	@echo "Setting up .venv; downloading what it needs happens once, and takes a minute or two."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q events projections services cli
	@touch $@

# The lock names versions and hashes, never a place: no index address, no find-links, nothing of this machine's pip settings.
# Raise everything with: make lock UPGRADE=--upgrade
UPGRADE ?=
COMPILE = PIP_CONFIG_FILE=/dev/null env -u PIP_FIND_LINKS -u PIP_INDEX_URL -u PIP_EXTRA_INDEX_URL $(BIN)/pip-compile $(UPGRADE) --quiet \
	--generate-hashes --allow-unsafe --strip-extras --no-header --annotation-style=line \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

lock: venv
	$(COMPILE) -o requirements-dev.txt --extra dev pyproject.toml
	$(COMPILE) -o requirements.txt -c requirements-dev.txt pyproject.toml
	$(COMPILE) -o requirements-build.txt -c requirements-dev.txt --only-build-deps --build-deps-for editable --build-deps-for wheel pyproject.toml
	touch $(STAMP)

clean:
	rm -rf .venv .repairchain .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
