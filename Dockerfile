# The image of every service; compose.yaml says which one a container runs.

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /venv && python -m venv /build
COPY requirements.txt requirements-build.txt ./
# Nothing that is not in a lock comes in, not even to build the one package that comes as source.
RUN /build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.txt \
 && /build/bin/pip wheel --no-cache-dir --require-hashes --no-build-isolation --wheel-dir /wheels -r requirements.txt \
 && /venv/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl
COPY pyproject.toml README.md ./
COPY events ./events
COPY projections ./projections
COPY services ./services
COPY cli ./cli
RUN /build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /own . \
 && /venv/bin/pip install --no-cache-dir --no-deps --no-index /own/*.whl

FROM python:3.13-slim
# The folders are made here so that new volumes mounted on them belong to the user that writes there.
RUN groupadd --gid 10001 repairchain \
 && useradd --uid 10001 --gid repairchain --no-create-home --shell /usr/sbin/nologin repairchain \
 && install --directory --owner repairchain --group repairchain /var/lib/jetstream /var/lib/repairchain \
      /var/lib/repairchain/outbox /var/lib/repairchain/readmodels /var/lib/repairchain/run /var/lib/repairchain/state \
      /var/lib/repairchain/registry /var/lib/repairchain/policy \
 && install --directory --mode 0700 --owner repairchain --group repairchain /var/lib/repairchain/credentials \
      /var/lib/repairchain/webhooks /var/lib/repairchain/keys \
      /var/lib/repairchain/nats /var/lib/repairchain/nats/store /var/lib/repairchain/logins \
      /var/lib/repairchain/logins/retailer /var/lib/repairchain/logins/importer /var/lib/repairchain/logins/repairer \
      /var/lib/repairchain/logins/projector /var/lib/repairchain/logins/watchdog /var/lib/repairchain/logins/notifier \
      /var/lib/repairchain/logins/http \
      /var/lib/repairchain/logins/operator /var/lib/repairchain/logins/keeper /var/lib/repairchain/logins/system
COPY --from=build /venv /venv
# The allocator is tuned for DuckDB, as services/supervisor.py does.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 REPAIRCHAIN_HOME=/var/lib/repairchain \
    GLIBC_TUNABLES=glibc.malloc.tcache_count=60000
WORKDIR /var/lib/repairchain
USER 10001:10001
CMD ["repairchain", "--help"]
