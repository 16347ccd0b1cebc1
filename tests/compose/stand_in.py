"""Images of the profile `monitoring` where no registry can be reached."""

import subprocess

import yaml

from stack import ROOT, shell

# The published image's layout, as far as docker-compose.yml depends on it.
PROMETHEUS = """\
FROM debian:trixie-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends \
prometheus >/dev/null 2>&1 && rm -rf /var/lib/apt/lists/*
RUN install -d -o nobody -g nogroup /prometheus
USER nobody
VOLUME /prometheus
WORKDIR /prometheus
ENTRYPOINT ["/bin/prometheus"]
"""


def image_of(service):
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return compose["services"][service]["image"]


def can_be_had(service):
    """Already present, or pulled."""
    image = image_of(service)
    try:
        shell(f"docker image inspect {image} || docker pull -q {image}",
              timeout=300)
    except (AssertionError, subprocess.TimeoutExpired):
        return False
    return True


def make_prometheus():
    """Debian's Prometheus, under the image name in docker-compose.yml."""
    if not can_be_had("prometheus"):
        shell(f"docker build -q -t {image_of('prometheus')} - <<'END'\n"
              f"{PROMETHEUS}END", timeout=300)
