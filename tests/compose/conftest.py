import pytest

import stack


@pytest.fixture(scope="module")
def compose_v2():
    """The lines of the README, with Compose v2."""
    yield from bring_up("docker compose")


@pytest.fixture(scope="module")
def compose_v1():
    """The same with docker-compose 1.29."""
    yield from bring_up("docker-compose")


def bring_up(compose):
    stack.down(compose)
    try:
        stack.shell(f"{compose} up --build -d", timeout=600)
        stack.await_healthy("lb", 1)
        yield compose
    finally:
        stack.down(compose)
