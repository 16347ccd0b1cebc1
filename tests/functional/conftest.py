"""Fixtures: each starts the parts of a scenario and stops them at its end."""

import os
import shutil
import tempfile

import pytest

import backends
import harness


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "alone: measures time, so nothing else may run beside it")


@pytest.fixture
def place():
    """A folder of the scenario's own; open, so that any user can start in
    it."""
    path = tempfile.mkdtemp(prefix="drover-test-")
    os.chmod(path, 0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def starter(make):
    """A function that starts, and a list that stops in reverse order. A failing
    stop does not keep the rest from stopping."""
    started = []

    def start(*args, **kwargs):
        started.append(make(*args, **kwargs))
        return started[-1]

    yield start
    errors = []
    for one in reversed(started):
        try:
            one.stop()
        except AssertionError as e:
            errors.append(e)
            one.kill()
    if errors:
        raise errors[0]


@pytest.fixture
def backend():
    """backend(handle): a server that calls handle for each connection."""
    yield from starter(backends.Backend)


@pytest.fixture
def redis(place):
    """redis(): a redis-server."""
    yield from starter(
        lambda *args, **kwargs: harness.Redis(place, *args, **kwargs))


@pytest.fixture
def drover(place, redis, backend):  # pylint: disable=unused-argument
    """drover(routes=..., services=...): a gateway, stopped before its
    backends."""
    yield from starter(
        lambda *args, **kwargs: harness.Drover(place, *args, **kwargs))
