# syntax=docker/dockerfile:1
# One image for every process: web (the default), relay, worker and beat differ by their command only.

ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.8 /uv /usr/local/bin/uv
ENV UV_PROJECT_ENVIRONMENT=/opt/venv UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /src

# What others wrote changes seldom: its layer survives a change of ours.
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=packages,target=packages \
    uv sync --frozen --no-default-groups --no-install-workspace
COPY pyproject.toml uv.lock ./
COPY packages packages
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-default-groups --no-editable
COPY example_project /app
# Any settings will do to gather the static files; production's storage gives each a name by its content.
RUN DJANGO_SETTINGS_MODULE=config.settings.production DJANGO_SECRET_KEY=for-this-step-only DJANGO_ALLOWED_HOSTS=localhost \
    DATABASE_URL=sqlite://:memory: DJANGO_STATIC_ROOT=/app/staticfiles \
    /opt/venv/bin/python /app/manage.py collectstatic --no-input --verbosity 0

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --home-dir /app --shell /bin/bash holdfast
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    DJANGO_STATIC_ROOT=/app/staticfiles
WORKDIR /app
# Where the counter server of docker-compose.yml keeps what it counted: a new volume belongs to whom its folder belongs.
RUN install --directory --owner holdfast /data
USER holdfast
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8000/ping/', timeout=4)"]
# The heartbeat file of a worker belongs in memory: a slow disk would make gunicorn take a healthy worker for a dead one.
ENV GUNICORN_CMD_ARGS="--bind 0.0.0.0:8000 --workers 2 --threads 8 --worker-tmp-dir /dev/shm --no-control-socket"
CMD ["gunicorn", "config.wsgi"]
