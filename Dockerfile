# The service without what it needs only on a developer's machine: no embedded Postgres, no sandbox, no tests.

# Python 3.13.15 on Debian trixie, all architectures. `docker buildx imagetools inspect python:3.13-slim` prints a newer digest.
ARG PYTHON_IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${PYTHON_IMAGE} AS builder
COPY requirements-image.lock /build/
# Wheels alone: there is no compiler here, and nothing that is downloaded gets to run.
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --quiet --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        --require-hashes --only-binary=:all: --requirement /build/requirements-image.lock
COPY alembic.ini /srv/
COPY migrations /srv/migrations
COPY app /srv/app
# Readable whatever the umask of the checkout was, and compiled once, as the file system will be read-only.
# docker-compose.yml mounts the user's own files at /srv/config.
RUN mkdir /srv/config && chmod -R a+rX /srv && python -m compileall -q --invalidation-mode unchecked-hash /srv

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="avito-quality" \
      org.opencontainers.image.description="Контроль качества чатов Авито: копирует чаты, оценивает их через DeepSeek, рассылает отчёты."
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin service \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /srv /srv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data \
    LOG_FORMAT=json
WORKDIR /srv
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# Migrations come before the first answer, hence the long start. A proxy that the environment names is not for this address.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 CMD ["python", "-c", "import os, urllib.request as http; \
http.build_opener(http.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/health/live', timeout=4)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]
