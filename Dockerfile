# The operator, and nothing beside it: the base with its Python, the pinned packages and netgw. No compiler, no pip of ours.
#
#     docker build --build-arg VERSION=0.1.0 --tag netgw .
#
# Plain builders are enough. Packages come from whatever index pip is set up for, or, without any network, from a folder
# `wheels/` beside this file where there is one; requirements.txt has the hash of each either way. With the same base,
# SOURCE_DATE_EPOCH and wheels, two builds are the same bytes (docker: with rewrite-timestamp=true; buildah: --timestamp).

# Any image with Python 3.11 or newer, its venv module included; a digest makes builds repeatable.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
ARG SOURCE_DATE_EPOCH=0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/netgw
WORKDIR /src
COPY requirements.txt wheel[s] /wheels/
RUN set -eu; \
    if ls /wheels/*.whl >/dev/null 2>&1; then set -- --no-index --find-links /wheels; else set --; fi; \
    /opt/pip/bin/pip --python /opt/netgw/bin/python install --only-binary :all: --require-hashes "$@" -r /wheels/requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator ./operator
# One wheel, by the setuptools that is pinned, which does not stay. Bytecode is checked by nobody's clock and written in
# one order; every time is that of the source.
RUN set -eu; \
    /opt/netgw/bin/python -c 'import sys; from setuptools import build_meta; build_meta.build_wheel("/wheels")'; \
    /opt/pip/bin/pip --python /opt/netgw/bin/python install --no-deps --no-index --find-links /wheels netgw; \
    /opt/pip/bin/pip --python /opt/netgw/bin/python uninstall --yes setuptools; \
    find /opt/netgw -name direct_url.json -delete; \
    PYTHONHASHSEED=0 /opt/netgw/bin/python -m compileall -q -j 1 --invalidation-mode unchecked-hash /opt/netgw/lib; \
    find /opt/netgw -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +

FROM ${BASE}
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="netgw" \
      org.opencontainers.image.description="A Kubernetes operator for UpCloud network gateways: NAT and IPsec site-to-site VPN." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /opt/netgw /opt/netgw
# The root file system may be read-only: nothing is written, not even bytecode.
ENV PATH=/opt/netgw/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, so that runAsNonRoot can be checked. The user needs no name, no home and no file of its own.
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/opt/netgw/bin/netgw"]
CMD ["run"]
