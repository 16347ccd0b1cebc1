import pytest

import readme
import stack


@pytest.fixture(scope="module")
def compose_v2():
    """The lines of the README, with Compose v2."""
    yield from bring_up("docker compose")


@pytest.fixture(scope="module")
def compose_v1():
    """The same with docker-compose 1.29."""
    yield from bring_up("docker-compose")


@pytest.fixture(scope="module")
def walk_v2(compose_v2):
    return readme.Walk(compose_v2)


@pytest.fixture(scope="module")
def walk_v1(compose_v1):
    return readme.Walk(compose_v1)


def bring_up(compose):
    stack.down(compose)
    try:
        readme.up(compose)
        yield compose
    finally:
        stack.down(compose)
