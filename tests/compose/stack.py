"""docker-compose.yml, brought up under a project name of its own."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import threading
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = "drover-test"
LB = "http://127.0.0.1:80"
DIRECT = "http://127.0.0.1:3000"

# The environment of the commands: a user's shell in the checkout, apart from
# the name of the project and from any proxy.
ENVIRONMENT = dict(
    os.environ,
    COMPOSE_PROJECT_NAME=PROJECT,
    no_proxy="localhost,127.0.0.1",
    NO_PROXY="localhost,127.0.0.1",
)


def shell(line, timeout=300, check=True):
    """Runs a line as a user types it; returns the output."""
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{line}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def eventually(what, predicate, seconds):
    """Polls until the predicate returns a true value, and returns the value."""
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def containers(service):
    """The running containers of a service, in the form of `docker inspect`."""
    ids = shell(
        f"docker ps -q --filter label=com.docker.compose.project={PROJECT}"
        f" --filter label=com.docker.compose.service={service}"
    ).split()
    return json.loads(shell(f"docker inspect {' '.join(ids)}")) if ids else []


def is_healthy(container):
    return container["State"]["Health"]["Status"] == "healthy"


def await_healthy(service, count, seconds=60):
    def healthy():
        found = containers(service)
        return len(found) == count and all(map(is_healthy, found))

    eventually(f"{count} healthy {service}", healthy, seconds)


def session():
    """An HTTP client that uses no proxy."""
    client = requests.Session()
    client.trust_env = False
    return client


def get(path, base=LB, timeout=5):
    """One GET over a connection of its own."""
    with session() as client:
        return client.get(base + path, timeout=timeout)


def instances(key="instance", requests_made=40):
    """The gateways that answer /api/metrics behind the load balancer. Several
    requests at a time, since single requests stay on the open connections."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = pool.map(get, ["/api/metrics"] * requests_made)
        return {answer.json()[key] for answer in answers}


def await_instances(count, seconds=20):
    eventually(
        f"{count} instances answer", lambda: len(instances()) == count, seconds
    )


class Traffic:
    """Requests in the background, at most 50 a second and `limit` in all, half
    of them over a kept connection, half over fresh ones."""

    def __init__(self, path, limit=6000):
        self.path = path
        self.limit = limit
        self.made = 0
        self.failures = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(timeout=10)

    def _run(self):
        with session() as kept:
            while self.made < self.limit and not self.over.wait(0.02):
                fresh = self.made % 2
                try:
                    answer = (
                        get(self.path)
                        if fresh
                        else kept.get(LB + self.path, timeout=5)
                    )
                    if answer.status_code != 200:
                        self.failures.append((answer.status_code, answer.text))
                except requests.RequestException as error:
                    self.failures.append(repr(error))
                self.made += 1

    def more(self, count, seconds=60):
        """Waits until as many more requests were answered."""
        goal = self.made + count
        eventually(f"{count} requests", lambda: self.made >= goal, seconds)


def down(compose="docker compose"):
    shell(f"{compose} down -v --remove-orphans -t 5", check=False)
